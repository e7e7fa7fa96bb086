"""Verifying, forwarding, shelving, assigning, reopening and reporting on stored alerts, and everybody at once."""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard
from waiting import until

from firetower.alerts.acts import Acknowledge, Assign, Shelve, Unshelve
from firetower.alerts.closing import Close, Reopen
from firetower.alerts.model import Alert, Condition, Disposition, Hold, Method, State, Verification
from firetower.alerts.ports import AlertFilter, Entry
from firetower.alerts.reports import Report
from firetower.alerts.verification import Channel, Forward, Receipt, Verify
from firetower.core.clock import HOUR, SECOND, ManualClock
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import AlertClass
from firetower.storage import accounts
from firetower.storage import pool as pools
from firetower.storage.alerts import AlertStore, apply_verdicts

LIU = Verify(Verification.REAL, Method.PHONE, "caretaker Liu")
STEAM = Close(Disposition.FALSE_ALARM, "steam")


@pytest.fixture
async def wide(database_url: str):
    """A pool wide enough for eight clients at once."""
    made = await pools.connect(database_url, size=12)
    yield made
    made.terminate()


@pytest.fixture
def store(wide: asyncpg.Pool, clock: ManualClock) -> AlertStore:
    clock.set(T0 + 60 * SECOND)
    return AlertStore(wide, clock)


async def raised(pool: asyncpg.Pool, verdict) -> int:
    (alert_id,) = (await commit(pool, [verdict])).alert_ids
    return alert_id


async def reasons(store: AlertStore, alert_id: int) -> list[str]:
    return [entry.transition.reason for entry in await store.history(alert_id)]


def assert_consistent(alert: Alert, history: Sequence[Entry]) -> None:
    """No entry is missing, and each begins in the state in which the one before it ended."""
    assert [entry.seq for entry in history] == list(range(1, len(history) + 1))
    moves = [entry.transition for entry in history]
    assert moves[0].old is None
    assert [move.old for move in moves[1:]] == [move.new for move in moves[:-1]]
    assert moves[-1].new is alert.state


async def test_a_fire_from_verification_to_receipt_to_its_end_is_stored_with_its_clocks(store, wide, clock):
    alert_id = await raised(wide, fire())
    real = await store.act(alert_id, LIU, actor="wang", expected_version=1)
    assert (real.version, real.verified_at, real.forwarded_at) == (2, T0 + 60 * SECOND, T0 + 60 * SECOND)
    with pytest.raises(InvalidInput, match="nobody at 119 has taken it"):
        await store.act(alert_id, Close(Disposition.REAL_FIRE), actor="wang")
    clock.advance(SECOND)
    await store.act(alert_id, Receipt("desk 4, Zhang", Channel.VOICE, "rec-71"), actor="wang")
    closed = await store.act(alert_id, Close(Disposition.REAL_FIRE), actor="li")
    assert closed == await store.get(alert_id)
    assert (closed.receipted_at, closed.verification, closed.verify_method) == (
        T0 + 61 * SECOND,
        Verification.REAL,
        Method.PHONE,
    )
    assert await reasons(store, alert_id) == ["raised", "verified", "forwarded", "receipted", "closed"]
    assert_consistent(closed, await store.history(alert_id))


async def test_a_prealarm_that_a_person_saw_burn_is_a_fire_in_the_store(store, wide):
    alert_id = await raised(wide, hazard(alert_class=AlertClass.PREALARM, priority=2))
    await store.act(alert_id, Shelve(T0 + HOUR, "hot work"), actor="wang")
    await store.act(alert_id, Verify(Verification.REAL, Method.VIDEO), actor="wang")
    alert = await store.get(alert_id)
    assert (alert.alert_class, alert.priority, alert.latched, alert.hold) == (AlertClass.FIRE, 1, True, Hold.NONE)
    assert alert.forwarded_at is not None


