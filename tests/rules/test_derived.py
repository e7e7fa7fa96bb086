"""What rates, windows, patterns and trends derive, held against plain Python over the list of all readings."""

import math
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import fmean, median, pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import DAY, MINUTE, SECOND
from firetower.devices.metrics import catalogue
from firetower.rules.book.model import Calendar, Rule
from firetower.rules.measured.columns import Column
from firetower.rules.measured.derived import Derived, make, spec_of

START = 1_763_800_000 * SECOND  # no multiple of an hour: windows begin where they like
OVER = 10 * MINUTE
WIDTH = OVER // 12
AGGREGATES = ("mean", "min", "max", "median", "stdev", "spread", "sum", "change", "rise", "drop", "count")
Reading = tuple[int, int, float]  # row, ts, value


def rule(metric: str = "temperature", side: str = "above", bound: str = "1 x", **form: object) -> Rule:
    (name, fields), *_ = form.items()
    band = {"priority": 3, "limit": bound, "latch": True, "source": "J, a test"}
    return Rule.model_validate({
        "id": "a-rule", "version": 1, "title": {"zh": "测", "en": "T"}, "advice": {"zh": "测", "en": "T"},
        "class": "hazard", "kinds": ["heat"], "metric": metric,
        "condition": {name: {"side": side, "bands": [band], **fields}},
    })  # fmt: skip


def derived(rows: int = 1, side: str = "above", bound: str = "1 x", **form: object) -> Derived:
    made = make(spec_of(rule(side=side, bound=bound, **form)), catalogue().by_name["temperature"], Calendar(), {}.get)
    made.fit(rows)
    return made


def window(of: str, rows: int = 1, **more: object) -> Derived:
    return derived(rows, window={"of": of, "over": "10min", **more})


def column(readings: list[Reading]) -> Column:
    """As the engine makes one: sorted by row and time, ``first`` only where a row is there twice."""
    readings = sorted(readings)
    row, ts, value = (list(each) for each in zip(*readings, strict=True))
    first = np.array([place == 0 or row[place - 1] != row[place] for place in range(len(row))])
    number, times = np.array(row, np.int64), np.array(ts, np.int64)
    return Column(
        row=number, device=number, ts=times, received=times, value=np.array(value, float),
        uncertain=np.zeros(len(row), bool), first=None if first.all() else first,
    )  # fmt: skip


def fed(made: Derived, readings: list[Reading], cuts: list[int] = ()) -> dict[tuple[int, int], float]:
    """Feed readings in batches and return what is derived, by row and time."""
    out: dict[tuple[int, int], float] = {}
    ends = sorted({0, *(cut for cut in cuts if 0 < cut < len(readings)), len(readings)})
    for start, end in pairwise(ends):
        batch = column(readings[start:end])
        out.update(zip(zip(batch.row.tolist(), batch.ts.tolist(), strict=True), made.step(batch).tolist(), strict=True))
    return out


def values(made: Derived, *pairs: tuple[float, float]) -> list[float]:
    """Feed (seconds after START, value) one by one to row 0."""
    return [fed(made, [(0, START + round(at * SECOND), value)])[0, START + round(at * SECOND)] for at, value in pairs]


def same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=2e-9)


streams = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([1, 7, 20, 50, 51, 75, 300, 599, 600, 700]).map(lambda s: s * SECOND) | st.integers(1, 10**8),
        st.sampled_from([0.0, 0.1, 0.2, 0.3, 60.1, 60.2, 1e6]) | st.floats(-50, 100).map(lambda x: round(x, 2)),
    ),
    min_size=1,
    max_size=50,
)
cuts = st.lists(st.integers(1, 49), max_size=6)


def stream_of(steps: list[tuple[int, int, float]]) -> list[Reading]:
    now, out = START, []
    for row, step, value in steps:
        now += step
        out.append((row, now, value))
    return out


