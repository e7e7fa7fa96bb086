"""Alerts about groups of devices: where they are, what holds them; and a unit's dead link, which explains silence."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from alert_making import T0, commit, hazard
from desk_city import NOW, City, silent

from firetower.alerts.holds import GRACE
from firetower.alerts.model import Alert
from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage.alert_rows import COLUMNS, to_alert
from firetower.storage.causes import Causes
from firetower.storage.incident_step import IncidentStep

HIDDEN = ("unacknowledged", "suppressed")
SHOWN = ("unacknowledged", "none")


@pytest.fixture
async def town(pool: asyncpg.Pool) -> None:
    """Unit u1 with building A, floor 3, zone E, a gateway, and a hydrant on main m1."""
    await pool.execute(
        "INSERT INTO unit (code, name, address, lon, lat) VALUES ('u1', '万象城', '人民路 1 号', 120, 30)"
    )
    await pool.execute("INSERT INTO building (unit_id, code, name) SELECT id, 'A', 'A座' FROM unit")
    await pool.execute("INSERT INTO floor (building_id, code, name, level) SELECT id, '3', '3层', 3 FROM building")
    await pool.execute("INSERT INTO zone (floor_id, code, name) SELECT id, 'E', '东区' FROM floor")
    await pool.execute("INSERT INTO water_main (code, name) VALUES ('m1', '人民路管')")
    await pool.execute(
        "INSERT INTO device (unit_id, name, kind, place, main_id, lon, lat)"
        " SELECT u.id, d.name, d.kind, d.place, CASE WHEN d.kind = 'hydrant' THEN m.id END, d.lon, d.lat"
        " FROM unit u, water_main m, (VALUES ('gw', 'gateway', '机房', NULL, NULL), ('h0', 'hydrant', '', NULL, NULL),"
        " ('h1', 'hydrant', '', 121.5, 31.5), ('h2', 'hydrant', '', 121.6, 31.6)) AS d (name, kind, place, lon, lat)"
    )


def about(kind: SubjectKind, subject: str, **more: Any) -> Verdict:
    """What a combination says of a group."""
    return hazard("x", **{"rule": "combined", "subject_kind": kind, "subject": subject, "component": ""} | more)


def dead_link(at: int = T0, **more: Any) -> Verdict:
    return about(SubjectKind.UNIT, "u1", rule="unit-offline", alert_class=AlertClass.OFFLINE, at=at, **more)


async def raised(pool: asyncpg.Pool, *verdicts: Verdict, at: int = NOW) -> list[Alert]:
    ids = (await commit(pool, verdicts, at)).alert_ids
    rows = await pool.fetch(f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY a.id", ids)
    return [to_alert(row) for row in rows]


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        (SubjectKind.MAIN, "m1", (None, None, "人民路管", None, "m1", 121.5, "main:m1")),
        (SubjectKind.ZONE, "u1/A/3/E", ("u1", None, "A座 / 3层 / 东区", "A/3/E", None, 120, "zone:u1/A/3/E")),
        (SubjectKind.ZONE, "u1/A", ("u1", None, "A座", "A", None, 120, "zone:u1/A")),
        (SubjectKind.ZONE, "u1/A/9/X", ("u1", None, "A座", "A/9/X", None, 120, "zone:u1/A/9/X")),
        (SubjectKind.UNIT, "u1", ("u1", None, "人民路 1 号", None, None, 120, "unit:u1")),
        (SubjectKind.GATEWAY, "u1/gw", ("u1", "gw", "机房", None, None, 120, "gateway:u1/gw")),
        (SubjectKind.UNIT, "nobody", ("nobody", None, None, None, None, None, "unit:nobody")),
    ],
    ids=["main", "zone", "building", "zone nobody registered", "unit", "gateway", "unit nobody registered"],
)
@pytest.mark.usefixtures("town")
async def test_an_alert_about_a_group_says_where_it_is(
    pool: asyncpg.Pool, kind: SubjectKind, subject: str, expected: tuple[Any, ...]
) -> None:
    """Unit, device, place, zone, main, longitude, scene; a main lies where the first device on it with a place does."""
    (alert,) = await raised(pool, about(kind, subject))
    said = (alert.unit, alert.device, alert.place, alert.zone, alert.main, alert.lon, alert.scene)
    assert said == expected
    assert alert.unit_name == ("万象城" if expected[0] == "u1" else None)


@pytest.mark.usefixtures("town")
async def test_a_window_holds_what_is_about_the_zone_or_main_it_covers(pool: asyncpg.Pool, city: City) -> None:
    """A fire of the zone is raised all the same, and says that what raised it is under maintenance."""
    await city.window("maintenance", NOW - HOUR, NOW + HOUR, zone="A/3")
    await city.window("water_permit", NOW - HOUR, NOW + HOUR, unit=None, main="m1")
    zone, building, fire, main = await raised(
        pool,
        about(SubjectKind.ZONE, "u1/A/3/E"),
        about(SubjectKind.ZONE, "u1/A"),
        about(SubjectKind.ZONE, "u1/A/3/E", rule="confirmed-fire", alert_class=AlertClass.FIRE, priority=1),
        about(SubjectKind.MAIN, "m1"),
    )
    held = {(alert.rule, alert.subject): (alert.hold, alert.flags) for alert in (zone, building, fire, main)}
    assert held == {
        ("combined", "u1/A/3/E"): ("out_of_service", ()),
        ("combined", "u1/A"): ("none", ()),
        ("confirmed-fire", "u1/A/3/E"): ("none", ("impaired",)),
        ("combined", "m1"): ("none", ()),
    }


@pytest.mark.usefixtures("town")
async def test_a_burst_joins_the_incident_of_its_main_and_a_building_has_one(pool: asyncpg.Pool, lease: Any) -> None:
    number = await pool.fetchval("SELECT id FROM device WHERE name = 'h1'")
    hydrant, burst = await raised(pool, hazard("h1", device_number=number), about(SubjectKind.MAIN, "m1", priority=2))
    await IncidentStep(pool, lease).take([hydrant.id, burst.id], NOW)
    (building,) = await raised(pool, about(SubjectKind.ZONE, "u1/A"))
    await IncidentStep(pool, lease).take([building.id], NOW)
    told = await pool.fetch("SELECT headline_en, priority FROM incident ORDER BY id")
    assert list(map(tuple, told)) == [("Water main 人民路管: 2 hazards", 2), ("万象城, A座: 1 hazard", 3)]


async def test_two_hundred_silent_points_of_a_dead_link_are_one_alert_in_view(
    city: City, pool: asyncpg.Pool, lease: Any
) -> None:
    """Those before it and those after it, gateways too; a point of another unit stays; all come back by themselves."""
    before = await city.raised(*(silent(f"s{n}") for n in range(100)), silent("gw", gateway=True))
    (elsewhere,) = await city.raised(silent("s1", subject="u2/s1"))
    (link,) = await city.raised(dead_link(), at=NOW)
    causes = Causes(pool, lease)
    await causes.take(None, NOW)
    after = await city.raised(*(silent(f"t{n}") for n in range(100)), at=NOW + SECOND)
    assert await city.seen(*before, *after) == [HIDDEN] * 201
    assert await city.seen(elsewhere, link) == [SHOWN] * 2
    assert {(await city.alert(each)).cause_id for each in (before[0], after[0])} == {link}
    await city.raised(replace(dead_link(NOW + MINUTE), kind=VerdictKind.CLEAR), at=NOW + MINUTE)
    await causes.take([link], NOW + MINUTE)
    await causes.take([], NOW + MINUTE)
    assert await city.seen(before[0]) == [HIDDEN]
    for n in range(3):
        await causes.take([], NOW + MINUTE + GRACE + n * SECOND)
    assert await city.seen(*before, *after) == [SHOWN] * 201


async def test_a_gateway_hidden_by_a_dead_link_goes_on_hiding_its_own_points(
    city: City, pool: asyncpg.Pool, lease: Any
) -> None:
    """When the link is back and the gateway is not, the gateway comes up, and its points stay hidden by it."""
    causes = Causes(pool, lease)
    (point,) = await city.raised(silent("s1"), gateway="gw")
    (gateway,) = await city.raised(silent("gw", gateway=True))
    await causes.take(None, NOW)
    (link,) = await city.raised(dead_link(), at=NOW)
    await causes.take([link], NOW)
    assert await city.seen(point, gateway, link) == [HIDDEN, HIDDEN, SHOWN]
    await city.raised(replace(dead_link(NOW + MINUTE), kind=VerdictKind.CLEAR), at=NOW + MINUTE)
    await causes.take([link], NOW + MINUTE)
    await causes.take([], NOW + MINUTE + GRACE)
    await causes.take([gateway, point], NOW + MINUTE + GRACE)
    assert await city.seen(point, gateway) == [HIDDEN, SHOWN]
    assert (await city.alert(point)).cause_id == gateway


async def test_what_comes_in_one_batch_with_the_dead_link_is_hidden_by_it(city: City) -> None:
    point, link = await city.raised(silent("s1"), dead_link())
    assert await city.seen(point, link) == [HIDDEN, SHOWN]
    assert (await city.alert(point)).cause_id == link
