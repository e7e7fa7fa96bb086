"""Chattering, by its times."""

import pytest
from alert_making import T0

from firetower.alerts.chatter import RecentTurns, chatters, is_settled
from firetower.core.clock import MINUTE, SECOND

S = SECOND


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], False),
        ([0, 1], False),
        ([0, 30, 60], True),
        ([0, 30, 61], False),
        ([0, 100, 110, 120], True),
        ([0, 50, 100, 150, 200], False),
    ],
)
def test_three_turns_within_a_minute_chatter(seconds, expected):
    """ISA-18.2: three or more a minute, wherever in the row they lie."""
    assert chatters([second * S for second in seconds]) is expected


def test_turns_are_counted_over_the_alerts_of_a_key_once_each():
    """An alert closed by its return and the next of its key count together; the same entry seen twice counts once."""
    turns = RecentTurns()
    turns.add("k", 1, 1, T0)
    turns.add("k", 1, 2, T0 + 10 * S)
    turns.add("k", 1, 2, T0 + 10 * S)
    turns.add("other", 5, 1, T0 + 10 * S)
    assert not turns.chatters("k")
    turns.add("k", 2, 1, T0 + 20 * S)
    assert turns.chatters("k")
    assert not turns.chatters("other")
    turns.forget(T0 + 81 * S)
    assert not turns.chatters("k")


def test_when_full_the_key_heard_of_longest_ago_is_forgotten():
    """A flood of other keys costs memory for no more than so many."""
    turns = RecentTurns(most=2)
    for number, key in enumerate(["a", "b", "a", "c", "a"]):
        turns.add(key, 1, number, T0 + number * S)
    assert turns.chatters("a")
    for number in range(3):
        turns.add("b", 2, number, T0 + number * S)
        turns.add("d", 3, number, T0 + number * S)
    assert not turns.chatters("a")


def test_ten_quiet_minutes_settle():
    """And not a moment less."""
    assert (is_settled(T0, T0 + 10 * MINUTE - 1), is_settled(T0, T0 + 10 * MINUTE)) == (False, True)
