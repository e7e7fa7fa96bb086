"""The oracle: the whole engine once more, reading by reading, in plain Python, obviously right rather than quick.

It keeps every reading and event for ever and looks back over all of them each time. It shares with the engine the
rulebook's models and nothing else. Here: limits, bands, delays, scopes, quality; values derived from readings are in
``oracle_derived.py``, calendars in ``oracle_calendar.py``, events and what several devices do together in
``oracle_groups.py``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from oracle_calendar import is_active
from oracle_derived import figure_of

from firetower.core.clock import MINUTE
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.conditions import Band
from firetower.rules.book.model import LEVELS, Override, Rule
from firetower.rules.book.quantities import Between, FromFile
from firetower.rules.book.rulebook import Rulebook


@dataclass(frozen=True)
class Device:
    """What the oracle knows of a device's file."""

    number: int
    kind: DeviceKind
    interval: int
    unit: str = "water"
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, float] = field(default_factory=dict)
    registered: int = 0

    @property
    def name(self) -> str:
        return f"{self.unit}/d{self.number}"


@dataclass
class Sample:
    ts: int
    received: int
    value: float
    quality: int = 0


@dataclass(frozen=True)
class Said:
    """What is compared of a verdict. ``value``: rounded to six places, None where it is unknown or without end."""

    subject: str
    component: str
    rule: str
    kind: str
    priority: int
    at: int
    value: float | None = None
    limit: float | None = None
    flags: tuple[str, ...] = ()
    again: bool = False
    suppressed: str = ""
    shadow: bool = False
    latch: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.rule, self.subject, self.component


