"""What each step of a scenario does to its devices: changes of signals and schedule, messages, what follows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.devices.city import City
from firetower.devices.events import meaning
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import messages, noise
from firetower.simulator.expecting import Because, about
from firetower.simulator.faults.stream import ALARM, Stream
from firetower.simulator.physics.effects import Effect
from firetower.simulator.schedule import Schedule
from firetower.simulator.script import (
    Appear,
    Backlog,
    Fault,
    Garble,
    Happen,
    OfLimit,
    Ramp,
    Say,
    Silence,
    Step,
    Storm,
    Truth,
)
from firetower.simulator.truth import Expected


@dataclass(frozen=True, slots=True)
class Change:
    """A metric of one device on its way: to ``to``, begun at ``begin``, over ``over`` µs, back from ``end`` on."""

    device: int
    metric: str
    to: float
    begin: Micros
    over: Micros
    end: Micros | None
    square: bool

    def at(self, at: Int64s, quiet: Floats) -> Floats:
        """Return the metric at instants ``at`` (n,) µs, where it would be ``quiet`` (n,) by itself."""
        share = np.clip((at - self.begin) / self.over, 0.0, 1.0)
        if self.square:
            share = share * share
        if self.end is not None:
            share = share * (1.0 - np.clip((at - self.end) / self.over, 0.0, 1.0))
        changed: Floats = quiet + (self.to - quiet) * share
        return changed


class Stage(Protocol):
    """What steps are played on: ``play.Play``. ``garbage``: payloads that nobody can use, sent on purpose."""

    city: City
    schedule: Schedule
    seed: int
    garbage: set[bytes]

    def change(self, change: Change) -> None:
        """Let a metric change."""

    def happen(self, effect: Effect) -> None:
        """Let something happen in the physics."""

    def befall(self, step: Fault, devices: Sequence[int], at: Micros, end: Micros | None) -> None:
        """Let a fault befall devices."""

    def plan(self, at: Micros, act: "Act") -> None:
        """Call ``act`` with ``at`` when it is due."""

    def stamp(self, device: int, at: Micros) -> Micros:
        """Return what a device takes the time for."""

    def written(self, devices: Int64s, at: Int64s) -> list[str]:
        """Return the next report of ``devices``, at instants ``at``, as JSON."""

    def expect(self, why: Because, truths: Sequence[Truth], devices: Sequence[int], at: Micros) -> None:
        """Note what should be alarmed because of a step."""

    def expect_exactly(self, expected: Expected) -> None:
        """Note it."""


class Act(Protocol):
    """Something done at an instant; it returns the messages of it."""

    def __call__(self, at: Micros, /) -> Stream:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Played:
    """A step of ``scenario`` with its devices, ``start`` µs being the scenario's second 0."""

    scenario: str
    devices: tuple[int, ...]
    any: bool
    start: Micros

    def instant(self, seconds: float | None) -> Micros | None:
        """Return the instant of a second of the scenario."""
        return None if seconds is None else self.start + round(seconds * SECOND)


NOTHING = Stream.joined([])


def begin(step: Step, played: Played, stage: Stage, at: Micros) -> None:
    """Let ``step`` happen from ``at`` (µs) on, and note the truth of it."""
    told = True
    match step:
        case Ramp():
            _ramp(step, played, stage, at)
        case Backlog():
            _backlog(step, played, stage, at)
        case Silence():
            _silence(played, stage, at)
        case Happen():
            _happen(step, played, stage, at)
        case Fault():
            stage.befall(step, played.devices, at, played.instant(step.until))
        case Say():
            stage.plan(at, partial(_say, step, played, stage, 0))
            told = False
        case Storm():
            _storm(step, played, stage, at)
        case Garble():
            stage.plan(at, partial(_garble, step, played, stage, 0))
        case Appear():
            pace = step.over * SECOND / len(played.devices)
            for number, device in enumerate(played.devices):
                stage.schedule.retime(device, at + round(number * pace), None)
    if told and step.truth:
        stage.expect(Because(played.scenario, step.name), step.truth, played.devices, at)


def _ramp(step: Ramp, played: Played, stage: Stage, at: Micros) -> None:
    end = played.instant(step.until)
    for number, device in enumerate(played.devices):
        begins = at + round(number * step.stagger * SECOND)
        to = _value(stage.city, step.to, device)
        stage.change(Change(device, step.metric, to, begins, round(step.over * SECOND), end, step.square))
        if step.report_every is not None:
            stage.plan(begins, partial(_retime, stage, device, round(step.report_every * SECOND)))
            if end is not None:
                stage.plan(end, partial(_retime, stage, device, None))


