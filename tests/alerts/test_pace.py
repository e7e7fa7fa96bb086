"""How fast a channel is fed: bursts small, rates kept, a dead one knocked at and let be."""

from firetower.alerts.notify.pace import PROBED_EVERY_S, RESTS_S, Pace


def sent(pace: Pace, now: float) -> int:
    """Hand over all there is room for, have it taken, and return how much that was."""
    count = 0
    while pace.room(now):
        pace.begins()
        pace.taken()
        count += 1
    return count


def test_a_channel_at_rest_takes_ten_seconds_worth_at_once_then_its_rate() -> None:
    pace = Pace(rate=60, at_once=4, dead_after=120)
    assert sent(pace, 0) == 10
    assert [sent(pace, second) for second in (0.5, 1, 2, 3)] == [0, 1, 1, 1]
    assert sent(pace, 3600) == 10
    assert sent(Pace(rate=1, at_once=4, dead_after=120), 0) == 1


def test_no_more_is_in_its_hands_than_it_may() -> None:
    pace = Pace(rate=6000, at_once=3, dead_after=120)
    for left in (3, 2, 1):
        assert pace.room(0) == left
        pace.begins()
    assert pace.room(100) == 0
    pace.given_back()
    assert pace.room(100) == 1


def test_it_is_dead_when_every_try_failed_for_so_long_and_alive_with_the_first_that_is_taken() -> None:
    pace = Pace(rate=60, at_once=4, dead_after=120)

    def fails(now: float) -> bool:
        pace.begins()
        pace.failed(now, "no answer")
        return pace.is_dead

    assert [fails(0), fails(119)] == [False, False]
    pace.begins()
    pace.taken()
    assert [fails(121), fails(240), fails(241)] == [False, False, True]
    assert pace.trouble == "no answer"
    assert pace.passed_over(241 + RESTS_S - 1)
    assert not pace.passed_over(241 + RESTS_S)
    assert [pace.room(241 + PROBED_EVERY_S - 1), pace.room(241 + PROBED_EVERY_S)] == [0, 1]
    pace.begins()
    assert pace.room(900) == 0, "one letter knocks at a time"
    pace.taken()
    assert (pace.is_dead, pace.trouble) == (False, None)
    assert sent(pace, 900) == 1, "what has gathered comes at the rate, not at once"


def test_one_that_asks_to_be_let_be_is() -> None:
    pace = Pace(rate=60, at_once=4, dead_after=120)
    pace.room(0)
    pace.begins()
    pace.failed(0, "429", rests=60)
    assert [pace.room(59), pace.room(60) > 0] == [0, True]
    assert [pace.passed_over(at) for at in (0, 49, 50, 60)] == [True, True, False, False]
