"""Why a measured rule did or did not fire: the state of its bands in one plain sentence each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, to_datetime
from firetower.devices.liveness import LEAST_STANDING, MISSED_INTERVALS
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import Band, Side
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Between, FromFile
from firetower.rules.measured.lanes import NEVER, Lanes
from firetower.rules.measured.standing import Standing
from firetower.rules.told.figures import figure_of, needs_of

_WORDS: dict[Side, str] = {
    "above": "above",
    "at_or_above": "at or above",
    "below": "below",
    "at_or_below": "at or below",
    "outside": "outside",
}
_ZONES = {1: "beyond", 0: "between", -1: "in_order"}
_LATE: Micros = MINUTE
"""A reading that arrived later than this after its own time: its delay ends on the clock as much later."""


@dataclass(frozen=True, slots=True)
class BandState:
    """One band for one series. ``zone``: 1 beyond the limit, -1 back past the clear value, 0 in between or unknown.

    ``since``: since when it is in that zone, µs; ``readings``: for how many in a row. ``met``: when that run is long
    enough while the last reading stands, µs; NEVER where it will not be.
    """

    zone: int
    since: Micros
    readings: int
    met: Micros


@dataclass(frozen=True, slots=True)
class RuleState:
    """A measured rule for one series, as of its newest reading of time ``at``, µs, and arrival ``received``.

    ``value``: what is compared, as measured or derived; NaN: not known. ``level``: how many bands are raised.
    """

    rule: str
    at: Micros
    received: Micros
    value: float
    uncertain: bool
    level: int
    bands: tuple[BandState, ...]


@dataclass(frozen=True, slots=True)
class BandTold:
    """One band in words. ``zone``: ``beyond``, ``between``, ``in_order`` or ``unknown``.

    ``fires_at``: when its delay ends, in the time of the readings, µs: that is since when the alert will be.
    """

    priority: int
    limit: str
    zone: str
    since: Micros | None
    readings: int
    fires_at: Micros | None
    raised: bool
    why: str


class Speaker:
    """Says what states mean at the instant ``now``, with times as clocks in ``zone`` show them."""

    def __init__(self, now: Micros, zone: str) -> None:
        self.now = now
        self._zone = ZoneInfo(zone)

    def time(self, at: Micros) -> str:
        """Return a time of day, with its date where that is another than today's."""
        local, today = self._local(at), self._local(self.now)
        text = local.strftime("%H:%M" if at % MINUTE < SECOND else "%H:%M:%S")
        return text if local.date() == today.date() else f"{local.date().isoformat()} {text}"

    def instant(self, at: Micros) -> str:
        """Return a time with its date and its offset from UTC."""
        return self._local(at).isoformat(" ", "seconds")

    def span(self, micros: Micros) -> str:
        """Return how long, in its two largest units."""
        left, said = max(micros, 0), []
        for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
            count, left = divmod(left, size)
            if count:
                said.append(f"{count}{unit}")
        return " ".join(said[:2]) or "0s"

    def bands(
        self, rule: Rule, state: RuleState, device: int, registry: Registry, *, aside: str | None = None
    ) -> list[BandTold]:
        """Return the bands of a rule, the mildest first, as they are for a device of that registry.

        ``aside``: why the reading counts as in order whatever is compared; None where it does not.
        """
        measured = rule.measured
        assert measured is not None  # only measured rules have such a state
        interval = int(registry.interval[device])
        told = []
        for number, (band, each) in enumerate(zip(measured.bands, state.bands, strict=True), 1):
            limit = _limit(band, device, registry)
            unknown = aside is None and (math.isnan(state.value) or limit is None)
            raised = state.level >= number
            waits = not unknown and each.zone == 1 and not raised and each.met != NEVER
            told.append(
                BandTold(
                    priority=band.priority,
                    limit=limit or str(band.limit),
                    zone="unknown" if unknown else _ZONES[each.zone],
                    since=None if unknown else each.since,
                    readings=each.readings,
                    fires_at=each.met if waits else None,
                    raised=raised,
                    why=self._why(rule, band, state, each, limit=limit, raised=raised, interval=interval, aside=aside),
                )
            )
        return told

    def _why(
        self,
        rule: Rule,
        band: Band,
        state: RuleState,
        lane: BandState,
        *,
        limit: str | None,
        raised: bool,
        interval: Micros,
        aside: str | None,
    ) -> str:
        measured = rule.measured
        assert measured is not None  # as above
        if aside is not None:
            said = f"{aside}, so it counts as in order"
            return said + self._ends(band, state, lane) if raised else said
        if limit is None:
            return f"the device's own file has no {_named(band)}: there is nothing to compare with"
        figure = figure_of(measured)
        if math.isnan(state.value):
            return f"{figure or 'the value'} is not known yet{needs_of(measured)}: neither beyond the limit nor back"
        value = f"{state.value:.6g} {band.limit.unit}" + (" (uncertain)" if state.uncertain else "")
        if figure:
            value = f"{figure}: {value}"
        side = _WORDS[measured.side]
        if lane.zone == 1:
            said = f"{value} is {side} {limit} since {self.time(lane.since)}"
            return f"{said}: {self._fires(band, state, lane, raised=raised, interval=interval)}"
        if lane.zone == 0:
            stays = "it stays raised until it is back past" if raised else "it is in order, but not past"
            return f"{value} is not {side} {limit}, {stays} {_clear(band)}"
        said = f"{value} is in order, not {side} {limit}, since {self.time(lane.since)}"
        return said + self._ends(band, state, lane) if raised else said

    def _ends(self, band: Band, state: RuleState, lane: BandState) -> str:
        ends = "once a later reading is in order, too" if lane.met == NEVER else f"at {self.time(lane.met)} if it stays"
        passed = f"{self._elapsed(state, lane)} of {self.span(band.off_delay)}"
        return f", {passed}: it is over {ends}" + ("; the alert is latched, a person closes it" * band.latch)

    def _fires(self, band: Band, state: RuleState, lane: BandState, *, raised: bool, interval: Micros) -> str:
        if raised:
            return "it fired, and holds"
        needed = band.and_samples or band.or_samples
        enough = band.enough_over is not None and interval > band.enough_over
        parts = []
        if band.on_delay:
            parts.append(f"{self._elapsed(state, lane)} of {self.span(band.on_delay)}")
        if needed is not None:
            joined = "or" if band.or_samples is not None else "and"
            row = "1 reading" if lane.readings == 1 else f"{lane.readings} readings in a row"
            parts.append(f"{joined if parts else ''} {row}, {needed} needed".strip())
        if enough:
            parts.append(f"one reading is enough of a device that reports every {self.span(interval)}")
        passed = ", ".join(parts) or "no delay"
        if lane.met != NEVER:
            return f"{passed}: it fires at {self.time(lane.met)} if it stays{self._told_late(state, lane.met)}"
        if needed is not None and lane.readings < needed and band.and_samples is not None:
            return f"{passed}: it needs another reading beyond the limit"
        ends, stale = lane.since + band.on_delay, state.at + max(interval * MISSED_INTERVALS, LEAST_STANDING)
        if ends <= stale:
            return f"{passed}: at {self.time(ends)} the rule's schedule is not active, so it does not fire then"
        return (
            f"{passed}: it fires at {self.time(ends)} if readings go on beyond the limit; the newest stands until"
            f" {self.time(stale)} only"
        )

    def _elapsed(self, state: RuleState, lane: BandState) -> str:
        """Return for how long a run has gone on; a reading that came late stands since it came."""
        late = state.received - state.at
        return self.span(max(self.now - (late if late >= _LATE else 0), state.at) - lane.since)

    def _told_late(self, state: RuleState, ends: Micros) -> str:
        """Return when a delay that ends at ``ends`` is told if only the clock ends it; empty where that is no later."""
        late = state.received - state.at
        if late < _LATE:
            return ""
        return (
            f" (the newest reading is of {self.time(state.at)}, but arrived at {self.time(state.received)}: without"
            f" another one it is told at {self.time(ends + late)})"
        )

    def _local(self, at: Micros) -> datetime:
        return to_datetime(at).astimezone(self._zone)


