"""What an alert is raised under, as the store knows it: point, zone, announced windows, causes, a retired device."""

from typing import Any

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard

from firetower.alerts import flags
from firetower.alerts.acts import Acknowledge
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.ports import AlertFilter
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock, Micros, to_datetime
from firetower.devices.events import EVENTS, AlertClass
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.ingest.ports import Work
from firetower.rules.verdicts import SubjectKind, Verdict
from firetower.storage import pool as pools
from firetower.storage.alerts import AlertStore
from firetower.storage.ingest import IngestStore

NOW: Micros = T0 + 5 * SECOND


@pytest.fixture
async def numbers(pool: asyncpg.Pool) -> dict[str, int]:
    """Unit u1 with a panel of one registered point, detectors on two floors, hydrants; numbers by device."""
    await pool.execute(
        "INSERT INTO unit (code, name, address, lon, lat) VALUES ('u1', '万象城', '人民路 1 号', 120, 30)"
    )
    await pool.execute("INSERT INTO building (unit_id, code, name) SELECT id, 'A', 'A座' FROM unit")
    await pool.execute(
        "INSERT INTO floor (building_id, code, name, level) SELECT b.id, n, n || '层', n::int"
        " FROM building b, unnest(ARRAY['1', '3', '4']) AS n"
    )
    await pool.execute("INSERT INTO zone (floor_id, code, name) SELECT id, 'E', '东区' FROM floor")
    await pool.execute("INSERT INTO water_main (code, name) VALUES ('m1', '人民路管')")
    devices = [
        ("panel", "panel", "1", "消控室", None, None), ("smk-1", "smoke", "3", "走廊", None, "gw-1"),
        ("smk-4", "smoke", "4", "", None, "gw-1"), ("gw-1", "gateway", "1", "", None, None),
        ("h1", "hydrant", None, "", "m1", None), ("h2", "hydrant", None, "", "m1", None),
    ]  # fmt: skip
    await pool.executemany(
        "INSERT INTO device (unit_id, name, kind, zone_id, place, main_id, gateway) SELECT u.id, $1, $2,"
        " (SELECT z.id FROM zone z JOIN floor f ON f.id = z.floor_id WHERE f.code = $3), $4,"
        " (SELECT id FROM water_main WHERE code = $5), $6 FROM unit u",
        devices,
    )
    await pool.execute(
        "INSERT INTO point (device_id, component, zone_id, place) SELECT d.id, '2-3-017', z.id, '电井旁'"
        " FROM device d, zone z JOIN floor f ON f.id = z.floor_id WHERE d.name = 'panel' AND f.code = '4'"
    )
    return {row["name"]: row["id"] for row in await pool.fetch("SELECT id, name FROM device")}


async def announce_window(pool: asyncpg.Pool, kind: str, **more: Any) -> int:
    fields: dict[str, Any] = {
        "kind": kind, "unit": "u1", "starts_at": NOW - MINUTE, "ends_at": NOW + HOUR, "reason": "年检",
        "requested_by": "mall", "requested_at": NOW - HOUR, "approved_by": "li", "approved_at": NOW - MINUTE,
    } | more  # fmt: skip
    values = [to_datetime(value) if name.endswith("_at") and value else value for name, value in fields.items()]
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    return int(
        await pool.fetchval(
            f"INSERT INTO announced_window ({', '.join(fields)}) VALUES ({places}) RETURNING id", *values
        )
    )


def of_event(name: str, device: str, at: Micros = T0, **more: Any) -> Verdict:
    known = EVENTS[name]
    said = {
        "rule": f"event:{name}", "alert_class": known.alert_class, "priority": known.priority, "latch": known.latch,
        "component": "",
    }  # fmt: skip
    return hazard(device, at, **(said | more))


def silent(device: str, at: Micros = T0, **more: Any) -> Verdict:
    kind = SubjectKind.GATEWAY if device.startswith("gw") else SubjectKind.DEVICE
    said = {"rule": "point-silent", "subject_kind": kind, "alert_class": AlertClass.OFFLINE, "component": ""}
    return hazard(device, at, **(said | more))


