"""Calls on PostgreSQL: put on record with an entry in the alert's history, and listed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from firetower.alerts.calls import Call, NewCall, called, on_record
from firetower.alerts.watch.log import LogKind
from firetower.core.clock import Micros, to_datetime
from firetower.core.errors import InvalidInput
from firetower.storage import changes, contacts
from firetower.storage.alert_acts import get
from firetower.storage.alert_rows import append_history
from firetower.storage.call_rows import COLUMNS, to_call
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

_WRITTEN = (
    "alert_id",
    "by",
    "contact_id",
    "role",
    "name",
    "number",
    "direction",
    "purpose",
    "result",
    "said",
    "recording",
)
_ADD = (
    f"INSERT INTO call (at, {', '.join(_WRITTEN)})"
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(_WRITTEN) + 2))}) RETURNING id"
)
_MADE_AT = f"SELECT {COLUMNS} FROM call c WHERE c.alert_id = $1 AND c.by = $2 AND c.at = $3 ORDER BY c.id LIMIT 1"
_OF_ALERT = f"SELECT {COLUMNS} FROM call c WHERE c.alert_id = $1 ORDER BY c.id"
_LAST = (
    f"SELECT DISTINCT ON (c.contact_id) {COLUMNS} FROM call c"
    " WHERE c.alert_id = $1 AND c.contact_id IS NOT NULL ORDER BY c.contact_id, c.id DESC"
)


async def add(
    pool: Pool, alert_id: int, new: NewCall, *, actor: str, at: Micros, idempotency_key: str | None = None
) -> Call:
    """Put a call about an alert on record, in any state of it, and announce the alert.

    Raises NotFound, InvalidInput, StoreUnavailable; Conflict for a key used for another request. The same request
    under its key again: the call it made.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["call", alert_id, asdict(new)], ensure_ascii=False, sort_keys=True)
                before = await used_at(conn, idempotency_key, actor, request, at)
                if before is not None:
                    return to_call(await conn.fetchrow(_MADE_AT, alert_id, actor, to_datetime(before)))
            alert = await get(conn, alert_id, lock=True)
            contact = None if new.contact_id is None else await contacts.by_id(conn, new.contact_id)
            if new.contact_id is not None and contact is None:
                raise InvalidInput(
                    f"there is no contact {new.contact_id}; list the alert's contacts, or give a name and a number",
                    {"field": "contact_id"},
                )
            call = called(alert, new, contact, actor, at)
            number = await conn.fetchval(_ADD, to_datetime(at), *(getattr(call, name) for name in _WRITTEN))
            call = replace(call, id=number)
            await append_history(conn, [(alert_id, on_record(alert, call))])
            said = {"name": call.name, "direction": call.direction, "purpose": call.purpose, "result": call.result}
            await log_entry(conn, at, LogKind.CALL, actor, alert_id=alert_id, evidence=said)
            await changes.announce(conn, [alert_id], at)
    return call


async def of_alert(pool: Pool, alert_id: int) -> Sequence[Call]:
    """Return the calls about an alert, oldest first. Raises NotFound, StoreUnavailable."""
    with store_errors():
        await get(pool, alert_id)
        return [to_call(row) for row in await pool.fetch(_OF_ALERT, alert_id)]


async def last_by_contact(pool: Pool, alert_id: int) -> Mapping[int, Call]:
    """Return the newest call about an alert of each contact, by the contact's id. Raises StoreUnavailable."""
    with store_errors():
        return {row["contact_id"]: to_call(row) for row in await pool.fetch(_LAST, alert_id)}
