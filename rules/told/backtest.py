"""Stored history through engines again: readings and events in event time order, a tick at each minute of it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from firetower.core.clock import MINUTE, Micros
from firetower.devices.events import AlertClass, Event
from firetower.devices.readings import Bools, Int32s, Int64s, Mark, Readings
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.silence import TOLD_A_TICK

STEP: Micros = MINUTE
"""What is of one minute of event time is evaluated together; then comes the tick that ends the minute."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What an engine (its place among those replayed) decided of the minute that ends at ``now``, µs."""

    engine: int
    now: Micros
    verdicts: list[Verdict]


class Replay:
    """Drives ``engines``, all on ``registry``, from ``since`` on, which is rounded down to a whole minute.

    The registry must be theirs alone: ``last_seen`` follows the replay. Somebody listens all the time, from
    ``listening_since`` (absent: ``since``) on; so silence counts from then on at the earliest. What was marked late
    when it came is given when it arrived, as it was then. A device heard of before has spoken; that one said
    ``offline`` is not stored.
    """

    def __init__(
        self, engines: Sequence[Engine], registry: Registry, since: Micros, *, listening_since: Micros | None = None
    ) -> None:
        self._engines = engines
        self._registry = registry
        self._since = self._done = since // STEP * STEP
        self._listening_since = self._since if listening_since is None else listening_since
        self._coming = Readings.empty()
        self._late = Readings.empty()
        self._events: list[Event] = []
        self._unheard: tuple[Int32s, Int64s] = np.zeros(0, np.int32), np.zeros(0, np.int64)
        self.readings = 0
        self.events = 0
        _silence_before(registry, self._since)

    @property
    def now(self) -> Micros:
        """Up to where history has been evaluated, µs."""
        return self._done

    def remember(self, readings: Readings, events: Sequence[Event] = ()) -> Iterator[Decided]:
        """Take in what is older than ``since``, oldest first across calls, of metrics that remember for longer.

        No time passes by it, so nothing is silent, and delays end with the next reading.
        """
        readings = readings.take((readings.flags & np.int16(Mark.LATE)) == 0)
        if not len(readings) and not events:
            return
        self._registry.heard(readings.device, np.minimum(readings.received, self._since))
        self.readings += len(readings)
        batch = Batch(readings, int(readings.ts[-1]) if len(readings) else events[-1].at, events)
        for place, engine in enumerate(self._engines):
            yield Decided(place, batch.now, engine.evaluate(batch))

    def feed(self, readings: Readings, events: Sequence[Event] = ()) -> None:
        """Take in what is stored, in order of event time across calls, none of it before ``now``."""
        late: Bools = (readings.flags & np.int16(Mark.LATE)) != 0
        self._coming = _joined(self._coming, readings.take(~late))
        if late.any():
            self._late = _joined(self._late, readings.take(late))
        self._events += events
        self.readings += len(readings)
        self.events += len(events)

    def run_to(self, until: Micros) -> Iterator[Decided]:
        """Evaluate every whole minute up to ``until``; all that is stored of them must have been fed."""
        while self._done + STEP <= until:
            yield from self._step(self._done + STEP, self._done + STEP)

    def finish(self, at: Micros) -> Iterator[Decided]:
        """Evaluate what has been fed and is of no whole minute, up to ``at`` (inclusive), and let it be ``at``."""
        yield from self._step(at, at + 1)

    def _step(self, now: Micros, end: Micros) -> Iterator[Decided]:
        batch = Batch(self._readings_of(end), now, self._events_of(end))
        self._hear(batch, end)
        for place, engine in enumerate(self._engines):
            said = engine.evaluate(batch) if len(batch.readings) or batch.events else []
            told = engine.evaluate(tick := Tick(now, self._listening_since))
            said = said + told
            while len(told) >= TOLD_A_TICK:  # a tick tells so much; the service does not wait a minute for the next
                told = engine.evaluate(tick)
                said += told
            if said:
                yield Decided(place, now, said)
        self._done = now

    def _readings_of(self, now: Micros) -> Readings:
        cut = int(np.searchsorted(self._coming.ts, now))
        mine, self._coming = _part(self._coming, 0, cut), _part(self._coming, cut, len(self._coming))
        arrived = self._late.received < now
        if not arrived.any():
            return mine
        late, self._late = self._late.take(arrived), self._late.take(~arrived)
        return _joined(mine, late)

    def _events_of(self, now: Micros) -> list[Event]:
        cut = next((place for place, event in enumerate(self._events) if event.at >= now), len(self._events))
        mine, self._events = self._events[:cut], self._events[cut:]
        return mine

    def _hear(self, batch: Batch, now: Micros) -> None:
        """Note who was heard by ``now``; a backlog (补报) says nothing of its device before it arrives."""
        told = [(event.device_number, event.received_at) for event in batch.events if event.device_number is not None]
        numbers = np.array([number for number, _ in told], np.int32)
        times = np.array([at for _, at in told], np.int64)
        device = np.concatenate([self._unheard[0], batch.readings.device, numbers])
        received = np.concatenate([self._unheard[1], batch.readings.received, times])
        heard = received < now
        self._registry.heard(device[heard], received[heard])
        self._unheard = device[~heard], received[~heard]


