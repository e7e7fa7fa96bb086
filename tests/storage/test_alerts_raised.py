"""Verdicts become alerts: one per key, with frozen place, in time order, whoever else is at it."""

import asyncio
import random

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard

from firetower.alerts.acts import Acknowledge, Close
from firetower.alerts.model import Condition, Disposition, State
from firetower.alerts.ports import AlertFilter
from firetower.core.clock import SECOND, ManualClock
from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.verdicts import SubjectKind, VerdictKind
from firetower.storage import pool as pools
from firetower.storage.alerts import AlertStore


@pytest.fixture
def store(pool: asyncpg.Pool, clock: ManualClock) -> AlertStore:
    clock.set(T0 + 60 * SECOND)
    return AlertStore(pool, clock)


@pytest.fixture
async def wide(database_url: str):
    """A pool wide enough for eight writers at once."""
    made = await pools.connect(database_url, size=12)
    yield made
    made.terminate()


async def all_alerts(store: AlertStore):
    return (await store.list(AlertFilter(limit=1000))).items


async def test_what_a_value_is_of_its_metric_is_kept_and_follows_the_edition_of_the_rule(pool, store):
    await commit(pool, [hazard(value=51.5, limit=10.0, figure="rise 10min °C")])
    assert [(each.value, each.figure) for each in await all_alerts(store)] == [(51.5, "rise 10min °C")]
    await commit(pool, [hazard(at=T0 + SECOND, value=60.0, limit=20.0, figure="rise 20min °C", rule_version=2)])
    assert [(each.value, each.figure) for each in await all_alerts(store)] == [(60.0, "rise 20min °C")]


@pytest.mark.parametrize("burns", [True, False])
async def test_a_group_that_more_devices_join_names_them_and_nobody_is_called_again(pool, store, burns):
    """Figure and names follow; version, occurrences and state stay, acknowledged or not; what was closed stays so."""
    kind = AlertClass.FIRE if burns else AlertClass.HAZARD
    about = {"subject_kind": SubjectKind.ZONE, "subject": "u1/b1", "component": "", "alert_class": kind}
    first = hazard(**about, value=2.0, limit=2.0, text="u1/a, u1/b")
    more = hazard(**about, at=T0 + SECOND, value=3.0, limit=2.0, text="u1/a, u1/b, u1/c", again=True)
    (alert_id,) = (await commit(pool, [first])).alert_ids
    assert (await commit(pool, [more])).alert_ids == [alert_id]
    (alert,) = await all_alerts(store)
    assert (alert.value, alert.text, alert.version, alert.occurrences) == (3.0, "u1/a, u1/b, u1/c", 1, 1)
    await store.act(alert_id, Acknowledge(), actor="li")
    await commit(pool, [hazard(**about, at=T0 + 2 * SECOND, value=4.0, limit=2.0, text="u1/a +3", again=True)])
    (alert,) = await all_alerts(store)
    assert (alert.text, alert.state, alert.version) == ("u1/a +3", State.ACKNOWLEDGED, 2)
    await store.act(alert_id, Close(Disposition.FALSE_ALARM, "steam"), actor="li")
    await commit(pool, [hazard(**about, at=T0 + 3 * SECOND, value=5.0, limit=2.0, text="u1/a +4", again=True)])
    assert [(each.id, each.state, each.text) for each in await all_alerts(store)] == [
        (alert_id, State.CLOSED, "u1/a +3")
    ]


