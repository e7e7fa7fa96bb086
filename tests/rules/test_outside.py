"""Limits that are ranges: beyond either end, back within both deadbands, to the exact number; state kept by rows."""

from typing import Any

import numpy as np
import pytest
from scenario import World, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book.model import Override, Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.columns import Column
from firetower.rules.measured.derived import spec_of
from firetower.rules.measured.limits import LimitTable

LOW, HIGH = 198.0, 242.0


def just_under(value: float) -> float:
    return float(np.nextafter(value, -np.inf))


def just_over(value: float) -> float:
    return float(np.nextafter(value, np.inf))


def rule(*bands: dict[str, Any], **more: Any) -> Rule:
    return Rule.model_validate(
        {
            "id": "voltage", "version": 1, "title": {"zh": "压", "en": "v"}, "advice": {"zh": "看", "en": "look"},
            "class": "hazard", "kinds": ["electrical"], "metric": "voltage",
            "condition": {"limit": {"side": "outside", "bands": [{"source": "J, test", **band} for band in bands]}},
            **more,
        }
    )  # fmt: skip


RANGE = {"priority": 3, "limit": {"low": "198 V", "high": "242 V"}, "deadband": "4 V"}
WIDER = {"priority": 2, "limit": {"low": "176 V", "high": "264 V"}, "deadband": "4 V"}


def world_of(*bands: dict[str, Any], overrides: tuple[Override, ...] = ()) -> tuple[World, int]:
    world = World(Rulebook((rule(*bands),), overrides=overrides))
    return world, world.device(DeviceKind.ELECTRICAL)


@pytest.mark.parametrize("value", [LOW, HIGH, 220.0])
def test_the_ends_of_a_range_are_in_order(value: float) -> None:
    """198 V and 242 V themselves raise nothing."""
    world, meter = world_of(RANGE)
    assert world.report((meter, "voltage", 1, value)) == []


@pytest.mark.parametrize(("value", "end"), [(just_under(LOW), LOW), (just_over(HIGH), HIGH), (0.0, LOW), (400.0, HIGH)])
def test_beyond_either_end_it_is_raised_and_names_that_end(value: float, end: float) -> None:
    """From the next number on."""
    world, meter = world_of(RANGE)
    (raised,) = world.report((meter, "voltage", 1, value))
    assert (raised.kind, raised.value, raised.limit) == ("raise", value, end)


@pytest.mark.parametrize("beyond", [190.0, 250.0])
@pytest.mark.parametrize(
    ("value", "over"), [(202.0, True), (238.0, True), (just_under(202.0), False), (just_over(238.0), False)]
)
def test_it_is_over_within_the_deadbands_of_both_ends(beyond: float, value: float, over: bool) -> None:
    """202 to 238 V, whichever end it left by."""
    world, meter = world_of(RANGE)
    assert len(world.report((meter, "voltage", 1, beyond))) == 1
    assert [each.kind for each in world.report((meter, "voltage", 2, value))] == ["clear"] * over


def test_from_beyond_one_end_to_beyond_the_other_the_run_goes_on() -> None:
    """A delay of 60 s is met 60 s after the first of them."""
    world, meter = world_of({**RANGE, "on_delay": "60s"})
    said = world.report(*((meter, "voltage", 20.0 * each, 150.0 + 150.0 * (each % 2)) for each in range(4)))
    assert brief(said) == [("raise", "voltage", 3, 60)]


def test_bands_of_ranges_give_priorities_of_one_alert() -> None:
    """Beyond the wider range it is worse; back in it, less so."""
    world, meter = world_of(RANGE, WIDER)
    values = [190.0, 170.0, 190.0, 262.0, 265.0, 220.0]
    said = world.report(*((meter, "voltage", place, value) for place, value in enumerate(values)))
    assert [(kind, priority) for kind, _, priority, _ in brief(said)] == [
        ("raise", 3), ("raise", 2), ("raise", 3), ("raise", 2), ("clear", 2),
    ]  # fmt: skip


def test_a_range_may_be_another_in_a_scope() -> None:
    """At its exact ends."""
    other = Override.model_validate(
        {
            "rule": "voltage", "scope": {"device": "unit/d1"}, "reason": "r", "source": "J, test",
            "bands": [{"priority": 3, "limit": {"low": "100 V", "high": "120 V"}}],
        }
    )  # fmt: skip
    world, meter = world_of(RANGE, overrides=(other,))
    plain = world.device(DeviceKind.ELECTRICAL)
    said = world.report(
        (meter, "voltage", 1, 120.0), (meter, "voltage", 2, just_over(120.0)), (plain, "voltage", 1, 120.0)
    )
    assert {(each.device_number, each.value, each.limit) for each in said} == {
        (meter, just_over(120.0), 120.0), (plain, 120.0, LOW),
    }  # fmt: skip


def _column(table_rows: np.ndarray, seconds: int, values: list[float]) -> Column:
    count = len(values)
    ts = np.full(count, 1_763_800_000 * SECOND + seconds * SECOND)
    return Column(
        table_rows, table_rows + 1, ts, ts + SECOND, np.array(values), np.zeros(count, np.bool_), None
    )  # fmt: skip


@pytest.mark.parametrize("of_last", [None, {"n": 2, "m": 3}], ids=["as measured", "derived"])
def test_rows_saved_and_loaded_elsewhere_go_on_as_if_nothing_had_been(of_last: dict[str, int] | None) -> None:
    """A delay half over stays half over: the same verdicts from both tables, by readings and by tick."""
    one = rule({**RANGE, "on_delay": "60s"})
    if of_last is not None:
        limit = {"side": "below", "of_last": of_last, "bands": [
            {"priority": 3, "limit": "198 V", "clear": "200 V", "on_delay": "60s", "source": "J, test"}
        ]}  # fmt: skip
        one = rule(RANGE, condition={"limit": limit})
    registry = Registry()
    for number in range(1, 5):
        registry.add(DeviceEntry(number, "u", f"d{number}", DeviceKind.ELECTRICAL, interval=30 * SECOND))

    def table() -> LimitTable:
        made = LimitTable(
            DeviceKind.ELECTRICAL, catalogue().by_name["voltage"], (one,), registry,
            rulebook=Rulebook((one,)), spec=spec_of(one),
        )  # fmt: skip
        made.add_rows(np.arange(1, 5), np.zeros(4, np.int64))
        return made

    kept, rows = table(), np.arange(4)
    for seconds, values in ((0, [190.0, 220.0, 190.0, 220.0]), (30, [190.0, 190.0, 220.0, 220.0])):
        assert kept.step(_column(rows, seconds, values)) == []
    loaded = table()
    for part in (slice(0, 2), slice(2, 4)):
        loaded.load(rows[part], kept.save(part))
    assert loaded.newest(rows).tolist() == kept.newest(rows).tolist()
    due = (1_763_800_000 + 62) * SECOND
    said = kept.tick(due, 1)
    assert loaded.tick(due, 1) == said
    assert bool(said) == (of_last is None)
    for seconds, values in ((70, [190.0, 190.0, 190.0, 220.0]), (100, [220.0, 190.0, 190.0, 220.0])):
        said = kept.step(_column(rows, seconds, values))
        assert loaded.step(_column(rows, seconds, values)) == said
    assert said