async def test_shelving_and_unshelving_are_stored_and_a_repeat_under_one_key_acts_once(store, wide):
    alert_id = await raised(wide, hazard())
    act = Shelve(T0 + HOUR, "spare part on Monday")
    for _ in range(2):
        shelved = await store.act(alert_id, act, actor="wang", idempotency_key="k1")
    assert shelved == await store.get(alert_id)
    assert (shelved.hold, shelved.held_until, shelved.held_by) == (Hold.SHELVED, T0 + HOUR, "wang")
    assert [alert.id for alert in (await store.list(AlertFilter(holds=(Hold.SHELVED,)))).items] == [alert_id]
    await store.act(alert_id, Unshelve(), actor="li")
    assert (await store.get(alert_id)).hold is Hold.NONE
    assert await reasons(store, alert_id) == ["raised", "shelved", "unshelved"]


async def test_an_alert_is_assigned_to_whoever_may_act_and_to_nobody_else(store, wide):
    alert_id = await raised(wide, hazard())
    for name, role in (("li", "operator"), ("ada", "admin"), ("vera", "viewer"), ("gone", "operator")):
        await accounts.add(wide, name, "x", role, T0)  # type: ignore[arg-type]
    await wide.execute("UPDATE account SET disabled_at = now() WHERE username = 'gone'")
    assert (await store.act(alert_id, Assign("li"), actor="wang")).version == 2
    assert (await store.act(alert_id, Assign("ada"), actor="wang")).assignee == "ada"
    for name, why in (("vera", "is a viewer"), ("gone", "is disabled"), ("nobody", "no such account")):
        with pytest.raises(InvalidInput, match=f"assigned to '{name}'.*{why}"):
            await store.act(alert_id, Assign(name), actor="wang")
    assert (await store.get(alert_id)).assignee == "ada"


async def test_a_reopened_alert_holds_its_key_again_and_the_device_goes_on_with_it(store, wide):
    alert_id = await raised(wide, hazard())
    await commit(wide, [clear(hazard(), T0 + SECOND)])
    await store.act(alert_id, Acknowledge(), actor="wang")
    opened = await store.act(alert_id, Reopen("the valve is still shut"), actor="li")
    assert (opened.state, opened.closed_at, opened.acknowledged_by) == (State.UNACKNOWLEDGED, None, None)
    assert opened == await store.get(alert_id)
    await commit(wide, [hazard(at=T0 + 9 * SECOND)])
    again = await store.get(alert_id)
    assert (again.condition, len((await store.list(AlertFilter())).items)) == (Condition.ACTIVE, 1)


async def test_reopening_what_a_newer_alert_has_followed_names_the_newer_one(store, wide):
    old = await raised(wide, fire())
    await store.act(old, Acknowledge(), actor="wang")
    await store.act(old, STEAM, actor="wang")
    newer = (await commit(wide, [fire(at=T0 + 9 * SECOND)])).alert_ids[-1]
    with pytest.raises(Conflict, match=rf"alert {newer} \(unacknowledged\) is of the same point and newer") as refused:
        await store.act(old, Reopen("it burns"), actor="li")
    assert refused.value.current == await store.get(old)


async def test_reopening_racing_a_new_alarm_of_the_point_ends_in_one_open_alert(store, wide):
    for turn in range(4):
        first = fire(f"smk-{turn}")
        old = await raised(wide, first)
        await commit(wide, [fire(f"smk-{turn}", T0 + SECOND, active=False)])
        await store.act(old, Acknowledge(), actor="wang")
        await store.act(old, STEAM, actor="wang")

        async def reopen(alert_id: int) -> None:
            with contextlib.suppress(Conflict):
                await store.act(alert_id, Reopen("it burns"), actor="li")

        await asyncio.gather(reopen(old), commit(wide, [fire(f"smk-{turn}", T0 + 9 * SECOND)]))
        of_point = (await store.list(AlertFilter(device=f"smk-{turn}"))).items
        assert len([alert for alert in of_point if alert.state is not State.CLOSED]) == 1
        for alert in of_point:
            assert_consistent(alert, await store.history(alert.id))


