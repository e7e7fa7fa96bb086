"""A lane in a storm of faults: a fire is in the next batch made; nothing is acknowledged before it is committed."""

import json
import sys
from pathlib import Path

from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane

from firetower.core.clock import SECOND
from firetower.core.mqtt import Incoming
from firetower.ingest.ports import Work

STORM = 5000


def alarm(device: str, event: str, component: str, **more: object) -> Incoming:
    return heard(f"{device}/alarm", {"ts": ms(), "event": event, "component": component, **more})


def storm() -> list[Incoming]:
    return [alarm(f"panel-{number % 900}", "fault", str(number)) for number in range(STORM)]


def names(work: Work) -> list[str]:
    return [event.event for event in work.events]


async def test_a_fire_behind_five_thousand_faults_waits_for_two_batches_only() -> None:
    """For the one that is being committed and the one made ready; its own carries few faults along."""
    city = quiet_city()
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    async with lanes_running(lane):
        session.say(*storm())
        await until(lambda: len(lane._ready) == 2)
        assert not session.acked
        session.say(fire := alarm("smk-1", "fire", ""))
        city.store.gate.set()
        await until(lambda: fire in session.acked)
        assert "fire" in names(city.store.commits[2])
        assert len(city.store.commits[2].events) <= 51
        await until(lambda: lane.acknowledged == STORM + 1, seconds=30)
    assert len(city.store.events) == STORM + 1
    faults = [int(event.component) for event in city.store.events if event.event == "fault"]
    assert faults == list(range(STORM)), "the others keep their order"


async def test_a_batch_is_acknowledged_when_it_is_committed_and_not_before() -> None:
    """Also where messages were taken in another order than they came in."""
    city = quiet_city()
    lane, session = quiet_lane(city, "alarm")
    committed: set[tuple[str, str]] = set()
    plain = city.store.commit

    async def commit(work: Work) -> object:
        assert {whose(message) for message in session.acked} <= committed
        done = await plain(work)
        committed.update((event.device, event.component) for event in work.events)
        return done

    def whose(message: Incoming) -> tuple[str, str]:
        return message.topic.split("/")[3], json.loads(message.payload)["component"]

    city.store.commit = commit  # type: ignore[method-assign]
    async with lanes_running(lane):
        for number in range(40):
            session.say(*(alarm(f"panel-{number}-{each}", "fault", str(each)) for each in range(20)))
            session.say(alarm(f"panel-{number}-7", "fire", "x"))
        await until(lambda: lane.acknowledged == 40 * 21)
    assert {whose(message) for message in session.acked} == committed


async def test_a_panels_reset_stands_between_the_fires_it_was_said_between() -> None:
    """A reset that a later fire had passed would be noted as said after it."""
    city = quiet_city()
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    said = ["fire", "reset", "fault", "reset", "fire", "fault", "reset"]
    async with lanes_running(lane):
        session.say(*storm())
        await until(lambda: len(lane._ready) == 2)
        for number, event in enumerate(said):
            session.say(alarm("smk-1", event, str(number)))
        city.store.gate.set()
        await until(lambda: sum(event.device == "smk-1" for event in city.store.events) == len(said))
        assert len(city.store.events) < STORM / 2
    assert [event.event for event in city.store.events if event.device == "smk-1"] == said


async def test_a_lane_says_how_long_its_oldest_fault_waits_though_fires_pass_it() -> None:
    """Else a storm would look as if nothing waited, and devices whose words wait here as if they were silent."""
    city = quiet_city()
    lane, session = quiet_lane(city, "alarm")
    city.store.held = {"alarm"}
    city.store.gate.clear()
    long_ago = CLOCK.now() - 60 * SECOND
    async with lanes_running(lane):
        session.say(alarm("smk-1", "fire", "1"))
        await until(lambda: len(lane._ready) == 1)
        session.say(alarm("smk-1", "fire", "2"))
        await until(lambda: len(lane._ready) == 2)
        session.say(heard("smk-2/alarm", {"event": "fault"}, received_at=long_ago), alarm("smk-1", "fire", "3"))
        assert lane.lag(CLOCK.now()) >= 60 * SECOND
        assert lane.listening_since(CLOCK.now()) is None
        city.store.gate.set()
        await until(lambda: lane.acknowledged == 4)
        assert lane.lag(CLOCK.now()) == 0