async def test_place_unit_kind_and_coordinates_are_frozen_from_the_registry_when_raised(pool, store):
    await pool.execute(
        "INSERT INTO unit (code, name, address, lon, lat) VALUES ('u1', '万象城', '人民路 1 号', 120, 30)"
    )
    await pool.execute("INSERT INTO building (unit_id, code, name) SELECT id, 'A', 'A座' FROM unit")
    await pool.execute("INSERT INTO floor (building_id, code, name) SELECT id, '3', '3层' FROM building")
    await pool.execute("INSERT INTO zone (floor_id, code, name) SELECT id, 'E', '' FROM floor")
    device = await pool.fetchval(
        "INSERT INTO device (unit_id, name, kind, zone_id, place, lon, lat)"
        " SELECT u.id, 'smk-1', 'smoke', z.id, '走廊', 121.5, 31.25 FROM unit u, zone z RETURNING id"
    )
    smoke = catalogue().by_name["smoke"].number
    await commit(pool, [fire(device_number=device, metric=smoke, value=0.31, limit=0.2, flags=("late", "uncertain"))])
    await pool.execute("UPDATE device SET place = 'moved'")
    await pool.execute("UPDATE unit SET name = 'renamed'")
    (alert,) = await all_alerts(store)
    assert (alert.unit, alert.unit_name, alert.device, alert.device_kind) == ("u1", "万象城", "smk-1", "smoke")
    assert alert.place == "A座 / 3层 / E / 走廊"
    assert alert.text == "3F corridor"
    assert (alert.lon, alert.lat) == (121.5, 31.25)
    assert (alert.metric, alert.value, alert.limit_value, alert.flags) == ("smoke", 0.31, 0.2, ("late", "uncertain"))
    assert (alert.device_at, alert.received_at, alert.raised_at) == (T0, T0 + SECOND, T0 + 5 * SECOND)
    assert (alert.priority, alert.latched, alert.state) == (1, True, State.UNACKNOWLEDGED)


async def test_a_fire_of_a_sender_nobody_registered_is_raised_with_what_is_known_of_its_unit(pool, store):
    await pool.execute("INSERT INTO unit (code, name, address) VALUES ('u1', '万象城', '人民路 1 号')")
    applied = await commit(pool, [fire("ghost", subject_kind=SubjectKind.SENDER, flags=("unregistered",))])
    assert applied.raised == {"fire": 1}
    (alert,) = await all_alerts(store)
    assert (alert.unit, alert.unit_name, alert.device, alert.place) == ("u1", "万象城", "ghost", "人民路 1 号")
    assert alert.flags == ("unregistered",)


async def test_eight_transactions_raising_the_same_keys_at_once_end_in_one_alert_each(wide, clock):
    store = AlertStore(wide, clock)
    gate = asyncio.Event()

    async def raise_all(writer: int) -> dict[str, int]:
        mine = [fire(f"d{n}", T0 + writer) for n in range(20)]
        random.Random(writer).shuffle(mine)
        await gate.wait()
        return (await commit(wide, mine)).raised

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(raise_all(writer)) for writer in range(8)]
        gate.set()
    assert sum(task.result().get("fire", 0) for task in tasks) == 20
    alerts = await all_alerts(store)
    assert sorted(alert.device for alert in alerts) == sorted(f"d{n}" for n in range(20))
    for alert in alerts:
        assert alert.repeats == 7
        history = await store.history(alert.id)
        assert [entry.seq for entry in history] == list(range(1, 9))
        assert [entry.transition.reason for entry in history] == ["raised"] + 7 * ["repeated"]


async def test_verdicts_of_one_key_in_one_batch_take_effect_in_time_order(pool, store):
    low = hazard()
    await commit(pool, [clear(low, T0 + 2 * SECOND), low, hazard(at=T0 + SECOND, value=0.1)])
    (alert,) = await all_alerts(store)
    assert (alert.state, alert.condition, alert.repeats) == (State.RETURNED, Condition.NORMAL, 1)
    assert (alert.last_event_at, alert.condition_at, alert.value) == (T0 + SECOND, T0 + 2 * SECOND, 0.1)
    assert [e.transition.reason for e in await store.history(alert.id)] == ["raised", "returned"]


async def test_repeats_are_counted_without_a_new_version_and_without_history(pool, store):
    await commit(pool, [hazard()])
    for n in range(1, 4):
        assert (await commit(pool, [hazard(at=T0 + n * SECOND, value=0.1 / n)])).raised == {}
    (alert,) = await all_alerts(store)
    assert (alert.repeats, alert.version, alert.value) == (3, 1, 0.1 / 3)
    assert len(await store.history(alert.id)) == 1


