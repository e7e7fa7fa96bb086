"""Scenarios played on a city: what its devices measure and say meanwhile, and the truth about it."""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Int64s
from firetower.simulator import effects, messages, scenario_faults
from firetower.simulator.casting import Casting
from firetower.simulator.effects import NOTHING, Change, Played
from firetower.simulator.expecting import Because, expected, forbidden
from firetower.simulator.faults.clocks import shown
from firetower.simulator.faults.line import Line
from firetower.simulator.faults.payloads import Malformed
from firetower.simulator.faults.stream import (
    LEAVES,
    STATUS,
    TELEMETRY,
    ReportFault,
    Reports,
    SpeakingFault,
    Stream,
    WayFault,
)
from firetower.simulator.messages import Message
from firetower.simulator.physics.effects import Effect
from firetower.simulator.schedule import Schedule
from firetower.simulator.script import Act, Fault, Step, Truth
from firetower.simulator.script_file import Part
from firetower.simulator.signals import Block, Signals
from firetower.simulator.truth import Expected, Forbidden, Sent

ONLINE = b"online"
FOLLOWS: Micros = 5 * SECOND
"""So long a run goes on after what follows an act has begun."""


@dataclass(frozen=True, slots=True)
class Cue:
    """An act on the service that is due: of which scenario, and about which device (a position in the city)."""

    scenario: str
    act: Act
    device: int
    due: Micros


