"""Rulebooks for the oracle's tests, made by hypothesis, and the three devices they are for.

Values and limits lie on a coarse grid, so that exact limits are hit often. A stream is a list of ``Reading``, events
and instants (ticks). ``pace``: µs of one step of time; everything of a world is scaled by it.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from oracle import Device, Sample

from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book.checks import check
from firetower.rules.book.model import Calendar, Override, Rule
from firetower.rules.book.rulebook import Rulebook

START = 1_763_800_000 * SECOND
"""Saturday 2025-11-22, 16:26:40 in Shanghai."""
FAST, SLOW, DAILY = SECOND, 20 * MINUTE, 8 * HOUR
METRICS = catalogue().by_name
WORDS = {"zh": "规则", "en": "rule"}
ABOVE, SIDES = ("above", "at_or_above"), ("above", "at_or_above", "below", "at_or_below", "outside")
CALENDARS = (
    Calendar(spans={"night": {"from": "22:00", "to": "06:00"}, "now": {"from": "16:27", "to": "16:30"}}),
    Calendar(
        holidays=frozenset({"2025-11-23", "2025-11-25"}),
        working_days=frozenset({"2025-11-22"}),
        spans={"night": {"from": "18:00", "to": "16:28"}, "now": {"from": "00:00", "to": "16:28"}},
    ),
)
SCHEDULES = (
    {"during": "night"}, {"during": "now"}, {"days": ["working_day"]}, {"days": ["rest_day"]}, {"days": ["holiday"]},
    {"days": ["rest_day"], "during": "night"}, {"during": {"from": "16:28", "to": "16:29"}},
    {"season": {"from": "11-22", "to": "11-22"}}, {"season": {"from": "12-01", "to": "11-23"}},
)  # fmt: skip
LABELS: tuple[dict[str, str], ...] = (
    {"district": "east", "unit_category": "school", "model": "m1", "zone": "a/1/1", "main": "m", "gateway": "g1"},
    {"district": "east", "unit_category": "school", "model": "m2", "zone": "a/1/2", "main": "m", "gateway": "g1"},
    {"district": "west", "unit_category": "hospital", "model": "m1", "zone": "a/1/1", "main": "n", "gateway": "g2"},
)
INTERVALS = (2, 10, 40)


@dataclass(frozen=True)
class Reading:
    device: int
    component: str
    sample: Sample


Item = Reading | Event | int


def city(pace: int) -> list[Device]:
    """Three hydrants of two units, zones and mains, reporting every 2, 10 and 40 steps; one has a limit of its own."""
    return [
        Device(
            number, DeviceKind.HYDRANT, interval * pace, "water" if number < 3 else "south", labels,
            {"own": 0.5} if number == 2 else {}, START,
        )
        for number, (interval, labels) in enumerate(zip(INTERVALS, LABELS, strict=True), 1)
    ]  # fmt: skip


def registry_of(devices: list[Device]) -> Registry:
    """Return a registry of these devices, with the channels the streams know."""
    registry = Registry()
    registry.add_channel("2", 1)
    for device in devices:
        registry.add(
            DeviceEntry(
                device.number, device.unit, f"d{device.number}", device.kind, interval=device.interval,
                attributes=dict(device.attributes), registered_at=device.registered, **device.labels,
            )
        )  # fmt: skip
    return registry


# rules ---------------------------------------------------------------------------------------------


def sixteenths(low: int, high: int) -> list[float]:
    return [n / 16 for n in range(low, high + 1)]


def compared(unit: str) -> st.SearchStrategy[dict[str, str]]:
    return st.builds(
        lambda side, limit: {"side": side, "limit": f"{limit} {unit}"},
        st.sampled_from(["above", "at_or_below"]),
        st.sampled_from([0.25, 0.5]),
    )


MORE_FORMS: dict[int, list[str]] = {FAST: [], SLOW: ["trend"], DAILY: ["pattern"] * 6 + ["trend"]}


@st.composite
def forms(draw: st.DrawFn, pace: int) -> tuple[str, dict[str, Any], str, list[float], float]:
    """A measured form: its name and fields, its unit, the grid of its limits, and a step of that grid."""
    name = draw(st.sampled_from(["limit", "limit", "rate", "window", "window", *MORE_FORMS[pace]]))
    if name == "limit":
        of_last = draw(st.sampled_from([None, None, (1, 2), (2, 3), (3, 3), (2, 5)]))
        given = {} if of_last is None else {"of_last": {"n": of_last[0], "m": of_last[1]}}
        return name, given, "MPa", sixteenths(2, 14), 1 / 16
    if name == "pattern":
        return name, {"learning": "2d"}, "MPa", sixteenths(-6, 6), 1 / 16
    over = f"{draw(st.sampled_from([24, 60, 180] if pace == DAILY else [24, 60, 240, 960])) * pace // SECOND}s"
    if name == "trend":
        given = {"over": over, "to": f"{draw(st.sampled_from([0, 0.25, 0.5]))} MPa", "samples": draw(st.integers(2, 4))}
        return name, given, "d", [0.25, 0.5, 0.75, 1, 1.5, 2, 3], 0.25
    given = {"over": over, "samples": draw(st.integers(2, 4))}
    if name == "rate":
        if draw(st.integers(0, 3)) == 0:
            given["only"] = draw(compared("MPa"))
        per = "min" if pace == FAST else "d"
        return name, given | {"per": per}, f"MPa/{per}", [n / 4 for n in range(-6, 7)], 1 / 4
    of = draw(
        st.sampled_from(
            ["mean", "min", "max", "median", "stdev", "spread", "sum", "change", "rise", "drop", "count", "count"]
        )
    )
    if draw(st.integers(0, 3)) == 0:
        given["only"] = draw(compared(METRICS["water_used"].unit if of == "sum" else "MPa"))
    given |= {
        "of": of,
        "samples": draw(st.integers(1, 4)),
        "span": draw(st.sampled_from(["0s", f"{10 * pace // SECOND}s"])),
    }
    if of == "count":
        given["counting"] = draw(compared("MPa"))
        return name, given, "readings", [1, 2, 3, 4, 5, 6], 1
    low = {"mean": 2, "min": 2, "max": 2, "median": 2, "change": -8}.get(of, 1)
    return name, given, METRICS["water_used"].unit if of == "sum" else "MPa", sixteenths(low, 12), 1 / 16


@st.composite
def rules(draw: st.DrawFn, rule_id: str, pace: int, latched: bool = False, **fields: Any) -> Rule:
    """A measured rule that the validator accepts."""
    name, given, unit, grid, step = draw(forms(pace))
    of_last = "of_last" in given
    sides = SIDES[2:4] if name == "trend" else SIDES[:4] if of_last or "only" in given else SIDES
    side = draw(st.sampled_from(sides))
    limits = sorted(draw(st.sets(st.sampled_from(grid), min_size=1, max_size=3)), reverse="below" in side)
    delays = st.sampled_from([f"{steps * pace // SECOND}s" for steps in (0, 0, 5, 10, 30, 90)])
    bands = []
    own = unit == "MPa" and name == "limit" and side != "outside" and draw(st.integers(0, 9)) == 0
    for number, limit in enumerate(limits[:1] if own else limits):
        latch = latched or draw(st.booleans())
        band: dict[str, Any] = {
            "priority": 4 - number, "limit": f"{limit} {unit}", "on_delay": draw(delays), "off_delay": draw(delays),
            "source": "J, generated", "latch": latch,
        }  # fmt: skip
        if own:
            band["limit"] = {"attribute": "own", "unit": unit}
        elif side == "outside":
            centre = grid[len(grid) // 2]
            band["limit"] = {
                "low": f"{centre - (number + 1) * 2 * step} {unit}",
                "high": f"{centre + (number + 1) * 2 * step} {unit}",
            }
        if side == "outside" or own:
            band["deadband"] = f"{step} {unit}"
        elif not latch or draw(st.booleans()):
            band["clear"] = f"{limit + (-step if side in ABOVE else step)} {unit}"
        samples = draw(st.sampled_from([None, None, "and_samples", "or_samples"]))
        if samples:
            band[samples] = draw(st.integers(1, 3))
        if draw(st.integers(0, 4)) == 0:
            band["one_sample_over"] = draw(delays)
        bands.append(band)
    rule = Rule.model_validate(
        {
            "id": rule_id, "version": 1, "title": WORDS, "advice": WORDS, "class": "hazard",
            "kinds": draw(st.sampled_from([["hydrant"], ["hydrant"], "any"])),
            "metric": "water_used" if given.get("of") == "sum" else "pressure",
            "condition": {name: {"side": side, "bands": bands, **given}},
            "schedule": draw(st.sampled_from([None, None, None, *SCHEDULES])),
            "shadow": draw(st.integers(0, 5)) == 0, **fields,
        }
    )  # fmt: skip
    assert list(check(rule)) == []
    return rule


SCOPES = (
    {"city": "all"}, {"district": "east"}, {"unit_category": "hospital"}, {"unit": "water"}, {"model": "m1"},
    {"device": "water/d1"}, {"device": "south/d3"},
)  # fmt: skip


@st.composite
def overrides(draw: st.DrawFn, rule: Rule, pace: int) -> Override:
    """An override of a rule: its delays, or all its limits moved by the same, or off."""
    form = rule.measured
    assert form is not None
    bands: list[dict[str, Any]] = []
    what = draw(st.sampled_from(["delays", "limits", "off"]))
    moved = draw(st.sampled_from([-2, -1, 1, 2])) * (1 / 16 if rule.condition.window is None else 1)
    for band in form.bands if what != "off" else ():
        change: dict[str, Any] = {"priority": band.priority}
        if what == "delays":
            name = draw(st.sampled_from(["on_delay", "off_delay", "one_sample_over"]))
            change[name] = f"{draw(st.sampled_from([0, 5, 20])) * pace // SECOND}s"
        elif hasattr(band.limit, "low"):
            low, high = band.limit.low - abs(moved), band.limit.high + abs(moved)
            change["limit"] = {"low": f"{low} {band.limit.unit}", "high": f"{high} {band.limit.unit}"}
        elif hasattr(band.limit, "value"):
            change["limit"] = f"{band.limit.value + moved} {band.limit.unit}"
            if band.clear is not None:
                change["clear"] = f"{band.clear.value + moved} {band.limit.unit}"
        bands.append(change)
    return Override.model_validate(
        {
            "rule": rule.id, "scope": draw(st.sampled_from(SCOPES)), "reason": "generated", "source": "J, generated",
            "bands": bands, **({"off": True} if what == "off" else {}),
        }
    )  # fmt: skip


@st.composite
def quality_rules(draw: st.DrawFn, of: str) -> Rule:
    samples = st.integers(1, 4)
    return Rule.model_validate(
        {
            "id": of.replace("_", "-"), "version": 1, "title": WORDS, "advice": WORDS, "class": "quality",
            "kinds": ["hydrant"],
            "condition": {
                "quality": {
                    "of": of, "priority": 4, "samples": draw(samples), "clear_samples": draw(samples),
                    "source": "J, generated",
                }
            },
        }
    )  # fmt: skip


@st.composite
def books(draw: st.DrawFn, pace: int, doubt: tuple[str, ...] = ("implausible",), latched: bool = False) -> Rulebook:
    """Two measured rules, findings of quality, overrides in up to three scopes."""
    measured = (draw(rules("first", pace, latched)), draw(rules("second", pace, latched)))
    changed = [draw(overrides(measured[of], pace)) for of in draw(st.lists(st.sampled_from([0, 1]), max_size=3))]
    once = {(each.rule, each.scope.level, each.scope.value): each for each in changed}
    return Rulebook(
        (*measured, *(draw(quality_rules(of)) for of in doubt)),
        overrides=tuple(once.values()),
        calendar=draw(st.sampled_from(CALENDARS)),
    )
