"""The engine: readings or a tick in, verdicts out; event time, no I/O, no clock of its own."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.metrics import catalogue
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Bools, Int64s, Mark, Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import Piece, Watch
from firetower.rules.engine_state import EngineState
from firetower.rules.late import LateWatch, came_and_went
from firetower.rules.measured.columns import Column
from firetower.rules.measured.scopes import Scopes
from firetower.rules.measured.series import UNKNOWN, SeriesBook
from firetower.rules.measured.tables import NO_TABLE, make_tables
from firetower.rules.steps import Batch, Step, Tick
from firetower.rules.told.explain import RuleState
from firetower.rules.told.glance import Glance
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.rules.watches.clocks import ClockWatch
from firetower.rules.watches.combination import CombinationWatch
from firetower.rules.watches.event_states import EventWatch
from firetower.rules.watches.no_limits import NoLimitWatch
from firetower.rules.watches.quality import ImplausibleWatch
from firetower.rules.watches.sequence import SequenceWatch
from firetower.rules.watches.silence import TOLD_A_TICK, SilenceWatch
from firetower.rules.watches.suppression import SuppressionWatch

_LEAST = 8
_Seed = tuple[str, str, str]
"""Rule, subject, component."""


class Engine:
    """Evaluates a rulebook over the devices of a registry.

    A series (device, metric, channel) has a watermark, the event time of its newest reading; what is not newer
    changes nothing of the present. Cost grows with the readings of a batch and with what is pending, not with the
    devices that say nothing; only silence looks at all of them, in one vectorised pass a tick. How the stream is cut
    into batches changes no verdict, but whether one of an old backlog is live or historical.

    At start: ``seed`` what is open, ``warm`` with stored readings, then go on with ``evaluate`` and ``tick``.
    ``warm_since``: readings stored from then on were given to ``warm``; a series unknown after it has none that are
    newer. ``quality``: where devices' clocks are measured; None: they are not judged.
    """

    def __init__(
        self, rulebook: Rulebook, registry: Registry, *, warm_since: Micros = 0, quality: DeviceQuality | None = None
    ) -> None:
        self.rulebook = rulebook
        self._registry = registry
        self._warm_since = warm_since
        scopes = Scopes(rulebook.overrides, registry)
        self._silence = SilenceWatch(
            tuple(rule for rule in rulebook.rules if rule.condition.silence is not None), registry, scopes
        )
        on_quality = tuple(rule for rule in rulebook.rules if rule.condition.quality is not None)
        self._implausible = ImplausibleWatch(on_quality, registry, scopes)
        self._clocks = ClockWatch(on_quality, registry, quality, scopes)
        self._sequences = SequenceWatch(on_quality, registry, quality, scopes)
        self._no_limits = NoLimitWatch(on_quality, registry, scopes)
        self._of_device = (self._clocks, self._sequences, self._no_limits)
        self._events = EventWatch(rulebook, registry, scopes)
        self._combinations = CombinationWatch(rulebook, registry, scopes, self._silence)
        self._suppression = SuppressionWatch(rulebook, registry)
        self._shadows = frozenset(rule.id for rule in rulebook.rules if rule.shadow)
        self._tables, self._table_of = make_tables(rulebook, registry, scopes)
        as_measured, its_table_of = make_tables(rulebook, registry, scopes, derived=False)
        self._glance = Glance([group.tables[0] for group in as_measured], its_table_of, registry)
        self._late = LateWatch(lambda: make_tables(rulebook, registry, scopes, derived=False), registry)
        self._fires_first = sorted(self._tables, key=lambda group: not group.of_fire)
        self._series = SeriesBook(self._tables, self._table_of, registry)
        self._seeded: dict[_Seed, tuple[int, bool]] = {}  # priority, whether it is held
        self._warmed: dict[_Seed, Verdict] = {}
        self._unsaid: list[Verdict] = []
        watches: dict[str, Watch] = {
            "events": self._events,
            "combinations": self._combinations,
            "suppression": self._suppression,
            "sequences": self._sequences,
            "no_limits": self._no_limits,
        }
        self._state = EngineState(registry, self._series, self._tables, (self._implausible, self._clocks), watches)

    # what is new -----------------------------------------------------------------------------------

    def newest(self, readings: Readings) -> Int64s:
        """Return, shape (n,), the event time of the newest reading taken in of each one's series, µs; min: none."""
        self._series.fit()
        return self._series.watermark[readings.series]

    def unsure(self, readings: Readings) -> Bools:
        """Return, shape (n,), True where a reading cannot be taken as new without a look at what is stored."""
        self._series.fit()
        watermark = self._series.watermark[readings.series]
        return np.where(watermark == UNKNOWN, readings.ts < self._warm_since, readings.ts <= watermark)

    def evaluate(self, step: Step) -> list[Verdict]:
        """Take in a batch or the passing of time; return what that decides, in event time order.

        Readings take effect in time order, in whatever order they stand; of two with the same series and time the first
        counts. Those not newer than their watermark change nothing of the present; marked LATE they may put what they
        show on record (``rules/late.py``), as may a backlog whose condition came and went. Alarms take effect in the
        order in which they stand. At a tick delays end, silence is found, and clocks that are wrong.
        """
        return self._decided(step, self._start())

    def _decided(self, step: Step, said: list[Verdict], *, stored: bool = False) -> list[Verdict]:
        """Return what was said before, what a step decides, and what follows from both.

        Whoever decided something says it once. So where another part fails, what was decided is kept and given out with
        the next step; but for what devices said themselves: whoever hears of the failure has that in hand.
        """
        ticked = step.now if isinstance(step, Tick) else None
        try:
            try:
                if isinstance(step, Tick):
                    self._of_tick(step, said, sys.maxsize if stored else TOLD_A_TICK)
                else:
                    (self._of_stored if stored else self._of_batch)(step, said)
            finally:
                self._follow(said, ticked)
        except Exception:
            self._unsaid = [verdict for verdict in self._unsaid if verdict.event is None]
            raise
        out, self._unsaid = self._unsaid, []
        return out

    def _of_batch(self, batch: Batch, said: list[Verdict]) -> None:
        readings = batch.readings
        late = self._late.step(self._late_of(readings))  # first: the watermarks are those before this batch
        new: list[Verdict] = []
        try:
            self._step(readings, new)
        finally:
            new = came_and_went(new, readings, self._registry)
            said += sorted(late + new, key=_instant) if late else new
        if batch.events:
            said += self._events.step(batch.events)

    def _of_tick(self, tick: Tick, said: list[Verdict], most: int) -> None:
        """``most``: delays that end, told at once; of each table at least _LEAST."""
        start = len(said)
        for group in self._fires_first:
            said += group.tick(tick.now, max(most + start - len(said), _LEAST))
        said += self._series.tick(tick.now)
        said += self._events.tick(tick.now)
        said[start:] = sorted(said[start:], key=_instant)
        said += self._silence.tick(tick.now, tick.listening_since, lag=tick.lag)
        for watch in self._of_device:
            said += watch.tick(tick.now)

    def _follow(self, said: list[Verdict], ticked: Micros | None) -> None:
        """Note as unsaid what was decided, and what follows: combinations, suppression by design, rules on trial.

        ``ticked``: the instant of a tick; None for readings and alarms.
        """
        try:
            if said:
                said += self._combinations.step(said)
            if ticked is not None:
                said += self._combinations.tick(ticked)
        finally:
            try:
                said = self._suppression.step(said, ticked)
            finally:
                self._unsaid += [replace(each, shadow=True) if each.rule in self._shadows else each for each in said]

    def glance(self, readings: Readings, channels: Sequence[str]) -> list[Verdict]:
        """Return what single values beyond a limit would raise, without taking them in (``rules/told/glance.py``).

        ``channels``: the suffix of each reading's metric; readings need no series, nor their channels a number.
        """
        return self._glance.raised(readings, channels)

    def describe(self, device: int) -> dict[tuple[int, int], list[RuleState]]:
        """Return how the measured rules of a device stand, by metric and channel number of its series."""
        return self._series.describe(device)

    # start -----------------------------------------------------------------------------------------

    def seed(
        self,
        rule: str,
        device_number: int | None,
        component: str,
        priority: int,
        active_since: Micros,
        *,
        subject: str | None = None,
        held: bool = False,
    ) -> bool:
        """Take over an active alert, before ``warm``: it is not raised as new, and its return is noticed.

        ``device_number``: None for an alert about a group of devices, then ``subject`` names it. False when the
        rulebook has no such rule for this device and component, so nobody will notice. ``held``: the alert is held as
        suppressed by design.
        """
        if device_number is None:
            subject = subject or ""
            known = self._combinations.seed(rule, subject, None, component, active_since, priority=priority)
        else:
            subject = "/".join(self._registry.name(device_number))
            known = self._combinations.seed(rule, subject, device_number, component, active_since, priority=priority)
            known = self._events.seed(rule, device_number, component, active_since) or known
            if not known and component == "":
                known = self._silence.seed(rule, device_number, priority, active_since)
                known = known or any(watch.seed(rule, device_number) for watch in self._of_device)
            elif not known:
                known = self._seed_series(rule, device_number, component, priority)
        self._suppression.seed(rule, subject, device_number, component, active_since, priority=priority, held=held)
        if known:
            self._seeded[rule, subject, component] = priority, held
        return known

    @property
    def awaited(self) -> frozenset[str]:
        """The events that a rule misses when they do not come: ``seed_last`` is to be told of them."""
        return self._events.awaited

    def learn(self, verdicts: Sequence[Verdict]) -> None:
        """Take over what another engine decided after the store was asked what is open: it is not to be said again."""
        for each in verdicts:
            if each.kind is VerdictKind.RAISE:
                self.seed(
                    each.rule, each.device_number, each.component, each.priority, each.at,
                    subject=each.subject, held=bool(each.suppressed),
                )  # fmt: skip
            else:
                self._seeded.pop((each.rule, each.subject, each.component), None)

    def seed_last(self, device_number: int, event: str, at: Micros, *, component: str = "") -> None:
        """Take over when a device said last that an event is active at a point, before ``warm``."""
        self._events.seed_last(device_number, event, at, component=component)

    def warm(self, step: Step) -> None:
        """Take what is stored in, oldest first across calls; what it decides is said at the first tick or evaluation.

        Only how it stands at the end is said: a condition that came and went is history, and a seeded one is known.
        Readings that came late only raise watermarks: the state is what it would be had we never stopped. A tick at the
        end ends the delays that ended meanwhile, so that what only a tick had raised is not taken back first.
        """
        for verdict in self._decided(step, [], stored=True):
            if verdict.event is not None:
                continue  # said when it came; what follows from it may not have been
            self._warmed[verdict.rule, verdict.subject, verdict.component] = verdict

    def _of_stored(self, batch: Batch, said: list[Verdict]) -> None:
        readings = batch.readings
        late = (readings.flags & np.int16(Mark.LATE)) != 0
        self._step(readings.take(~late), said)
        np.maximum.at(self._series.watermark, readings.series[late], readings.ts[late])
        if batch.events:
            said += self._events.step(batch.events)

    def _start(self) -> list[Verdict]:
        """Return, once, what ``warm`` found and the open alerts do not know."""
        out: list[Verdict] = []
        for key, verdict in self._warmed.items():
            priority, held = self._seeded.get(key, (None, False))
            is_news = verdict.priority != priority or (held and not verdict.suppressed)
            if is_news if verdict.kind is VerdictKind.RAISE else priority is not None:
                out.append(verdict)
        self._warmed, self._seeded = {}, {}
        self._state.caught_up()
        out.sort(key=_instant)
        return out

    def _seed_series(self, rule: str, device: int, component_name: str, priority: int) -> bool:
        registry = self._registry
        name, _, suffix = component_name.partition(".")
        metric, channel = catalogue().by_name.get(name), registry.channel(suffix)
        if metric is None or channel is None or device >= len(registry.kind) or registry.kind[device] < 0:
            return False
        series = np.array([registry.series(device, metric.number, channel)], np.int32)
        self._series.fit()
        if self._implausible.seed(rule, int(series[0])):
            return True
        table = int(self._series.tables_for(series, np.array([device]), np.array([metric.number], np.int16))[0])
        return table != NO_TABLE and self._tables[table].seed(int(self._series.row[series[0]]), rule, priority)

    # checkpoint ------------------------------------------------------------------------------------

    def checkpoint(self) -> Iterator[Piece]:
        """Yield copies of the state, piece by piece; between two the engine may go on with its work."""
        return self._state.pieces()

    def tables(self) -> Iterator[Piece]:
        """Yield those pieces of a checkpoint that ``carry`` takes over."""
        return self._state.tables()

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Take over the pieces of a checkpoint of the same rulebook, in their order; before ``seed`` and ``warm``."""
        self._state.restore(pieces)

    def carry(self, pieces: Iterable[Piece]) -> list[Rule]:
        """Take over, of a checkpoint of any rulebook, the tables whose rules are the same here; before ``seed``.

        Return the measured rules that have to be warmed from what is stored, as far back as they remember. Everything
        stored may be given to ``warm``: what a table knows it passes over.
        """
        return self._state.carry(pieces)

    # evaluation ------------------------------------------------------------------------------------

    def _step(self, readings: Readings, said: list[Verdict]) -> None:
        self._series.fit()
        readings, first = self._series.newest(readings)
        if not len(readings):
            return
        table = self._series.tables_for(readings.series, readings.device, readings.metric, readings.ts)
        table = np.where(readings.quality != Quality.BAD, table, NO_TABLE)
        out = self._series.ended() + self._implausible.step(readings, first)
        self._clocks.step(readings, first)
        try:
            for index in np.flatnonzero(np.bincount(table + 1, minlength=1)[1:]).tolist():
                which = np.flatnonzero(table == index)
                part = readings.take(which)
                starts: Bools | None = None
                if first is not None:
                    starts = np.ones(len(which), np.bool_)
                    starts[1:] = part.series[1:] != part.series[:-1]
                column = Column(
                    row=self._series.row[part.series].astype(np.int64),
                    device=part.device.astype(np.int64),
                    ts=part.ts,
                    received=part.received,
                    value=part.value,
                    uncertain=part.quality == Quality.UNCERTAIN,
                    first=starts,
                )
                out += self._tables[index].step(column)
        finally:
            said += sorted(out, key=_instant)

    def _late_of(self, readings: Readings) -> Readings:
        self._series.fit()
        marked = np.flatnonzero(readings.flags & np.int16(Mark.LATE))
        return readings.take(marked[readings.ts[marked] <= self._series.watermark[readings.series[marked]]])


def _instant(verdict: Verdict) -> Micros:
    return verdict.at
