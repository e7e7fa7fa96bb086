"""The line from devices to the broker: faults on the way, and what is still under way."""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from firetower.core.clock import Micros
from firetower.simulator import messages
from firetower.simulator.faults.outage import KEPT
from firetower.simulator.faults.stream import TELEMETRY, Stream, WayFault

NEVER: Micros = np.iinfo(np.int64).max


class Line:
    """Messages put in come out when they are due, in that order; those due at one instant as they were put in.

    Faults are met in the order given: what the device does (reboot, flat battery), then ``CutOff``, then the radio and
    damage. The line holds whatever is under way, without bound: a simulation knows how much that is.
    """

    def __init__(self, faults: Sequence[WayFault] = ()) -> None:
        self._faults = tuple(faults)
        self._order = itertools.count()
        self._waiting: list[tuple[Micros, int, int, int, bytes, bool, Micros]] = []

    def put(self, stream: Stream) -> None:
        """Send messages on their way, through all faults in their order."""
        for fault in self._faults:
            stream = fault.carry(stream)
        for due, at, device, leaf, body, stored in zip(
            stream.due.tolist(),
            stream.at.tolist(),
            stream.device.tolist(),
            stream.leaf.tolist(),
            stream.body.tolist(),
            stream.stored.tolist(),
            strict=True,
        ):
            heapq.heappush(self._waiting, (due, next(self._order), device, leaf, body, stored, at))

    def take(self, now: Micros) -> Stream:
        """Return what has arrived by ``now``; what was stored comes as arrays, oldest first, the newest 600 of it."""
        rows: list[tuple[Micros, int, int, Micros, bytes | None]] = []
        stores: dict[tuple[int, int, Micros], list[tuple[Micros, int, bytes]]] = {}
        while self._waiting and self._waiting[0][0] <= now:
            due, order, device, leaf, body, stored, at = heapq.heappop(self._waiting)
            if stored:
                store = stores.setdefault((device, leaf, due), [])
                if not store:
                    rows.append((due, device, leaf, at, None))
                store.append((at, order, body))
            else:
                rows.append((due, device, leaf, at, body))
        out: list[tuple[Micros, int, int, Micros, bytes]] = []
        for due, device, leaf, at, sent in rows:
            if sent is not None:
                out.append((due, device, leaf, at, sent))
            else:
                records = [record for _, _, record in sorted(stores[device, leaf, due])]
                # readings are overwritten by newer ones, alarms are not
                kept = records[-KEPT:] if leaf == TELEMETRY else records
                out += [(due, device, leaf, at, array) for array in messages.backlogs(kept)]
        return _stream(out)

    @property
    def next_due(self) -> Micros:
        """When the next message arrives, µs; NEVER when none is under way."""
        return self._waiting[0][0] if self._waiting else NEVER

    def __len__(self) -> int:
        return len(self._waiting)


def _stream(rows: list[tuple[Micros, int, int, Micros, bytes]]) -> Stream:
    if not rows:
        return Stream.joined([])
    due, device, leaf, at, bodies = zip(*rows, strict=True)
    sent = Stream.of(np.array(due, np.int64), np.array(device, np.int64), bodies)
    return replace(sent, at=np.array(at, np.int64), leaf=np.array(leaf, np.int64))
