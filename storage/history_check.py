"""Looking whether the alert history is what was sealed: the chain done again, entry by entry, in one view of the store.

Of a stream: a million entries take no more memory than a thousand.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from firetower.alerts.chain import GENESIS, link
from firetower.core.errors import InvalidInput
from firetower.storage.chain_rows import COLUMNS, to_entry
from firetower.storage.pool import store_errors
from firetower.storage.sealer import NAME

PAGE = 1000
ALL_AT_ONCE_S = 600.0
"""Longest the search for entries without a seal may take; it looks at all of them in one statement."""

_PLANS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_PAGE = f"""
SELECT s.n, s.hash, s.sealed_at, s.alert_id AS of_alert, s.seq AS of_seq, h.alert_id IS NOT NULL AS stands, {COLUMNS}
FROM (SELECT * FROM history_seal WHERE n > $1 ORDER BY n LIMIT {PAGE}) s
LEFT JOIN alert_history h ON h.alert_id = s.alert_id AND h.seq = s.seq
LEFT JOIN alert a ON a.id = h.alert_id
ORDER BY s.n
"""
# An entry waits for its seal only while the change that brought it is still ahead of the sealer. Where the changes that
# the sealer had not read are forgotten, it goes through everything: whatever comes after the last sealed entry of its
# alert may then wait. Times tell nothing of that: a clock may have been set back.
_WITHOUT_SEAL = f"""
WITH ahead AS (
    SELECT coalesce((SELECT seq FROM follower WHERE name = '{NAME}')
                    BETWEEN (SELECT coalesce(min(seq), 1) - 1 FROM live_change)
                        AND (SELECT coalesce(max(seq), 0) FROM live_change), false) AS known
),
waiting AS (
    SELECT DISTINCT unnest(alerts) AS id FROM live_change
    WHERE seq > (SELECT seq FROM follower WHERE name = '{NAME}')
),
bare AS (
    SELECT h.*, (NOT (SELECT known FROM ahead) OR EXISTS (SELECT FROM waiting w WHERE w.id = h.alert_id))
        AND h.seq > (SELECT coalesce(max(s.seq), 0) FROM history_seal s WHERE s.alert_id = h.alert_id) AS waits
    FROM alert_history h
    WHERE NOT EXISTS (SELECT FROM history_seal s WHERE s.alert_id = h.alert_id AND s.seq = h.seq)
)
SELECT {COLUMNS}, h.waits, (SELECT known FROM ahead) AS known, count(*) OVER (PARTITION BY h.waits) AS of_them
FROM bare h JOIN alert a ON a.id = h.alert_id
ORDER BY h.waits, h.alert_id, h.seq LIMIT {PAGE}
"""


@dataclass(frozen=True, slots=True)
class Printed:
    """A hash as it stands on a shift report: of the end of a ``day``, or of the entry number ``n``."""

    day: date | None
    n: int | None
    hash: bytes

    @property
    def of(self) -> str:
        """What it is the hash of, in words."""
        return f"entry {self.n}" if self.day is None else f"the end of {self.day}"


@dataclass(slots=True)
class Checked:
    """How far a check came: ``sealed`` entries looked at, the ``last`` number and its hash, ``waiting`` for a seal.

    ``behind``: the sealer was away for so long that it goes through everything; what waits is then not told from what
    was written past Firetower after an alert's last sealed entry.
    """

    sealed: int = 0
    last: int = 0
    hash: bytes = GENESIS
    waiting: int = 0
    behind: bool = False


@dataclass(slots=True)
class _Known:
    """A hash that the chain must have at the number ``n``, and the words when it does not."""

    n: int
    hash: bytes
    words: str


async def check(
    pool: asyncpg.Pool, checked: Checked, *, start: int = 1, printed: Sequence[Printed] = ()
) -> AsyncIterator[str]:
    """Yield everything found wrong, in words; nothing when the history is intact. ``checked`` tells the rest.

    ``start``: the number of the first entry to look at; the hash before it is believed. Raises StoreUnavailable, and
    InvalidInput for a ``start`` that nothing was sealed as.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            checked.last, checked.hash = start - 1, await _before(conn, start)
            known = [*await _ended_days(conn), *[each async for each in _on_paper(conn, printed)]]
            for each in [each for each in known if each.n == 0]:
                yield each.words
            async for words in _chain(conn, checked, [each for each in known if each.n]):
                yield words
            async for words in _without_seal(conn, checked):
                yield words


