"""A unit of work in one transaction: everything or nothing, repeats once, unavailability told from bugs."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from waiting import until

from firetower.core.clock import DAY, HOUR, SECOND, ManualClock, to_datetime
from firetower.core.errors import StoreUnavailable
from firetower.devices.events import AlertClass, Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.ingest.ports import Reject, Seen, Store, Stranger, Work
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage import pool as pools
from firetower.storage.ingest import IngestStore

NOW = ManualClock().now()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def store(pool: asyncpg.Pool, registry: Registry, clock: ManualClock) -> IngestStore:
    made = IngestStore(pool, registry, clock)
    await made.register([Stranger("mall", "s-1", DeviceKind.SMOKE), Stranger("mall", "s-2", DeviceKind.SMOKE)], NOW)
    return made


def event(key: str | None, *, device: str = "s-1", name: str = "fire", at: int = NOW) -> Event:
    return Event("mall", device, 1, name, True, "2-3-017", "3F 走廊", at, at, key, ("uncertain",), b"\x00raw")


def verdict(caused_by: Event) -> Verdict:
    return Verdict(
        VerdictKind.RAISE,
        f"event:{caused_by.event}",
        1,
        SubjectKind.DEVICE,
        f"mall/{caused_by.device}",
        caused_by.component,
        AlertClass.FIRE,
        1,
        True,
        caused_by.at,
        "火警",
        "Fire alarm",
        device_number=caused_by.device_number,
        text=caused_by.text,
        event=caused_by,
    )


def some_readings(n: int = 3, start: int = NOW) -> Readings:
    return Readings.of([0] * n, [1] * n, [5] * n, [0] * n, [start + i for i in range(n)], [NOW] * n, [0.1] * n, [0] * n)


def alarm(*events: Event) -> Work:
    return Work("alarm", events=list(events), verdicts=[verdict(e) for e in events])


async def counts(pool: asyncpg.Pool) -> dict[str, int]:
    return {
        table: await pool.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("reading", "device_event", "alert", "reject", "seen_message", "live_change")
    }


async def test_the_store_is_what_ingest_asked_for(store: IngestStore) -> None:
    port: Store = store
    assert (await port.commit(Work("telemetry"))).stored == 0


async def test_one_unit_of_work_writes_everything_it_holds(store: IngestStore, pool: asyncpg.Pool) -> None:
    work = replace(
        alarm(event("k1")),
        readings=some_readings(),
        rejects=[Reject(NOW, "alarm", "t", "bad_json", "why", b"{")],
        seen=[Seen(1, 7, b"digest", NOW)],
    )
    done = await store.commit(work)
    assert (done.stored, done.repeated, done.raised, done.at) == (3, 0, {"fire": 1}, NOW)
    assert await counts(pool) == {
        "reading": 3, "device_event": 1, "alert": 1, "reject": 1, "seen_message": 1, "live_change": 1,
    }  # fmt: skip
    row = await pool.fetchrow("SELECT * FROM device_event")
    assert (row["text"], row["component"], row["flags"], row["payload"]) == (
        "3F 走廊", "2-3-017", ["uncertain"], b"\x00raw",
    )  # fmt: skip
    assert await pool.fetchval("SELECT raised_at FROM alert") == to_datetime(NOW)


async def test_the_same_work_committed_again_changes_nothing(store: IngestStore, pool: asyncpg.Pool) -> None:
    work = replace(alarm(event("k1")), readings=some_readings())
    await store.commit(work)
    before = await counts(pool), await pool.fetch("SELECT * FROM alert")
    again = await store.commit(work)
    assert (again.stored, again.repeated, again.raised) == (0, 3, {})
    assert (await counts(pool), await pool.fetch("SELECT * FROM alert")) == before


async def test_an_event_said_again_raises_nothing_even_after_its_alert_was_closed(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    await store.commit(alarm(event("k1")))
    await pool.execute("UPDATE alert SET state = 'closed', condition = 'normal', disposition = 'false_alarm'")
    await store.commit(alarm(event("k1"), event("k1")))
    assert (await counts(pool))["alert"] == 1
    await store.commit(alarm(event("k2", at=NOW + HOUR)))
    assert (await counts(pool))["alert"] == 2


async def test_an_event_twice_in_one_work_counts_once(store: IngestStore, pool: asyncpg.Pool) -> None:
    await store.commit(alarm(event("k1"), event("k1"), event("k1", device="s-2")))
    assert await pool.fetch("SELECT device, repeats, occurrences FROM alert ORDER BY device") == [
        ("s-1", 0, 1),
        ("s-2", 0, 1),
    ]
    assert (await counts(pool))["device_event"] == 2


async def test_an_event_without_a_key_always_counts(store: IngestStore, pool: asyncpg.Pool) -> None:
    await store.commit(alarm(event(None)))
    await store.commit(alarm(event(None)))
    assert (await counts(pool))["device_event"] == 2
    assert (await counts(pool))["alert"] == 1


async def test_the_same_alarm_in_a_race_is_raised_once(store: IngestStore, pool: asyncpg.Pool) -> None:
    async def commit(work: Work) -> dict[str, int]:
        while True:
            try:
                return (await store.commit(work)).raised
            except StoreUnavailable:
                await asyncio.sleep(0)

    raised = await asyncio.gather(*(commit(alarm(event("k1"), event(f"k{n + 2}", device="s-2"))) for n in range(8)))
    assert sum(one.get("fire", 0) for one in raised) == 2
    assert (await counts(pool))["alert"] == 2


async def test_work_that_breaks_a_constraint_is_a_bug_and_leaves_nothing_behind(
    store: IngestStore, pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    bad = event("k1")
    wrong = replace(verdict(bad), alert_class=AlertClass.HAZARD, priority=9)
    broken = Work("alarm", readings=some_readings(), events=[bad], verdicts=[wrong])
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await store.commit(broken)
    assert "alarm lane's work of 3 readings, 1 events, 1 verdicts" in caplog.text
    assert set((await counts(pool)).values()) == {0}


async def test_replayed_rejects_leave_the_ledger_with_what_they_became_or_not_at_all(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    """A second try that is committed empties the ledger of it; one that is undone leaves it there."""
    payloads = (b"1", b"2", b"2", b"3")
    await store.commit(
        Work("telemetry", rejects=[Reject(NOW, "telemetry", "t", "unknown_device", "", each) for each in payloads])
    )
    first, second, _same_message, third = [row[0] for row in await pool.fetch("SELECT id FROM reject ORDER BY id")]
    wrong = replace(verdict(event("k1")), alert_class=AlertClass.HAZARD, priority=9)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await store.commit(Work("telemetry", verdicts=[wrong], replayed=[first, second]))
    assert (await counts(pool))["reject"] == 4
    await store.commit(Work("telemetry", readings=some_readings(), replayed=[first, second]))
    left = [row[0] for row in await pool.fetch("SELECT id FROM reject")]
    assert left == [third], "every row of a message leaves with it"
    assert (await counts(pool))["reading"] == 3


async def test_a_repeat_among_the_readings_neither_loses_nor_doubles_the_rest(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    """Work whose readings overlap stored ones goes the slow way as a whole: its alarms count once."""
    await store.commit(Work("telemetry", readings=some_readings(3)))
    work = replace(
        alarm(event("k1")), readings=some_readings(5), rejects=[Reject(NOW, "alarm", "t", "bad_json", "", b"{")]
    )
    done = await store.commit(work)
    assert (done.stored, done.repeated, done.raised) == (2, 3, {"fire": 1})
    assert await counts(pool) == {
        "reading": 5, "device_event": 1, "alert": 1, "reject": 1, "seen_message": 0, "live_change": 1,
    }  # fmt: skip


async def test_repeats_and_new_alarms_of_one_large_work_are_told_apart(store: IngestStore, pool: asyncpg.Pool) -> None:
    """Of 450 alarms, 300 of them stored before and one said twice, the others raise one alert each."""

    def fires(first: int, last: int) -> list[Event]:
        return [replace(event(f"k{n}"), component=f"{n:04}") for n in range(first, last)]

    assert (await store.commit(alarm(*fires(0, 300)))).raised == {"fire": 300}
    await pool.execute("UPDATE alert SET state = 'closed', condition = 'normal', disposition = 'false_alarm'")
    assert (await store.commit(alarm(*fires(0, 450), *fires(449, 450)))).raised == {"fire": 150}
    assert await pool.fetchval("SELECT count(*) FROM device_event") == 450
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE state <> 'closed' AND repeats = 0") == 150
    rows = await pool.fetch(
        "SELECT a.component, h.evidence->>'component' FROM alert a JOIN alert_history h ON alert_id = id"
    )
    assert len(rows) == 450
    assert all(alert == evidence for alert, evidence in rows)


async def test_a_commit_reads_no_more_rows_when_the_tables_have_grown(database_url: str, registry: Registry) -> None:
    """A plan made on the first day, with every table empty, looks alerts up by their keys for ever."""
    pool = await pools.connect(database_url, size=1)
    store = IngestStore(pool, registry, ManualClock())

    async def rows_read() -> int:
        await pool.execute("SELECT pg_stat_force_next_flush()")
        return await pool.fetchval(
            "SELECT sum(seq_tup_read)::int8 + (SELECT sum(idx_tup_read)::int8 FROM pg_stat_user_indexes)"
            " FROM pg_stat_user_tables WHERE relname IN ('alert', 'alert_history', 'device_event')"
        )

    try:
        for n in range(8):
            await store.commit(alarm(event(f"a{n}", device=f"s-{n % 4}", at=NOW + n)))
        before = await rows_read()
        await store.commit(alarm(event("b", device="s-2", at=NOW + 10), event("b", device="s-9")))
        small = await rows_read() - before
        await store.commit(alarm(*(event(f"c{n}", device=f"d-{n}") for n in range(3000))))
        before = await rows_read()
        await store.commit(alarm(event("e", device="s-2", at=NOW + 11), event("e", device="s-10")))
        assert await rows_read() - before < small + 100
    finally:
        pool.terminate()


async def test_a_message_without_a_time_is_remembered_for_a_day(store: IngestStore, clock: ManualClock) -> None:
    known, other = Seen(1, 7, b"a", NOW), Seen(1, 8, b"a", NOW)
    await store.commit(Work("telemetry", seen=[known, known]))
    assert await store.seen([other, known, Seen(2, 7, b"a", NOW)]) == [False, True, False]
    clock.advance(DAY + SECOND)
    assert await store.seen([known]) == [False]
    await store.commit(Work("telemetry", seen=[replace(known, at=clock.now())]))
    assert await store.seen([known]) == [True]
    assert await store.seen([]) == []


async def test_channels_and_strangers_are_known_after_asking(store: IngestStore, registry: Registry) -> None:
    await store.channels(["2", "b"])
    assert registry.channel("b") is not None
    assert registry.number("mall", "s-2") == 2


async def test_a_connection_cut_in_the_middle_is_unavailability_and_the_next_try_succeeds(
    store: IngestStore, pool: asyncpg.Pool, database_url: str
) -> None:
    blocker = await asyncpg.connect(database_url)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        commit = asyncio.create_task(store.commit(Work("telemetry", readings=some_readings())), name="commit")
        await until(
            lambda: blocker.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )
        with pytest.raises(StoreUnavailable):
            await commit
    await blocker.close()
    assert (await store.commit(Work("telemetry", readings=some_readings()))).stored == 3


async def test_a_lock_held_too_long_is_unavailability(
    store: IngestStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firetower.storage.ingest._LIMITS", "SET LOCAL lock_timeout = '50ms'")
    blocker = await asyncpg.connect(database_url)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable):
            await store.commit(Work("telemetry", readings=some_readings()))
    await blocker.close()


@pytest.mark.parametrize(
    ("err", "not_now"),
    [
        (asyncpg.DiskFullError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.CannotConnectNowError("x"), True),
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"), True),
        (asyncpg.ProgramLimitExceededError("index row size exceeds the maximum"), False),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.CheckViolationError("x"), False),
        (asyncpg.CharacterNotInRepertoireError("x"), False),
        (asyncpg.UndefinedTableError("x"), False),
        (asyncpg.DataError("x"), False),
        (ValueError(), False),
    ],
)
def test_errors_that_may_pass_are_told_from_bugs(err: Exception, not_now: bool) -> None:
    assert pools.is_not_now(err) is not_now


async def test_a_database_that_is_away_is_unavailable_from_the_first_connection() -> None:
    with pytest.raises(StoreUnavailable, match="FIRETOWER_DATABASE_URL"):
        await pools.connect("postgresql://nobody@127.0.0.1:1/none")


async def test_an_alarm_heard_by_another_node_is_known_by_its_key_or_by_its_words_and_arrival(
    store: IngestStore,
) -> None:
    """Where a clock is wrong the arrival is part of the key, and the nodes' arrivals differ."""
    await store.commit(alarm(event("k1"), event(None, device="s-2")))
    heard = [
        event("k1"),
        replace(event("of another arrival"), received_at=NOW + SECOND),
        replace(event(None, device="s-2"), received_at=NOW + SECOND),
        replace(event("later"), received_at=NOW + HOUR),
        event("k9", name="fault"),
    ]
    assert await store.events_known(heard) == [True, True, True, False, False]
