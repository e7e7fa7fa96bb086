"""The live feed for consoles that are behind: what is urgent overtakes, nothing is lost, who reads nothing leaves."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from waiting import until

from firetower.storage import changes
from firetower.web import backlog, live, live_pipe, live_socket, subscription

FAULTS = 2000


class SlowReader:
    """A console that reads only when it is told to: a bare WebSocket client on a socket."""

    def __init__(self, made: socket.socket) -> None:
        self.deaf = False
        self._made = made
        self._buffer = b""

    async def _exactly(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        while len(self._buffer) < size:
            more = await loop.sock_recv(self._made, 16_384)
            assert more, "the server hung up"
            self._buffer += more
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def shake_hands(self, running: Any, query: str = "") -> None:
        """Ask for the feed."""
        lines = [
            f"GET /api/v1/live{query} HTTP/1.1",
            "Host: firetower",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Authorization: {running.headers['Authorization']}",
        ]
        await asyncio.get_running_loop().sock_sendall(self._made, ("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await self._exactly(1)
        assert b" 101 " in head

    async def say(self, said: Any) -> None:
        """Send a message of the page's."""
        data = json.dumps(said).encode()
        await asyncio.get_running_loop().sock_sendall(self._made, bytes((0x81, 0x80 | len(data), 0, 0, 0, 0)) + data)

    async def frame(self) -> Any:
        """Return the next frame; pings before it are answered, as a browser does by itself."""
        async with asyncio.timeout(20):
            while True:
                kind, size = await self._exactly(2)
                if size >= 126:
                    size = int.from_bytes(await self._exactly(2 if size == 126 else 8), "big")
                data = await self._exactly(size)
                if kind == 0x81:
                    return json.loads(data)
                assert kind == 0x89, "the server says goodbye"
                if not self.deaf:
                    pong = bytes((0x8A, 0x80 | size, 0, 0, 0, 0)) + data
                    await asyncio.get_running_loop().sock_sendall(self._made, pong)


@asynccontextmanager
async def slow_reader(running: Any, query: str = "") -> AsyncIterator[SlowReader]:
    """Connect a console that has not read anything yet."""
    if not running.headers:
        await running.sign_in()
    await until(lambda: running.site.hub.seq >= 0)
    host, port = running.url.removeprefix("http://").split(":")
    with socket.socket() as made:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (host, int(port)))
        reader = SlowReader(made)
        await reader.shake_hands(running, query)
        yield reader


async def storm(running: Any, count: int) -> None:
    """Have faults raised and announced, 250 a commit."""
    first = int(await running.raise_alert("first", event="fault"))
    for start in range(0, count, 250):
        ids = list(range(10_000 + start, 10_000 + min(start + 250, count)))
        async with running.pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "INSERT INTO alert SELECT (jsonb_populate_record(a, jsonb_build_object('id', n, 'subject', 'x/' || n)))"
                ".* FROM alert a, unnest($2::bigint[]) AS n WHERE a.id = $1",
                first,
                ids,
            )
            await changes.announce(conn, ids, running.clock.now())
    await hub_reads(running)


async def hub_reads(running: Any) -> int:
    """Wait until the hub knows all there is, and return its number."""
    newest = await running.pool.fetchval("SELECT max(seq) FROM live_change")
    await until(lambda: running.site.hub.seq == newest)
    return int(newest)


async def follow(reader: SlowReader, seq: int) -> list[Any]:
    """Read every frame up to the one of this number."""
    frames = [await reader.frame()]
    while frames[-1]["seq"] < seq:
        frames.append(await reader.frame())
    return frames


def held(frames: list[Any]) -> dict[str, Any]:
    """What a console has that read these frames: the newest of every alert that is not closed."""
    known: dict[str, Any] = {}
    for frame in frames:
        if frame["type"] == "snapshot":
            known.clear()
        for alert in frame.get("alerts", []):
            known[alert["id"]] = alert
    return {id_: alert for id_, alert in known.items() if alert["state"] != "closed"}


async def test_a_fire_overtakes_thousands_of_faults_that_a_slow_console_has_not_read(running: Any) -> None:
    """It heads the frame after the two that had been sent by then: one fault, and the first of the storm. All else
    comes behind it."""
    async with slow_reader(running) as reader:
        assert (await reader.frame())["type"] == "snapshot"
        await storm(running, FAULTS)
        fire = await running.raise_alert("smk-1")
        newest = await hub_reads(running)
        frames = [each for each in await follow(reader, newest) if each["type"] == "changes"]
    brought = [n for n, frame in enumerate(frames) if any(alert["id"] == fire for alert in frame["alerts"])]
    assert brought[0] <= 2
    assert frames[brought[0]]["alerts"][0]["id"] == fire
    assert len(frames) > brought[0] + FAULTS // backlog.PART // 2
    assert [frame["seq"] for frame in frames] == sorted(frame["seq"] for frame in frames)
    assert len(held(frames)) == FAULTS + 2


