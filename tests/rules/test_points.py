"""What devices said is remembered of as many points as devices have, not of as many as they can name."""

import pytest

from firetower.rules.watches.points import MOST_QUIET, Points


@pytest.mark.parametrize("begins", [True, False], ids=["active, then not", "not active"])
def test_points_that_are_quiet_are_forgotten_beyond_a_number_the_oldest_first(begins: bool) -> None:
    """A panel whose text differs each time; what is active is never forgotten, and the newest is known for old news."""
    points = Points()
    points.said(1, ("fire", "here"), 0, active=True)
    for number in range(3 * MOST_QUIET):
        if begins:
            assert points.said(1, ("prealarm", f"{number}"), 10 * number, active=True)
        assert points.said(1, ("prealarm", f"{number}"), 10 * number + 1, active=False)
    assert len(points.save([1])) <= MOST_QUIET + MOST_QUIET // 10 + 1
    assert dict(points.active(1)) == {("fire", "here"): 0}
    assert not points.said(1, ("prealarm", f"{3 * MOST_QUIET - 1}"), 5, active=True)


def test_many_points_that_are_active_do_not_make_the_quiet_ones_forgotten() -> None:
    """A panel with thousands of shielded points: one that ended is known to have, and so are those of a checkpoint."""
    points, other = Points(), Points()
    for number in range(2 * MOST_QUIET):
        points.said(1, ("shielded", "flickers"), number - 10_000, active=number % 2 == 0)
    points.said(1, ("shielded", "flickers"), 5, active=True)
    for number in range(2 * MOST_QUIET):
        points.said(1, ("shielded", f"{number}"), 10, active=True)
    points.said(1, ("shielded", "7"), 20, active=False)
    other.load(points.save(points.devices))
    for each in (points, other):
        assert not each.said(1, ("shielded", "7"), 15, active=True)
        assert len(list(each.active(1))) == 2 * MOST_QUIET
