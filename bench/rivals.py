"""What ingest is compared with, each a process of its own on the same broker and PostgreSQL.

``bare``: a loop that parses whole socket buffers, decodes with msgspec, COPYs three rows a message into a table with
one index and acknowledges after the commit: no rules, no de-duplication, no registry. ``broker``: a subscriber that
only acknowledges. ``plain``: an aiomqtt and asyncpg ingestor as a competent user writes it.
"""

import asyncio
import contextlib
import io
import json
import socket
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import asyncpg
import msgspec
import numpy as np

from bench.frames import acks, dial, split

ROOT = "benchmark/v1"
"""As long as the service's root, and nothing it subscribes to."""
_FILTER = f"{ROOT}/+/+/telemetry"
_BATCH = 6_000
_POSTGRES_EPOCH = 946_684_800_000_000
_COLUMNS = "ts, device, metric, channel, value, flags, received_at"
_ROW = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("ts", ">i8"), ("l2", ">i4"), ("device", ">i4"), ("l3", ">i4"),
     ("metric", ">i2"), ("l4", ">i4"), ("channel", ">i2"), ("l5", ">i4"), ("value", ">f8"), ("l6", ">i4"),
     ("flags", ">i2"), ("l7", ">i4"), ("received", ">i8")]
)  # fmt: skip
_LENGTHS = {"fields": 7, "l1": 8, "l2": 4, "l3": 2, "l4": 2, "l5": 8, "l6": 2, "l7": 8}
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class Message(msgspec.Struct):
    """One telemetry message of the generator."""

    ts: int
    seq: int
    residual: float = msgspec.field(name="residual_current")
    one: float = msgspec.field(name="cable_temperature.1")
    two: float = msgspec.field(name="cable_temperature.2")


async def _table(database: asyncpg.Connection, name: str) -> None:
    await database.execute(
        f"CREATE TABLE IF NOT EXISTS {name} (ts timestamptz NOT NULL, device integer NOT NULL,"
        " metric smallint NOT NULL, channel smallint NOT NULL, value double precision NOT NULL,"
        " flags smallint NOT NULL, received_at timestamptz NOT NULL);"
        f" CREATE INDEX IF NOT EXISTS {name}_key ON {name} (ts, device, metric, channel)"
    )


class Packer:
    """Messages to rows of binary COPY."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Message).decode
        self._devices: dict[bytes, int] = {}

    def rows(self, messages: list[tuple[bytes, bytes, bytes]]) -> bytes:
        """Return three rows for each (topic, packet id, payload)."""
        devices, decode = self._devices, self._decode
        ts, device, value = [], [], []
        for topic, _, payload in messages:
            said = decode(payload)
            ts.append(said.ts)
            device.append(devices.setdefault(topic, len(devices)))
            value += (said.residual, said.one, said.two)
        rows = np.empty(3 * len(messages), _ROW)
        for name, length in _LENGTHS.items():
            rows[name] = length
        rows["ts"] = np.repeat(np.array(ts, np.int64) * 1000 - _POSTGRES_EPOCH, 3)
        rows["device"] = np.repeat(np.array(device, np.int32), 3)
        rows["metric"] = np.tile((1, 2, 2), len(messages))
        rows["channel"] = np.tile((0, 1, 2), len(messages))
        rows["value"] = value
        rows["flags"] = 0
        rows["received"] = time.time_ns() // 1000 - _POSTGRES_EPOCH
        return _HEAD + rows.tobytes() + _TAIL


async def _bare(url: str, database_url: str, count: int, *, copies: bool) -> None:
    """Take ``count`` messages; with ``copies`` each is acknowledged after the commit that holds it."""
    database = await asyncpg.connect(database_url)
    await _table(database, "bench_bare")
    wire = dial(url, "bench-bare", subscribe=_FILTER)
    wire.setblocking(False)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    loop, packer = asyncio.get_running_loop(), Packer()
    waiting: list[tuple[bytes, bytes, bytes]] = []
    arrived, room = asyncio.Event(), asyncio.Event()
    room.set()

    async def read() -> None:
        buffer = bytearray()
        while True:
            data = await loop.sock_recv(wire, 1 << 18)
            if not data:
                raise SystemExit("the broker closed the bare loop's connection")
            buffer += data
            waiting.extend(split(buffer))
            arrived.set()
            if len(waiting) > 4 * _BATCH:
                room.clear()
                await room.wait()

    print("ready", flush=True)
    reading = asyncio.create_task(read(), name="read")
    taken = 0
    while taken < count:
        await arrived.wait()
        arrived.clear()
        while waiting:
            batch = waiting[:_BATCH]
            del waiting[:_BATCH]
            room.set()
            if copies:
                await database.copy_to_table(
                    "bench_bare", source=io.BytesIO(packer.rows(batch)), columns=_COLUMNS.split(", "), format="binary"
                )
            await loop.sock_sendall(wire, acks([packet for _, packet, _ in batch]))
            taken += len(batch)
    _report(taken)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await database.close()


async def _plain(url: str, database_url: str, count: int) -> None:
    """Take ``count`` messages as the documentation of both libraries suggests: batches of up to 1,000 messages."""
    parts = urlsplit(url)
    database = await asyncpg.connect(database_url)
    await _table(database, "bench_plain")
    devices: dict[str, int] = {}
    async with aiomqtt.Client(
        parts.hostname or "", parts.port or 1883, username=parts.username, password=parts.password,
        identifier=f"bench-plain-{time.time_ns()}",
    ) as client:  # fmt: skip
        await client.subscribe(_FILTER, qos=1)
        print("ready", flush=True)
        taken, rows = 0, []
        async for message in client.messages:
            now = datetime.now(UTC)
            said = json.loads(message.payload)
            device = devices.setdefault(str(message.topic), len(devices))
            at = datetime.fromtimestamp(said["ts"] / 1000, UTC)
            for metric, name, channel in (
                (1, "residual_current", 0), (2, "cable_temperature.1", 1), (2, "cable_temperature.2", 2),
            ):  # fmt: skip
                rows.append((at, device, metric, channel, said[name], 0, now))
            taken += 1
            if len(rows) >= 3000 or not len(client.messages) or taken == count:
                await database.copy_records_to_table("bench_plain", records=rows, columns=_COLUMNS.split(", "))
                rows.clear()
            if taken == count:
                break
    _report(taken)
    await database.close()


def _report(taken: int) -> None:
    print(json.dumps({"taken": taken, "ended": time.monotonic()}), flush=True)
    with contextlib.suppress(EOFError):
        sys.stdin.read()  # stay until the processor time is read


def main(kind: str, given: dict[str, Any]) -> None:
    """Run one of them on ``mqtt``, ``database`` for ``count`` messages."""
    url, database, count = given["mqtt"], given["database"], given["count"]
    asyncio.run(_plain(url, database, count) if kind == "plain" else _bare(url, database, count, copies=kind == "bare"))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
