"""Who is on duty: signing on and off, answering a presence check, leaving for good; one at a time, each in the log."""

from dataclasses import dataclass
from typing import Any

from firetower.alerts.watch.leaving import Watchers, check_has_nothing_open, check_may_leave
from firetower.alerts.watch.log import LogKind
from firetower.alerts.watch.presence import OnDuty, answered
from firetower.core.clock import SECOND, Micros, from_datetime, rfc3339, to_datetime
from firetower.core.errors import Conflict
from firetower.storage import seats
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

_LOCK = 0x6669_7265_0006
"""Advisory lock of whoever changes who is on duty: of two who leave at once the second sees the first gone."""

_DUTY = "SELECT account, since, present_at, asked_at, missed_at FROM watch_duty"
_ABLE = "SELECT username FROM account WHERE role IN ('admin', 'operator') AND disabled_at IS NULL ORDER BY username"
_ASSIGNED = "SELECT id FROM alert WHERE state <> 'closed' AND assignee = $1 ORDER BY id"
_LATEST = """
SELECT s.unattended_since, s.uncovered, h.id AS handover FROM watch_state s
LEFT JOIN watch_handover h ON h.state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch as it stands. ``sounding``: live, sound-armed seats of people who may act, as (digest, account).

    ``uncovered``: how many units lie in nobody's scope; ``handover``: the open one's id.
    """

    on_duty: tuple[OnDuty, ...]
    sounding: tuple[tuple[bytes, str], ...]
    unattended_since: Micros | None
    uncovered: int
    handover: int | None


async def latest(pool: Pool, now: Micros) -> Watch:
    """Return the watch as it stands at ``now``. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            duty = await on_duty(conn)
            sounding = await seats.sounding(conn, now)
            row = await conn.fetchrow(_LATEST)
    assert row is not None  # one row always stands there
    since, gaps = row["unattended_since"], row["uncovered"]
    return Watch(
        tuple(duty),
        tuple(sounding),
        None if since is None else from_datetime(since),
        0 if gaps is None else gaps["count"],
        row["handover"],
    )


async def on_duty(conn: Any, *, lock: bool = False) -> list[OnDuty]:
    """Return who is on duty, longest first; ``lock``: their rows, until the transaction ends."""
    rows = await conn.fetch(f"{_DUTY} ORDER BY since, account{' FOR UPDATE' if lock else ''}")
    return [to_duty(row) for row in rows]


def to_duty(row: Any) -> OnDuty:
    """Return the duty of a row."""
    asked, missed = (None if row[name] is None else from_datetime(row[name]) for name in ("asked_at", "missed_at"))
    return OnDuty(row["account"], from_datetime(row["since"]), from_datetime(row["present_at"]), asked, missed)


async def write_presence(conn: Any, duty: OnDuty) -> None:
    """Store what has become of a presence check."""
    times = (None if at is None else to_datetime(at) for at in (duty.present_at, duty.asked_at, duty.missed_at))
    await conn.execute(
        "UPDATE watch_duty SET present_at = $2, asked_at = $3, missed_at = $4 WHERE account = $1", duty.account, *times
    )


async def alone(conn: Any) -> None:
    """Let nobody else change who is on duty until the caller's transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def put_on(conn: Any, account: str, at: Micros) -> bool:
    """Put an account on duty inside the caller's transaction; return whether it was not."""
    done = await conn.execute(
        "INSERT INTO watch_duty (account, since, present_at) VALUES ($1, $2, $2) ON CONFLICT (account) DO NOTHING",
        account,
        to_datetime(at),
    )
    return bool(done == "INSERT 0 1")


async def take_off(conn: Any, account: str) -> None:
    """Take an account off duty inside the caller's transaction; its sessions then last as long as anybody's."""
    await conn.execute("DELETE FROM watch_duty WHERE account = $1", account)
    await conn.execute(
        "UPDATE session s SET shows_until = NULL FROM account a WHERE a.id = s.account_id AND a.username = $1"
        " AND s.shows_until IS NOT NULL",
        account,
    )


