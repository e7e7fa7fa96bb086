"""Risk on a real database: what the store holds is what units are rated by, at once, once, and with its history."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from alert_making import commit, fire, hazard
from waiting import until

from firetower.alerts.duty.self_tests import Period
from firetower.alerts.selftests.schedule import Kind, Result
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros, from_datetime, to_datetime
from firetower.core.errors import LeaseLost
from firetower.devices.city import read_city
from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.verdicts import VerdictKind
from firetower.storage import follower, registry, risk, self_tests
from firetower.storage.lease import Lease
from firetower.storage.risk_rounds import RiskRounds

CHINA = ZoneInfo("Asia/Shanghai")
START = from_datetime(datetime(2026, 1, 5, 10, tzinfo=CHINA))  # a Monday
METRICS = catalogue().by_name
OFFICE = [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "18:00"}]
CITY: dict[str, Any] = {
    "format": "firetower-registry/1",
    "grids": [{"code": "g1"}, {"code": "g2"}],
    "mains": [{"code": "m1"}],
    "units": [
        {
            "code": "u1", "name": "万象城", "category": "mall", "grid": "g1", "lon": 108.60, "lat": 21.90,
            "contacts": [{"role": "manager", "name": "王", "phone": "138", "hours": OFFICE}],
        },
        {"code": "u2", "category": "school", "grid": "g1", "lon": 108.61, "lat": 21.90},
        {"code": "u3", "grid": "g2"},
    ],
    "stations": [{"code": "s1", "lon": 108.60, "lat": 21.903}],
    "devices": [
        *({"unit": "u1", "device": f"d{n}", "kind": "smoke"} for n in range(8)),
        {"unit": "u1", "device": "e1", "kind": "electrical"},
        {"unit": "u1", "device": "p1", "kind": "panel"},
        {"unit": "u1", "device": "old", "kind": "smoke", "retired": True},
        {"unit": "u2", "device": "h1", "kind": "hydrant", "main": "m1", "lon": 108.6018, "lat": 21.90},
        {"unit": "u2", "device": "h2", "kind": "hydrant", "lon": 108.604, "lat": 21.90},
    ],
}  # fmt: skip


class Hall:
    """The rounds, their clock, and how things stand."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease, clock: ManualClock) -> None:
        self.pool = pool
        self.clock = clock
        self.rounds = RiskRounds(pool, lease, clock, period=Period(days=14), zone=CHINA)

    async def look(self, later: Micros = SECOND) -> None:
        self.clock.advance(later)
        await self.rounds.look()

    async def unit(self, code: str = "u1") -> risk.Standing:
        return (await risk.listed(self.pool, risk.Which("unit", unit=code)))[0]

    async def grid(self, code: str = "g1") -> risk.Standing:
        return (await risk.listed(self.pool, risk.Which("grid", grid=code)))[0]

    async def reasons(self, part: str, code: str = "u1") -> dict[str, int | None]:
        found = next(each for each in (await self.unit(code)).parts if each["part"] == part)
        return {reason["code"]: reason["n"] for reason in found["reasons"]}

    async def say(self, device: str, *, rule: str, at: Micros = 0, **more: Any) -> None:
        """A rule's verdict on a device of u1."""
        given = {"rule": rule, "component": "", **more}
        await commit(self.pool, [hazard(device, self.clock.now() + at, **given)], self.clock.now())


@pytest.fixture
async def hall(pool: asyncpg.Pool, lease: Lease) -> Hall:
    city, errors = read_city(CITY)
    assert errors == []
    assert (await registry.import_city(pool, city)).errors == []
    await pool.execute("UPDATE device SET status = 'online'")
    await pool.execute("UPDATE unit SET registered_at = $1", to_datetime(START))
    made = Hall(pool, lease, ManualClock(START))
    await made.look(0)
    return made


