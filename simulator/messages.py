"""Messages as they go over the wire, and the JSON they carry."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.city import Device
from firetower.devices.readings import Int64s
from firetower.devices.topics import Topic
from firetower.simulator.signals import Block, Shape

SEQ_WRAP = 1 << 32
LONGEST_BODY = 65_536  # bytes of one message, by the contract
MILLI = 1000  # µs in a millisecond


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH and the instant (µs) it was meant for."""

    due: Micros
    topic: str
    payload: bytes
    retain: bool = False


def topic(device: Device, leaf: str) -> str:
    """Return the topic of a device's telemetry, alarm or status."""
    return str(Topic(device.unit, device.device, leaf))


@cache
def _template(shape: Shape) -> str:
    values = ",".join(f'"{metric}":%.{places}f' for metric, places in zip(shape.metrics, shape.decimals, strict=True))
    return '{"ts":%d,"seq":%d,' + values + "}"


def reports(blocks: list[Block], at: Int64s, seq: Int64s) -> list[str]:
    """Return the JSON object of each reading of a batch, in the order of the batch; "" where a device has none."""
    made = [""] * len(at)
    for block in blocks:
        template = _template(block.shape)
        stamps = (at[block.where] // MILLI).tolist()
        numbers = (seq[block.where] % SEQ_WRAP).tolist()
        for where, stamp, number, values in zip(
            block.where.tolist(), stamps, numbers, block.values.tolist(), strict=True
        ):
            made[where] = template % (stamp, number, *values)
    return made


def repeats(index: Int64s) -> Int64s:
    """Return how often each entry of ``index`` stood in it before."""
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    place = np.arange(len(index))
    before = np.empty(len(index), np.int64)
    before[order] = place - np.maximum.accumulate(np.where(new, place, 0))
    return before


def backlog(objects: list[str]) -> bytes:
    """Return stored reports, oldest first, as the array a store-and-forward gateway sends (补报)."""
    return ("[" + ",".join(objects) + "]").encode()


def backlogs(objects: list[bytes]) -> list[bytes]:
    """Return stored reports as few arrays as fit into messages of 64 KiB, oldest first."""
    arrays: list[bytes] = []
    begin, size = 0, 0
    for number, text in enumerate(objects):
        length = len(text) + 1
        if size and size + length > LONGEST_BODY - 1:
            arrays.append(b"[" + b",".join(objects[begin:number]) + b"]")
            begin, size = number, 0
        size += length
    if begin < len(objects):
        arrays.append(b"[" + b",".join(objects[begin:]) + b"]")
    return arrays


def alarm(at: Micros, event: str, *, active: bool, component: str, text: str) -> bytes:
    """Return an alarm object."""
    body: dict[str, object] = {"ts": at // MILLI, "event": event, "active": active}
    if component:
        body["component"] = component
    if text:
        body["text"] = text
    return json.dumps(body, ensure_ascii=False).encode()
