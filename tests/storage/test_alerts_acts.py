"""Operators' acts on stored alerts: versions, idempotency, races, and lists."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard

from firetower.alerts.acts import Acknowledge, Close, Note
from firetower.alerts.model import Disposition, State
from firetower.alerts.ports import AlertFilter, LiveView
from firetower.core.clock import DAY, SECOND, ManualClock
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.devices.events import AlertClass
from firetower.storage import pool as pools
from firetower.storage.alerts import AlertStore
from firetower.storage.idempotency import forget_keys


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


async def raised(store: AlertStore, pool: asyncpg.Pool, *verdicts) -> list[int]:
    return sorted((await commit(pool, verdicts)).alert_ids)


async def reasons(store: AlertStore, alert_id: int) -> list[str]:
    return [entry.transition.reason for entry in await store.history(alert_id)]


async def test_acknowledge_note_and_close_are_stored_with_their_history_and_announced(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    seq = (await store.snapshot()).seq
    taken = await store.act(alert_id, Acknowledge(), actor="wang", expected_version=1)
    noted = await store.act(alert_id, Note("smoke seen on camera 3"), actor="li")
    closed = await store.act(alert_id, Close(Disposition.FALSE_ALARM, "steam", "the kitchen again"), actor="wang")
    assert (taken.state, taken.acknowledged_by, taken.version) == (State.ACKNOWLEDGED, "wang", 2)
    assert noted == taken
    assert closed == await store.get(alert_id)
    assert (closed.state, closed.disposition, closed.version) == (State.CLOSED, Disposition.FALSE_ALARM, 3)
    history = [entry.transition for entry in await store.history(alert_id)]
    assert [(t.old, t.new, t.actor, t.reason) for t in history] == [
        (None, State.UNACKNOWLEDGED, "device", "raised"),
        (State.UNACKNOWLEDGED, State.ACKNOWLEDGED, "wang", "acknowledged"),
        (State.ACKNOWLEDGED, State.ACKNOWLEDGED, "li", "noted"),
        (State.ACKNOWLEDGED, State.CLOSED, "wang", "closed"),
    ]
    assert history[2].evidence == {"text": "smoke seen on camera 3"}
    assert await store.changes(seq) == LiveView(seq + 3, [closed], [], [])


async def test_eight_clients_acknowledging_at_once_end_in_one_acknowledgement(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    done = await asyncio.gather(
        *(store.act(alert_id, Acknowledge(), actor=f"op{n}") for n in range(8)), return_exceptions=True
    )
    (winner,) = [result for result in done if not isinstance(result, BaseException)]
    refused = [result for result in done if isinstance(result, Conflict)]
    assert len(refused) == 7
    assert all(error.current == winner for error in refused)
    assert await reasons(store, alert_id) == ["raised", "acknowledged"]


async def test_eight_clients_acknowledging_and_closing_at_once_leave_one_consistent_history(store, wide):
    (alert_id,) = await raised(store, wide, fire())

    async def work(actor: str) -> None:
        with contextlib.suppress(Conflict):
            await store.act(alert_id, Acknowledge(), actor=actor)
        with contextlib.suppress(Conflict):
            await store.act(alert_id, Close(Disposition.FALSE_ALARM, "steam"), actor=actor)

    await asyncio.gather(*(work(f"op{n}") for n in range(8)))
    history = await store.history(alert_id)
    assert [entry.seq for entry in history] == [1, 2, 3]
    assert [entry.transition.reason for entry in history] == ["raised", "acknowledged", "closed"]
    for before, after in itertools.pairwise(history):
        assert after.transition.old is before.transition.new
    assert (await store.get(alert_id)).version == 3


async def test_acknowledge_racing_return_to_normal_never_brings_the_alert_back(store, wide):
    devices = [f"d{n}" for n in range(30)]
    ids = await raised(store, wide, *(hazard(device) for device in devices))

    async def acknowledge() -> None:
        for alert_id in ids:
            await store.act(alert_id, Acknowledge(), actor="wang")

    async def normal() -> None:
        for device in devices:
            await commit(wide, [clear(hazard(device), T0 + SECOND)])

    await asyncio.gather(acknowledge(), normal())
    for alert_id in ids:
        alert = await store.get(alert_id)
        assert (alert.state, alert.condition) == ("closed", "normal")
        assert await reasons(store, alert_id) in (
            ["raised", "acknowledged", "returned"],
            ["raised", "returned", "acknowledged"],
        )


async def test_a_version_that_has_passed_is_a_conflict_with_the_alert_as_it_stands(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    await store.act(alert_id, Acknowledge(), actor="wang")
    with pytest.raises(Conflict, match="version 1 was expected, it is 2") as refused:
        await store.act(alert_id, Note("late"), actor="li", expected_version=1)
    assert refused.value.current == await store.get(alert_id)
    assert await reasons(store, alert_id) == ["raised", "acknowledged"]


async def test_repeats_do_not_make_an_acknowledgement_a_conflict(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    await commit(wide, [fire(at=T0 + n * SECOND) for n in range(1, 9)])
    assert (await store.act(alert_id, Acknowledge(), actor="wang", expected_version=1)).repeats == 8


async def test_the_same_request_under_one_key_acts_once_even_eight_times_at_once(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    done = await asyncio.gather(
        *(store.act(alert_id, Acknowledge(), actor="wang", expected_version=1, idempotency_key="k1") for _ in range(8))
    )
    assert {alert.version for alert in done} == {2}
    assert await reasons(store, alert_id) == ["raised", "acknowledged"]


async def test_a_key_used_for_another_request_is_a_conflict_but_belongs_to_its_actor(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    await store.act(alert_id, Note("one"), actor="wang", idempotency_key="k1")
    with pytest.raises(Conflict, match="'k1' was used by wang for another request"):
        await store.act(alert_id, Note("two"), actor="wang", idempotency_key="k1")
    await store.act(alert_id, Note("two"), actor="li", idempotency_key="k1")
    assert await reasons(store, alert_id) == ["raised", "noted", "noted"]


async def test_a_refused_act_does_not_use_up_its_key(store, wide):
    (alert_id,) = await raised(store, wide, fire())
    with pytest.raises(InvalidInput):
        await store.act(alert_id, Note(" "), actor="wang", idempotency_key="k1")
    await store.act(alert_id, Note("words"), actor="wang", idempotency_key="k1")
    assert await reasons(store, alert_id) == ["raised", "noted"]


async def test_keys_are_forgotten_after_a_day(store, wide, clock):
    (alert_id,) = await raised(store, wide, fire())
    await store.act(alert_id, Note("one"), actor="wang", idempotency_key="k1")
    assert await forget_keys(wide, clock.now() + DAY - SECOND) == 0
    assert await forget_keys(wide, clock.now() + DAY + SECOND) == 1
    await store.act(alert_id, Note("two"), actor="wang", idempotency_key="k1")


@pytest.mark.parametrize("alert_id", [0, -1, 999, 2**63, 10**30])
async def test_an_alert_that_is_not_there_is_not_found(store, alert_id):
    for call in (store.get(alert_id), store.history(alert_id), store.act(alert_id, Acknowledge(), actor="wang")):
        with pytest.raises(NotFound, match=f"there is no alert {alert_id}"):
            await call


async def test_shown_is_stamped_once(store, wide):
    ids = await raised(store, wide, fire(), hazard())
    assert await store.mark_shown({ids[0]: T0 + 7 * SECOND, ids[1]: T0 + 8 * SECOND}) == set(ids)
    assert await store.mark_shown(dict.fromkeys([*ids, 10**6], T0 + 9 * SECOND)) == set()
    assert await store.mark_shown({}) == set()
    assert [(await store.get(alert_id)).shown_at for alert_id in ids] == [T0 + 7 * SECOND, T0 + 8 * SECOND]


async def test_open_alerts_are_counted_by_class_and_priority(store, wide):
    ids = await raised(store, wide, fire(), hazard("a"), hazard("b"), hazard("c", priority=2))
    assert await store.open_counts() == {("fire", 1): 1, ("hazard", 3): 2, ("hazard", 2): 1}
    await store.act(ids[-1], Close(Disposition.MAINTENANCE), actor="wang")
    assert sum((await store.open_counts()).values()) == 3


async def a_mixed_list(store: AlertStore, pool: asyncpg.Pool) -> list[int]:
    """Twelve alerts in the order an operator must see them."""
    made: dict[tuple[int, bool, int], int] = {}
    for minute in range(3):
        for priority in (2, 3):
            for taken in (False, True):
                verdict = replace(hazard(f"d{minute}{priority}{taken:d}"), priority=priority)
                (alert_id,) = (await commit(pool, [verdict], T0 + minute * 60 * SECOND)).alert_ids
                if taken:
                    await store.act(alert_id, Acknowledge(), actor="wang")
                made[priority, taken, -minute] = alert_id
    return [made[place] for place in sorted(made)]


async def test_lists_are_by_priority_then_unacknowledged_then_newest_and_pages_join_without_gap(store, wide):
    expected = await a_mixed_list(store, wide)
    for limit in (1, 5, 12):
        seen: list[int] = []
        cursor = None
        while True:
            page = await store.list(AlertFilter(limit=limit, cursor=cursor))
            seen += [alert.id for alert in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == expected


async def test_alerts_raised_in_one_transaction_are_paged_without_loss(store, wide):
    ids = await raised(store, wide, *(hazard(f"d{n}") for n in range(25)))
    first = await store.list(AlertFilter(limit=10))
    second = await store.list(AlertFilter(limit=10, cursor=first.next_cursor))
    third = await store.list(AlertFilter(limit=10, cursor=second.next_cursor))
    assert [alert.id for page in (first, second, third) for alert in page.items] == sorted(ids, reverse=True)
    assert third.next_cursor is None


@pytest.mark.parametrize(
    ("wanted", "devices"),
    [
        (AlertFilter(states=(State.ACKNOWLEDGED,)), {"tank"}),
        (AlertFilter(states=(State.UNACKNOWLEDGED, State.CLOSED)), {"smk-1", "100%", "gone"}),
        (AlertFilter(priorities=(1, 2)), {"smk-1", "tank"}),
        (AlertFilter(classes=(AlertClass.FIRE,)), {"smk-1"}),
        (AlertFilter(unit="u1", device="tank"), {"tank"}),
        (AlertFilter(unit="u2"), set()),
        (AlertFilter(since=T0 + 6 * SECOND), {"gone"}),
        (AlertFilter(q="3f CORRI"), {"smk-1"}),
        (AlertFilter(q="火警"), {"smk-1"}),
        (AlertFilter(q="0%"), {"100%"}),
        (AlertFilter(q="_"), set()),
        (AlertFilter(q="u1tank"), set()),
        (AlertFilter(q="  "), {"smk-1", "tank", "100%", "gone"}),
    ],
)
async def test_filters_keep_what_they_name(store, wide, wanted, devices):
    await raised(store, wide, fire(), hazard("tank", priority=2), hazard("100%"))
    (gone,) = (await commit(wide, [hazard("gone")], T0 + 9 * SECOND)).alert_ids
    await store.act(gone, Close(Disposition.MAINTENANCE), actor="wang")
    (tank,) = (await store.list(AlertFilter(device="tank"))).items
    await store.act(tank.id, Acknowledge(), actor="wang")
    assert {alert.device for alert in (await store.list(wanted)).items} == devices


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (AlertFilter(cursor="nonsense"), "cursor 'nonsense'"),
        (AlertFilter(cursor="WzEsMCwxZTMwLDFd"), "cursor"),
        (AlertFilter(limit=0), "limit is 0; give 1 to 1000"),
        (AlertFilter(limit=1001), "limit is 1001"),
        (AlertFilter(q="a\0"), "q holds a character"),
    ],
)
async def test_a_list_that_cannot_be_given_says_why(store, wanted, said):
    with pytest.raises(InvalidInput, match=said):
        await store.list(wanted)
