"""Repeats, late readings and standing clocks, told apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.readings import Mark, Readings
from firetower.ingest.screen import Screened, StandingClocks, screen

LATE, STUCK = int(Mark.LATE), int(Mark.CLOCK_STUCK)
NAN = float("nan")


def rows(*given: tuple[int, int, float], received: int = 1000) -> Readings:
    """Readings of (series, ts, value), all received at once."""
    series, ts, value = (list(column) for column in zip(*given, strict=True))
    n = len(series)
    return Readings.of(series, series, [1] * n, [0] * n, ts, [received] * n, value, [0] * n)


def run(
    readings: Readings,
    unsure: list[bool],
    stored: list[float],
    newest: int = 11,
    standing: StandingClocks | None = None,
) -> Screened:
    return screen(
        readings,
        np.array(unsure, np.bool_),
        np.array(stored, np.float64),
        np.full(len(readings), newest),
        standing or StandingClocks(),
    )


def left(screened: Screened) -> list[tuple[int, int, float, int]]:
    r = screened.readings
    return list(zip(r.series.tolist(), r.ts.tolist(), r.value.tolist(), r.flags.tolist(), strict=True))


def test_new_readings_pass_untouched() -> None:
    readings = rows((1, 10, 0.5), (2, 10, 0.5), (1, 11, 0.5))
    assert run(readings, [False] * 3, []).readings is readings


def test_what_is_stored_with_the_same_value_is_dropped() -> None:
    screened = run(rows((1, 10, 0.5), (1, 11, 0.6)), [True, False], [0.5])
    assert left(screened) == [(1, 11, 0.6, 0)]
    assert screened.repeats == 1


def test_older_than_the_watermark_and_not_stored_is_late() -> None:
    assert left(run(rows((1, 10, 0.5)), [True], [NAN])) == [(1, 10, 0.5, LATE)]


def test_the_same_time_with_another_value_is_a_standing_clock_and_moves_to_its_arrival() -> None:
    assert left(run(rows((1, 10, 0.5)), [True], [0.4])) == [(1, 1000, 0.5, STUCK)]


def test_a_key_twice_in_one_batch_is_a_repeat_or_a_standing_clock() -> None:
    screened = run(
        rows((1, 10, 0.5), (2, 10, 9.0), (1, 10, 0.5), (1, 10, 0.7), (1, 10, 0.8), (1, 10, 0.7)), [False] * 6, []
    )
    assert left(screened) == [(1, 10, 0.5, 0), (2, 10, 9.0, 0), (1, 1000, 0.7, STUCK), (1, 1001, 0.8, STUCK)]
    assert screened.repeats == 2


def test_a_standing_clock_never_takes_the_key_of_another_reading() -> None:
    screened = run(rows((1, 1000, 0.1), (1, 1001, 0.2), (1, 1000, 0.3)), [False] * 3, [])
    assert left(screened) == [(1, 1000, 0.1, 0), (1, 1001, 0.2, 0), (1, 1002, 0.3, STUCK)]


_row = st.tuples(st.integers(1, 3), st.integers(998, 1003), st.sampled_from([0.1, 0.2, 0.3]))


@given(st.lists(_row, min_size=1, max_size=12), st.data())
def test_no_two_readings_left_share_a_key_and_no_new_value_is_lost(
    given: list[tuple[int, int, float]], data: st.DataObject
) -> None:
    readings = rows(*given)
    unsure = data.draw(st.lists(st.booleans(), min_size=len(given), max_size=len(given)))
    known: dict[tuple[int, int], float] = {}
    stored = []
    for (series, ts, _), doubt in zip(given, unsure, strict=True):
        if doubt:
            stored.append(known.setdefault((series, ts), data.draw(st.sampled_from([NAN, 0.1, 0.2]))))
    screened = run(readings, unsure, stored)
    keys = [(series, ts) for series, ts, _, _ in left(screened)]
    assert len(keys) == len(set(keys))
    assert len(keys) + screened.repeats == len(given)
    for series, ts, value in given:
        there = any(s == series and v == value for s, _, v, _ in left(screened))
        assert there or known.get((series, ts)) == value


def test_readings_of_a_standing_clock_are_told_with_the_time_they_were_sent_with() -> None:
    screened = run(rows((1, 10, 0.5), (2, 20, 0.1), (1, 10, 0.7)), [True, False, True], [0.4, 0.4])
    assert left(screened)[0] == (1, 1000, 0.5, STUCK)
    assert [left(screened)[place][2] for place in screened.stuck.tolist()] == [0.5, 0.7]
    assert screened.sent.tolist() == [10, 10]
    known = screened.without(np.array([True, False]))
    assert [value for _, _, value, _ in left(known)] == [0.1, 0.7]
    assert known.repeats == screened.repeats + 1


def test_a_clock_that_stands_ahead_goes_on_from_there_as_its_readings_arrive() -> None:
    standing, at = StandingClocks(), 4 * MINUTE
    first = run(rows((1, at, 0.5), received=10 * SECOND), [True], [0.4], newest=at, standing=standing)
    assert left(first) == [(1, at + 1, 0.5, STUCK)]
    second = run(rows((1, at, 0.6), received=20 * SECOND), [True], [0.4], newest=at + 1, standing=standing)
    assert left(second) == [(1, at + 10 * SECOND + 1, 0.6, STUCK)]
    true_again = run(rows((1, at, 0.7), received=10 * MINUTE), [True], [0.4], newest=5 * MINUTE, standing=standing)
    assert left(true_again) == [(1, 10 * MINUTE, 0.7, STUCK)]


def test_no_time_is_put_further_ahead_than_a_device_is_believed() -> None:
    """Where what was judged is further ahead, Firetower's own clock was set back: then the reading is a late one."""
    assert left(run(rows((1, 10, 0.5)), [True], [0.4], newest=HOUR)) == [(1, 1000, 0.5, STUCK | LATE)]


def test_of_a_series_of_which_nothing_was_judged_nothing_is_late() -> None:
    """What is judged as the present is stored as the present, else a rebuild from the store would judge otherwise."""
    nothing = np.array([np.iinfo(np.int64).min])
    readings = rows((1, 10, 0.5))
    assert left(screen(readings, np.array([True]), np.array([NAN]), nothing, StandingClocks())) == [(1, 10, 0.5, 0)]