def as_of(readings: list[Reading], place: int, width: int = WIDTH) -> list[Reading]:
    """The window of a reading, plainly: those of its row, up to it, of its bucket and of the eleven before."""
    row, ts, _ = readings[place]
    return [each for each in readings[: place + 1] if each[0] == row and each[1] // width >= ts // width - 11]


def plain(of: str, readings: list[Reading], place: int) -> float:
    held = as_of(readings, place)
    numbers = [value for _, _, value in held]
    if of == "median":
        buckets = {ts // WIDTH for _, ts, _ in held}
        return median(fmean(value for _, ts, value in held if ts // WIDTH == bucket) for bucket in buckets)
    if of == "sum":
        row = [each for each in readings[: place + 1] if each[0] == readings[place][0]]
        return math.fsum(
            after[2] - before[2] if after[2] >= before[2] else after[2]
            for before, after in pairwise(row)
            if after in held
        )
    return {
        "mean": fmean(numbers), "min": min(numbers), "max": max(numbers), "stdev": pstdev(numbers),
        "spread": max(numbers) - min(numbers), "change": numbers[-1] - numbers[0], "rise": numbers[-1] - min(numbers),
        "drop": max(numbers) - numbers[-1], "count": float(sum(value >= 0.2 for value in numbers)),
    }[of]  # fmt: skip


def line(held: list[Reading]) -> tuple[Fraction, Fraction]:
    """The slope by second and the value at the newest reading of the line that fits the twelfths best, exactly."""
    twelfths = [list(each) for _, each in groupby(held, key=lambda reading: reading[1] // WIDTH)]
    points = []  # each reading lies where the mean of its twelfth does
    for each in twelfths:
        time = Fraction(sum(ts - held[-1][1] for _, ts, _ in each), SECOND * len(each))
        points += [(time, sum(Fraction(value) for _, _, value in each) / len(each))] * len(each)
    mean_time, mean = (sum(numbers) / len(held) for numbers in zip(*points, strict=True))
    slope = sum((t - mean_time) * (v - mean) for t, v in points) / sum((t - mean_time) ** 2 for t, _ in points)
    return slope, mean - slope * mean_time


def reaches_half(held: list[Reading]) -> bool:
    """Whether the newest reading is half a window after the mean time of the oldest twelfth."""
    oldest = [ts for _, ts, _ in held if ts // WIDTH == held[0][1] // WIDTH]
    return 2 * (held[-1][1] - Fraction(sum(oldest), len(oldest))) >= OVER


def six(found: float, wanted: float, held: list[Reading]) -> bool:
    """Whether it is that to six digits; of values that cancel out, of their size."""
    if math.isnan(found) or math.isnan(wanted):
        return math.isnan(found) and math.isnan(wanted)
    spread = max(value for _, _, value in held) - min(value for _, _, value in held)
    return math.isclose(found, wanted, rel_tol=6e-6, abs_tol=2e-9 + spread * 1e-8)


@pytest.mark.parametrize("of", AGGREGATES)
@settings(max_examples=15)
@given(steps=streams, cuts=cuts)
def test_a_window_shows_its_figure_of_the_readings_in_it(of, steps, cuts):
    """However they are batched, with gaps and several readings of a series in one batch; and never noise."""
    readings = stream_of(steps)
    counting = {"counting": {"side": "at_or_above", "limit": "0.2 x"}} if of == "count" else {}
    found = fed(window(of, rows=3, **counting), readings, cuts)
    for place, (row, ts, _) in enumerate(readings):
        assert same(found[row, ts], round(plain(of, readings, place), 9)), (place, as_of(readings, place))


@settings(max_examples=30)
@given(steps=streams, cuts=cuts)
def test_a_rate_is_the_slope_of_the_best_line_once_readings_reach_over_half_the_window(steps, cuts):
    """With jitter, gaps and repeats; unknown with fewer than ``samples`` readings or over a shorter stretch."""
    readings = stream_of(steps)
    found = fed(derived(3, rate={"over": "10min", "per": "min", "samples": 3}), readings, cuts)
    for place, (row, ts, _) in enumerate(readings):
        held = as_of(readings, place)
        known = len(held) >= 3 and reaches_half(held)
        wanted = float(line(held)[0] * 60) if known else math.nan
        assert six(found[row, ts], wanted, held), (place, held)


@settings(max_examples=30)
@given(n=st.integers(1, 6), more=st.integers(0, 6), side=st.sampled_from(["above", "below"]), steps=streams, cuts=cuts)
def test_n_of_the_last_m_are_beyond_exactly_when_the_nth_of_them_is(n, more, side, steps, cuts):
    """Highest first for above, lowest first for below; unknown until there are n readings."""
    readings, m = stream_of(steps), max(n + more, 2)
    found = fed(derived(3, side, limit={"of_last": {"n": n, "m": m}}), readings, cuts)
    for place, (row, ts, _) in enumerate(readings):
        last = sorted([value for of, _, value in readings[: place + 1] if of == row][-m:], reverse=side == "above")
        assert same(found[row, ts], last[n - 1] if len(last) >= n else math.nan)


@settings(max_examples=30)
@given(to=st.sampled_from([0.0, 10.0, 60.1]), steps=streams, cuts=cuts)
def test_a_trend_is_the_days_until_the_line_meets_its_end(to, steps, cuts):
    """From the newest reading on; never, where the line is level or leads away."""
    readings = stream_of(steps)
    found = fed(derived(3, "below", trend={"to": f"{to} x", "over": "10min", "samples": 2}), readings, cuts)
    for place, (row, ts, _) in enumerate(readings):
        held = as_of(readings, place)
        if len(held) < 2 or not reaches_half(held):
            assert math.isnan(found[row, ts])
            continue
        slope, at = line(held)
        days = (Fraction(to) - at) / slope / (DAY // SECOND) if slope else -(at != Fraction(to))
        hair = 1e-8 * (1 + max(value for _, _, value in held) - min(value for _, _, value in held))  # of the values
        rise, grown = abs(float(slope * OVER / SECOND)), abs(float(at - Fraction(to)))
        if grown > hair and not 0 < rise < hair:  # else, at its end itself or nearly level, a hair decides
            wanted = math.inf if days < 0 else float(days)
            off = 6e-6 + hair / grown + (hair / rise if rise else 0)
            assert math.isclose(found[row, ts], wanted, rel_tol=off, abs_tol=2e-9), (place, held)


FORMS = [
    ("above", {"window": {"of": of, "over": "10min", "samples": 2, "span": "1min"}}) for of in AGGREGATES
] + [
    ("above", {"limit": {"of_last": {"n": 2, "m": 3}}}),
    ("above", {"rate": {"over": "10min", "per": "min", "only": {"side": "above", "limit": "0.2 x"}}}),
    ("below", {"trend": {"to": "0 x", "over": "10min"}}),
    ("above", {"pattern": {"learning": "1d"}}),
]  # fmt: skip


@pytest.mark.parametrize(("side", "form"), FORMS, ids=[str(form)[:40] for _, form in FORMS])
@settings(max_examples=6)
@given(steps=streams, where=st.integers(0, 49), cuts=cuts)
def test_saved_state_goes_on_as_if_it_had_never_been_put_down(side, form, steps, where, cuts):
    """In other rows, too, and to the last bit; and a row that was forgotten begins as new."""
    readings = stream_of(steps)
    whole, half, other = derived(3, side, **form), derived(3, side, **form), derived(6, side, **form)
    wanted = fed(whole, readings)
    before, after = readings[:where], readings[where:]
    fed(half, before)
    rows = {0: 5, 1: 0, 2: 3}
    other.load(np.array(list(rows.values())), half.save(slice(0, 3)))
    moved = fed(other, [(rows[row], ts, value) for row, ts, value in after], cuts)
    np.testing.assert_equal(moved, {(rows[row], ts): wanted[row, ts] for row, ts, _ in after})
    for row in range(3):
        whole.forget(row)
    later = [(row, ts + DAY, value) for row, ts, value in readings]
    np.testing.assert_equal(fed(whole, later), fed(derived(3, side, **form), later))


def test_state_of_another_derivation_is_refused():
    """As of another version of the program: its numbers would mean something else."""
    with pytest.raises(ValueError, match="saved state of Median has the fields"):
        window("median").load(np.array([0]), window("min").save(slice(0, 1)))


def test_tenths_that_no_binary_number_holds_meet_their_limit_exactly():
    """0.3 less 0.1 is 0.2, the mean of 0.1, 0.2 and 0.3 is 0.2, and 8 °C in a minute is 8 °C/min."""
    for of in ("rise", "mean"):
        assert values(window(of), (0, 0.1), (60, 0.2), (120, 0.3))[-1] == 0.2
    rate = derived(rate={"over": "4min", "per": "min"})
    assert values(rate, *((at, 40.1 + 8 * at / 60) for at in range(0, 181, 13)))[-1] == 8


def test_a_rate_is_the_same_with_jittered_and_with_missing_readings():
    """A line is a line, whenever it was looked at: 8 °C/min with readings where they should be, jittered, or lost."""
    plan = [at + 3 * math.sin(at) for at in range(0, 300, 10)]
    lost = [at for place, at in enumerate(plan) if place % 3 and not 60 < at < 130]
    for times in (range(0, 300, 10), plan, lost):
        rate = derived(rate={"over": "5min", "per": "min"})
        found = values(rate, *((at, 40 + round(8 * at / 60, 9)) for at in times))
        assert found[-1] == pytest.approx(8, abs=1e-6)


def test_a_battery_that_stays_empty_has_no_days_left():
    """At its end a level line is there already; a level line anywhere else never gets there."""
    trend = {"to": "0 x", "over": "10min", "samples": 2}
    assert values(derived(side="below", trend=trend), (0, 0), (400, 0))[-1] == 0
    assert values(derived(side="below", trend=trend), (0, 10), (400, 10))[-1] == math.inf


def test_a_gap_longer_than_the_window_leaves_nothing_known():
    """After it, the rate of what was before says nothing of now; readings over half of the window say something."""
    rate = derived(rate={"over": "10min", "per": "min", "samples": 2})
    found = values(rate, (0, 1), (299.99, 2), (300, 2), (4000, 3))
    assert [math.isnan(each) for each in found] == [True, True, False, True]


def test_a_large_offset_costs_no_digits():
    """What is derived of values around a million is as exact as of values around zero."""
    pairs = [(at, 1e6 + (at // 10 % 2) / 4) for at in range(0, 400, 10)]
    assert values(window("stdev"), *pairs)[-1] == 0.125
    slope = derived(rate={"over": "10min", "per": "h"})
    assert values(slope, *((at, 1e6 + at / 8) for at in range(0, 400, 8)))[-1] == 450.0


def test_a_counter_that_fell_began_at_zero():
    """And a first reading adds nothing, whatever it says; growth counts where its later reading lies."""
    assert values(window("sum"), (0, 500), (60, 510), (90, 510), (120, 3), (180, 4)) == [0, 10, 10, 13, 14]
    assert values(window("sum"), (0, 500), (3600, 520)) == [0, 20]


def test_a_figure_is_known_with_enough_readings_over_a_span_long_enough():
    """``samples`` and ``span`` both, exactly."""
    made = window("spread", samples=3, span="2min")
    assert [math.isnan(each) for each in values(made, (0, 1), (60, 1), (119, 1), (120, 1))] == [True] * 3 + [False]


def test_a_window_reaches_back_eleven_twelfths_at_least():
    """A reading 9 minutes old is in a window of ten, one of ten minutes is not."""
    for shift in range(0, 60, 7):
        assert values(window("count"), (shift, 1), (shift + 549, 1))[-1] == 2
        assert values(window("count"), (shift, 1), (shift + 600, 1))[-1] == 1


@pytest.mark.parametrize(("side", "safe"), [("above", -math.inf), ("at_or_below", math.inf)])
def test_while_the_newest_value_is_not_as_asked_everything_is_in_order(side, safe):
    """A rise counts above 40 °C only; below, or at it, the derived value is far on the safe side."""
    made = derived(side=side, rate={"over": "2min", "per": "min", "only": {"side": "above", "limit": "40 x"}})
    assert values(made, (0, 20), (40, 30), (80, 40), (110, 45))[:3] == [safe] * 3
    assert values(made, (120, 46))[0] > 0


def test_rules_with_the_same_question_share_a_derivation():
    """Whatever their limits are; but a pattern, which learns by its limit, and ``only`` on the other side do not."""
    rate = {"over": "5min", "per": "min"}
    assert spec_of(rule(rate=rate, bound="5 x")) == spec_of(rule(rate=rate, bound="8 x", side="below"))
    asked = {**rate, "only": {"side": "above", "limit": "40 x"}}
    assert spec_of(rule(rate=asked)) != spec_of(rule(rate=asked, side="below"))
    assert spec_of(rule(pattern={"learning": "7d"})) != spec_of(rule(pattern={"learning": "7d"}, bound="2 x"))
    assert spec_of(rule(limit={})) is None