async def sits(pool: Pool, digest: bytes, now: Micros) -> bool:
    """Say whether a session has a live seat whose sound works, on any node. Raises StoreUnavailable."""
    return any(seat == digest for seat, _ in await seats.sounding(pool, now))


async def sign_on(pool: Pool, account: str, at: Micros) -> None:
    """Put somebody on duty (到岗); who is on duty already stays so. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await alone(conn)
            if await put_on(conn, account, at):
                await log_entry(conn, at, LogKind.SIGN_ON, account)


async def sign_off(pool: Pool, account: str, at: Micros, *, by: str, reason: str | None = None) -> None:
    """Take somebody off duty (离岗) while another stays; with ``reason`` an admin (``by``) does so whatever is left.

    Raises Conflict where nobody would be left at a seat that sounds, alerts are still theirs, or they are not on duty.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await alone(conn)
            watchers = await _watchers(conn, account, None, at)
            if account not in watchers.on_duty:
                raise Conflict(f"{account} is not on duty; GET /api/v1/watch says who is")
            await _leave(conn, account, watchers, at, by=by, reason=reason)


async def sign_out(pool: Pool, account: str, digest: bytes, at: Micros, *, reason: str | None = None) -> None:
    """End a session and empty its seat, and with somebody's last seat their duty; ``reason``: an admin forces it.

    Raises Conflict as ``sign_off`` does: the last seat of the watch that sounds does not sign out.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await alone(conn)
            watchers = await _watchers(conn, account, digest, at)
            # the seat before any session: in the order in which a node writes them (``seats.write``)
            await conn.execute("DELETE FROM seat WHERE token_digest = $1", digest)
            if account in watchers.on_duty and account not in watchers.remaining:
                await _leave(conn, account, watchers, at, by=account, reason=reason)
            await conn.execute("DELETE FROM session WHERE token_digest = $1", digest)


async def leave_altogether(conn: Any, account: str, at: Micros, *, by: str, reason: str | None) -> None:
    """Take off duty somebody all of whose seats are about to be empty, inside the caller's transaction.

    Raises Conflict as ``sign_off`` does; who is not on duty has nothing to leave.
    """
    watchers = await _watchers(conn, account, None, at)
    if account in watchers.on_duty:
        await _leave(conn, account, watchers, at, by=by, reason=reason)


async def show_presence(pool: Pool, account: str, at: Micros) -> OnDuty | None:
    """Note that somebody on duty is there (查岗应答); None where they are not on duty. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(f"{_DUTY} WHERE account = $1 FOR UPDATE", account)
            if row is None:
                return None
            before = to_duty(row)
            after = answered(before, at)
            await write_presence(conn, after)
            if before.asked_at is not None:
                took = max(at - before.asked_at, 0) // SECOND
                said = {"asked_at": rfc3339(before.asked_at), "seconds": took, "late": before.missed_at is not None}
                await log_entry(conn, at, LogKind.PRESENCE_ANSWERED, account, evidence=said)
    return after


async def _watchers(conn: Any, account: str, digest: bytes | None, now: Micros) -> Watchers:
    """Return who would be left without the seat of ``digest``, or without any of ``account`` where it is None."""
    duty = [each.account for each in await on_duty(conn)]
    sounding = await seats.sounding(conn, now)
    left = {name for seat, name in sounding if seat != digest and not (digest is None and name == account)}
    able = [row["username"] for row in await conn.fetch(_ABLE) if row["username"] != account]
    return Watchers(
        on_duty=duty,
        remaining=[name for name in duty if name in left],
        seated=[name for name in able if name in left],
        able=able,
    )


async def _leave(conn: Any, account: str, watchers: Watchers, at: Micros, *, by: str, reason: str | None) -> None:
    said: dict[str, object] = {}
    if reason is None:
        check_may_leave(account, watchers)
        assigned = [row["id"] for row in await conn.fetch(_ASSIGNED, account)]
        check_has_nothing_open(account, assigned, watchers.remaining)
    else:
        said = {"forced": True, "of": account, "reason": reason}
        if not watchers.remaining:
            await conn.execute("UPDATE watch_state SET left_at = $1", to_datetime(at))
    await take_off(conn, account)
    await log_entry(conn, at, LogKind.SIGN_OFF, by, evidence=said)
