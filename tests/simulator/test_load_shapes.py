"""Shapes and arrivals: how much is due, when and from whom, as plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firetower.core.clock import SECOND
from firetower.core.errors import ConfigError
from firetower.simulator.load.arrivals import ArrivalName, Arrivals, check_devices, shares
from firetower.simulator.load.shapes import SHAPE_NAMES, Leg, Profile, ShapeName, profile

rates = st.floats(0.5, 50_000)
legs = st.builds(Leg, st.floats(0.1, 100), rates, rates)


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("steady", 60 * 100),
        ("soak", 60 * 100),
        ("ramp", 60 * (100 + 400) / 2),
        ("step", 12 * (100 + 175 + 250 + 325 + 400)),
        ("spike", 54 * 100 + 6 * 400),
    ],
)
def test_a_shape_is_as_many_messages_as_the_area_under_it(name: ShapeName, messages: float) -> None:
    made = profile(name, 100, to=None if name in {"steady", "soak"} else 400, seconds=60)
    assert made.messages == pytest.approx(messages)
    assert made.count(60) == made.messages
    assert made.seconds == pytest.approx(60)


def test_a_shape_stands_where_it_should() -> None:
    spike, ramp = profile("spike", 10, seconds=100), profile("ramp", 10, to=20)
    step = profile("step", 10, steps=3, to=40)
    assert [spike.rate(at) for at in (0, 44.9, 45.1, 54.9, 55.1, 100)] == [10, 10, 100, 100, 10, 0]
    assert ramp.rate(60) == pytest.approx(15)
    assert [step.rate(at) for at in (1, 31, 61, 91)] == [10, 20, 30, 40]
    assert set(SHAPE_NAMES) == {"steady", "ramp", "step", "soak", "spike"}


@given(st.lists(legs, min_size=1, max_size=4), st.floats(0, 1))
def test_an_instant_is_where_the_count_is(of: list[Leg], share: float) -> None:
    made = Profile(of)
    count = share * made.messages * 0.999
    (instant,) = made.instants(np.array([count])).tolist()
    assert made.count(instant / SECOND) <= count + 1e-3
    assert made.count((instant + 1) / SECOND) >= count - 1e-3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"name": "steady", "rate": 0}, "give more than 0"),
        ({"name": "steady", "rate": 10, "seconds": -1}, "give more than 0"),
        ({"name": "ramp", "rate": -1, "to": 10}, "give more than 0"),
        ({"name": "steady", "rate": 10, "to": 20}, "leave --to out"),
        ({"name": "step", "rate": 10, "steps": 0}, "1 or more"),
        ({"name": "wave", "rate": 10}, "steady, ramp, step, soak, spike"),
    ],
)
def test_what_is_no_load_is_refused_with_what_to_give(words: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        profile(**words)  # type: ignore[arg-type]


EVERY = np.array([10, 20, 30, 0, 10] * 40) * SECOND


def arrivals(kind: ArrivalName, made: Profile, which: np.ndarray | None = None) -> list[tuple[int, int, int]]:
    which = np.arange(len(EVERY)) if which is None else which
    source = Arrivals(7, which, shares(EVERY)[which], kind, made)
    end = round(made.seconds * SECOND)
    told = [source.until(until) for until in [*range(0, end, SECOND // 3), end]]
    position, due, turn = (np.concatenate(column) for column in zip(*told, strict=True))
    return list(zip(which[position].tolist(), due.tolist(), turn.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["device", "poisson"])
def test_arrivals_are_the_same_however_many_processes_share_the_devices(kind: ArrivalName) -> None:
    made = profile("ramp", 200, to=600, seconds=6)
    whole = sorted(arrivals(kind, made))
    parts = [one for worker in range(3) for one in arrivals(kind, made, np.arange(worker, len(EVERY), 3))]
    assert sorted(parts) == whole


@pytest.mark.parametrize("kind", ["device", "poisson"])
def test_arrivals_follow_the_shape_come_in_order_and_each_once(kind: ArrivalName) -> None:
    made = profile("spike", 500, to=5000, seconds=10)
    told = arrivals(kind, made)
    due = np.array([at for _, at, _ in told])
    assert (np.diff(due) >= 0).all()
    assert due.min() >= 0
    assert due.max() < 10 * SECOND
    assert len({(device, turn) for device, _, turn in told}) == len(told)
    assert not {device for device, _, _ in told} & set(range(3, len(EVERY), 5))
    # five deviations of a Poisson count, far less than the ten times of the spike
    for begin, end, messages in ((0, 4.5, 2250), (4.5, 5.5, 5000), (5.5, 10, 2250)):
        found = int(((due >= begin * SECOND) & (due < end * SECOND)).sum())
        assert abs(found - messages) < 5 * messages**0.5, (begin, found)


def test_poisson_gaps_are_exponential_and_a_devices_own_are_even() -> None:
    """As many in a tenth of a second as a Poisson process has: mean 50, variance 50; a schedule varies less."""
    made = profile("steady", 500, seconds=60)

    def spread(kind: ArrivalName) -> tuple[float, float]:
        due = np.array([at for _, at, _ in arrivals(kind, made)])
        counts = np.bincount(due * 10 // SECOND, minlength=600)
        return float(counts.mean()), float(counts.var())

    mean, variance = spread("poisson")
    assert mean == pytest.approx(50, abs=1.5)
    assert variance == pytest.approx(50, rel=0.3)
    assert spread("device")[1] < 25
    one = np.diff([at for device, at, _ in arrivals("device", made) if device == 0])
    assert one.max() - one.min() <= 1
    busy, calm = (sum(device == which for device, _, _ in arrivals("poisson", made)) for which in (0, 2))
    assert 2 < busy / calm < 4.5  # reports three times as often


def test_times_of_one_device_differ_by_a_millisecond_and_more_than_they_can_tell_is_refused() -> None:
    share = np.array([0.5, 0.5])
    check_devices(share, 1000)
    with pytest.raises(ConfigError, match="at least --devices 4"):
        check_devices(share, 2000)
    told = Arrivals(1, np.arange(2), share, "poisson", profile("steady", 1000, seconds=5))
    position, due, _ = told.until(5 * SECOND)
    for device in (0, 1):
        assert np.diff(due[position == device]).min() >= 1000
