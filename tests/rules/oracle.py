"""The oracle: rules over readings once more, one by one, in plain Python, obviously right rather than quick.

It keeps every reading for ever and looks back over all of them each time. It shares with the engine the rulebook's
models and nothing else.
"""

from dataclasses import dataclass, field

from firetower.core.clock import MINUTE
from firetower.rules.conditions import Band
from firetower.rules.model import Rule


@dataclass
class Sample:
    ts: int
    received: int
    value: float
    quality: int = 0


@dataclass(frozen=True)
class Said:
    """What is compared of a verdict."""

    series: int
    rule: str
    kind: str
    priority: int
    at: int
    value: float
    flags: tuple[str, ...]


@dataclass
class Series:
    rules: list[Rule]
    interval: int
    newest: int | None = None
    samples: list[Sample] = field(default_factory=list)  # the believable ones
    levels: dict[str, int] = field(default_factory=dict)
    told: int = -1  # every instant up to here has been looked at
    implausible: Rule | None = None
    heard: list[Sample] = field(default_factory=list)  # the unbelievable ones too
    doubted: bool = False


class Oracle:
    def __init__(self) -> None:
        self.series: dict[int, Series] = {}

    def evaluate(self, batch: list[tuple[int, Sample]]) -> list[Said]:
        said: list[Said] = []
        for number, sample in sorted(batch, key=lambda pair: pair[1].ts):
            series = self.series[number]
            if series.newest is not None and sample.ts <= series.newest:
                continue
            series.newest = sample.ts
            series.heard.append(sample)
            said += doubt(number, series)
            if sample.quality == 2:
                continue
            said += look(number, series, sample.ts - 1)
            series.samples.append(sample)
            series.told = sample.ts - 1
            said += look(number, series, sample.ts)
        return said

    def tick(self, now: int) -> list[Said]:
        said: list[Said] = []
        for number, series in self.series.items():
            if series.samples:
                last = series.samples[-1]
                said += look(number, series, last.ts + (now - last.received))
        return said


def doubt(number: int, series: Series) -> list[Said]:
    """Whether the newest readings in a row are as many bad ones, or good ones, as a finding of quality asks."""
    if series.implausible is None:
        return []
    condition = series.implausible.condition.quality
    needed = condition.clear_samples if series.doubted else condition.samples
    newest = series.heard[-needed:]
    if len(newest) < needed or any((sample.quality == 2) is series.doubted for sample in newest):
        return []
    series.doubted = not series.doubted
    kind, last = "raise" if series.doubted else "clear", series.heard[-1]
    return [Said(number, series.implausible.id, kind, condition.priority, last.ts, last.value, ())]


def look(number: int, series: Series, until: int) -> list[Said]:
    """Let time go on to ``until`` with nothing new heard."""
    said: list[Said] = []
    if not series.samples:
        return said
    for rule in series.rules:
        bands = rule.condition.limit.bands
        side = rule.condition.limit.side
        instants = sorted({at for band in bands for at in turning_points(series, side, band)})
        for at in instants:
            if not series.told < at <= until:
                continue
            level = series.levels.get(rule.id, 0)
            beyond = [n for n, band in enumerate(bands, 1) if has_lasted(series, side, band, "beyond", at)]
            past = [n for n, band in enumerate(bands, 1) if has_lasted(series, side, band, "past", at)]
            new = min([level, *(n - 1 for n in past)])
            new = max([new, *beyond])
            if new == level:
                continue
            series.levels[rule.id] = new
            last = series.samples[-1]
            said.append(
                Said(
                    number,
                    rule.id,
                    "raise" if new else "clear",
                    bands[(new or level) - 1].priority,
                    at,
                    last.value,
                    ("uncertain",) if last.quality == 1 else (),
                )
            )
    series.told = max(series.told, until)
    return said


def turning_points(series: Series, side: str, band: Band) -> list[int]:
    """The instants at which something may change: the last reading, and the ends of the delays it stands in."""
    last = series.samples[-1]
    points = [last.ts]
    for where, delay in (("beyond", band.on_delay), ("past", band.off_delay)):
        run = run_of(series, side, band, where)
        if run and last.ts < run[0].ts + delay <= last.ts + stands(series):
            points.append(run[0].ts + delay)
    return points


def has_lasted(series: Series, side: str, band: Band, where: str, at: int) -> bool:
    """Whether the value has been ``where`` for as long, and as often, as the band asks, as seen at ``at``."""
    run = run_of(series, side, band, where)
    if not run:
        return False
    seldom = series.interval
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


def run_of(series: Series, side: str, band: Band, where: str) -> list[Sample]:
    """The newest readings, in a row, that are all ``where``; empty when the last one is not."""
    run: list[Sample] = []
    for sample in reversed(series.samples):
        if zone_of(sample.value, side, band) != where:
            break
        run.insert(0, sample)
    return run


def zone_of(value: float, side: str, band: Band) -> str:
    if beyond(value, side, band.limit.value):
        return "beyond"
    if not beyond(value, side, clear_of(side, band)):
        return "past"
    return "between"


def clear_of(side: str, band: Band) -> float:
    if band.clear is not None:
        return band.clear.value
    if band.deadband is not None:
        return band.limit.value - band.deadband.value if "above" in side else band.limit.value + band.deadband.value
    return band.limit.value


def beyond(value: float, side: str, limit: float) -> bool:
    return {
        "above": value > limit,
        "at_or_above": value >= limit,
        "below": value < limit,
        "at_or_below": value <= limit,
    }[side]


def stands(series: Series) -> int:
    """How long a reading stands before it is stale."""
    return max(3 * series.interval, MINUTE)