async def test_a_client_that_never_answers_a_ping_is_told_everything_all_the_same(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket alone then says how fast it reads."""
    monkeypatch.setattr(live_pipe, "DEAF_S", 0.1)
    monkeypatch.setattr(live_pipe, "SILENT_S", 1.0)
    async with slow_reader(running) as reader:
        reader.deaf = True
        await storm(running, 1000)
        newest = await hub_reads(running)
        assert len(held(await follow(reader, newest))) == 1001


async def test_the_feed_of_somebody_who_presses_a_key_does_not_wait_for_the_store(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pongs come the same way as the word that a key was pressed: unread, they would keep every frame back."""
    monkeypatch.setattr(live_pipe, "SILENT_S", 2.0)
    written: list[str] = []

    async def hangs(account: str) -> None:
        written.append(account)
        await asyncio.Event().wait()

    monkeypatch.setattr(running.site.hub.watch, "is_there", hangs)
    async with slow_reader(running) as reader:
        await storm(running, 500)
        frames = await follow(reader, await hub_reads(running))
        await reader.say({"type": "present"})
        await until(lambda: written)
        async with running.pool.acquire() as conn, conn.transaction():
            ids = [row["id"] for row in await conn.fetch("UPDATE alert SET text = 'again' RETURNING id")]
            await changes.announce(conn, ids, running.clock.now())
        frames += await follow(reader, await hub_reads(running))
    assert {alert["text"] for alert in held(frames).values()} == {"again"}


async def test_what_changed_many_times_meanwhile_is_told_once_as_it_stands(running: Any) -> None:
    """A console cut off before it has all of it comes back with the number it has, and lacks nothing."""
    async with slow_reader(running) as reader:
        frames = [await reader.frame()]
        await storm(running, 1000)
        for text in ("one", "two", "three"):
            async with running.pool.acquire() as conn, conn.transaction():
                await conn.execute(
                    "UPDATE alert SET text = $1, state = CASE WHEN id % 10 = 0 THEN 'closed' ELSE state END", text
                )
                ids = [row["id"] for row in await conn.fetch("SELECT id FROM alert")]
                await changes.announce(conn, ids, running.clock.now())
            newest = await hub_reads(running)
        frames += [await reader.frame() for _ in range(3)]
    async with slow_reader(running, f"?after={frames[-1]['seq']}") as reader:
        frames += await follow(reader, newest)
    assert all(frame["type"] != "snapshot" for frame in frames[1:])
    assert {alert["text"] for alert in held(frames).values()} == {"three"}
    assert len(held(frames)) == 900 + 1
    told = [alert["id"] for frame in frames[4:] for alert in frame.get("alerts", [])]
    assert len(told) == len(set(told))


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_reader_that_stops_is_dropped_alone(
    running: Any, monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    """By its pongs or, where it gives none, by its socket, be a frame on its way or not. One that reads slowly is not
    dropped, however much it has missed."""
    if deaf:
        monkeypatch.setattr(live_pipe, "DEAF_S", 0.0)
    pipes: list[live_pipe.LivePipe] = []

    def noted(*given: Any) -> live_pipe.LivePipe:
        pipes.append(live_pipe.LivePipe(*given))
        return pipes[-1]

    monkeypatch.setattr(live_socket, "LivePipe", noted)
    monkeypatch.setattr(live_pipe, "SILENT_S", 0.5)
    monkeypatch.setattr(live_pipe, "LOOK_S", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    hub = running.site.hub
    async with slow_reader(running) as stopped:
        await stopped.frame()
        (stuck,) = hub._subscriptions
        async with slow_reader(running) as slow:
            reading = asyncio.create_task(follow(slow, 4000 // 250 + 2))
            await storm(running, 4000)
            await until(lambda: stuck.dropped == subscription.SLOW_READER)
            await until(lambda: hub.consoles == 1)
            wire = pipes[0]._transport
            await until(lambda: wire.is_closing() and not wire.get_write_buffer_size())  # it is not waited for
            fire = await running.raise_alert("smk-1")
            assert fire in held(await reading)


async def test_one_that_missed_more_closed_alerts_than_are_kept_is_given_a_snapshot(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended is in no snapshot: so what waits for a console stays bounded, and it ends up with what is open."""
    monkeypatch.setattr(backlog, "MOST_ENDED", 500)
    async with slow_reader(running) as reader:
        frames = [await reader.frame()]
        await storm(running, 2000)
        async with running.pool.acquire() as conn, conn.transaction():
            closed = await conn.fetch("UPDATE alert SET state = 'closed' WHERE id > 10000 RETURNING id")
            await changes.announce(conn, [row["id"] for row in closed], running.clock.now())
        newest = await hub_reads(running)
        frames += await follow(reader, newest)
    assert [frame["type"] for frame in frames].count("snapshot") == 2
    assert len(held(frames)) == 2