async def test_units_and_grids_stand_by_what_the_store_holds(hall: Hall) -> None:
    one, two, three = [await hall.unit(code) for code in ("u1", "u2", "u3")]
    assert (one.score, one.band, one.known) == (87, "low", 1.0)
    assert await hall.reasons("response") == {"water": 190}
    assert (two.score, two.category, round(two.known, 3)) == (77, "school", 0.816)
    assert await hall.reasons("response", "u2") == {"water": 620, "station": 1080, "nobody": None}
    assert (three.score, three.band, three.known) == (None, None, 0.0), "nobody knows anything of it"
    grid = await hall.grid()
    assert (grid.score, grid.worst) == (79, [("u2", ""), ("u1", "万象城")])
    assert (await hall.grid("g2")).score is None
    reckoned = await risk.last_round(hall.pool)
    assert reckoned is not None
    assert (reckoned.computed_at, reckoned.units) == (START, 3)
    assert [row.code for row in await risk.listed(hall.pool, risk.Which("unit"))] == ["u2", "u1", "u3"]
    assert await risk.counts(hall.pool, risk.Which("unit", q="U")) == {"low": 1, "medium": 1, "unknown": 1}


async def test_a_fire_holds_its_unit_at_extreme_until_it_is_closed_and_its_history_says_so(hall: Hall) -> None:
    """Within one look, without the round: a minute is long while something burns."""
    await commit(hall.pool, [fire("d1", hall.clock.now())], hall.clock.now())
    await hall.look(3 * SECOND)
    burning = await hall.unit()
    assert (burning.score, burning.band, burning.since) == (0, "extreme", hall.clock.now())
    assert ((await hall.grid()).score, (await hall.grid()).rest["held_by"]) == (19, None), "half of it burns"
    await hall.look(2 * MINUTE)
    assert (await hall.unit()).since == burning.since, "in this band since then, however often it was reckoned"
    await hall.pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm', condition = 'normal'")
    await hall.look(2 * MINUTE)
    assert (await hall.unit()).band == "low"
    changes = await risk.changes(hall.pool, "unit", "u1", before=None, limit=9)
    assert [(each.old_band, each.new_band, each.held_by) for each in changes] == [
        ("extreme", "low", None), ("low", "extreme", "fire"), (None, "low", None),
    ]  # fmt: skip
    assert changes[1].reason[0]["reasons"] == [{"code": "unacknowledged", "n": 1, "takes": 5}]
    assert (await risk.changes(hall.pool, "unit", "u1", before=changes[1].n, limit=9)) == changes[2:]


async def test_every_kind_of_trouble_finds_its_part(hall: Hall) -> None:
    await hall.say("e1", rule="cable-temperature-high", metric=METRICS["cable_temperature"].number)
    await hall.say("e1", rule="residual-current-high", metric=METRICS["residual_current"].number)
    await hall.say("e1", rule="voltage-out-of-range", metric=METRICS["voltage"].number)
    await hall.say("e1", rule="voltage-out-of-range", metric=METRICS["voltage"].number, kind=VerdictKind.CLEAR)
    await hall.pool.execute("UPDATE alert SET device_kind = 'electrical'")
    await hall.say("d1", rule="sensor-fault", alert_class=AlertClass.FAULT)
    await hall.say("p1", rule="event:shielded", component="2-17", alert_class=AlertClass.SUPERVISORY, priority=2)
    await hall.pool.execute("UPDATE device SET status = 'offline' WHERE name IN ('d1', 'd2')")
    await hall.pool.execute(
        "INSERT INTO announced_window (kind, unit, starts_at, ends_at, reason, requested_by, requested_at, approved_by,"
        " approved_at) VALUES ('maintenance', 'u1', $1, $2, 'works', 'ada', $1, 'ada', $1)",
        to_datetime(START),
        to_datetime(START + 10 * HOUR),
    )
    await hall.look()
    assert await hall.reasons("ignition") == {"open_cable": 1, "open_electrical": 1, "recent_electrical": 1}
    assert await hall.reasons("facilities") == {"not_working": 2, "shielded_points": 1}, "d1 counts once"
    assert await hall.reasons("management") == {"unacknowledged": 5, "unmeasured": 1}
    await hall.look(2 * HOUR)
    assert (await hall.reasons("management"))["overdue"] == 5
    assert await hall.reasons("response") == {"water": 190}
    await hall.look(8 * HOUR)
    assert "nobody_now" in await hall.reasons("response"), "the office is closed"
    assert "unmeasured" not in await hall.reasons("management"), "the window is over"