async def alerts(pool: asyncpg.Pool) -> dict[str, Alert]:
    """By device; the newest of each."""
    items = (await AlertStore(pool, ManualClock()).list(AlertFilter(limit=100))).items
    return {str(alert.device): alert for alert in sorted(items, key=lambda alert: alert.id)}


async def one(pool: asyncpg.Pool, *verdicts: Verdict) -> Alert:
    await commit(pool, verdicts, NOW)
    found = await alerts(pool)
    return found[verdicts[-1].subject.partition("/")[2]]


async def test_a_panels_point_has_the_place_and_zone_registered_for_it_and_the_panel_its_own(pool, numbers):
    at_point = await one(pool, fire("panel", device_number=numbers["panel"]))
    assert (at_point.zone, at_point.place) == ("A/4/E", "A座 / 4层 / 东区 / 电井旁")
    assert at_point.flags == (flags.PLACE_MISMATCH,), "the panel says 3F corridor"
    assert at_point.scene == "zone:u1/A/4/E"
    unknown = await one(pool, fire("panel", component="9-9-999", device_number=numbers["panel"]))
    assert (unknown.zone, unknown.place, unknown.flags) == (None, "A座 / 1层 / 东区 / 消控室", ())
    itself = await one(pool, of_event("main_power_lost", "panel", device_number=numbers["panel"]))
    assert (itself.zone, itself.hold) == ("A/1/E", Hold.NONE)


async def test_a_point_told_apart_by_its_text_is_found_by_its_text(pool, numbers):
    await pool.execute("UPDATE point SET component = '4F 电井'")
    alert = await one(pool, fire("panel", component="4F 电井", text="4F 电井", device_number=numbers["panel"]))
    assert (alert.zone, alert.flags) == ("A/4/E", ())


async def test_a_fire_in_a_window_is_raised_and_says_so_and_is_never_held(pool, numbers):
    said = {
        "test": flags.IN_TEST, "drill": flags.IN_DRILL, "maintenance": flags.IMPAIRED, "impairment": flags.IMPAIRED,
    }  # fmt: skip
    for kind, flag in said.items():
        window = await announce_window(pool, kind, zone="A/3")
        alert = await one(pool, fire(component=kind, device_number=numbers["smk-1"]))
        assert (alert.state, alert.hold, alert.flags) == (State.UNACKNOWLEDGED, Hold.NONE, (flag,))
        assert (alert.window_id, alert.hold_reason, alert.held_until) == (window, None, None)
        (entry,) = await AlertStore(pool, ManualClock()).history(alert.id)
        assert entry.transition.evidence["windows"] == [{"id": window, "kind": kind, "reason": "年检"}]
        await pool.execute("UPDATE announced_window SET ended_at = now(), ended_by = 'li'")


async def test_outside_the_zone_of_a_test_and_where_the_zone_is_unknown_nothing_changes(pool, numbers):
    await announce_window(pool, "test", zone="A/3")
    await announce_window(pool, "maintenance", zone="A/3/E")
    above = await one(pool, fire("smk-4", text="", device_number=numbers["smk-4"]))
    ghost = await one(pool, fire("ghost", subject_kind=SubjectKind.SENDER, flags=("unregistered",)))
    broken = await one(pool, of_event("tamper", "ghost-2", subject_kind=SubjectKind.SENDER))
    assert [(each.flags, each.hold, each.window_id) for each in (above, ghost, broken)] == [
        ((), Hold.NONE, None), (("unregistered",), Hold.NONE, None), ((), Hold.NONE, None),
    ]  # fmt: skip


async def test_windows_that_are_not_in_force_or_of_somebody_else_change_nothing(pool, numbers):
    others: list[dict[str, Any]] = [
        {"approved_by": None, "approved_at": None},
        {"refused_by": "li", "refused_at": NOW - SECOND},
        {"ended_by": "li", "ended_at": NOW - SECOND},
        {"starts_at": NOW + SECOND},
        {"ends_at": NOW},
        {"unit": "u2"},
        {"unit": None, "main": "m2"},
        {"device": "h2"},
    ]
    for other in others:
        await announce_window(pool, "maintenance", **other)
    alert = await one(pool, hazard(device_number=numbers["h1"]))
    assert (alert.hold, alert.flags, alert.window_id) == (Hold.NONE, (), None)
    await announce_window(pool, "maintenance")
    assert (await one(pool, hazard(rule="other", device_number=numbers["h1"]))).hold is Hold.OUT_OF_SERVICE


