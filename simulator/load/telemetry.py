"""A load's messages, each at its instant: arrivals looked up ahead, frames taken from the prepared ones."""

from collections.abc import Iterator

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Int64s
from firetower.simulator.load.arrivals import Arrivals
from firetower.simulator.load.block import Block
from firetower.simulator.load.frames import Frames

AHEAD: Micros = SECOND // 20
"""How far arrivals are looked up ahead of the clock."""
_RENEWED, _RENEW_EACH = 256, SECOND // 4
"""Frames written anew, and how often: a thousand devices a second say something new."""


class Telemetry:
    """The source of a load that began at ``start``. ``wire``: the connection of each device of ``frames``."""

    def __init__(self, arrivals: Arrivals, frames: Frames, wire: Int64s, *, start: Micros) -> None:
        self._arrivals, self._frames, self._wire, self._start = arrivals, frames, wire, start
        self._known = 0
        self._renew_at = start
        self._rows: Int64s = np.zeros(0, np.int64)
        self._at: Int64s = np.zeros(0, np.int64)

    def due(self, now: Micros) -> Iterator[tuple[int, Block]]:
        """Yield what is due by ``now`` and was not yielded before, a block for each connection."""
        into = now - self._start + 1
        if into > self._known:
            self._look(into)
        count = int(np.searchsorted(self._at, into))
        if count:
            rows, due = self._rows[:count], self._at[:count] + self._start
            self._rows, self._at = self._rows[count:], self._at[count:]
            wire = self._wire[rows]
            order = np.argsort(wire, kind="stable")
            yield from self._frames.block(rows[order], due[order]).split(wire[order])
        if self._known - into < AHEAD // 2:
            self._look(max(into, 0) + AHEAD)
        if now >= self._renew_at:
            self._renew_at = now + _RENEW_EACH
            self._frames.renew(_RENEWED, now)

    def _look(self, until: Micros) -> None:
        """Look up what is due before ``until`` µs from the start."""
        rows, at, _ = self._arrivals.until(until)
        self._known = until
        self._rows = np.concatenate([self._rows, rows])
        self._at = np.concatenate([self._at, at])