async def test_reopening_waits_for_a_new_alarm_that_is_being_stored_and_then_names_it(store, wide):
    old = await raised(wide, fire())
    await commit(wide, [fire(at=T0 + SECOND, active=False)])
    await store.act(old, Acknowledge(), actor="wang")
    await store.act(old, STEAM, actor="wang")
    async with wide.acquire() as conn:
        async with conn.transaction():
            (newer,) = (await apply_verdicts(conn, [fire(at=T0 + 9 * SECOND)], at=T0 + 10 * SECOND)).alert_ids
            reopening = asyncio.create_task(store.act(old, Reopen("it burns"), actor="li"))
            await until(lambda: _somebody_waits_for(wide, conn))
        with pytest.raises(Conflict, match=f"alert {newer} .* newer"):
            await reopening
    assert await reasons(store, old) == ["raised", "returned", "acknowledged", "closed"]


async def _somebody_waits_for(pool: asyncpg.Pool, conn: asyncpg.Connection) -> bool:
    return await pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", conn.get_server_pid()
    )


async def test_eight_clients_raising_acknowledging_and_closing_at_once_end_in_one_alert_and_one_history(store, wide):
    """Each raises the same point, then takes on, verifies and closes whatever of it is open."""
    start = asyncio.Event()

    async def work(client: int) -> None:
        await start.wait()
        await commit(wide, [hazard("tank", T0 + client)])
        (alert,) = (await store.list(AlertFilter(device="tank"))).items
        for act in (Acknowledge(), Verify(Verification.FALSE, Method.VIDEO, cause="steam"), STEAM):
            with contextlib.suppress(Conflict):
                await store.act(alert.id, act, actor=f"op{client}")

    async with asyncio.TaskGroup() as group:
        for client in range(8):
            group.create_task(work(client))
        start.set()
    (alert,) = (await store.list(AlertFilter())).items
    history = await store.history(alert.id)
    assert_consistent(alert, history)
    assert (alert.state, alert.disposition, alert.condition) == (State.CLOSED, "false_alarm", "active")
    said = [entry.transition.reason for entry in history]
    assert (said[0], said[-1], said.count("raised"), said.count("closed")) == ("raised", "closed", 1, 1)
    assert alert.repeats == 7
    assert alert.version == len(history)


async def test_forwarding_at_once_from_eight_seats_forwards_once(store, wide):
    alert_id = await raised(wide, fire())
    done = await asyncio.gather(
        *(store.act(alert_id, Forward(unverified=True), actor=f"op{n}") for n in range(8)), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in done) == 7
    assert await reasons(store, alert_id) == ["raised", "forwarded"]


# manual reports ----------------------------------------------------------------------------------


@pytest.fixture
async def mall(wide: asyncpg.Pool) -> None:
    await wide.execute(
        "INSERT INTO unit (code, name, address, lon, lat) VALUES ('mall-01', '万象城', '人民路 1 号', 113.5, 22.5);"
        "INSERT INTO building (unit_id, code, name) SELECT id, 'A', '主楼' FROM unit;"
        "INSERT INTO floor (building_id, code) SELECT id, '3F' FROM building;"
        "INSERT INTO zone (floor_id, code, name) SELECT id, 'Z2', '餐饮区' FROM floor"
    )


@pytest.mark.usefixtures("mall")
async def test_a_report_of_a_fire_is_an_alert_like_any_other_with_who_called(store):
    seq = (await store.snapshot()).seq
    report = Report(
        AlertClass.FIRE, " smoke from the kitchen ", unit="mall-01", zone="A/3F/Z2", caller="Chen", phone="138"
    )
    alert = await store.report(report, actor="wang")
    assert alert == await store.get(alert.id)
    assert (alert.alert_class, alert.priority, alert.state, alert.latched) == (
        AlertClass.FIRE,
        1,
        State.UNACKNOWLEDGED,
        True,
    )
    assert (alert.rule, alert.flags, alert.text) == ("manual:report", ("manual",), "smoke from the kitchen")
    assert (alert.subject_kind, alert.subject, alert.unit, alert.unit_name) == (
        "unit",
        "mall-01",
        "mall-01",
        "万象城",
    )
    assert (alert.place, alert.lon, alert.lat) == ("主楼 / 3F / 餐饮区", 113.5, 22.5)
    assert (alert.zone, alert.scene) == ("A/3F/Z2", "zone:mall-01/A/3F/Z2")
    (entry,) = await store.history(alert.id)
    assert (entry.transition.old, entry.transition.actor, entry.transition.reason) == (None, "wang", "raised")
    assert entry.transition.evidence == {"text": "smoke from the kitchen", "caller": "Chen", "phone": "138"}
    told = await store.changes(seq)
    assert told is not None
    assert [changed.id for changed in told.alerts] == [alert.id]


