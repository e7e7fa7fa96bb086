"""When a flood of alarms begins and ends."""

import pytest

from firetower.alerts.floods import Flood

NOW = 1_763_800_000_000_000


@pytest.mark.parametrize(
    ("operators", "alarms", "flooded"),
    [
        (1, [10, 11, 10, 5, 4, 10], [False, True, True, True, False, False]),
        (3, [30, 31, 15, 14], [False, True, True, False]),
        (0, [10, 11], [False, True]),
    ],
)
def test_a_flood_begins_past_ten_alarms_an_operator_and_ends_below_five(
    operators: int, alarms: list[int], flooded: list[bool]
) -> None:
    """Between the two it stays what it was; with nobody at a seat one operator is reckoned with."""
    flood = None
    seen = []
    for number, count in enumerate(alarms):
        flood = Flood.after(flood, count, operators, NOW + number)
        seen.append(flood.active)
    assert seen == flooded


def test_a_flood_remembers_since_when_it_is_one() -> None:
    """As long as it goes on the beginning stays; the next one has a beginning of its own."""
    begun = Flood.after(None, 40, 1, NOW)
    assert Flood.after(begun, 60, 2, NOW + 5).since == NOW
    over = Flood.after(begun, 1, 1, NOW + 9)
    assert (over.since, over.active) == (None, False)
    assert Flood.after(over, 11, 1, NOW + 10).since == NOW + 10


def test_one_more_operator_ends_no_flood_that_is_still_more_than_they_can_answer() -> None:
    """A second seat halves the load: six each is no longer a beginning, but not the end either."""
    begun = Flood.after(None, 12, 1, NOW)
    assert Flood.after(begun, 12, 2, NOW + 1).active
    assert not Flood.after(begun, 9, 2, NOW + 1).active
