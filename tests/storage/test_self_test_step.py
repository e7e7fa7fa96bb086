"""Self-tests over months of virtual time: overdue ones are alerts, once, and cleared when done."""

from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from firetower.alerts.duty.self_tests import Period, SelfTests
from firetower.alerts.selftests.schedule import Bounds, Kind, Result, State
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros, from_datetime, to_datetime
from firetower.storage import self_tests
from firetower.storage.lease import Lease
from firetower.storage.self_test_step import SelfTestStep

CHINA = ZoneInfo("Asia/Shanghai")
START = from_datetime(datetime(2026, 1, 5, 9, tzinfo=CHINA))


class Desk:
    """The step, and its clock."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease, plan: SelfTests) -> None:
        self.pool = pool
        self.clock = ManualClock(START)
        self.ahead: Micros = 0
        self.step = SelfTestStep(pool, lease, plan, CHINA, self.clock, ahead=self._ahead)

    async def _ahead(self) -> Micros:
        return self.ahead

    async def look(self, later: Micros = 0) -> list[str]:
        """Let time pass, look, and return the components of the alerts that stand."""
        self.clock.advance(later)
        await self.step.take([], self.clock.now())
        rows = await self.pool.fetch(
            "SELECT component FROM alert WHERE rule = 'system_self_test' AND condition = 'active' ORDER BY component"
        )
        return [row["component"] for row in rows]

    async def did(self, kind: Kind, unit: str | None = None, result: Result = Result.PASSED) -> None:
        await self_tests.record(self.pool, kind, result, by="olga", at=self.clock.now(), unit=unit)

    async def register(self, *units: str, kind: str = "panel") -> None:
        await self.pool.executemany(
            "WITH u AS (INSERT INTO unit (code, registered_at) VALUES ($1, $2) RETURNING id)"
            " INSERT INTO device (unit_id, name, kind) SELECT id, 'd', $3 FROM u",
            [(unit, to_datetime(self.clock.now()), kind) for unit in units],
        )


@pytest.fixture
def desk(pool: asyncpg.Pool, lease: Lease) -> Desk:
    return Desk(pool, lease, SelfTests())


async def test_a_new_installation_lacks_nothing_on_its_first_day_and_the_link_after_it(desk: Desk) -> None:
    """Clocks are checked by themselves; the link to 119 is somebody's work until a machine does it."""
    assert await desk.look() == []
    assert await desk.look(38 * HOUR) == []
    assert await desk.look(HOUR) == ["link_119"]
    await desk.did(Kind.LINK_119)
    assert await desk.look(MINUTE) == []
    assert await desk.pool.fetchval("SELECT state FROM alert") == "returned", "somebody should still see it"
    assert await desk.look(DAY) == []
    assert await desk.look(DAY) == ["link_119"]


async def test_it_is_raised_once_and_not_again_by_a_desk_that_starts_anew(desk: Desk, lease: Lease) -> None:
    await desk.look()
    await desk.look(3 * DAY)
    for _ in range(3):
        await desk.look(HOUR)
    desk.step = SelfTestStep(desk.pool, lease, SelfTests(), CHINA, desk.clock, ahead=desk._ahead)
    assert await desk.look(HOUR) == ["link_119"]
    row = await desk.pool.fetchrow("SELECT count(*) OVER () AS n, occurrences, repeats, alert_class FROM alert")
    assert tuple(row) == (1, 1, 0, "fault")


async def test_nothing_is_written_while_nothing_changes(desk: Desk) -> None:
    """The desk's steps are woken by what they announce; one that announces each minute would never let it rest."""
    await desk.look()
    await desk.look(3 * DAY)
    before = await desk.pool.fetchval("SELECT max(seq) FROM live_change")
    await desk.look(HOUR)
    assert await desk.pool.fetchval("SELECT max(seq) FROM live_change") == before


