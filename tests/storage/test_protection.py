"""The board of what does not protect right now."""

from typing import Any

import asyncpg
from alert_making import T0, commit, hazard

from firetower.alerts.windows import Actor, Wanted, WindowKind, end, request
from firetower.core.clock import HOUR, MINUTE, SECOND, to_datetime
from firetower.devices.city import read_city
from firetower.devices.events import AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage import windows
from firetower.storage.protection import Gap, not_protected
from firetower.storage.registry import import_city

NOW = T0 + MINUTE
OLGA = Actor("olga")


async def announce(pool: asyncpg.Pool, kind: WindowKind, **more: Any) -> int:
    given = {"unit": "u1", "measure": "patrols", "person": "room", "ends_at": NOW + HOUR, "reason": "works", **more}
    wanted = Wanted(kind, **given)
    return (await windows.add(pool, request(wanted, OLGA, NOW, vouched=True), wanted)).id


async def registered(pool: asyncpg.Pool) -> None:
    city, errors = read_city(
        {
            "format": "firetower-registry/1",
            "mains": [{"code": "m1"}],
            "units": [{"code": "u1", "buildings": [{"code": "A", "floors": [{"code": "1"}]}]}],
            "devices": [
                {"unit": "u1", "device": "p1", "kind": "panel", "points": [{"component": "2-1"}]},
                {"unit": "u1", "device": "h1", "kind": "hydrant"},
            ],
        }
    )
    assert errors == []
    await import_city(pool, city)


def silence(device: str, kind: VerdictKind = VerdictKind.RAISE, at: int = T0) -> Verdict:
    return hazard(device, at, kind, rule="silent", component="", alert_class=AlertClass.OFFLINE, title_en="Offline")


def shielded(component: str, kind: VerdictKind = VerdictKind.RAISE, at: int = T0) -> Verdict:
    active = kind is VerdictKind.RAISE
    event = Event("u1", "p1", None, "shielded", active, component, "", at, at + SECOND, f"{component}{at}")
    return hazard(
        "p1",
        at,
        kind,
        rule="event:shielded",
        component=component,
        alert_class=AlertClass.SUPERVISORY,
        text="loop 2",
        event=event,
    )


async def kinds_of(pool: asyncpg.Pool, devices: dict[str, str]) -> None:
    for device, kind in devices.items():
        await pool.execute(
            "update alert set device_kind = $2, device = $1, unit = 'u1' where subject = $3",
            device,
            kind,
            f"u1/{device}",
        )


async def board(pool: asyncpg.Pool, at: int = NOW) -> list[Gap]:
    gaps, more = await not_protected(pool, limit=100, now=at)
    assert more == 0
    return gaps


async def test_the_board_shows_the_widest_gap_first_and_why_until_when_and_by_whom(pool: asyncpg.Pool) -> None:
    """A whole unit before a zone, what others hang on before one device, a point last."""
    await registered(pool)
    await announce(pool, WindowKind.TEST, device="p1", component="2-1")
    await announce(pool, WindowKind.MAINTENANCE, zone="A/1")
    await announce(pool, WindowKind.IMPAIRMENT)
    await announce(pool, WindowKind.WATER_PERMIT, unit=None, main="m1")
    await announce(pool, WindowKind.DRILL)  # everything protects during a drill
    await commit(
        pool, [silence("smk-1"), silence("gw-1"), silence("h1"), shielded("2-2"), hazard("tank-1", T0 + SECOND)]
    )
    await kinds_of(pool, {"smk-1": "smoke", "gw-1": "gateway", "h1": "hydrant", "p1": "panel", "tank-1": "water_level"})
    await pool.execute(
        "update alert set hold = 'shelved', held_until = $1, held_by = 'wang', hold_reason = 'tank is cleaned'"
        " where subject = 'u1/tank-1'",
        to_datetime(NOW + HOUR),
    )
    gaps = await board(pool)
    assert [gap.kind for gap in gaps] == [
        "impairment",
        "permit",
        "maintenance",
        "silent",
        "silent",
        "shelved",
        "shielded",
        "test",
    ]
    assert [gap.device for gap in gaps] == [None, None, None, "gw-1", "smk-1", "tank-1", "p1", "p1"]
    impairment, shelved = gaps[0], gaps[5]
    assert (impairment.reason, impairment.measure, impairment.by) == ("works", "patrols", "olga")
    assert (impairment.since, impairment.until) == (NOW, NOW + HOUR)
    assert (shelved.reason, shelved.by, shelved.until, shelved.since) == (
        "tank is cleaned",
        "wang",
        NOW + HOUR,
        T0 + SECOND,
    )
    assert gaps[6].component == "2-2"


async def test_what_protects_again_leaves_the_board_and_what_does_not_stays_though_its_alert_is_closed(
    pool: asyncpg.Pool,
) -> None:
    """Closing an alert says that somebody knows, not that the point is back."""
    await registered(pool)
    window = await announce(pool, WindowKind.IMPAIRMENT)
    await commit(pool, [silence("smk-1"), shielded("2-1"), shielded("2-2")])
    await kinds_of(pool, {"smk-1": "smoke", "p1": "panel"})
    await pool.execute("update alert set state = 'closed' where component = '2-1'")
    assert len(await board(pool)) == 4
    clears = [silence("smk-1", VerdictKind.CLEAR, T0 + 9), shielded("2-2", VerdictKind.CLEAR, T0 + 9)]
    await commit(pool, clears)
    await windows.act(pool, window, lambda each: end(each, OLGA, None, NOW), NOW)
    assert [(gap.kind, gap.component) for gap in await board(pool)] == [("shielded", "2-1")]


async def test_a_window_leaves_the_board_at_its_end_by_itself(pool: asyncpg.Pool) -> None:
    """Nobody has to be there."""
    await registered(pool)
    await announce(pool, WindowKind.IMPAIRMENT)
    assert len(await board(pool, NOW + HOUR - 1)) == 1
    assert await board(pool, NOW + HOUR) == []


async def test_a_silent_unit_comes_before_its_detectors_and_what_does_not_fit_is_counted(pool: asyncpg.Pool) -> None:
    """The board stays readable, and says how much it leaves out."""
    unit = hazard(
        "x",
        rule="unit-silent",
        subject_kind=SubjectKind.UNIT,
        subject="u1",
        component="",
        alert_class=AlertClass.OFFLINE,
    )
    await commit(pool, [unit, *(silence(f"smk-{n}") for n in range(30))])
    await pool.execute("update alert set device_kind = 'smoke' where subject_kind = 'device'")
    gaps, more = await not_protected(pool, limit=10, now=NOW)
    assert (gaps[0].what_en, len(gaps), more) == ("Low pressure", 10, 21)
    assert await not_protected(pool, limit=31, now=NOW) == ((await not_protected(pool, limit=1000, now=NOW))[0], 0)