async def test_waterflow_and_a_manual_call_point_in_a_test_are_treated_as_real(pool, numbers):
    await announce_window(pool, "test")
    for name in ("manual_call", "waterflow"):
        alert = await one(pool, of_event(name, "panel", component="x", device_number=numbers["panel"]))
        assert alert.flags == (flags.DURING_TEST,)


async def test_a_hazard_in_maintenance_is_out_of_service_until_its_end_and_closes_when_it_returns(pool, numbers):
    window = await announce_window(pool, "maintenance", device="h1")
    low = hazard(device_number=numbers["h1"])
    alert = await one(pool, low)
    assert (alert.state, alert.hold, alert.held_until, alert.held_by, alert.window_id) == (
        State.UNACKNOWLEDGED, Hold.OUT_OF_SERVICE, NOW + HOUR, "li", window,
    )  # fmt: skip
    assert "年检" in (alert.hold_reason or "")
    over = await one(pool, clear(low, T0 + 8 * SECOND))
    assert (over.state, over.hold, over.held_until) == (State.CLOSED, Hold.NONE, None)


async def test_water_taken_under_a_permit_on_its_main_is_suppressed_and_other_troubles_of_the_hydrant_are_not(
    pool, numbers
):
    await announce_window(pool, "water_permit", unit=None, main="m1")
    flow = catalogue().by_name["flow"].number
    taken = await one(pool, hazard("h1", rule="hydrant-flow", metric=flow, device_number=numbers["h1"]))
    assert (taken.hold, taken.main, taken.scene) == (Hold.SUPPRESSED, "m1", "main:m1")
    leak = await one(pool, of_event("leak", "h2", device_number=numbers["h2"]))
    assert leak.hold is Hold.NONE


async def test_a_fire_of_a_retired_device_is_raised_and_says_that_it_is(pool, numbers):
    await pool.execute("UPDATE device SET retired_at = now() WHERE name = 'smk-1'")
    alert = await one(pool, fire(device_number=numbers["smk-1"]))
    assert (alert.state, alert.hold, alert.flags) == (State.UNACKNOWLEDGED, Hold.NONE, (flags.RETIRED,))


async def test_the_silence_of_a_point_behind_a_silent_gateway_is_the_gateways(pool, numbers):
    """Also in the batch in which both are found; nothing but its silence is hidden."""
    together = [silent("smk-4", device_number=numbers["smk-4"]), silent("gw-1", device_number=numbers["gw-1"])]
    await commit(pool, together, NOW)
    await commit(pool, [silent("smk-1", device_number=numbers["smk-1"])], NOW)
    await commit(pool, [silent("h1", device_number=numbers["h1"])], NOW)
    found = await alerts(pool)
    gateway = found["gw-1"]
    assert (gateway.hold, found["h1"].hold) == (Hold.NONE, Hold.NONE)
    for device in ("smk-1", "smk-4"):
        assert (found[device].hold, found[device].cause_id) == (Hold.SUPPRESSED, gateway.id)
    broken = await one(pool, of_event("tamper", "smk-1", device_number=numbers["smk-1"]))
    assert broken.hold is Hold.NONE


async def test_a_gateway_that_reports_again_explains_nothing(pool, numbers):
    gone = silent("gw-1", device_number=numbers["gw-1"])
    await commit(pool, [gone, silent("gw-1", T0 + SECOND, kind=clear(gone, T0).kind)], NOW)
    alert = await one(pool, silent("smk-1", device_number=numbers["smk-1"]))
    assert (alert.hold, alert.cause_id) == (Hold.NONE, None)


async def test_lost_power_hides_its_panels_faults_and_neither_power_nor_fire(pool, numbers):
    lost = await one(pool, of_event("main_power_lost", "panel", device_number=numbers["panel"]))
    fault = await one(pool, of_event("fault", "panel", component="loop 2", device_number=numbers["panel"]))
    assert (fault.hold, fault.cause_id) == (Hold.SUPPRESSED, lost.id)
    assert fault.scene == lost.scene == "device:u1/panel", "one cause is one incident"
    for said in (of_event("backup_power_lost", "panel"), fire("panel", component="1-1"), of_event("fault", "smk-1")):
        assert (await one(pool, said)).hold is Hold.NONE