async def test_a_clear_without_an_open_alert_changes_nothing(pool, store):
    applied = await commit(pool, [clear(hazard(), T0)])
    assert (applied.raised, applied.alert_ids) == ({}, [])
    assert await all_alerts(store) == []


async def test_a_fire_latches_against_its_return_to_normal(pool, store):
    await commit(pool, [fire()])
    await commit(pool, [fire(at=T0 + SECOND, active=False)])
    (alert,) = await all_alerts(store)
    assert (alert.state, alert.condition) == (State.UNACKNOWLEDGED, Condition.NORMAL)
    await store.act(alert.id, Acknowledge(), actor="wang")
    assert (await store.get(alert.id)).state is State.ACKNOWLEDGED


async def test_a_fire_event_on_an_acknowledged_fire_sounds_again_and_after_its_verdict_is_a_new_alert(pool, store):
    await commit(pool, [fire()])
    (first,) = await all_alerts(store)
    await store.act(first.id, Acknowledge(), actor="wang")
    await commit(pool, [fire(at=T0 + SECOND)])
    again = await store.get(first.id)
    assert (again.state, again.occurrences, again.acknowledged_at) == (State.UNACKNOWLEDGED, 2, None)
    await store.act(first.id, Acknowledge(), actor="wang")
    await store.act(first.id, Close(Disposition.FALSE_ALARM, "steam"), actor="wang")
    assert (await commit(pool, [fire(at=T0 + 2 * SECOND)])).raised == {"fire": 1}
    second, old = await all_alerts(store)
    assert old.id == first.id
    assert (old.state, old.condition) == (State.CLOSED, Condition.NORMAL)
    assert (second.state, second.device_at, second.occurrences) == (State.UNACKNOWLEDGED, T0 + 2 * SECOND, 1)
    assert [e.transition.reason for e in await store.history(first.id)] == [
        "raised",
        "acknowledged",
        "occurred_again",
        "acknowledged",
        "closed",
        "succeeded",
    ]


async def test_an_acknowledged_hazard_that_returns_is_closed_and_the_next_one_is_new(pool, store):
    await commit(pool, [hazard()])
    (alert,) = await all_alerts(store)
    await store.act(alert.id, Acknowledge(), actor="wang")
    applied = await commit(pool, [clear(hazard(), T0 + SECOND), hazard(at=T0 + 2 * SECOND)])
    assert applied.raised == {"hazard": 1}
    new, old = await all_alerts(store)
    assert (old.id, old.state, old.closed_by) == (alert.id, State.CLOSED, "rule:hydrant.pressure.low")
    assert (new.state, new.condition) == (State.UNACKNOWLEDGED, Condition.ACTIVE)


async def test_a_reset_is_written_into_every_open_alert_of_its_sender_and_of_nobody_else(pool, store):
    await commit(pool, [fire("panel", component="1"), fire("panel", component="2"), fire("other")])
    reset = fire("panel", T0 + SECOND, kind=VerdictKind.RECORD, rule="event:reset", component="")
    late_fire = fire("panel", T0 + 2 * SECOND, component="3")
    await commit(pool, [late_fire, reset])
    reasons = {
        (alert.device, alert.component): [e.transition.reason for e in await store.history(alert.id)]
        for alert in await all_alerts(store)
    }
    assert reasons == {
        ("panel", "1"): ["raised", "reset"],
        ("panel", "2"): ["raised", "reset"],
        ("panel", "3"): ["raised"],
        ("other", "2-3-017"): ["raised"],
    }
    assert all(alert.state is State.UNACKNOWLEDGED for alert in await all_alerts(store))


async def test_thousands_of_verdicts_in_one_transaction_are_all_raised_and_all_return(pool, store):
    raised = [hazard(f"d{n:05}") for n in range(3000)]
    assert (await commit(pool, raised)).raised == {"hazard": 3000}
    assert len((await commit(pool, [clear(verdict, T0 + SECOND) for verdict in raised])).alert_ids) == 3000
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE state = 'returned'") == 3000
    assert await pool.fetchval("SELECT count(*) FROM alert_history") == 6000


