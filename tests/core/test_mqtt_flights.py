"""Messages on their way: repeats are known however the stream is cut, and what we publish keeps its order."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.mqtt_flights import PACKET_IDS, Received, Sent
from firetower.core.mqtt_message import BrokerUnavailable, Incoming

arrivals = st.builds(
    Incoming,
    topic=st.sampled_from(["a", "b"]), payload=st.sampled_from([b"x", b"y"]), mid=st.integers(1, 4), qos=st.just(1),
    dup=st.booleans(), retain=st.just(False), received_at=st.just(0), epoch=st.just(1),
) | st.builds(Incoming, st.just("a"), st.just(b"z"), *map(st.just, (0, 0, False, False, 0, 1)))  # fmt: skip


def handed_on(pieces: Sequence[list[Incoming]], acknowledge: bool) -> list[tuple[str, bytes, int, bool]]:
    received, got = Received(), []
    for piece in pieces:
        new = received.note(piece, repeats=any(message.dup for message in piece))
        got += [(message.topic, message.payload, message.mid, message.dup) for message in new]
        if acknowledge:
            received.done(new)
    return got


@given(messages=st.lists(arrivals, max_size=12))
@settings(max_examples=300)
def test_messages_noted_together_are_those_noted_one_by_one(messages: list[Incoming]) -> None:
    """The quick way for a whole buffer against the slow one."""
    assert handed_on([messages], False) == handed_on([[message] for message in messages], False)


@given(messages=st.lists(arrivals, max_size=12))
@settings(max_examples=300)
def test_nothing_unmarked_is_ever_left_out_after_its_acknowledgement(messages: list[Incoming]) -> None:
    """A free packet id with the same words again is a new message: a device may say the same twice."""
    got = handed_on([[message] for message in messages], True)
    expected, last = [], dict[int, tuple[str, bytes]]()
    for message in messages:
        content = (message.topic, message.payload)
        if message.qos == 0 or not message.dup or last.get(message.mid) != content:
            expected.append((*content, message.mid, message.dup))
            if message.qos:
                last[message.mid] = content
    assert got == expected


def test_one_answer_is_due_for_a_packet_id_however_often_it_was_used() -> None:
    """For the later message, which a lane commits later; and none for what came on another connection."""
    first, second = (Incoming("t", payload, 7, 1, False, False, 0, 1) for payload in (b"x", b"y"))
    received = Received()
    received.note([first], repeats=False)
    received.note([second], repeats=False)
    assert received.done([first]) == []
    assert received.done([second]) == [7]
    assert received.done([second]) == []


@given(window=st.integers(1, 5), answers=st.lists(st.integers(0, 30), max_size=60))
@settings(max_examples=100)
def test_the_window_is_never_exceeded_and_the_order_is_kept(window: int, answers: list[int]) -> None:
    """Whatever order the broker answers in."""
    wire: list[bytes] = []
    sent: Sent[int] = Sent(wire.append)
    sent.window = window
    for number in range(30):
        sent.add(sent.next_mid(), b"%d" % number, number)
    open_mids = {1 + number: number for number in range(30)}
    told: list[int | None] = []
    for answer in answers:
        on_wire = [1 + int(packet) for packet in wire]
        due = [mid for mid in on_wire if mid in open_mids]
        assert len(due) == min(window, len(open_mids))
        if due:
            mid = due[answer % len(due)]
            del open_mids[mid]
            told += sent.answered([mid, mid])
    assert wire == [b"%d" % number for number in range(len(wire))]
    assert len(told) == 30 - len(open_mids) == len(set(told))
    assert sorted(sent.abandon()) == sorted(open_mids.values())


def test_packet_ids_go_round_past_those_in_use_and_run_out_with_a_word() -> None:
    """1 to 65535, never 0, never one that waits for its PUBACK."""
    sent: Sent[None] = Sent(lambda _packet: None)
    for _ in range(PACKET_IDS):
        sent.add(sent.next_mid(), b"", None)
    with pytest.raises(BrokerUnavailable, match="65535 messages wait for their PUBACK"):
        sent.next_mid()
    sent.answered([500])
    assert sent.next_mid() == 500
