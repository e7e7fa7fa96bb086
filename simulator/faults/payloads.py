"""Payloads that nobody can use, made of good ones."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from firetower.core.clock import Micros
from firetower.simulator.faults.stream import Devices, Stream

_VALUE = re.compile(rb'("(?!ts"|seq")[^"]+":)(-?[0-9.]+|true|false|"[^"]*")')
_TIME = re.compile(rb'"ts":\d+')

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda body: body[: len(body) * 2 // 3],
    "empty": lambda _: b"",
    "not text": lambda body: b"\xff\xfe\x00\x01" + body[4:],
    "not an object": lambda body: b'"' + body.replace(b'"', b"'") + b'"',
    "words for numbers": lambda body: _VALUE.sub(rb'\1"high"', body),
    "not a number": lambda body: _VALUE.sub(rb"\1NaN", body),
    "no such time": lambda body: _TIME.sub(b'"ts":"yesterday"', body),
    "two in one": lambda body: body + body,
    "other brackets": lambda body: b"<" + body[1:-1] + b">",
}
"""What becomes of a payload, by name. None of them can be decoded as the contract has it."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A ``share`` of the payloads is damaged, each in one of ``kinds`` of DAMAGE."""

    devices: Devices
    seed: int
    share: float
    kinds: tuple[str, ...] = tuple(DAMAGE)
    start: Micros = 0
    end: Micros | None = None

    def carry(self, stream: Stream) -> Stream:
        """Return all of it, some damaged."""
        hit = stream.on_air(self.devices, self.start, self.end)
        rows = np.flatnonzero(hit & (stream.fates(self.seed, "malformed") < self.share))
        body = stream.body.copy()
        which = stream.rows(rows).fates(self.seed, "damage") * len(self.kinds)
        for row, kind in zip(rows.tolist(), which.astype(int).tolist(), strict=True):
            body[row] = DAMAGE[self.kinds[kind]](body[row])
        return replace(stream, body=body)
