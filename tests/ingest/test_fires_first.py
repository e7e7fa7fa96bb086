"""What may be a fire is taken before all other alarms that wait; what one device says stays in its order."""

import itertools
import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firetower.core.mqtt import Incoming
from firetower.ingest import first_look
from firetower.ingest.fires_first import LEAST_OTHERS, FiresFirst, FirstCome
from firetower.ingest.first_look import Looks

MOST = 250
BYTES = 256 << 10
_numbers = itertools.count(1)


def said(topic: str, *events: str) -> Incoming:
    """A message of so many events, numbered so that it can be told from every other."""
    number = next(_numbers)
    payload = json.dumps([{"event": event, "n": number} for event in events], ensure_ascii=False).encode()
    return Incoming(f"firetower/v1/{topic}/alarm", payload, number, 1, False, False, number, 1)


def faults(count: int, *, topics: int = 900) -> list[Incoming]:
    return [said(f"u{number % topics}/panel", "fault") for number in range(count)]


def waiting(*messages: Incoming) -> FiresFirst:
    queue = FiresFirst(Looks())
    queue.extend(messages)
    return queue


def numbers(batch: list[Incoming]) -> list[int]:
    return [message.mid for message in batch]


def batches(queue: FiresFirst, *, others: int = MOST) -> list[list[Incoming]]:
    out = []
    while queue:
        out.append(queue.take(MOST, others, BYTES))
    return out


@pytest.mark.parametrize("events", [("fire",), ("火警",), ("manual_call",), (), ("fault", "fire")])
def test_a_fire_behind_five_thousand_faults_is_the_first_of_the_next_batch(events: tuple[str, ...]) -> None:
    """So are a reading of the alarm lane, which rules may make a fire of, and a gateway's message with one in it."""
    fire = said("other/panel", *events)
    queue = waiting(*faults(5000), fire)
    assert queue.take(MOST, MOST, BYTES)[0] is fire


def test_a_fire_of_a_panel_with_faults_comes_in_the_next_batch_behind_what_the_panel_said_before() -> None:
    """Its reset and its faults were said before the fire, and are noted so; others' faults wait."""
    before = [said("mall/panel", "fault"), said("mall/panel", "reset")]
    fire, after = said("mall/panel", "fire"), said("mall/panel", "reset")
    queue = waiting(*faults(1000), *before, *faults(1000), fire, *faults(10), after)
    assert queue.take(MOST, MOST, BYTES)[:4] == [*before, fire, after]


def test_a_fires_batch_takes_few_others_along() -> None:
    """The commit of a fire does not wait for the work of a hundred faults."""
    queue = waiting(*faults(1000), said("mall/panel", "fire"))
    assert len(queue.take(MOST, 100, BYTES)) == 21
    assert len(queue.take(MOST, 100, BYTES)) == 100


@pytest.mark.parametrize("most", range(1, 7))
def test_a_fire_is_in_the_next_batch_however_small_batches_are_set(most: int) -> None:
    fire = said("mall/panel", "fire")
    queue = waiting(*faults(20), fire)
    assert queue.take(most, most, BYTES)[0] is fire


def test_faults_move_on_in_a_flood_of_fires() -> None:
    queue = waiting(*faults(100))
    for number in range(100 // LEAST_OTHERS):
        queue.extend([said(f"f{number}/{each}", "fire") for each in range(MOST)])
        batch = queue.take(MOST, 25, BYTES)
        assert len(batch) == MOST
        assert sum(b"fault" in message.payload for message in batch) == LEAST_OTHERS
    assert not any(b"fault" in message.payload for batch in batches(queue) for message in batch)


def test_large_fires_do_not_starve_the_faults() -> None:
    large = [Incoming(f"firetower/v1/u/{n}/alarm", b"x" * BYTES, n, 1, False, False, n, 1) for n in range(3)]
    fault = said("mall/panel", "fault")
    assert waiting(fault, *large).take(MOST, MOST, BYTES) == [large[0], fault]


def test_faults_alone_are_taken_in_their_order_and_as_many_as_asked_for() -> None:
    all_of_them = faults(1000)
    taken = batches(waiting(*all_of_them), others=100)
    assert [len(batch) for batch in taken] == [100] * 10
    assert [message for batch in taken for message in batch] == all_of_them


TOPICS = st.sampled_from(["a/1", "a/2", "b/1", "c/1"])
EVENTS = st.sampled_from(["fault", "reset", "fire", "waterflow"])


@given(st.lists(st.one_of(st.tuples(TOPICS, EVENTS), st.integers(1, 4)), max_size=60), st.integers(1, 8))
def test_nothing_is_lost_and_what_a_device_says_stays_in_order(steps: list[tuple[str, str] | int], others: int) -> None:
    """Whatever comes and is taken between: each topic's messages come out as they went in, and so do all fires."""
    queue, came, out = FiresFirst(Looks()), [], []
    for step in steps:
        if isinstance(step, int):
            out += queue.take(step, min(step, others), BYTES)
        else:
            came.append(said(*step))
            queue.extend(came[-1:])
        assert len(queue) == len(came) - len(out)
    out += [message for batch in batches(queue, others=others) for message in batch]
    assert sorted(numbers(out)) == numbers(came)
    of_topic = defaultdict(list)
    for message in out:
        of_topic[message.topic].append(message.mid)
    assert all(each == sorted(each) for each in of_topic.values())
    fires = [message.mid for message in out if b'"fire"' in message.payload]
    assert fires == sorted(fires)


def test_who_has_waited_longest_is_found_among_fires_and_others() -> None:
    first, second = said("a/1", "fault"), said("b/1", "fire")
    queue = waiting(first, *faults(3), second)
    assert list(queue.oldest()) == [second, first]
    assert list(waiting().oldest()) == []


def test_without_fires_first_come_is_first_served() -> None:
    queue = FirstCome()
    sent = [said("a/1", "fault"), said("b/1", "fire"), said("a/1", "fault")]
    queue.extend(sent)
    assert queue.take(2, 500, BYTES) == sent[:2]
    assert queue.take(2, 500, BYTES) == sent[2:]


def test_an_alarm_that_cannot_be_looked_at_is_taken_for_a_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own fault in telling alarms apart costs no alarm."""

    def failing(unit: str) -> str:
        raise ValueError(unit)

    queue = waiting(*faults(3))
    monkeypatch.setattr(first_look, "clean", failing)
    fault = said("mall/panel", "fault")
    queue.extend([fault])
    assert queue.take(MOST, MOST, BYTES)[0] is fault


def test_a_look_is_of_the_message_itself_even_where_another_had_its_place_in_memory() -> None:
    looks = Looks()
    fault = said("mall/panel", "fault")
    assert not looks.at(fault).may_be_fire
    looks._known[id(fire := said("mall/panel", "fire"))] = looks._known[id(fault)]
    assert looks.at(fire).may_be_fire
    looks.forget([fire, fault])
    assert not looks._known