async def test_water_out_of_limits_is_no_water_and_what_keeps_coming_back_is_told(hall: Hall) -> None:
    for n in range(3):
        await hall.say("e1", rule="residual-current-high", at=n * SECOND)
        await hall.say("e1", rule="residual-current-high", at=n * SECOND, kind=VerdictKind.CLEAR)
        await hall.pool.execute("UPDATE alert SET state = 'closed', disposition = 'hazard_fixed'")
    low = hazard("h1", hall.clock.now(), metric=METRICS["pressure"].number, subject="u2/h1")
    await commit(hall.pool, [low], hall.clock.now())
    await hall.look(2 * MINUTE)
    assert (await hall.reasons("management"))["repeated"] == 1
    assert await hall.reasons("facilities", "u2") == {"water_limits": 1}
    assert (await hall.reasons("response"))["water"] == 410, "the next one"


async def test_a_self_test_that_nobody_did_counts_and_one_that_was_done_does_not(hall: Hall) -> None:
    async with hall.pool.acquire() as conn:
        await follower.store_position(conn, self_tests.SCHEDULE, START)
    await hall.look(20 * DAY)
    assert (await hall.reasons("management"))["test_overdue"] == 1
    for result, told in ((Result.FAILED, {"test_failed": 1}), (Result.PASSED, {})):
        at = hall.clock.now()
        await self_tests.record(hall.pool, Kind.UNIT_FIRE_TEST, result, by="olga", at=at, unit="u1")
        await hall.look(2 * MINUTE)
        assert await hall.reasons("management") == told


async def test_nothing_is_written_where_nothing_changed_and_a_unit_that_moves_leaves_its_grid(hall: Hall) -> None:
    written = "SELECT sum(xmin::text::int8) FROM risk"
    before = await hall.pool.fetchval(written)
    await hall.look(2 * MINUTE)
    await RiskRounds.look(RiskRounds(hall.pool, hall.rounds._lease, hall.clock, period=None, zone=CHINA))
    assert await hall.pool.fetchval(written) == before, "neither by a round nor by a desk that starts anew"
    await hall.pool.execute("UPDATE unit SET grid_id = (SELECT id FROM grid WHERE code = 'g2') WHERE code = 'u2'")
    await hall.pool.execute(
        "INSERT INTO unit (code, category, grid_id) SELECT 'u4', 'chemical', id FROM grid WHERE code = 'g1'"
    )
    await hall.look(2 * MINUTE)
    assert [code for code, _ in (await hall.grid()).worst] == ["u4", "u1"]
    assert [code for code, _ in (await hall.grid("g2")).worst] == ["u2"]


async def test_who_was_overtaken_writes_nothing(hall: Hall, database_url: str) -> None:
    await hall.pool.execute("UPDATE lease SET epoch = epoch + 1")
    await hall.pool.execute("UPDATE unit SET category = 'chemical'")
    before = await hall.pool.fetch("SELECT * FROM risk ORDER BY id")
    with pytest.raises(LeaseLost):
        await hall.look(2 * MINUTE)
    assert await hall.pool.fetch("SELECT * FROM risk ORDER BY id") == before


async def test_it_goes_on_over_a_store_that_is_away(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reckoning that fails must not end the desk, which also hands fires over."""
    monkeypatch.setattr("firetower.storage.risk_rounds.LOOK_S", 0.01)
    await hall.pool.execute("ALTER TABLE unit RENAME TO gone")
    running = asyncio.create_task(hall.rounds.run())
    await asyncio.sleep(0.1)
    assert not running.done()
    await hall.pool.execute("ALTER TABLE gone RENAME TO unit")
    await hall.pool.execute("UPDATE unit SET category = 'chemical' WHERE code = 'u1'")
    hall.clock.advance(2 * MINUTE)

    async def reckoned() -> bool:
        return (await hall.unit()).score != 87

    await until(reckoned)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_grid_that_its_last_unit_has_left_stands_nowhere_any_more(hall: Hall) -> None:
    """Nobody would ever reckon it again: it would stand on the map as it last was."""
    assert (await hall.grid("g2")).code == "g2"
    await hall.pool.execute("UPDATE unit SET grid_id = (SELECT id FROM grid WHERE code = 'g1') WHERE code = 'u3'")
    await hall.look(2 * MINUTE)
    assert [row.code for row in await risk.listed(hall.pool, risk.Which("grid"))] == ["g1"]
    assert (await hall.grid()).rest["units"] == 3
    assert len(await risk.changes(hall.pool, "grid", "g2", before=None, limit=9)) == 1, "what it was stays on record"