async def test_the_engine_is_told_what_stands_even_when_it_was_closed_and_not_what_is_normal(pool, store):
    device = await pool.fetchval(
        "WITH u AS (INSERT INTO unit (code) VALUES ('u1') RETURNING id)"
        " INSERT INTO device (unit_id, name, kind) SELECT id, 'h1', 'hydrant' FROM u RETURNING id"
    )
    names = ["stands", "closed", "normal"]
    await commit(pool, [hazard(rule=name, device_number=device, latch=True) for name in names] + [fire()])
    by_rule = {alert.rule: alert.id for alert in await all_alerts(store)}
    await store.act(by_rule["closed"], Close(Disposition.MAINTENANCE), actor="wang")
    await commit(pool, [hazard(at=T0 + SECOND, rule="normal", kind=VerdictKind.CLEAR)])
    standing = await store.open_for_engine()
    assert {(s.rule, s.device_number, s.component, s.priority, s.condition_at) for s in standing} == {
        ("stands", device, "pressure", 3, T0),
        ("closed", device, "pressure", 3, T0),
    }


PAST = {"flags": ("historical",)}


async def test_late_evidence_is_found_among_the_closed_and_not_among_the_open(pool, store):
    applied = await commit(pool, [hazard(at=T0, **PAST)])
    assert applied.raised == {"hazard": 1}
    assert len(applied.alert_ids) == 1
    (alert,) = (await store.list(AlertFilter(states=(State.CLOSED,)))).items
    assert (alert.condition, alert.disposition, alert.flags) == (Condition.NORMAL, None, ("historical",))
    assert (alert.device_at, alert.closed_at, alert.closed_by) == (T0, T0 + 5 * SECOND, "rule:hydrant.pressure.low")
    assert (await store.list(AlertFilter(states=tuple(State)[:3]))).items == []
    assert await store.open_counts() == {}
    assert list(await store.open_for_engine()) == []
    (entry,) = await store.history(alert.id)
    assert (entry.transition.old, entry.transition.new, entry.transition.reason) == (
        None,
        State.CLOSED,
        "closed_historical",
    )


async def test_several_records_of_one_key_and_a_live_alert_after_them_are_stored_in_one_batch(pool, store):
    past = [hazard(at=T0 + n * SECOND, **PAST) for n in range(3)]
    applied = await commit(pool, [*past, hazard(at=T0 + 4 * SECOND)])
    assert applied.raised == {"hazard": 4}
    alerts = sorted(await all_alerts(store), key=lambda alert: alert.device_at)
    assert [alert.state for alert in alerts] == [State.CLOSED] * 3 + [State.UNACKNOWLEDGED]
    assert sorted(applied.alert_ids) == sorted(alert.id for alert in alerts)
    assert [len(await store.history(alert.id)) for alert in alerts] == [1] * 4


async def test_late_evidence_on_an_open_alert_is_an_entry_in_its_history_and_changes_nothing_else(pool, store):
    await commit(pool, [hazard(at=T0)])
    (before,) = await all_alerts(store)
    applied = await commit(pool, [hazard(at=T0 - SECOND, priority=2, value=0.01, **PAST)])
    assert applied.raised == {}
    assert applied.alert_ids == [before.id], "who looks at its history is told"
    assert await all_alerts(store) == [before]
    entries = [entry.transition for entry in await store.history(before.id)]
    assert [entry.reason for entry in entries] == ["raised", "late_evidence"]
    assert entries[1].evidence["value"] == 0.01


async def test_a_late_fire_is_open_and_red(pool, store):
    smoke = {"alert_class": AlertClass.FIRE, "rule": "smoke-fire", "component": "smoke", "priority": 1, "latch": True}
    await commit(pool, [hazard(at=T0, **smoke, **PAST)])
    (alert,) = await all_alerts(store)
    assert (alert.state, alert.condition, alert.priority, alert.latched) == (
        State.UNACKNOWLEDGED,
        Condition.NORMAL,
        1,
        True,
    )
    assert await store.open_counts() == {("fire", 1): 1}