async def test_clocks_are_compared_once_a_day_and_until_they_agree(desk: Desk) -> None:
    for _ in range(48):
        assert await desk.look(HOUR // 2) == []
    assert await desk.pool.fetchval("SELECT count(*) FROM self_test WHERE kind = 'clocks'") == 2
    desk.ahead = -6 * SECOND
    assert "clocks" in await desk.look(DAY)
    for _ in range(12):
        await desk.look(5 * MINUTE)
    rows = await desk.pool.fetch("SELECT result, by, note FROM self_test WHERE kind = 'clocks' ORDER BY id")
    assert [row["result"] for row in rows] == ["passed", "passed", "failed"], "one that goes on failing is told once"
    assert rows[-1]["note"] == "database -6.000 s, at most 5 s"
    desk.ahead = SECOND
    assert "clocks" not in await desk.look(11 * MINUTE)
    assert await desk.pool.fetchval("SELECT result FROM self_test WHERE kind = 'clocks' ORDER BY id DESC") == "passed"


async def test_the_clock_that_is_asked_is_the_databases(pool: asyncpg.Pool, lease: Lease) -> None:
    """A service whose clock stands an hour back finds it itself."""
    now = from_datetime(await pool.fetchval("SELECT clock_timestamp()"))
    step = SelfTestStep(pool, lease, SelfTests(), CHINA, ManualClock(now - HOUR))
    await step.take(None, now - HOUR)
    row = await pool.fetchrow("SELECT result, note FROM self_test")
    assert row["result"] == "failed"
    assert row["note"].startswith("database +3600.")
    assert await pool.fetchval("SELECT component FROM alert") == "clocks"


async def test_units_with_a_panel_are_tested_twice_a_month_through_a_year(pool: asyncpg.Pool, lease: Lease) -> None:
    """One does it each ten days, one forgets it once, one has no panel: one alert in the year, of the one."""
    desk = Desk(pool, lease, SelfTests(link_119=None, clocks=None, power_changeover=None))
    await desk.register("good", "late")
    await desk.register("home", kind="smoke")
    seen: set[str] = set()
    for day in range(365):
        if day % 10 == 0:
            await desk.did(Kind.UNIT_FIRE_TEST, "good")
            if day != 140:
                await desk.did(Kind.UNIT_FIRE_TEST, "late")
        found = await desk.look(DAY)
        seen |= set(found)
        overdue = 130 + 14 < day + 1 < 150 + 1
        assert found == (["unit_fire_test:late"] if overdue else []), day
    assert seen == {"unit_fire_test:late"}
    assert await pool.fetchval("SELECT count(*) FROM alert") == 1


async def test_many_overdue_units_are_one_alert_that_says_how_many(pool: asyncpg.Pool, lease: Lease) -> None:
    desk = Desk(pool, lease, SelfTests(link_119=None, clocks=None, power_changeover=None))
    units = [f"u{n:04}" for n in range(1000)]
    await desk.register(*units)
    assert await desk.look() == []
    assert await desk.look(17 * DAY) == ["unit_fire_test"]
    assert await pool.fetchval("SELECT value FROM alert") == 1000
    for unit in units[:999]:
        await desk.did(Kind.UNIT_FIRE_TEST, unit)
    assert await desk.look(MINUTE) == ["unit_fire_test"]
    assert await pool.fetchval("SELECT value FROM alert") == 1
    assert "u0999" in await pool.fetchval("SELECT text FROM alert")
    await desk.did(Kind.UNIT_FIRE_TEST, units[999])
    assert await desk.look(MINUTE) == []
    assert await pool.fetchval("SELECT count(*) FROM alert") == 1


async def test_a_failed_test_is_told_at_once_and_a_kind_taken_out_of_the_plan_no_more(desk: Desk, lease: Lease) -> None:
    await desk.register("mall")
    await desk.did(Kind.POWER_CHANGEOVER, result=Result.FAILED)
    await desk.did(Kind.UNIT_FIRE_TEST, "mall", Result.FAILED)
    assert await desk.look() == ["power_changeover", "unit_fire_test:mall"]
    plan = SelfTests(power_changeover=None)
    desk.step = SelfTestStep(desk.pool, lease, plan, CHINA, desk.clock, ahead=desk._ahead)
    assert await desk.look(MINUTE) == ["unit_fire_test:mall"]


async def test_the_database_finds_the_states_that_the_schedule_says(pool: asyncpg.Pool, lease: Lease) -> None:
    """Two ways to the same answer: units done on many days, listed by state."""
    desk = Desk(pool, lease, SelfTests())
    period = Period(days=14, notice_days=3)
    await desk.register(*(f"u{day:02}" for day in range(40)), "new", "bad")
    for day in range(40):
        await self_tests.record(
            pool, Kind.UNIT_FIRE_TEST, Result.PASSED, by="x", at=START + day * DAY + day * HOUR // 2, unit=f"u{day:02}"
        )
    await desk.did(Kind.UNIT_FIRE_TEST, "bad", Result.FAILED)
    counts = []
    for now in (START + 20 * DAY, START + 40 * DAY):
        bounds = Bounds.at(period, now, CHINA)
        async with pool.acquire() as conn:
            for state in State:
                found, total = await self_tests.of_units(conn, START, bounds, [state], limit=100)
                assert {bounds.state(each) for each in found} <= {state}
                assert total == len(found)
                counts.append(total)
            everybody, _ = await self_tests.of_units(conn, START, bounds, tuple(State), limit=100)
        assert len(everybody) == 42
    assert sum(counts) == 84
    assert all(counts[:4])
