"""Frames side by side in one piece of memory, ready but for their packet ids: what one write sends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from firetower.core import mqtt_protocol as protocol
from firetower.devices.readings import Int64s
from firetower.simulator.messages import Message

ID_BYTES = 2


def frame(topic: str, payload: bytes, *, qos: int, retain: bool, version: int) -> tuple[bytes, int]:
    """Return a PUBLISH and where its packet id stands in it; that is of no meaning at QoS 0."""
    made = protocol.publish(topic, payload, mid=qos, retain=retain, version=version)
    return made, len(made) - len(payload) - ID_BYTES - (version == 5)


@dataclass(frozen=True, slots=True)
class Block:
    """n PUBLISH frames in ``data``: ``edges`` (n + 1,) where each begins and the last ends, ``ids_at`` (n,) where their
    packet ids stand, ``due`` (n,) µs at which they were meant to go out."""

    data: bytearray
    edges: Int64s
    ids_at: Int64s
    due: Int64s

    def __len__(self) -> int:
        return len(self.due)

    def part(self, first: int, last: int) -> "Block":
        """Return frames ``first`` up to ``last`` (without it), in the same memory."""
        return Block(self.data, self.edges[first : last + 1], self.ids_at[first:last], self.due[first:last])

    def bytes(self) -> memoryview:
        """Return the frames as they go over the wire."""
        return memoryview(self.data)[int(self.edges[0]) : int(self.edges[-1])]

    def number(self, ids: Int64s) -> None:
        """Write the packet ids ``ids`` (n,) into the frames."""
        if len(ids) == 1:  # a device with a connection of its own: numpy would cost more than the message
            at, mid = int(self.ids_at[0]), int(ids[0])
            self.data[at], self.data[at + 1] = mid >> 8, mid & 255
            return
        raw = np.frombuffer(self.data, np.uint8)
        raw[self.ids_at] = ids >> 8
        raw[self.ids_at + 1] = ids & 255

    def split(self, wire: Int64s) -> Iterator[tuple[int, "Block"]]:
        """Yield (wire, its frames) for runs of equal ``wire`` (n,)."""
        cuts = [0, *(np.flatnonzero(np.diff(wire)) + 1).tolist(), len(wire)]
        for first, last in pairwise(cuts):
            yield int(wire[first]), self.part(first, last)


def join(frames: Sequence[bytes], ids_at: Int64s, due: Int64s) -> Block:
    """Return ``frames`` as a block; ``ids_at``: where the packet id stands in each."""
    edges = np.zeros(len(frames) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, frames), np.int64, len(frames)), out=edges[1:])
    return Block(bytearray(b"".join(frames)), edges, edges[:-1] + ids_at, due)


def of_messages(messages: Sequence[Message], *, qos: int, version: int) -> Block:
    """Return ``messages`` as a block, each with a frame of its own."""
    made = [
        frame(message.topic, message.payload, qos=qos, retain=message.retain, version=version) for message in messages
    ]
    due = np.array([message.due for message in messages], np.int64)
    return join([one for one, _ in made], np.array([at for _, at in made], np.int64), due)