def states_of(
    rules: Sequence[Rule], lanes: Lanes, standing: Standing, record: np.void, met: Sequence[Micros]
) -> list[RuleState]:
    """Return how rules stand for one row of their table; ``met``: when each lane's run is, µs."""
    level = record["level"].tolist()
    return [
        RuleState(
            rule=rule.id,
            at=standing.ts,
            received=int(record["received"]),
            value=standing.value,
            uncertain=standing.uncertain,
            level=level[index],
            bands=tuple(
                BandState(standing.zone[lane], standing.since[lane], standing.count[lane], met[lane])
                for lane in lanes.of_rule(index)
            ),
        )
        for index, rule in enumerate(rules)
    ]


def _limit(band: Band, device: int, registry: Registry) -> str | None:
    """Return the limit in force for a device; None where its own file should give it, and does not."""
    if not isinstance(band.limit, FromFile):
        return str(band.limit)
    own = float(registry.attribute(band.limit.attribute)[device])
    return None if math.isnan(own) else f"{own:g} {band.limit.unit} ({band.limit.attribute} of its own file)"


def _named(band: Band) -> str:
    """Return the name of what the device's own file should give."""
    return band.limit.attribute if isinstance(band.limit, FromFile) else str(band.limit)


def _clear(band: Band) -> str:
    if band.clear is not None:
        return str(band.clear)
    if band.deadband is None:
        return "the limit"
    ends = "its ends" if isinstance(band.limit, Between) else "it"
    return f"the limit by {band.deadband} from {ends}"
