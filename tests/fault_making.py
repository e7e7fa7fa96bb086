"""What the tests of faults send and read: a small city, plain messages, reports and their objects."""

import json
from typing import Any

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.kinds import DeviceKind
from firetower.simulator import messages
from firetower.simulator.city import SimCity
from firetower.simulator.faults import places
from firetower.simulator.faults.stream import Reports, Stream
from firetower.simulator.signals import Signals

START: Micros = 1_763_800_000 * SECOND


def telemetry(device: np.ndarray, at: np.ndarray) -> Stream:
    """Messages whose body is the number of the row."""
    return Stream.of(at, device, [b'{"ts":%d,"seq":%d}' % (at_ // 1000, n) for n, at_ in enumerate(at.tolist())])


def grid(devices: int, reports: int, every: Micros = 10 * SECOND) -> tuple[np.ndarray, np.ndarray]:
    """(device, at) of so many reports of each of so many devices, in order of time."""
    return np.tile(np.arange(devices), reports), START + np.repeat(np.arange(reports), devices) * every


def reported(signals: Signals, device: np.ndarray, at: np.ndarray, seq: np.ndarray | None = None) -> Reports:
    return Reports.of(device, at, messages.repeats(device) if seq is None else seq, signals.sample(device, at))


def objects(reports: Reports) -> list[dict[str, Any]]:
    return [json.loads(text) for text in messages.reports(reports.blocks, reports.stamp, reports.seq)]


def talkers(city: SimCity, kind: DeviceKind) -> np.ndarray:
    return places.of_kind(city.city, kind).numbers