@dataclass
class Series:
    """All that was heard of one metric and channel of a device."""

    device: Device
    component: str
    rules: list[Rule]  # as they are in force for the device
    newest: int | None = None
    heard: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)  # the believable ones
    zones: dict[str, list[list[str]]] = field(default_factory=dict)  # by rule; of each sample, by band
    figures: dict[str, list[float | None]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    told: int = -1  # every instant up to here has been looked at
    doubted: Rule | None = None


class Oracle:
    """Measured rules and doubt; ``evaluate`` a batch of readings or let time go on with ``tick``."""

    def __init__(self, book: Rulebook, devices: list[Device]) -> None:
        self.book = book
        self.devices = {device.number: device for device in devices}
        self.series: dict[tuple[int, str], Series] = {}

    def evaluate(self, batch: list[tuple[int, str, Sample]]) -> list[Said]:
        """Take in readings as (device, component, sample)."""
        said: list[Said] = []
        for number, component, sample in sorted(batch, key=lambda row: row[2].ts):
            series = self._series(number, component)
            if series.newest is not None and sample.ts <= series.newest:
                continue
            series.newest = sample.ts
            series.heard.append(sample)
            said += self._doubt(series)
            if sample.quality == 2:
                continue
            said += self._look(series, sample.ts - 1)
            series.samples.append(sample)
            self._judge(series)
            series.told = sample.ts - 1
            said += self._look(series, sample.ts)
        return self._came_and_went(said, batch)

    def _came_and_went(self, said: list[Said], batch: list[tuple[int, str, Sample]]) -> list[Said]:
        """Put what an old backlog raised and cleared in one batch on record: one historical raise, the worst."""
        out = list(said)
        for one in (one for one in said if one.kind == "clear"):
            before = [
                each for each in out if each.key == one.key and each.at <= one.at and "historical" not in each.flags
            ]
            run = before[: before.index(one)]
            while any(each.kind == "clear" for each in run):
                run = run[[each.kind for each in run].index("clear") + 1 :]
            if not run or run[0].again or any(each.latch for each in run):
                continue
            shown = [sample for number, name, sample in batch if (self.devices[number].name, name) == one.key[1:]]
            shown.sort(key=lambda sample: sample.ts)
            showed = ([sample for sample in shown if sample.ts <= run[0].at] or shown[:1])[-1]
            device = next(device for device in self.devices.values() if device.name == one.subject)
            if showed.received - run[0].at > max(3 * device.interval, MINUTE):
                worst = min(run, key=lambda each: each.priority)
                out = [
                    replace(each, flags=(*each.flags, "historical")) if each is worst else each
                    for each in out
                    if each is worst or not any(each is gone for gone in (*run, one))
                ]
        return out

    def tick(self, now: int) -> list[Said]:
        """Time goes on to ``now``; of a series, to as long after its last reading as has gone by since its arrival."""
        said: list[Said] = []
        for series in self.series.values():
            if series.samples:
                last = series.samples[-1]
                said += self._look(series, last.ts + (now - last.received))
        return said

    def _series(self, number: int, component: str) -> Series:
        key = number, component
        if key not in self.series:
            device, metric = self.devices[number], component.partition(".")[0]
            mine = [rule for rule in self.book.rules if rule.metric == metric and device.kind in rule.kinds]
            here = [in_force(rule, self.book.overrides, device) for rule in mine if rule.measured is not None]
            self.series[key] = Series(device, component, [rule for rule in here if rule is not None])
        return self.series[key]

    def _judge(self, series: Series) -> None:
        """Say in which zone of each band the newest reading puts its series."""
        for rule in series.rules:
            written = next(each for each in self.book.rules if each.id == rule.id)
            figure, in_order = figure_of(written, series.samples, self.book.calendar)
            in_order = in_order or not is_active(rule.schedule, series.samples[-1].ts, self.book.calendar)
            zones = [
                "past" if in_order else zone_of(figure, rule.measured.side, band, series.device)
                for band in rule.measured.bands
            ]
            series.figures.setdefault(rule.id, []).append(figure)
            series.zones.setdefault(rule.id, []).append(zones)

    def _look(self, series: Series, until: int) -> list[Said]:
        """Let time go on to ``until`` with nothing new heard."""
        said: list[Said] = []
        for rule in series.rules if series.samples else ():
            bands = rule.measured.bands
            instants = sorted({at for place in range(len(bands)) for at in turning_points(series, rule, place)})
            for at in instants:
                if not series.told < at <= until:
                    continue
                level = series.levels.get(rule.id, 0)
                active = is_active(rule.schedule, at, self.book.calendar)
                beyond = [
                    n for n in range(1, len(bands) + 1) if active and has_lasted(series, rule, n - 1, "beyond", at)
                ]
                past = [n for n in range(1, len(bands) + 1) if has_lasted(series, rule, n - 1, "past", at)]
                new = max([min([level, *(n - 1 for n in past)]), *beyond])
                if new != level:
                    series.levels[rule.id] = new
                    said.append(self._said(series, rule, level, new, at))
        series.told = max(series.told, until)
        return said

    def _said(self, series: Series, rule: Rule, level: int, new: int, at: int) -> Said:
        band, value = rule.measured.bands[(new or level) - 1], series.figures[rule.id][-1]
        return Said(
            series.device.name, series.component, rule.id, "raise" if new else "clear", band.priority, at,
            None if value is None or math.isinf(value) else round(value, 6), limit_of(band, series.device, value),
            ("uncertain",) if series.samples[-1].quality == 1 else (), bool(new and level), shadow=rule.shadow,
            latch=band.latch,
        )  # fmt: skip

    def _doubt(self, series: Series) -> list[Said]:
        """Whether the newest readings in a row are as many bad ones, or good ones, as a finding of quality asks."""
        metric = series.component.partition(".")[0]
        rule = series.doubted or next(
            (
                rule
                for rule in self.book.rules
                if rule.condition.quality is not None
                and rule.condition.quality.of == "implausible"
                and series.device.kind in rule.kinds
                and rule.metric in {None, metric}
            ),
            None,
        )
        if rule is None:
            return []
        condition = rule.condition.quality
        needed = condition.clear_samples if series.doubted else condition.samples
        newest = series.heard[-needed:]
        if len(newest) < needed or any((sample.quality == 2) is (series.doubted is not None) for sample in newest):
            return []
        series.doubted = None if series.doubted else rule
        kind, last = "raise" if series.doubted else "clear", series.heard[-1]
        return [
            Said(
                series.device.name, series.component, rule.id, kind, condition.priority, last.ts, round(last.value, 6),
                shadow=rule.shadow,
            )
        ]  # fmt: skip


def in_force(rule: Rule, overrides: tuple[Override, ...], device: Device) -> Rule | None:
    """Return the rule as it is for a device, the narrowest scope winning field by field; None where it is off."""
    mine = [each for each in overrides if each.rule == rule.id and fits(each, device)]
    off = False
    bands = {band.priority: band for band in rule.measured.bands}
    for each in sorted(mine, key=lambda each: LEVELS.index(each.scope.level)):
        off = each.off if "off" in each.model_fields_set else off
        for other in each.bands:
            given = {name: getattr(other, name) for name in other.model_fields_set}
            if "clear" in given:
                given["deadband"] = None
            elif "deadband" in given:
                given["clear"] = None
            if "and_samples" in given:
                given["or_samples"] = None
            elif "or_samples" in given:
                given["and_samples"] = None
            bands[other.priority] = bands[other.priority].model_copy(update=given)
    if off:
        return None
    name = rule.condition.forms[0]
    form = getattr(rule.condition, name).model_copy(
        update={"bands": tuple(bands[band.priority] for band in rule.measured.bands)}
    )
    return rule.model_copy(update={"condition": rule.condition.model_copy(update={name: form})})


def fits(override: Override, device: Device) -> bool:
    """Whether a device is within an override's scope."""
    level, value = override.scope.level, override.scope.value
    if level == "city":
        return True
    return value == {"unit": device.unit, "device": device.name, **device.labels}.get(level)


def turning_points(series: Series, rule: Rule, place: int) -> list[int]:
    """The instants at which something may change: the last reading, and the ends of the delays it stands in."""
    last, band = series.samples[-1], rule.measured.bands[place]
    points = [last.ts]
    for where, delay in (("beyond", band.on_delay), ("past", band.off_delay)):
        run = run_of(series, rule, place, where)
        if run and last.ts < run[0].ts + delay <= last.ts + stands(series):
            points.append(run[0].ts + delay)
    return points


def has_lasted(series: Series, rule: Rule, place: int, where: str, at: int) -> bool:
    """Whether the value has been ``where`` for as long, and as often, as the band asks, as seen at ``at``."""
    run, band = run_of(series, rule, place, where), rule.measured.bands[place]
    if not run:
        return False
    seldom = series.device.interval
    if where == "past":
        return seldom > band.off_delay or at - run[0].ts >= band.off_delay
    if band.on_delay > 0 or band.one_sample_over is not None:
        one_is_enough_over = band.on_delay if band.one_sample_over is None else band.one_sample_over
        if seldom > one_is_enough_over:
            return True
    long_enough = at - run[0].ts >= band.on_delay
    if band.or_samples is not None:
        return long_enough or len(run) >= band.or_samples
    return long_enough and len(run) >= (band.and_samples or 1)


def run_of(series: Series, rule: Rule, place: int, where: str) -> list[Sample]:
    """The newest readings, in a row, that are all ``where``; empty when the last one is not."""
    run: list[Sample] = []
    for sample, zones in zip(reversed(series.samples), reversed(series.zones[rule.id]), strict=True):
        if zones[place] != where:
            break
        run.insert(0, sample)
    return run


def zone_of(value: float | None, side: str, band: Band, device: Device) -> str:
    """Where a value is: beyond the limit, past the value at which it is over, or between; unknown is between."""
    limit = band.limit
    if value is None or (isinstance(limit, FromFile) and limit.attribute not in device.attributes):
        return "between"
    if isinstance(limit, Between):
        away = 0.0 if band.deadband is None else band.deadband.value
        if value < limit.low or value > limit.high:
            return "beyond"
        return "past" if limit.low + away <= value <= limit.high - away else "between"
    exact = device.attributes[limit.attribute] if isinstance(limit, FromFile) else limit.value
    over = exact
    if band.clear is not None:
        over = band.clear.value
    elif band.deadband is not None:
        over = exact - band.deadband.value if "above" in side else exact + band.deadband.value
    if beyond(value, side, exact):
        return "beyond"
    return "between" if beyond(value, side, over) else "past"


def limit_of(band: Band, device: Device, value: float | None) -> float:
    """The limit a verdict names; of a range, the end that the value is nearer to or beyond."""
    limit = band.limit
    if isinstance(limit, FromFile):
        return device.attributes[limit.attribute]
    if isinstance(limit, Between):
        return limit.low if value is not None and value - limit.low < limit.high - value else limit.high
    return limit.value


def beyond(value: float, side: str, limit: float) -> bool:
    return {
        "above": value > limit,
        "at_or_above": value >= limit,
        "below": value < limit,
        "at_or_below": value <= limit,
    }[side]


def stands(series: Series) -> int:
    """How long a reading stands before it is stale."""
    return max(3 * series.device.interval, MINUTE)
