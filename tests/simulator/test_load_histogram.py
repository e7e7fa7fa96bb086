"""The histogram of a load against the exact values it was given."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firetower.simulator.load.histogram import HALF, MOST, Histogram

durations = st.one_of(st.integers(0, 5000), st.integers(0, 10_000_000), st.integers(0, MOST - 1))


def of(values: list[int]) -> Histogram:
    made = Histogram()
    made.record(np.array(values, np.int64))
    return made


@given(st.lists(durations, min_size=1, max_size=300), st.sampled_from([0.0, 12.5, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_the_exact_one_or_up_to_a_thousandth_above_it(values: list[int], percent: float) -> None:
    exact = sorted(values)[max(math.ceil(round(percent / 100 * len(values), 6)), 1) - 1]
    found = of(values).percentile(percent)
    assert exact <= found <= exact + exact // HALF
    assert found <= max(values)


@given(st.lists(st.lists(durations, max_size=50), min_size=1, max_size=4))
def test_counts_of_several_processes_add_up_to_those_of_one(parts: list[list[int]]) -> None:
    """Through the text they travel in: a merged figure is the figure of all values, not a mean of percentiles."""
    merged = Histogram()
    for part in parts:
        merged.add(Histogram.of(of(part).sparse()))
    whole = of([value for part in parts for value in part])
    assert merged.sparse() == whole.sparse()


def test_how_many_took_longer_than_a_limit() -> None:
    assert of([1, 1000, 1001, 5000, 10**9]).above(1000) == 3
    assert of([]).above(10) == 0


def test_extremes_are_exact_and_what_is_too_long_for_any_place_still_counts() -> None:
    wide = of([0, -5, 3 * MOST])
    assert (wide.smallest, wide.largest, wide.count) == (0, 3 * MOST, 3)
    assert wide.percentile(100) <= 3 * MOST
    assert (of([]).percentile(99), of([]).mean, of([]).deviation) == (0, 0.0, 0.0)
    assert of([10, 20]).mean == 15
    assert of([10, 20]).deviation == 5


@given(st.lists(durations, min_size=1, max_size=200))
def test_the_percentile_table_counts_every_value_and_rises(values: list[int]) -> None:
    """Value, percentile and count never fall; the last line stands for all, the footer names count and maximum."""
    lines = of(values).table().splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [list(map(float, line.split()[:3])) for line in lines[2:] if not line.startswith("#")]
    assert rows == sorted(rows)
    assert rows[-1] == [pytest.approx(max(values) / 1000, abs=0.001), 1.0, len(values)]
    for value, share, count in rows:
        assert count >= share * len(values) - 1e-6
        assert sum(one / 1000 <= value + 0.001 for one in values) >= count
    assert f"Total count    = {len(values):12d}]" in lines[-2]
