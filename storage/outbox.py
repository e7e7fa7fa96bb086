"""The outbox: letters as rows, written in the transaction of whatever decides them, sent later by one owner."""

import secrets
from collections.abc import Sequence
from typing import Any

from firetower.alerts.notify.letters import NewLetter
from firetower.core.clock import Micros, to_datetime
from firetower.storage.alert_rows import chunks

_PUT = """
INSERT INTO letter (key, reference, alert_id, policy, level, reason, channel, address, name, role, language, contact_id,
    created_at, due_at, next_try_at)
SELECT n.key, n.reference, n.alert_id, n.policy, n.level, n.reason, n.channel, n.address, n.name, n.role, n.language,
    n.contact_id, $14, n.due_at, n.due_at
FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int2[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::int4[], $13::timestamptz[])
    AS n (key, reference, alert_id, policy, level, reason, channel, address, name, role, language, contact_id, due_at)
ON CONFLICT (key) DO NOTHING
"""


async def put_letters(conn: Any, letters: Sequence[NewLetter], now: Micros) -> int:
    """Write letters inside the caller's transaction and return how many are new: a key is written once, for ever."""
    written = 0
    for chunk in chunks(letters):
        done = await conn.execute(
            _PUT,
            [each.key for each in chunk],
            [secrets.token_urlsafe(16) for _ in chunk],
            [each.alert_id for each in chunk],
            [each.policy for each in chunk],
            [each.level for each in chunk],
            [each.reason for each in chunk],
            [each.channel for each in chunk],
            [each.address for each in chunk],
            [each.name for each in chunk],
            [each.role for each in chunk],
            [each.language for each in chunk],
            [each.contact_id for each in chunk],
            [to_datetime(each.due_at) for each in chunk],
            to_datetime(now),
        )
        written += int(done.rsplit(" ", 1)[1])
    return written