def _silence_before(registry: Registry, since: Micros) -> None:
    """Take what the registry knows of later back: whoever ever spoke did so long ago, nobody said ``offline``."""
    spoke = (registry.last_seen != 0) & (registry.registered_at < since)
    registry.last_seen[:] = np.where(spoke, 1, 0)
    registry.offline[:] = False
    registry.offline_said_at[:] = 0


def _joined(first: Readings, second: Readings) -> Readings:
    if not len(first):
        return second
    if not len(second):
        return first
    return Readings(
        *(np.concatenate([getattr(first, each.name), getattr(second, each.name)]) for each in fields(Readings))
    )


def _part(readings: Readings, start: int, end: int) -> Readings:
    return Readings(*(getattr(readings, each.name)[start:end] for each in fields(Readings)))


def changed_rules(first: Rulebook, second: Rulebook) -> frozenset[str]:
    """Return the ids of rules that are not the same in both, by themselves or by their overrides."""
    said = [
        {
            rule.id: (
                rule.model_dump(mode="json", exclude={"version", "loosened"}),
                [each.model_dump(mode="json", exclude={"loosened"}) for each in book.overrides if each.rule == rule.id],
            )
            for rule in book.rules
        }
        for book in (first, second)
    ]
    return frozenset(name for name in said[0].keys() | said[1].keys() if said[0].get(name) != said[1].get(name))


def fire_digest(rulebook: Rulebook) -> str:
    """Return a digest of what decides about fires and prealarms: those rules, what they name, and their overrides.

    By it a back-test is known to be of this rulebook, whatever else changed in it. Who loosened a limit, and which
    back-test that leans on, is not part of it: it is written in afterwards.
    """
    rules = {rule.id: rule for rule in rulebook.rules}
    wanted: set[str] = set()
    named = [rule.id for rule in rulebook.rules if rule.alert_class in {AlertClass.FIRE, AlertClass.PREALARM}]
    while named:
        rule_id = named.pop()
        if rule_id not in wanted and rule_id in rules:
            wanted.add(rule_id)
            named += _names(rules[rule_id], rulebook)
    calendar = rulebook.calendar.model_dump(mode="json", by_alias=True)
    said = {
        "rules": [
            rules[rule_id].model_dump(mode="json", by_alias=True, exclude={"loosened"}) for rule_id in sorted(wanted)
        ],
        "overrides": [
            override.model_dump(mode="json", by_alias=True, exclude={"loosened"})
            for override in rulebook.overrides
            if override.rule in wanted
        ],
        "calendar": calendar | {days: sorted(calendar[days]) for days in ("holidays", "working_days")},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _names(rule: Rule, rulebook: Rulebook) -> Iterator[str]:
    """Yield the rules that ``rule`` hangs on."""
    if rule.suppressed is not None:
        yield from rule.suppressed.rules
    combination = rule.condition.combination
    if combination is not None:
        for clause in (*combination.all, *combination.none):
            yield from clause.rules
            yield from (each.id for each in rulebook.rules if each.alert_class in clause.classes)