async def test_a_report_from_where_no_unit_is_registered_keeps_the_callers_place(store):
    report = Report(AlertClass.HAZARD, "hydrant gushing", place="corner of 5th and Main", lon=113.1, lat=22.2)
    alert = await store.report(report, actor="wang")
    assert (alert.subject_kind, alert.subject, alert.unit) == ("place", "corner of 5th and Main", None)
    assert (alert.place, alert.lon, alert.lat) == ("corner of 5th and Main", 113.1, 22.2)


@pytest.mark.usefixtures("mall")
async def test_two_reports_are_two_alerts_and_one_sent_twice_is_one(store, clock):
    report = Report(AlertClass.FIRE, "smoke", unit="mall-01")
    one = await asyncio.gather(*(store.report(report, actor="wang", idempotency_key="k1") for _ in range(4)))
    assert len({alert.id for alert in one}) == 1
    clock.advance(SECOND)
    assert (await store.report(report, actor="wang", idempotency_key="k1")).id == one[0].id
    assert len({(await store.report(report, actor="wang")).id, (await store.report(report, actor="wang")).id}) == 2
    assert len((await store.list(AlertFilter())).items) == 3
    with pytest.raises(Conflict, match="another request"):
        await store.report(Report(AlertClass.FIRE, "more smoke", unit="mall-01"), actor="wang", idempotency_key="k1")


@pytest.mark.usefixtures("mall")
@pytest.mark.parametrize(
    ("report", "said", "field"),
    [
        (Report(AlertClass.OFFLINE, "x", place="y"), "cannot report class offline; give one of fire", "class"),
        (Report(AlertClass.FIRE, " ", place="y"), "a report needs a text; write what the caller says", "text"),
        (Report(AlertClass.FIRE, "x"), "must say where it is", "place"),
        (Report(AlertClass.FIRE, "x", lon=1.0), "only one of lon and lat", "lon"),
        (Report(AlertClass.FIRE, "x", place="y", zone="A/3F/Z2"), "name the unit too", "unit"),
        (Report(AlertClass.FIRE, "x", unit="mall-02"), "no unit 'mall-02'", "unit"),
        (Report(AlertClass.FIRE, "x", unit="mall-01", zone="A/3F"), "write building/floor/zone", "zone"),
        (Report(AlertClass.FIRE, "x", unit="mall-01", zone="A/3F/Z9"), "has no zone 'A/3F/Z9'", "zone"),
    ],
)
async def test_a_report_that_cannot_be_taken_down_says_what_it_lacks(store, report, said, field):
    with pytest.raises(InvalidInput, match=said) as refused:
        await store.report(report, actor="wang", idempotency_key="k1")
    assert refused.value.details == {"field": field}
    assert (await store.list(AlertFilter())).items == []


async def test_a_reported_fire_is_verified_forwarded_and_closed_like_any_other(store):
    alert = await store.report(Report(AlertClass.FIRE, "smoke", place="pier 4"), actor="wang")
    for act in (LIU, Receipt("Zhang", Channel.VOICE, "rec-71"), Close(Disposition.REAL_FIRE)):
        alert = await store.act(alert.id, act, actor="wang")
    assert alert.state is State.CLOSED
    assert_consistent(alert, await store.history(alert.id))