async def test_a_key_that_alarms_for_the_third_time_in_a_minute_chatters_and_a_slower_one_does_not(pool, numbers):
    store = AlertStore(pool, ManualClock())
    low = hazard(device_number=numbers["h1"])
    slow = hazard("h2", device_number=numbers["h2"])
    first = await one(pool, low, slow)
    for alert in (await alerts(pool)).values():
        await store.act(alert.id, Acknowledge(), actor="wang")
    await commit(pool, [clear(low, T0 + 6 * SECOND), clear(slow, T0 + 6 * SECOND)], NOW + 10 * SECOND)
    await commit(pool, [hazard(at=T0 + 20 * SECOND, device_number=numbers["h1"])], NOW + 20 * SECOND)
    await commit(pool, [hazard("h2", T0 + 90 * SECOND, device_number=numbers["h2"])], NOW + 90 * SECOND)
    found = await alerts(pool)
    assert found["h1"].id != first.id
    assert (found["h1"].flags, found["h2"].flags) == ((flags.CHATTERING,), ())


async def test_what_tells_of_the_past_has_its_place_and_no_hold(pool, numbers):
    await announce_window(pool, "maintenance")
    alert = await one(pool, hazard(device_number=numbers["h1"], flags=("historical",)))
    assert (alert.state, alert.condition, alert.hold, alert.main) == (
        State.CLOSED, Condition.NORMAL, Hold.NONE, "m1",
    )  # fmt: skip


async def test_raising_reads_no_more_rows_when_the_registry_and_the_windows_have_grown(database_url, numbers):
    """A plan made on the first day looks up by keys for ever; a device with thousands of alerts behind it, too."""
    narrow = await pools.connect(database_url, size=1)
    store = IngestStore(narrow, Registry(), ManualClock(NOW))

    async def rows_read(verdict: Verdict) -> int:
        await store.commit(Work("alarm", verdicts=[verdict]))
        await narrow.execute("SELECT pg_stat_force_next_flush()")
        return int(
            await narrow.fetchval(
                "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 FROM pg_stat_user_tables"
                " WHERE relname IN ('alert', 'alert_history', 'announced_window', 'building', 'device', 'floor',"
                "  'point', 'unit', 'water_main', 'zone')"
            )
        )

    said = [fire, silent, hazard, lambda device, at, **more: of_event("fault", device, at, component="f", **more)]
    try:
        for n in range(3):
            for make in said:
                await rows_read(make("smk-1", T0 + n, device_number=numbers["smk-1"], rule=f"first-{n}"))
        before = await rows_read(clear(hazard(rule="nobody"), T0))
        for make in said:
            after = await rows_read(make("smk-1", T0 + 9, device_number=numbers["smk-1"], rule="small"))
        small = after - before
        await narrow.execute("INSERT INTO unit (code) SELECT 'x' || n FROM generate_series(1, 3000) n")
        await narrow.execute("INSERT INTO water_main (code) SELECT 'x' || n FROM generate_series(1, 3000) n")
        await narrow.execute(
            "INSERT INTO point (device_id, component) SELECT $1, 'x' || n FROM generate_series(1, 3000) n",
            numbers["smk-1"],
        )
        await narrow.execute(
            "INSERT INTO announced_window (kind, unit, starts_at, ends_at, reason, requested_by, requested_at)"
            " SELECT 'test', 'u1', $1::timestamptz - interval '1 day', $1, '', '', $1 FROM generate_series(1, 3000)",
            to_datetime(NOW - SECOND),
        )
        for device in ("smk-1", "gw-1"):
            await store.commit(Work("alarm", verdicts=[fire(device, component=f"{n}") for n in range(1000)]))
        before = await rows_read(clear(hazard(rule="nobody"), T0))
        for make in said:
            after = await rows_read(make("smk-1", T0 + 99, device_number=numbers["smk-1"], rule="grown"))
        assert after - before < small + 100
    finally:
        narrow.terminate()
