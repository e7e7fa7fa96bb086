"""The devices' messages, prepared ahead: a frame each, in which only time, number and packet id change.

What a frame says of its sensor is the city's signal at the time it was written. ``renew`` writes some of them anew, in
turn, so that no sensor stands still for long, and no message waits for physics.
"""

from collections.abc import Sequence

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.city import Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Int64s
from firetower.simulator import messages
from firetower.simulator.load.block import Block, frame, join
from firetower.simulator.messages import MILLI
from firetower.simulator.signals import Signals

FIRST_SEQ = 1_000_000_000
_NUMBERS = messages.SEQ_WRAP - FIRST_SEQ
"""Numbers begin at FIRST_SEQ, so that all have ten digits, and begin there again after 3.3 thousand million."""
_AT_ONCE = 4096
_TS_DIGITS, _SEQ_DIGITS = 13, 10


class Frames:
    """The prepared frames of devices ``which`` (positions in the city's ``devices``), in that order.

    ``seq``: reports of each device so far.
    """

    def __init__(
        self, devices: Sequence[Device], which: Int64s, signals: Signals, *, now: Micros, qos: int, version: int
    ) -> None:
        self._devices, self._which, self._signals = devices, which, signals
        self._qos, self._version = qos, version
        self._frames = [b""] * len(which)
        self._ids_at: Int64s = np.zeros(len(which), np.int64)
        self._ts_at: Int64s = np.zeros(len(which), np.int64)
        self._seq_at: Int64s = np.zeros(len(which), np.int64)
        self._sent: Int64s = np.zeros(len(which), np.int64)
        self._turn = 0
        for first in range(0, len(which), _AT_ONCE):
            self._write(np.arange(first, min(first + _AT_ONCE, len(which))), now)

    def _write(self, rows: Int64s, now: Micros) -> None:
        index = self._which[rows]
        at = np.full(len(rows), now, np.int64)
        texts = messages.reports(self._signals.sample(index, at), at, np.full(len(rows), FIRST_SEQ, np.int64))
        for row, number, text in zip(rows.tolist(), index.tolist(), texts, strict=True):
            device = self._devices[number]
            gateway = device.kind is DeviceKind.GATEWAY
            payload = b"online" if gateway else text.encode()
            made, id_at = frame(
                messages.topic(device, "status" if gateway else "telemetry"), payload,
                qos=self._qos, retain=gateway, version=self._version,
            )  # fmt: skip
            body = len(made) - len(payload)
            self._frames[row], self._ids_at[row] = made, id_at
            self._ts_at[row] = -1 if gateway else body + payload.index(b'"ts":') + 5
            self._seq_at[row] = -1 if gateway else body + payload.index(b'"seq":') + 6

    def renew(self, count: int, now: Micros) -> None:
        """Write the next ``count`` frames anew with what their sensors measure at ``now``."""
        if len(self._which):
            rows = (self._turn + np.arange(min(count, len(self._which)))) % len(self._which)
            self._turn = int(rows[-1]) + 1
            self._write(rows, now)

    def block(self, rows: Int64s, due: Int64s) -> Block:
        """Return the frames of ``rows`` (n,) with device times ``due`` (n,) µs, each with its device's next number."""
        made = join([self._frames[row] for row in rows.tolist()], self._ids_at[rows], due)
        seq = FIRST_SEQ + (self._sent[rows] + messages.repeats(rows)) % _NUMBERS
        np.add.at(self._sent, rows, 1)
        raw = np.frombuffer(made.data, np.uint8)
        begin, ts_at, seq_at = made.edges[:-1], self._ts_at[rows], self._seq_at[rows]
        timed = ts_at >= 0
        if not timed.all():
            begin, ts_at, seq_at, seq, due = begin[timed], ts_at[timed], seq_at[timed], seq[timed], due[timed]
        _digits(raw, begin + ts_at, due // MILLI, _TS_DIGITS)
        _digits(raw, begin + seq_at, seq, _SEQ_DIGITS)
        return made


def _digits(raw: np.ndarray, at: Int64s, values: Int64s, digits: int) -> None:
    """Write ``values`` as decimals of ``digits`` places at positions ``at``."""
    for place in range(digits - 1, -1, -1):
        values, digit = np.divmod(values, 10)
        raw[at + place] = digit + 48
