"""How often consoles are told: at once after a quiet moment, twenty times a second in a storm."""

from itertools import pairwise

from firetower.web.cadence import Cadence


def begun(cadence: Cadence, seconds: float, alerts: int, *, every: float, start: float = 0.0) -> list[float]:
    """When readings begin, where there is something new ``every`` so many seconds and each reading finds ``alerts``."""
    found = []
    now = news = start
    while now < start + seconds:
        found.append(now)
        cadence.begin(now)
        now += 0.002  # it takes a moment
        pause = cadence.pause(now, alerts)
        while news < now:
            news += every
        now = max(now + pause, news)
    return found


def rate(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def test_a_few_alarms_a_second_are_told_at_once() -> None:
    """Also where each is followed by what the desk says of it."""
    for every in (0.05, 0.025):
        times = begun(Cadence(), 3, 1, every=every)
        assert len(times) >= 3 / every - 1


def test_a_storm_is_told_twenty_times_a_second_and_what_comes_after_it_at_once_again() -> None:
    """However many alerts each reading finds; the first frames of a storm do not wait."""
    cadence = Cadence()
    times = begun(cadence, 5, 50, every=0.001)
    assert times[1] < 0.01
    assert 19 <= rate(times[10:]) <= 20.5
    assert max(after - before for before, after in pairwise(times)) < 0.06
    later = begun(cadence, 2, 1, every=0.05, start=10)
    assert rate(later) > 19.5
    assert later[1] - later[0] < 0.06


def test_many_small_changes_are_gathered_for_a_fiftieth_of_a_second() -> None:
    """Without being a storm they do not take the processor."""
    assert 45 <= rate(begun(Cadence(), 2, 1, every=0.001)[10:]) <= 51
