"""A storm of many senders' faults: what is over the bound is put away, fires are not, and order is kept."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK
from quiet_session import heard, lanes_running, ms, quiet_lane
from test_fairness import BackloggedCity, Counted, MemoryBacklog

from firetower.core.clock import SECOND
from firetower.core.mqtt import Incoming
from firetower.ingest import fairness, glances
from firetower.ingest.fires_first import FiresFirst, next_batch
from firetower.ingest.first_look import Looks, Sender

CROWD, SENDERS = 300, 450


@pytest.fixture(autouse=True)
def small_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "CROWD", CROWD)


def alarm(unit: str, event: str, component: str = "1", **more: object) -> Incoming:
    received_at = more.pop("received_at", None)
    message = heard("", {"ts": ms(), "event": event, "component": component, **more}, received_at=received_at)  # type: ignore[arg-type]
    return _of(message, f"firetower/v1/{unit}/panel/alarm")


def _of(message: Incoming, topic: str) -> Incoming:
    return Incoming(
        topic, message.payload, message.mid, message.qos, message.dup, message.retain, message.received_at, 1
    )


def storm(**more: object) -> Iterator[Incoming]:
    return (alarm(f"unit-{number}", "fault", **more) for number in range(SENDERS))


async def test_faults_beyond_the_crowd_are_put_away_and_acknowledged_and_fires_are_judged_in_their_turn() -> None:
    backlog = MemoryBacklog()
    city = BackloggedCity("", backlog)
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    async with lanes_running(lane):
        session.say(*storm(received_at=CLOCK.now() - 60 * SECOND))
        await until(lambda: len(session.acked) == SENDERS - CROWD, what="what is over is put away and acknowledged")
        session.say(*(alarm(f"unit-{number}", "fire") for number in range(SENDERS)))
        session.say(alarm("late", "fault"))
        await until(lambda: len(backlog.rows) == SENDERS - CROWD + 1)
        assert all(sender.startswith(".") for sender, _ in backlog.rows.values()), "no fire is put away"
        assert lane.lag(CLOCK.now()) >= 60 * SECOND, "the lane is as far behind as what it has put away"
        city.store.gate.set()
        await until(lambda: len(city.store.events) == 2 * SENDERS + 1 and not backlog.rows, seconds=30)
        await until(lambda: lane.lag(CLOCK.now()) == 0)
        session.say(alarm("unit-449", "fault", "2"))
        await until(lambda: len(city.store.events) == 2 * SENDERS + 2)
    assert backlog.most == SENDERS - CROWD + 1, "who has nothing left there is judged without a detour"
    events = [(event.unit, event.event, event.component) for event in city.store.events]
    assert len(set(events)) == len(events)


async def test_a_return_that_comes_while_its_raise_is_put_away_stays_behind_it() -> None:
    backlog = MemoryBacklog()
    city = BackloggedCity("", backlog)
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    last = f"unit-{SENDERS - 1}"
    async with lanes_running(lane):
        session.say(*storm())
        await until(lambda: len(backlog.rows) == SENDERS - CROWD)
        city.store.gate.set()
        session.say(alarm(last, "fault", active=False))
        await until(lambda: len(city.store.events) == SENDERS + 1, seconds=30)
    assert [event.active for event in city.store.events if event.unit == last] == [True, False]


async def test_what_a_storm_left_is_known_at_the_next_start_and_comes_before_what_the_same_sender_says_then() -> None:
    backlog = MemoryBacklog()
    left = list(storm())
    await backlog.put([(str(Sender(message.topic.split("/")[2], urgent=False)), message) for message in left])
    city = BackloggedCity("", backlog)
    lane, session = quiet_lane(city, "alarm")
    async with lanes_running(lane):
        session.say(alarm("unit-7", "fault", active=False), alarm("other", "fire"))
        await until(lambda: len(city.store.events) == SENDERS + 2, seconds=30)
    assert [event.active for event in city.store.events if event.unit == "unit-7"] == [True, False]
    assert not backlog.rows


def test_a_storm_that_does_not_end_leaves_a_part_of_each_batch_to_what_it_put_away() -> None:
    """Else what was put away first would be judged when the last of the storm is; fires leave it one place."""
    fresh, back = FiresFirst(Looks()), FiresFirst(Looks())
    fresh.extend(list(storm()))
    back.extend([alarm("early", "fault", str(number)) for number in range(80)])

    def early() -> tuple[int, int]:
        batch = next_batch(fresh, back, 250, 100, 1 << 20)
        return len(batch), sum("/early/" in message.topic for message in batch)

    assert early() == (100, 20)
    fresh.extend([alarm("mall", "fire", str(number)) for number in range(300)])
    assert early() == (250, 1)
    while fresh:
        early()
    early()
    assert not back, "with nothing fresh left all of it comes"


async def test_gateways_with_long_messages_are_a_crowd_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand messages of 64 KiB fill the lane as well as twenty thousand short ones."""
    monkeypatch.setattr(fairness, "CROWD_BYTES", 20_000)
    backlog = MemoryBacklog()
    city = BackloggedCity("", backlog)
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    async with lanes_running(lane):
        session.say(*(alarm(f"unit-{number}", "fault", text="x" * 900) for number in range(50)))
        await until(lambda: backlog.rows)
        assert 20 <= len(backlog.rows) <= 40
        city.store.gate.set()
        await until(lambda: len(city.store.events) == 50, seconds=30)


async def test_what_the_crowd_put_away_is_shown_until_it_is_judged_and_no_more_of_it_than_is_shown_in_detail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(glances, "MOST_AWAY", 40)

    class Kept(MemoryBacklog):
        async def take(self, wanted: Sequence[tuple[str, int]]) -> Sequence[tuple[str, Incoming]]:
            await city.store.gate.wait()
            return await super().take(wanted)

    backlog, shown = Kept(), Counted()
    city = BackloggedCity("", backlog, provisional=shown)
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    async with lanes_running(lane):
        session.say(*(alarm(f"unit-{n}", "fault", str(n), received_at=CLOCK.now() - SECOND) for n in range(SENDERS)))
        await until(lambda: len(backlog.rows) == SENDERS - CROWD)
        await until(lambda: len(shown.ever) >= CROWD + 40, seconds=30)
        await until(lambda: str(CROWD + 39) in shown.ever)
        assert str(CROWD + 40) not in shown.ever
        mixed = [
            {"ts": ms(), "event": event, "component": "mixed", "text": f"{event} among"} for event in ("fault", "fire")
        ]
        away = heard("", mixed, received_at=CLOCK.now() - 2 * SECOND)  # type: ignore[arg-type]
        session.say(_of(away, f"firetower/v1/unit-{SENDERS - 1}/panel/alarm"))
        await until(lambda: "mixed" in shown.ever, what="a fire among what was put away is shown, however much is")
        city.store.gate.set()
        await until(lambda: len(city.store.events) == SENDERS + 2, seconds=30)
        await until(lambda: not shown.tokens, what="what is stored is not provisional any more")


async def test_a_storm_whose_backlog_refuses_is_judged_in_its_turn() -> None:
    class Refusing(MemoryBacklog):
        async def put(self, rows: object) -> None:
            raise ValueError("a value the table cannot hold")

    city = BackloggedCity("", Refusing())
    lane, session = quiet_lane(city, "alarm")
    async with lanes_running(lane):
        for _ in range(3):
            session.say(*storm())
        await until(lambda: lane.acknowledged == 3 * SENDERS, seconds=30)
    assert len(city.store.events) == 3 * SENDERS, "acknowledged is what was judged and stored"
