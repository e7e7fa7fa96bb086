"""The lanes of a table of limit rules: each band's limits, delays and samples as columns, and when its run is met."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.liveness import LEAST_STANDING, MISSED_INTERVALS
from firetower.devices.readings import Bools, Floats, Int32s, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import Band, Side
from firetower.rules.book.model import Override, Rule, Schedule
from firetower.rules.book.overrides import resolved
from firetower.rules.book.quantities import Between, FromFile
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.scopes import VariantsOf

NEVER: Micros = int(np.iinfo(np.int64).max)
"""An instant that does not come."""
Zones = npt.NDArray[np.int8]
_Own = tuple[int, str, float]
"""A lane whose limit a device's own file gives: the lane, the attribute, and the distance to its clear value."""


class Lanes:
    """Bands of several rules side by side; a lane's parameters are of shape (variants, lanes), lanes in the order of
    rules and bands, variants as ``VariantsOf`` numbers them.

    ``rule``: index of the lane's rule. ``number``: 1 for a rule's mildest band. ``bands``: of each rule, as written:
    overrides change neither their number nor priority, title and latch. Values are compared with the side's sign
    applied, so that every lane asks the same: at or above ``trip`` is beyond the limit, under ``back`` is past the
    clear value. A range asks that of its upper end, and of its lower one beside.

    ``variant`` in what follows: of each reading, shape (n,); None where every device has the only one.
    """

    def __init__(self, rules: Sequence[Rule], registry: Registry, variants: VariantsOf, days: Days) -> None:
        self._rules, self._registry, self._variants, self._days = rules, registry, variants, days
        self.bands: list[tuple[Band, ...]] = [_bands(rule) for rule in rules]
        counts = [len(bands) for bands in self.bands]
        ends = np.cumsum(counts).tolist()
        self._of_rule = [range(end - count, end) for end, count in zip(ends, counts, strict=True)]
        self.rule: Int64s = np.repeat(np.arange(len(rules)), counts)
        self.number: Int64s = np.concatenate([np.arange(1, count + 1) for count in counts])
        self._sides: list[Side] = [_side(rule) for rule, count in zip(rules, counts, strict=True) for _ in range(count)]
        self._sign: Floats = np.array([-1.0 if "below" in side else 1.0 for side in self._sides])
        self._ranges: Int64s = np.flatnonzero([side == "outside" for side in self._sides])
        self._schedules = self._by_schedule()
        self._flat: list[list[Band | None]] = []  # by variant; None: the rule is off
        self._own: dict[_Own, Bools] = {}  # by variant, whether the lane's limit is that
        self._ends: Floats = np.zeros((0, 4, len(self)))  # trip, back, and of a range's lower end the same
        self._times: Int64s = np.zeros((0, 4, len(self)), np.int64)  # on delay, off delay, samples, enough over
        self._either: Bools = np.zeros((0, len(self)), np.bool_)
        self._off: Bools = np.zeros((0, len(self)), np.bool_)
        self._follow()

    def __len__(self) -> int:
        return len(self._sides)

    def of_rule(self, index: int) -> range:
        """Return the lanes of a rule, mildest first."""
        return self._of_rule[index]

    def variant(self, device: Int32s | Int64s) -> Int32s | None:
        """Return the variant of each device as it is now, for the other questions."""
        variant = self._variants.of(device)
        if len(self._flat) < len(self._variants.overrides):
            self._follow()
        return variant

    def limit(self, lane: int, device: int, value: float) -> float | None:
        """Return the limit in force in a lane for a device: of a range the end that ``value`` is nearer to.

        In the unit of the values; None where there is none.
        """
        band = self._flat[self._variant_of(device)][lane] or self._written(lane)
        if isinstance(band.limit, FromFile):
            limit = float(self._registry.attribute(band.limit.attribute)[device])
        elif isinstance(band.limit, Between):
            low, high = band.limit.low, band.limit.high
            limit = low if value - low < high - value else high
        else:
            limit = band.limit.value
        return limit if math.isfinite(limit) else None

    def zones(self, value: Floats, device: Int32s | Int64s, ts: Int64s, variant: Int32s | None) -> Zones:
        """Return, shape (n, lanes), 1 where a value is beyond the limit, -1 where past the clear value, else 0.

        A lane whose limit the device's own file does not give is 0. All values are -1 outside the rule's schedule and
        where the rule is off, and infinite ones in a lane with a range: derived values say so that they are in order.
        """
        at = 0 if variant is None else variant
        trip, back = self._ends[at, 0], self._ends[at, 1]
        if self._own:
            trip, back = self._own_ends(trip, back, device, variant)
        signed = value[:, None] * self._sign
        zone: Zones = (signed >= trip).view(np.int8) - (signed < back).view(np.int8)
        if len(self._ranges):
            trip, back = self._ends[at, 2][..., self._ranges], self._ends[at, 3][..., self._ranges]
            upper, own = zone[:, self._ranges], value[:, None]
            both = np.where(own <= trip, 1, np.where(own > back, upper, np.maximum(upper, 0)))
            both[np.isinf(value)] = -1
            zone[:, self._ranges] = both
        for schedule, lanes in self._schedules:
            outside = np.flatnonzero(~self._days.active(schedule, ts))
            zone[outside[:, None], lanes] = -1
        if variant is not None:
            zone[self._off[variant]] = -1
        elif self._off[0].any():
            zone[:, self._off[0]] = -1
        return zone

    def met(  # noqa: PLR0917  # reason: columns side by side, one a meaning
        self, zone: Zones, since: Int64s, count: Int64s, ts: Int64s, interval: Int64s, variant: Int32s | None
    ) -> tuple[Bools, Int64s]:
        """Return, shape (n, lanes), whether a run is met at ``ts``, and when it will be if nothing else comes.

        A device that reports less often than a delay has met it with one reading. NEVER where more readings are needed,
        and where a run beyond the limit would end outside the rule's schedule: there the reading stands for nothing.
        """
        often = interval[:, None]
        beyond = zone == 1
        at = 0 if variant is None else variant
        on_delay, off_delay, samples, enough_over = np.moveaxis(self._times[at], -2, 0)
        either = self._either[at]
        enough = often > enough_over
        delay = np.where(beyond, np.where(enough, 0, on_delay), np.where(often > off_delay, 0, off_delay))
        ends = since + delay
        timed = ends <= ts[:, None]
        counted = (count >= samples) | enough
        met = np.where(beyond, np.where(either, timed | counted, timed & counted), timed & (zone == -1))
        waits = (zone != 0) & ~met & (counted | either | ~beyond)
        stale = ts + np.maximum(interval * MISSED_INTERVALS, LEAST_STANDING)
        waits &= ends <= stale[:, None]
        for schedule, lanes in self._schedules:
            row, place = np.nonzero(waits[:, lanes] & beyond[:, lanes])
            outside = ~self._days.active(schedule, ends[row, lanes[place]])
            waits[row[outside], lanes[place[outside]]] = False
        return met, np.where(waits, ends, NEVER)

    def met_at(  # noqa: PLR0917  # reason: as above
        self, zone: list[int], since: list[int], count: list[int], ts: Micros, interval: Micros, device: int
    ) -> list[Micros]:
        """Return, per lane, when a run is met while one reading stands: the same as ``met``, for a single row.

        Where its rule has been turned off since, a run beyond the limit is not.
        """
        flat = self._flat[self._variant_of(device)]
        stale = ts + max(interval * MISSED_INTERVALS, LEAST_STANDING)
        instants = [NEVER] * len(zone)
        for lane, in_force in enumerate(flat):
            if zone[lane] == 0 or (in_force is None and zone[lane] == 1):
                continue
            band = in_force or self._written(lane)
            delay, either, counted = band.off_delay, False, True
            if zone[lane] == 1:
                delay, either = band.on_delay, band.or_samples is not None
                over = band.enough_over
                enough = over is not None and interval > over
                counted = enough or count[lane] >= (band.and_samples or band.or_samples or 1)
                delay = 0 if enough else delay
            elif interval > delay:
                delay = 0
            ends = since[lane] + delay
            if (ends <= ts and (counted or either)) or (either and counted):
                instants[lane] = ts
            elif ts < ends <= stale and (counted or either) and (zone[lane] == -1 or self._active(lane, ends)):
                instants[lane] = ends
        return instants

    def _variant_of(self, device: int) -> int:
        variant = None if self._variants.one else self.variant(np.array([device]))
        return 0 if variant is None else int(variant[0])

    def _active(self, lane: int, at: Micros) -> bool:
        schedule = self._rules[int(self.rule[lane])].schedule
        return schedule is None or bool(self._days.active(schedule, np.array([at]))[0])

    def _written(self, lane: int) -> Band:
        return self.bands[int(self.rule[lane])][int(self.number[lane]) - 1]

    def _by_schedule(self) -> list[tuple[Schedule, Int64s]]:
        """Return the lanes of each schedule."""
        lanes: dict[Schedule, list[int]] = {}
        for rule, mine in zip(self._rules, self._of_rule, strict=True):
            if rule.schedule is not None:
                lanes.setdefault(rule.schedule, []).extend(mine)
        return [(schedule, np.array(mine, np.int64)) for schedule, mine in lanes.items()]

    def _follow(self) -> None:
        """Take in the variants that are new."""
        first = len(self._flat)
        own = {each: np.flatnonzero(variants).tolist() for each, variants in self._own.items()}
        for number, overrides in enumerate(self._variants.overrides[first:], first):
            self._flat.append(self._in_force(overrides))
            for lane, band in enumerate(self._flat[number]):
                if band is not None and isinstance(band.limit, FromFile):
                    away = 0.0 if band.deadband is None else band.deadband.value
                    own.setdefault((lane, band.limit.attribute, away), []).append(number)
        self._own = {each: np.isin(np.arange(len(self._flat)), numbers) for each, numbers in own.items()}
        fresh = [[band or self._written(lane) for lane, band in enumerate(bands)] for bands in self._flat[first:]]
        ends = [[_ends(band, side) for band, side in zip(bands, self._sides, strict=True)] for bands in fresh]
        self._ends = np.concatenate([self._ends, np.swapaxes(np.array(ends, np.float64), 1, 2)])
        times = [[_times(band) for band in bands] for bands in fresh]
        self._times = np.concatenate([self._times, np.swapaxes(np.array(times, np.int64), 1, 2)])
        either = [[band.or_samples is not None for band in bands] for bands in fresh]
        self._either = np.concatenate([self._either, np.array(either, np.bool_)])
        off = [[band is None for band in bands] for bands in self._flat[first:]]
        self._off = np.concatenate([self._off, np.array(off, np.bool_)])

    def _in_force(self, overrides: Sequence[Override]) -> list[Band | None]:
        """Return each lane's band under ``overrides``, given from the widest scope to the narrowest."""
        flat: list[Band | None] = []
        for rule, bands in zip(self._rules, self.bands, strict=True):
            in_force = resolved(rule, [each for each in overrides if each.rule == rule.id])
            flat += [None] * len(bands) if in_force is None else _bands(in_force)
        return flat

    def _own_ends(
        self, trip: Floats, back: Floats, device: Int32s | Int64s, variant: Int32s | None
    ) -> tuple[Floats, Floats]:
        """Return trip and back, of shape (n, lanes), with the limits of the devices' own files; NaN for none."""
        shape = (len(device), len(self))
        trip, back = np.broadcast_to(trip, shape).copy(), np.broadcast_to(back, shape).copy()
        for (lane, attribute, away), variants in self._own.items():
            mine = slice(None) if variant is None else np.flatnonzero(variants[variant])
            sign = self._sign[lane]
            limit = self._registry.attribute(attribute)[device[mine]]
            its_trip, its_back = limit * sign, (limit - sign * away) * sign
            if not self._sides[lane].startswith("at_or"):
                its_trip, its_back = np.nextafter(its_trip, np.inf), np.nextafter(its_back, np.inf)
            trip[mine, lane], back[mine, lane] = its_trip, its_back
        return trip, back


