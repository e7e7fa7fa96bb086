"""The reject ledger, and the accounts and sessions of the console."""

import hashlib

import asyncpg
import pytest

from firetower.core.clock import DAY, HOUR, ManualClock, to_datetime
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.ingest.ports import Reject
from firetower.storage import accounts, rejects, watch
from firetower.storage.upkeep import upkeep

NOW = ManualClock().now()


def reject(at: int = NOW, *, lane: str = "telemetry", unit: str = "mall", payload: bytes = b"{") -> Reject:
    return Reject(at, lane, f"firetower/v1/{unit}/d/{lane}", "bad_json", "not JSON at 1", payload)


async def keep(pool: asyncpg.Pool, *items: Reject) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await rejects.store(conn, items)


async def test_rejects_keep_their_bytes_and_are_listed_newest_first_page_by_page(pool: asyncpg.Pool) -> None:
    await keep(pool, *(reject(NOW + n, payload=bytes([n, 0, 255])) for n in range(5)))
    first = await rejects.list_rejects(pool, limit=2)
    second = await rejects.list_rejects(pool, limit=2, cursor=first.next_cursor)
    third = await rejects.list_rejects(pool, limit=2, cursor=second.next_cursor)
    seen = [item.payload for page in (first, second, third) for _, item in page.items]
    assert seen == [bytes([n, 0, 255]) for n in (4, 3, 2, 1, 0)]
    assert third.next_cursor is None
    assert first.items[0][1] == reject(NOW + 4, payload=bytes([4, 0, 255]))


async def test_rejects_of_one_unit_are_found_by_its_topic(pool: asyncpg.Pool) -> None:
    await keep(pool, reject(unit="mall"), reject(unit="school"), reject(unit="mall"))
    page = await rejects.list_rejects(pool, rejects.Which(unit="school"))
    assert [item.topic for _, item in page.items] == ["firetower/v1/school/d/telemetry"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1; drop table reject", "９", "9" * 30, ""])
async def test_a_cursor_that_no_page_gave_is_refused(pool: asyncpg.Pool, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await rejects.list_rejects(pool, cursor=cursor)


async def test_a_reject_with_nul_or_broken_characters_is_still_kept(pool: asyncpg.Pool) -> None:
    await keep(pool, Reject(NOW, "alarm", "a\x00b", "bad_topic", "value '\x00' \udc80", b"\x00"))
    ((_, kept),) = (await rejects.list_rejects(pool)).items
    assert kept.topic == "a\ufffdb"
    assert kept.payload == b"\x00"


async def test_old_rejects_are_dropped_after_their_time_those_of_alarms_after_a_year(pool: asyncpg.Pool) -> None:
    await keep(
        pool,
        reject(NOW - 91 * DAY),
        reject(NOW - 89 * DAY),
        reject(NOW - 91 * DAY, lane="alarm"),
        reject(NOW - 366 * DAY, lane="alarm"),
    )
    assert await rejects.prune(pool, NOW) == rejects.Pruned(by_age=2, by_size=0)
    kept = [(item.lane, item.at) for _, item in (await rejects.list_rejects(pool)).items]
    assert kept == [("alarm", NOW - 91 * DAY), ("telemetry", NOW - 89 * DAY)]


async def test_a_ledger_too_large_loses_its_oldest_but_never_the_alarm_lanes(pool: asyncpg.Pool) -> None:
    big = b"x" * 1000
    await keep(pool, reject(lane="alarm", payload=big), *(reject(NOW + n, payload=big) for n in range(5)))
    assert await rejects.prune(pool, NOW, keep_bytes=3200) == rejects.Pruned(by_age=0, by_size=2)
    assert [item.at for _, item in (await rejects.list_rejects(pool)).items] == [NOW + 4, NOW + 3, NOW + 2, NOW]


async def test_an_account_is_found_by_name_and_its_name_is_taken(pool: asyncpg.Pool) -> None:
    made = await accounts.add(pool, "王工", "hash-1", "operator", NOW)
    assert await accounts.find(pool, "王工") == made
    assert (made.role, made.created_at, made.disabled_at, made.password_hash) == ("operator", NOW, None, "hash-1")
    assert await accounts.find(pool, "nobody") is None
    with pytest.raises(Conflict, match="王工"):
        await accounts.add(pool, "王工", "hash-2", "admin", NOW)
    await accounts.add(pool, "admin", "h", "admin", NOW)
    assert [account.username for account in await accounts.list_accounts(pool)] == ["admin", "王工"]


async def signed_in(pool: asyncpg.Pool, account: accounts.Account, token: str) -> bytes:
    digest = hashlib.sha256(token.encode()).digest()
    await accounts.open_session(pool, account.id, digest, at=NOW, expires_at=NOW + HOUR, client="Firefox")
    return digest


async def test_a_session_holds_until_it_expires_or_is_closed(pool: asyncpg.Pool) -> None:
    account = await accounts.add(pool, "op", "hash", "operator", NOW)
    digest, other = await signed_in(pool, account, "one"), await signed_in(pool, account, "two")
    assert await accounts.find_session(pool, digest, NOW) == accounts.Session(account, NOW, NOW + HOUR, "Firefox")
    assert await accounts.find_session(pool, digest, NOW + HOUR) is None
    assert await accounts.find_session(pool, b"unknown", NOW) is None
    await watch.sign_out(pool, "op", digest, NOW)
    assert await accounts.find_session(pool, digest, NOW) is None
    assert await accounts.find_session(pool, other, NOW) is not None


async def test_a_new_password_ends_an_accounts_sessions_and_one_that_is_disabled_has_none(pool: asyncpg.Pool) -> None:
    account = await accounts.add(pool, "op", "hash", "operator", NOW)
    digest = await signed_in(pool, account, "one")
    await accounts.set_password(pool, "op", "hash-2")
    assert await accounts.find_session(pool, digest, NOW) is None
    digest = await signed_in(pool, account, "two")
    await pool.execute("UPDATE account SET disabled_at = $1", to_datetime(NOW + 1))
    assert await accounts.find_session(pool, digest, NOW) is None
    found = await accounts.find(pool, "op")
    assert found is not None
    assert (found.password_hash, found.disabled_at) == ("hash-2", NOW + 1)
    with pytest.raises(NotFound, match="no"):
        await accounts.set_password(pool, "no", "h")


async def test_upkeep_drops_expired_sessions_old_rejects_and_remembered_messages(pool: asyncpg.Pool) -> None:
    account = await accounts.add(pool, "op", "hash", "operator", NOW)
    await signed_in(pool, account, "one")
    await keep(pool, reject(NOW - 100 * DAY))
    await pool.execute("INSERT INTO seen_message VALUES (1, 1, 'x', to_timestamp(0))")
    await upkeep(pool, NOW + 2 * HOUR, 400, 180)
    for table in ("session", "reject", "seen_message"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0
