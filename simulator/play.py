"""A scenario played on a city: who got which role, what it does to signals and schedule, and the truth about it."""

import heapq
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import SECOND, Micros, rfc3339
from firetower.core.errors import InvalidInput
from firetower.devices.city import City, Device
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import messages, noise
from firetower.simulator.messages import Message
from firetower.simulator.schedule import Schedule
from firetower.simulator.script import Backlog, Garble, OfLimit, Ramp, Role, Say, Script, Silence, Step
from firetower.simulator.signals import Block, Signals


@dataclass(frozen=True, slots=True)
class Expected:
    """One line of the truth: an alert of a class and priority about a device, due from ``at`` to ``by`` (µs)."""

    step: str
    unit: str
    device: str
    alert_class: str
    priority: int
    at: Micros
    by: Micros

    def line(self) -> str:
        """Return it as one line of JSON."""
        body = {
            "step": self.step,
            "unit": self.unit,
            "device": self.device,
            "class": self.alert_class,
            "priority": self.priority,
            "from": rfc3339(self.at),
            "by": rfc3339(self.by),
        }
        return json.dumps(body, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _Change:
    """A metric of one device on its way: to ``to``, begun at ``begin``, over ``over`` µs, back from ``end`` on."""

    device: int
    metric: str
    to: float
    begin: Micros
    over: Micros
    end: Micros | None
    square: bool

    def at(self, at: Int64s, quiet: Floats) -> Floats:
        share = np.clip((at - self.begin) / self.over, 0.0, 1.0)
        if self.square:
            share = share * share
        if self.end is not None:
            share = share * (1.0 - np.clip((at - self.end) / self.over, 0.0, 1.0))
        changed: Floats = quiet + (self.to - quiet) * share
        return changed


class Play:
    """A script running on a city from ``start`` (µs) on. Raises InvalidInput when the city has nobody for a role."""

    def __init__(
        self, script: Script, city: City, signals: Signals, schedule: Schedule, *, seed: int, start: Micros
    ) -> None:
        self._city, self._signals, self._schedule = city, signals, schedule
        self._seed, self._start = seed, start
        self._cast = _cast(script, city)
        self._changes: list[_Change] = []
        self._touched = np.zeros(len(city.devices), np.bool_)
        self._seq = np.zeros(len(city.devices), np.int64)
        self._acts: list[tuple[Micros, int, Callable[[Micros], list[Message]]]] = []
        self._order = itertools.count()
        self.truth: list[Expected] = []
        for step in script.steps:
            self._prepare(step)

    def device(self, role: str) -> Device:
        """Return the device that plays ``role``."""
        return self._city.devices[self._cast[role][0]]

    def sample(self, index: Int64s, at: Int64s) -> list[Block]:
        """Return what devices ``index`` measure at instants ``at`` (µs), with what happens to them."""
        blocks = self._signals.sample(index, at)
        if not self._touched[index].any():
            return blocks
        for block in blocks:
            devices, instants = index[block.where], at[block.where]
            for change in self._changes:
                rows = np.flatnonzero(devices == change.device)
                if len(rows):
                    column = _column(block.shape.metrics, change.metric)
                    value = change.at(instants[rows], block.values[rows, column])
                    block.values[rows, column] = np.round(value, block.shape.decimals[column])
        return blocks

    def reports(self, index: Int64s, at: Int64s) -> list[str]:
        """Return the next report of devices ``index``, at instants ``at`` (µs), as JSON; "" without signals."""
        repeats = messages.repeats(index)
        objects = messages.reports(self.sample(index, at), at, self._seq[index] + repeats)
        np.add.at(self._seq, index, 1)
        return objects

    def perform(self, now: Micros) -> list[Message]:
        """Do what is due by ``now``; return the messages of it, in order."""
        made: list[Message] = []
        while self._acts and self._acts[0][0] <= now:
            at, _, act = heapq.heappop(self._acts)
            made.extend(act(at))
        return made

    # preparing the steps -----------------------------------------------------------------------------

    def _prepare(self, step: Step) -> None:
        at = self._start + round(step.at * SECOND)
        device = self._cast[step.role][0]
        match step:
            case Ramp():
                self._ramp(step, device, at)
            case Backlog():
                self._backlog(step, device, at)
            case Silence():
                self._silence(device, at)
            case Say():
                self._plan(at, lambda due: self._say(step, 0, due))
            case Garble():
                self._plan(at, lambda due: self._garble(step, 0, due))
        if not isinstance(step, Say):
            self._expect(step, device, at)

    def _plan(self, at: Micros, act: Callable[[Micros], list[Message]]) -> None:
        heapq.heappush(self._acts, (at, next(self._order), act))

    def _expect(self, step: Step, device: int, at: Micros) -> None:
        if step.truth is not None:
            who = self._city.devices[device]
            by = at + round(step.truth.within * SECOND)
            self.truth.append(
                Expected(step.name, who.unit, who.device, step.truth.alert_class, step.truth.priority, at, by)
            )

    def _ramp(self, step: Ramp, device: int, at: Micros) -> None:
        end = None if step.until is None else self._start + round(step.until * SECOND)
        to = self._value(step.to, device)
        self._add(_Change(device, step.metric, to, at, round(step.over * SECOND), end, step.square))
        if step.report_every is not None:
            self._plan(at, self._retiming(device, round(step.report_every * SECOND)))
            if end is not None:
                self._plan(end, self._retiming(device, None))

    def _backlog(self, step: Backlog, device: int, at: Micros) -> None:
        span, pace = round(step.span * SECOND), round(step.step * SECOND)
        end = None if step.until is None else self._start + round(step.until * SECOND)
        self._add(_Change(device, step.metric, step.to, at - span - 1, 1, end, square=False))
        self._schedule.silence(device)  # nothing newer may come before what was stored
        times = np.arange(at - span, at + 1, pace, dtype=np.int64)

        def forward(due: Micros) -> list[Message]:
            objects = self.reports(np.full(len(times), device), times)
            every = self._city.devices[device].interval_s * SECOND
            self._schedule.retime(device, due + every, None)
            return [Message(due, messages.topic(self._city.devices[device], "telemetry"), messages.backlog(objects))]

        self._plan(at, forward)

    def _silence(self, device: int, at: Micros) -> None:
        self._schedule.silence(device)

        def last_word(due: Micros) -> list[Message]:
            (report,) = self.reports(np.array([device]), np.array([due], np.int64))
            return [Message(due, messages.topic(self._city.devices[device], "telemetry"), report.encode())]

        self._plan(at, last_word)

    def _retiming(self, device: int, every: Micros | None) -> Callable[[Micros], list[Message]]:
        def retime(due: Micros) -> list[Message]:
            self._schedule.retime(device, due, every)
            return []

        return retime

    # acts that send -----------------------------------------------------------------------------------

    def _say(self, step: Say, turn: int, due: Micros) -> list[Message]:
        device = self._pick(step, turn)
        who = self._city.devices[device]
        event = step.events[turn % len(step.events)]
        topic = messages.topic(who, "alarm")
        self._expect(step, device, due)
        if step.every is not None:
            self._plan(due + round(step.every * SECOND), lambda at: self._say(step, turn + 1, at))

        def word(at: Micros, *, active: bool) -> Message:
            payload = messages.alarm(at, event, active=active, component=step.component, text=who.place)
            return Message(at, topic, payload)

        if step.clears_after is not None:
            self._plan(due + round(step.clears_after * SECOND), lambda at: [word(at, active=False)])
        return [word(due, active=True)]

    def _garble(self, step: Garble, turn: int, due: Micros) -> list[Message]:
        who = self._city.devices[self._pick(step, turn)]
        text = step.payloads[turn % len(step.payloads)]
        payload = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
        if step.every is not None:
            self._plan(due + round(step.every * SECOND), lambda at: self._garble(step, turn + 1, at))
        return [Message(due, messages.topic(who, "telemetry"), payload)]

    def _pick(self, step: Step, turn: int) -> int:
        fit = self._cast[step.role]
        return fit[int(noise.whole(self._seed, f"pick {step.name}", turn, len(fit))[0])]

    def _add(self, change: _Change) -> None:
        self._changes.append(change)
        self._touched[change.device] = True

    def _value(self, to: float | OfLimit, device: int) -> float:
        if not isinstance(to, OfLimit):
            return to
        who = self._city.devices[device]
        if to.attribute not in who.attributes:
            raise InvalidInput(f"{who.unit}/{who.device} has no attribute {to.attribute!r} for the scenario to aim at")
        return who.attributes[to.attribute] * to.times


def _cast(script: Script, city: City) -> dict[str, list[int]]:
    """Return the devices of each role: one, or for ``any`` all that fit and have no part of their own."""
    category = {unit.code: unit.category for unit in city.units}
    taken: set[int] = set()
    cast: dict[str, list[int]] = {}

    def fits(role: Role, device: Device) -> bool:
        if device.kind is not role.kind or (role.category and category.get(device.unit) != role.category):
            return False
        if role.same_zone is None:
            return True
        first = city.devices[cast[role.same_zone][0]]
        return (device.unit, device.zone) == (first.unit, first.zone)

    # those who play alone choose first
    for name, role in sorted(script.cast.items(), key=lambda item: item[1].any):
        found = (n for n, device in enumerate(city.devices) if n not in taken and fits(role, device))
        cast[name] = list(found if role.any else itertools.islice(found, 1))
        if not cast[name]:
            raise InvalidInput(
                f"scenario {script.name!r}: the city has no device for the role {name!r} ({role.kind}"
                f"{' of a ' + role.category if role.category else ''}); take a larger city"
            )
        if not role.any:
            taken.add(cast[name][0])
    return cast


def _column(metrics: tuple[str, ...], metric: str) -> int:
    """The column of a metric, or of its first channel."""
    for number, name in enumerate(metrics):
        if name.split(".")[0] == metric:
            return number
    raise InvalidInput(f"a scenario changes {metric!r}, which the device does not report ({', '.join(metrics)})")