def _bands(rule: Rule) -> tuple[Band, ...]:
    assert rule.measured is not None  # the engine makes lanes of measured rules only
    return rule.measured.bands


def _side(rule: Rule) -> Side:
    assert rule.measured is not None  # as above
    return rule.measured.side


def _times(band: Band) -> tuple[Micros, Micros, int, Micros]:
    enough_over = NEVER if band.enough_over is None else band.enough_over
    return band.on_delay, band.off_delay, band.and_samples or band.or_samples or 1, enough_over


def _ends(band: Band, side: Side) -> tuple[float, float, float, float]:
    """Return trip and back with the side's sign applied; NaN where the device's own file gives them.

    A strict side (above, below) trips from the next number on: ``below 0.14`` leaves 0.14 itself in order. The way
    back is the same question at the clear value: ``below`` with clear 0.16 is over at 0.16. Of a range the last two
    are the highest values that lie beyond its lower end and short of its clear value there.
    """
    if isinstance(band.limit, FromFile):
        return math.nan, math.nan, math.nan, math.nan
    if isinstance(band.limit, Between):
        away = 0.0 if band.deadband is None else band.deadband.value
        upper = (math.nextafter(end, math.inf) for end in (band.limit.high, band.limit.high - away))
        lower = (math.nextafter(end, -math.inf) for end in (band.limit.low, band.limit.low + away))
        return (*upper, *lower)  # type: ignore[return-value]  # reason: two and two
    sign = -1.0 if "below" in side else 1.0
    clear = band.limit.value
    if band.clear is not None:
        clear = band.clear.value
    elif band.deadband is not None:
        clear = band.limit.value - sign * band.deadband.value
    trip, back = sign * band.limit.value, sign * clear
    if side.startswith("at_or"):
        return trip, back, math.nan, math.nan
    return math.nextafter(trip, math.inf), math.nextafter(back, math.inf), math.nan, math.nan