def _happen(step: Happen, played: Played, stage: Stage, at: Micros) -> None:
    end = played.instant(step.until)
    for device in played.devices:
        stage.happen(Effect(step.what, device, at, end, step.size, step.reach_m))
        if step.report_every is not None:
            stage.plan(at, partial(_retime, stage, device, round(step.report_every * SECOND)))


def _retime(stage: Stage, device: int, every: Micros | None, at: Micros) -> Stream:
    stage.schedule.retime(device, at, every)
    return NOTHING


def _backlog(step: Backlog, played: Played, stage: Stage, at: Micros) -> None:
    span, pace = round(step.span * SECOND), round(step.step * SECOND)
    times = np.arange(at - span, at + 1, pace, dtype=np.int64)
    for device in played.devices:
        stage.change(Change(device, step.metric, step.to, at - span - 1, 1, played.instant(step.until), square=False))
        stage.schedule.silence(device)  # nothing newer may come before what was stored

        def forward(due: Micros, device: int = device) -> Stream:
            objects = stage.written(np.full(len(times), device), times)
            stage.schedule.retime(device, due + stage.city.devices[device].interval_s * SECOND, None)
            return _one(due, device, messages.backlog(objects))

        stage.plan(at, forward)


def _silence(played: Played, stage: Stage, at: Micros) -> None:
    for device in played.devices:
        stage.schedule.silence(device)

        def last_word(due: Micros, device: int = device) -> Stream:
            (report,) = stage.written(np.array([device]), np.array([due], np.int64))
            return _one(due, device, report.encode())

        stage.plan(at, last_word)


def _say(step: Say, played: Played, stage: Stage, turn: int, at: Micros) -> Stream:
    devices = (_pick(step, played, stage, turn),) if played.any else played.devices
    event = step.events[turn % len(step.events)]
    stage.expect(Because(played.scenario, step.name), step.truth, devices, at)
    if step.every is not None and (step.times is None or turn + 1 < step.times):
        stage.plan(at + round(step.every * SECOND), partial(_say, step, played, stage, turn + 1))

    def words(due: Micros, *, active: bool) -> Stream:
        bodies = [
            messages.alarm(
                stage.stamp(device, due), event, active=active, component=step.component,
                text=stage.city.devices[device].place if step.text is None else step.text,
            )
            for device in devices
        ]  # fmt: skip
        return Stream.of(np.full(len(devices), due, np.int64), np.array(devices, np.int64), bodies, ALARM)

    if step.clears_after is not None:
        stage.plan(at + round(step.clears_after * SECOND), lambda due: words(due, active=False))
    return words(at, active=True)


def _storm(step: Storm, played: Played, stage: Stage, at: Micros) -> None:
    pace = round(step.over * SECOND / (step.points * step.said))
    for device in played.devices:
        subject = about(stage.city, device, "device")
        assert subject is not None
        for number in range(step.points * step.said):
            point = f"{step.name}-{number % step.points + 1:04d}"
            event = step.events[number % step.points % len(step.events)]
            due = at + number * pace
            stage.plan(due, partial(_point, stage, device, event, point))
            means = meaning(event)
            if number < step.points and means.alert_class is not None:
                urgency = (means.priority, means.priority)
                by = due + round(step.within * SECOND)
                stage.expect_exactly(
                    Expected(played.scenario, step.name, subject, means.alert_class.value, urgency, due, by, point)
                )


def _point(stage: Stage, device: int, event: str, point: str, at: Micros) -> Stream:
    body = messages.alarm(stage.stamp(device, at), event, active=True, component=point, text="")
    return Stream.of(np.array([at], np.int64), np.array([device], np.int64), [body], ALARM)


def _garble(step: Garble, played: Played, stage: Stage, turn: int, at: Micros) -> Stream:
    text = step.payloads[turn % len(step.payloads)]
    if step.every is not None:
        stage.plan(at + round(step.every * SECOND), partial(_garble, step, played, stage, turn + 1))
    body = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    stage.garbage.add(body)
    return _one(at, _pick(step, played, stage, turn), body)


def _pick(step: Step, played: Played, stage: Stage, turn: int) -> int:
    """Another device each turn, and the first again when all had theirs."""
    drawn = noise.uniform(stage.seed, f"pick {step.name}", np.arange(len(played.devices)))
    return played.devices[int(np.argsort(drawn)[turn % len(played.devices)])]


def _one(due: Micros, device: int, body: bytes) -> Stream:
    return Stream.of(np.array([due], np.int64), np.array([device], np.int64), [body])


def _value(city: City, to: float | OfLimit, device: int) -> float:
    if not isinstance(to, OfLimit):
        return to
    who = city.devices[device]
    if to.attribute not in who.attributes:
        raise InvalidInput(f"{who.unit}/{who.device} has no attribute {to.attribute!r} for the scenario to aim at")
    return who.attributes[to.attribute] * to.times