async def _before(conn: Any, start: int) -> bytes:
    if start == 1:
        return GENESIS
    before = await conn.fetchval("SELECT hash FROM history_seal WHERE n = $1", start - 1)
    if before is None:
        newest = await conn.fetchval("SELECT max(n) FROM history_seal")
        raise InvalidInput(
            f"--from {start}: no entry {start - 1} is sealed, the newest is {newest or 'none yet'}; begin with 1"
        )
    return bytes(before)


async def _ended_days(conn: Any) -> list[_Known]:
    return [
        _Known(
            row["last_n"],
            row["hash"],
            f"day {row['day']}: the hash stored for its end (entry {row['last_n']}) is not the chain's;"
            " either of them was changed afterwards",
        )
        for row in await conn.fetch("SELECT day, last_n, hash FROM history_day ORDER BY day")
    ]


async def _on_paper(conn: Any, printed: Sequence[Printed]) -> AsyncIterator[_Known]:
    for each in printed:
        n = each.n
        if n is None:
            n = await conn.fetchval("SELECT last_n FROM history_day WHERE day = $1", each.day)
        if n is None:
            first, last = await conn.fetchrow("SELECT min(day), max(day) FROM history_day")
            why = "the store knows of no such day; its record was removed"
            if first is None or each.day < first:
                oldest = "has not ended" if first is None else f"is {first}"
                why = (
                    f"no entry is that old, the first day on record {oldest}; check the day, and that the report is of"
                    " this installation; if both are right, what is older was removed"
                )
            elif each.day > last:
                why = f"the last day on record is {last}; that day has not ended, or its record was removed"
            yield _Known(0, b"", f"printed hash of {each.of}: {why}")
        else:
            yield _Known(
                n,
                each.hash,
                f"printed hash of {each.of}: the chain has another one (entry {n}); the history up to there was"
                " rewritten after it was printed, or the hash was not copied exactly",
            )


async def _chain(conn: Any, checked: Checked, known: Sequence[_Known]) -> AsyncIterator[str]:
    expected: dict[int, list[_Known]] = {}
    for each in known:
        expected.setdefault(each.n, []).append(each)
    for n in [n for n in expected if n <= checked.last]:
        stored = await conn.fetchval("SELECT hash FROM history_seal WHERE n = $1", n)
        for words in _differing(expected, n, stored):
            yield words
    await conn.execute(_PLANS)
    while rows := await conn.fetch(_PAGE, checked.last):
        for row in rows:
            words_of_row = _wrong(checked, row)
            checked.last, checked.hash = row["n"], row["hash"]
            checked.sealed += 1
            for words in (*words_of_row, *_differing(expected, row["n"], row["hash"])):
                yield words
    for n in list(expected):
        for words in _differing(expected, n, None):
            yield f"{words} (the chain ends at entry {checked.last})"


def _differing(expected: dict[int, list[_Known]], n: int, stored: bytes | None) -> list[str]:
    return [each.words for each in expected.pop(n, ()) if each.hash != stored]


def _wrong(checked: Checked, row: Any) -> list[str]:
    """Return what is wrong with the entry that comes after ``checked``."""
    gap = row["n"] != checked.last + 1
    words = [_gap(checked.last + 1, row["n"] - 1)] if gap else []
    sealed_at = row["sealed_at"].isoformat()
    if not row["stands"]:
        words.append(
            f"entry {row['n']}: seq {row['of_seq']} of alert {row['of_alert']}, sealed at {sealed_at}, is gone from the"
            " history"
        )
    elif not gap and link(checked.hash, entry := to_entry(row)) != row["hash"]:
        words.append(
            f"entry {row['n']}: seq {entry.seq} of alert {entry.alert_id} is not what was sealed at {sealed_at}; it was"
            f" changed, or its seal or the one before it was. What stands there now: {entry.canonical()}"
        )
    return words


def _gap(first: int, last: int) -> str:
    which = f"the seal of entry {first} is" if first == last else f"the seals of entries {first} to {last} are"
    return f"{which} missing"


async def _without_seal(conn: Any, checked: Checked) -> AsyncIterator[str]:
    await conn.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")
    rows = await conn.fetch(_WITHOUT_SEAL, timeout=ALL_AT_ONCE_S)
    written = 0
    for row in rows:
        if row["waits"]:
            checked.waiting, checked.behind = row["of_them"], not row["known"]
            continue
        written += 1
        entry = to_entry(row)
        yield (
            f"seq {entry.seq} of alert {entry.alert_id} was never sealed: it was written past Firetower, or its seal"
            f" was removed. It says: {entry.canonical()}"
        )
        if written == PAGE < row["of_them"]:
            yield f"{row['of_them'] - PAGE} more entries were never sealed"