class Play:
    """Scenarios running on a city from ``start`` (µs) on; ``casting``: who plays what.

    ``signals`` and ``schedule`` are those of ``casting.city``. ``expected`` and ``forbidden`` grow as it goes on.
    ``owed_until``: until then (µs) what follows an act is played, however late the act was done.
    """

    def __init__(
        self, parts: Sequence[Part], casting: Casting, signals: Signals, schedule: Schedule, *, seed: int, start: Micros
    ) -> None:
        self.city, self.schedule, self.seed = casting.city, schedule, seed
        self._casting, self._signals, self._start = casting, signals, start
        self._changes: dict[int, list[Change]] = defaultdict(list)
        self._touched = np.zeros(len(self.city.devices), np.bool_)
        self._seq = np.zeros(len(self.city.devices), np.int64)
        self._gateways = np.array([device.kind is DeviceKind.GATEWAY for device in self.city.devices], np.bool_)
        self._plans: list[tuple[Micros, int, effects.Act]] = []
        self._order = itertools.count()
        self._spoiling: list[ReportFault] = []
        self._carrying: list[WayFault] = []
        self._speaking: list[SpeakingFault] = []
        self._spoken = start
        self._line = Line()
        self._cues: list[tuple[Micros, int, Cue]] = []
        self._waiting: dict[tuple[str, str], list[tuple[Part, Step | Act]]] = defaultdict(list)
        self.expected: list[Expected] = []
        self.forbidden: list[Forbidden] = []
        self.published = dict.fromkeys(LEAVES, 0)
        self.readings = self.unusable = self.strangers = 0
        self.garbage: set[bytes] = set()
        self.owed_until = start
        self._new = np.zeros(len(self.city.devices), np.bool_)
        for device in casting.new:
            self._new[device] = True
            schedule.silence(device)
        for part in parts:
            self._begin(part)

    def role(self, scenario: str, role: str) -> tuple[int, ...]:
        """Return the devices that play ``role``, as positions in ``city.devices``."""
        return self._casting.roles[scenario, role]

    def sample(self, index: Int64s, at: Int64s) -> list[Block]:
        """Return what devices ``index`` measure at instants ``at`` (µs), with what happens to them."""
        blocks = self._signals.sample(index, at)
        if not self._touched[index].any():
            return blocks
        for block in blocks:
            devices, instants = index[block.where], at[block.where]
            for device in np.unique(devices[self._touched[devices]]).tolist():
                rows = np.flatnonzero(devices == device)
                for change in self._changes[device]:
                    column = _column(block.shape.metrics, change.metric)
                    value = change.at(instants[rows], block.values[rows, column])
                    block.values[rows, column] = np.round(value, block.shape.decimals[column])
        return blocks

    def messages(self, now: Micros, most: int) -> tuple[list[Message], bool]:
        """Return what reaches the broker by ``now``, with ``most`` reports of the devices, and whether that is all.

        What is left over comes with the next call: nothing is dropped, and nobody overtakes himself.
        """
        made: list[Message] = []
        taken = 0
        while True:
            until = min(now, self._plans[0][0]) if self._plans else now
            index, due = self.schedule.take(until, most - taken)
            if len(index):
                taken += len(index)
                made += self._out(self._reports(index, due))
                if taken < most:
                    continue  # a device may be several reports behind
                return made, False
            while self._plans and self._plans[0][0] <= until:
                at, _, act = heapq.heappop(self._plans)
                made += self._out(act(at))
            for each in self._speaking:
                said = each.speak(self._spoken, until)
                made += self._out(said.rows(said.leaf != STATUS))
                self._line.put(said.rows(said.leaf == STATUS))  # the broker says it, whatever befalls the device
            self._spoken = until
            made += self._handed(self._line.take(until))
            if until >= now:
                return made, True

    def cues(self, now: Micros) -> list[Cue]:
        """Return the acts on the service that are due by ``now``; ``done`` is to be called when they are."""
        due = []
        while self._cues and self._cues[0][0] <= now:
            due.append(heapq.heappop(self._cues)[2])
        return due

    def done(self, cue: Cue, at: Micros) -> None:
        """Go on with what waited for an act that was done at ``at``."""
        for part, waiting in self._waiting.pop((cue.scenario, cue.act.name), []):
            begins = at + round(waiting.at * SECOND)
            self.owed_until = max(self.owed_until, begins + FOLLOWS)
            if isinstance(waiting, Act):
                self._cue(part, waiting, begins)
            else:
                self._step(part, waiting, begins)

    def sent(self, at: Micros, *, acked: int, lost: int, failed: Sequence[str] = ()) -> Sent:
        """Return what was sent until ``at``."""
        return Sent(
            at, dict(self.published), acked, lost, self.readings, self.unusable, self.strangers, tuple(failed)
        )  # fmt: skip

    # what steps are played on: effects.Stage ----------------------------------------------------------

    def change(self, change: Change) -> None:
        """Let a metric change."""
        self._changes[change.device].append(change)
        self._touched[change.device] = True

    def happen(self, effect: Effect) -> None:
        """Let something happen in the physics."""
        self._signals.befall(effect)

    def befall(self, step: Fault, devices: Sequence[int], at: Micros, end: Micros | None) -> None:
        """Let a fault befall devices."""
        made = scenario_faults.make(
            step.fault, step.given, devices=devices,
            gateways=[device for device in devices if self._gateways[device]],
            seed=self.seed, start=at, end=end, clocks=self._spoiling,
        )  # fmt: skip
        self._spoiling += [made.report] if made.report is not None else []
        self._carrying += [made.way] if made.way is not None else []
        self._speaking += [made.speaking] if made.speaking is not None else []

    def plan(self, at: Micros, act: effects.Act) -> None:
        """Call ``act`` with ``at`` when it is due."""
        heapq.heappush(self._plans, (at, next(self._order), act))

    def stamp(self, device: int, at: Micros) -> Micros:
        """Return what a device takes the time for."""
        return int(shown(self._spoiling, np.array([device]), np.array([at], np.int64))[0])

    def written(self, devices: Int64s, at: Int64s) -> list[str]:
        """Return the next report of ``devices``, at instants ``at`` (µs), as JSON; "" without signals."""
        reports = Reports.of(devices, at, self._seq[devices] + messages.repeats(devices), self.sample(devices, at))
        np.add.at(self._seq, devices, 1)
        for fault in self._spoiling:
            fault.spoil(reports)
        return messages.reports(reports.blocks, reports.stamp, reports.seq)

    def expect(self, why: Because, truths: Sequence[Truth], devices: Sequence[int], at: Micros) -> None:
        """Note what should be alarmed because of a step."""
        for truth in truths:
            about = devices if truth.role is None else self._casting.roles[why.scenario, truth.role]
            self.expected += expected(truth, self.city, about, why, at)

    def expect_exactly(self, expected: Expected) -> None:
        """Note it."""
        self.expected.append(expected)

    # ---------------------------------------------------------------------------------------------------

    def _begin(self, part: Part) -> None:
        start = self._start + round(part.at * SECOND)
        for truth in part.script.may:
            assert truth.role is not None
            may = truth.model_copy(update={"least": 0})
            self.expect(Because(part.name, "may"), (may,), self._casting.roles[part.name, truth.role], start)
        for never in part.script.never:
            roles = self._casting.roles[part.name, never.role]
            self.forbidden += forbidden(never, self.city, roles, part.name)
        for act in part.script.acts:
            if act.after is None:
                self._cue(part, act, start + round(act.at * SECOND))
            else:
                self._waiting[part.name, act.after].append((part, act))
        for step in part.script.steps:
            if step.after is None:
                self._step(part, step, start + round(step.at * SECOND))
            else:
                self._waiting[part.name, step.after].append((part, step))

    def _cue(self, part: Part, act: Act, at: Micros) -> None:
        device = self._casting.roles[part.name, act.role][0]
        heapq.heappush(self._cues, (at, next(self._order), Cue(part.name, act, device, at)))

    def _step(self, part: Part, step: Step, at: Micros) -> None:
        devices = self._casting.roles[part.name, step.role]
        start = self._start + round(part.at * SECOND)
        played = Played(part.name, devices, part.script.cast[step.role].any, start)
        effects.begin(step, played, self, at)

    def _reports(self, index: Int64s, due: Int64s) -> Stream:
        if not len(index):
            return NOTHING
        # what has no signals reports its status: a gateway
        bodies = [text.encode() or ONLINE for text in self.written(index, due)]
        stream = Stream.of(due, index, bodies)
        stream.leaf[self._gateways[index]] = STATUS
        return stream

    def _out(self, stream: Stream) -> list[Message]:
        """Send ``stream`` on its way; return what is there at once."""
        if not self._carrying:
            return self._handed(stream)
        for fault in self._carrying:
            before, stream = stream, fault.carry(stream)
            if isinstance(fault, Malformed):  # row for row
                self.garbage.update(stream.body[stream.body != before.body])
        self._line.put(stream)
        return []

    def _handed(self, stream: Stream) -> list[Message]:
        self.strangers += int(self._new[stream.device].sum())
        for leaf, body in zip(stream.leaf.tolist(), stream.body.tolist(), strict=True):
            self.published[LEAVES[leaf]] += 1
            if body in self.garbage:
                self.unusable += 1
            elif leaf == TELEMETRY:
                self.readings += body.count(b'":') - body.count(b'"ts":') - body.count(b'"seq":')
        return stream.messages(self.city.devices)


def _column(metrics: tuple[str, ...], metric: str) -> int:
    """The column of a metric, or of its first channel."""
    for number, name in enumerate(metrics):
        if name.split(".")[0] == metric:
            return number
    raise InvalidInput(f"a scenario changes {metric!r}, which the device does not report ({', '.join(metrics)})")
