"""One connection of simulated devices: it sends blocks of frames, keeps count of their PUBACKs, and comes back.

Nothing here waits for the broker: what the connection cannot take stays in its queue, in order, and the latency of a
message runs from its intended instant all the same. What arrives is only noted with its time; ``digest`` reads it
later, many PUBACKs at once.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firetower.core import mqtt_protocol as protocol
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.mqtt import waits
from firetower.core.mqtt_address import Address
from firetower.core.mqtt_message import Connack
from firetower.devices.readings import Int64s
from firetower.simulator.load.block import Block
from firetower.simulator.load.tally import LATE_AFTER, Tally

KEEPALIVE = 60
"""Seconds: it is asked after a third of them, and after all of them without an answer the connection is given up."""
PACKET_IDS = 65_535
_ANSWER_WITHIN = 10.0
_STEADY = 10.0
_CHOKED = 1 << 18
"""Bytes the kernel has not taken, from which on the connection's queue waits."""
_A_WRITE = 2000
_PUBACK = 0x4002
_FREE = -1


@dataclass(frozen=True, slots=True)
class Account:
    """How devices sign in."""

    user: str | None
    password: str | None


class Wire(asyncio.Protocol):
    """A client id at a broker, for blocks of frames. ``window``: most messages that may wait for their PUBACK.

    ``on_heard`` is called once when something came that ``digest`` has not read.
    """

    def __init__(
        self,
        client_id: str,
        address: Address,
        account: Account,
        *,
        context: ssl.SSLContext | None,
        qos: int,
        window: int,
        clock: Clock,
        tally: Tally,
        on_heard: Callable[["Wire"], None],
    ) -> None:
        self.client_id = client_id
        self._address, self._account, self._context = address, account, context
        self._qos, self._window, self._clock, self._tally, self._on_heard = qos, window, clock, tally, on_heard
        self._queue: deque[Block] = deque()
        self._due: Int64s = np.full(min(window, PACKET_IDS) + 1, _FREE, np.int64)
        self._room = self._most = len(self._due) - 1
        self._cut_off: list[Int64s] = []
        self._last_id = 0
        self._transport: asyncio.Transport | None = None
        self._parser = protocol.Parser(address.version, 0)
        self._parts: list[tuple[Micros, bytes]] = []
        self._rest = b""
        self._choked = self._told = False
        self._keep_alive = float(KEEPALIVE)
        self._heard = self._asked = self._spoke = clock.now()
        self._connack: asyncio.Future[Connack] | None = None
        self._over: asyncio.Future[str] | None = None
        self.connected = False
        self.last_error: str | None = None

    # sending ------------------------------------------------------------------------------------------

    def offer(self, block: Block) -> None:
        """Send ``block`` after what waits already, now or when the connection can."""
        self._queue.append(block)
        self._tally.waiting += len(block)
        self.pump()

    def pump(self) -> None:
        """Send what may go now."""
        while self._queue and self._room and self.connected and not self._choked:
            block = self._queue[0]
            count = min(len(block), self._room, _A_WRITE) if self._qos else min(len(block), _A_WRITE)
            if count < len(block):
                self._queue[0] = block.part(count, len(block))
                block = block.part(0, count)
            else:
                self._queue.popleft()
            self._write(block)

    def _write(self, block: Block) -> None:
        assert self._transport is not None
        tally, count = self._tally, len(block)
        self._spoke = now = self._clock.now()
        longest = now - int(block.due[0])  # a block is in the order of its instants
        if longest > LATE_AFTER:
            tally.late += int((now - block.due > LATE_AFTER).sum())
        tally.latest = max(tally.latest, longest)
        tally.waiting -= count
        tally.sent += count
        if self._qos:
            ids = self._ids(count)
            self._due[ids] = block.due
            block.number(ids)
            self._room -= count
            tally.in_flight += count
        else:
            tally.latency.record(now - block.due)
        self._transport.write(block.bytes())

    def _ids(self, count: int) -> Int64s:
        """Return packet ids that are free; there are as many."""
        if count == 1 and self._due[self._last_id % self._most + 1] == _FREE:
            self._last_id = self._last_id % self._most + 1
            return np.array([self._last_id])
        ids: Int64s = (self._last_id + np.arange(count)) % self._most + 1
        if (self._due[ids] != _FREE).any():
            free = np.flatnonzero(self._due[1 : self._most + 1] == _FREE) + 1
            ids = np.roll(free, -int(np.searchsorted(free, self._last_id + 1)))[:count]
        self._last_id = int(ids[-1])
        return ids

    # what the broker says -----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Note what came and when."""
        self._parts.append((self._clock.now(), data))
        if not self._told:
            self._told = True
            self._on_heard(self)

    def digest(self) -> None:
        """Read what came: PUBACKs by the block where there is nothing else."""
        self._told = False
        parts, self._parts = self._parts, []
        if not parts:
            return
        self._heard = parts[-1][0]
        data = self._rest + b"".join(part for _, part in parts)
        whole = len(data) & ~3
        words = np.frombuffer(data, ">u2", whole // 2)
        if not self._parser.unfinished and (words[::2] == _PUBACK).all():
            self._rest = data[whole:]
            ids = words[1::2].astype(np.int64)
            at: Int64s | int = self._heard
            if len(parts) > 1:
                # the part in which each PUBACK's last byte came; the rest of before counts to the first
                edges = np.cumsum([len(part) for _, part in parts]) + (len(data) - sum(len(part) for _, part in parts))
                at = np.array([when for when, _ in parts])[np.searchsorted(edges, 4 * np.arange(1, len(ids) + 1))]
            self._confirm(ids, at)
        else:
            self._rest = b""
            self._read(data)
        self.pump()

    def _read(self, data: bytes) -> None:
        """Read packets of every kind."""
        self._parser.feed(data)
        more = True
        while more:
            taken = self._parser.take(self._heard)
            more = taken.more
            if taken.acknowledged:
                self._confirm(np.array(taken.acknowledged, np.int64), self._heard)
            if taken.refused:
                self._confirm(np.array(list(taken.refused), np.int64), None)
                self._tally.errors.update(f"message refused: {why}" for why in taken.refused.values())
            if taken.connack is not None and self._connack is not None and not self._connack.done():
                self._connack.set_result(taken.connack)
            if taken.goodbye is not None:
                self._end(f"the broker ended the connection: {taken.goodbye}")
            if taken.error is not None:
                self._end(f"the broker broke the protocol: {taken.error}")

    def _confirm(self, ids: Int64s, at: Int64s | int | None) -> None:
        """Free ``ids``, answered at ``at`` (µs, one or one each); None: refused."""
        known = ids < len(self._due)
        due = self._due[ids[known]]
        mine = due != _FREE
        if not (known.all() and mine.all()):
            self._tally.errors["PUBACK for no message"] += len(ids) - int(mine.sum())
            if isinstance(at, np.ndarray):
                at = at[known][mine]
            ids, due = ids[known][mine], due[mine]
        self._due[ids] = _FREE
        self._room += len(ids)
        self._tally.in_flight -= len(ids)
        if at is None:
            self._tally.refused += len(ids)
        else:
            self._tally.acknowledged += len(ids)
            self._tally.latency.record(np.asarray(at - due))

    # the connection -----------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Connect and stay connected until cancelled."""
        pauses = waits()
        while True:
            began = self._clock.now()
            try:
                await self._live()
            except TimeoutError:
                self._note(f"the broker does not answer within {_ANSWER_WITHIN:.0f} s")
            except OSError as err:
                self._note(f"cannot be reached: {err.strerror or err}")
            finally:
                if self._transport is not None:
                    self._transport.abort()
            self._lose()
            if self._clock.now() - began > _STEADY * SECOND:
                pauses = waits()
            await asyncio.sleep(next(pauses))

    async def _live(self) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        self._connack, self._over = loop.create_future(), loop.create_future()
        self._parser, self._rest, self._choked = protocol.Parser(address.version, 0), b"", False
        async with asyncio.timeout(_ANSWER_WITHIN):
            transport, _ = await loop.create_connection(
                lambda: self, address.host, address.port, ssl=self._context,
                server_hostname=address.host if self._context is not None else None,
            )  # fmt: skip
            self._transport = transport
            self._transport.set_write_buffer_limits(high=_CHOKED)
            self._transport.write(
                protocol.connect(
                    self.client_id, version=address.version, keep_alive=KEEPALIVE, clean=True, user=self._account.user,
                    password=self._account.password,
                )
            )  # fmt: skip
            either: set[asyncio.Future[Connack] | asyncio.Future[str]] = {self._connack, self._over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._connack.done():
            self._note(self._over.result())
            return
        answer = self._connack.result()
        if answer.refusal is not None:
            self._note(f"connection refused: {answer.refusal}")
            return
        self._room = self._most = min(len(self._due) - 1, answer.window)
        self._keep_alive = min(self._keep_alive, answer.keep_alive or self._keep_alive)
        self._heard = self._spoke = self._clock.now()
        self.connected, self.last_error = True, None
        self._tally.connected += 1
        self.pump()
        self._note(await self._over)

    def _note(self, reason: str) -> None:
        self.last_error = reason
        self._tally.errors[reason] += 1

    def _lose(self) -> None:
        """Give up what waits on the connection for a PUBACK; what waits to be sent stays."""
        self._transport = None
        if self.connected:
            self.connected = False
            self._tally.connected -= 1
        lost = self._due[self._due != _FREE]
        if len(lost):
            self._cut_off.append(lost)
        self._tally.cut_off += len(lost)
        self._tally.in_flight -= len(lost)
        self._due[:] = _FREE
        self._parts.clear()

    def give_up(self) -> None:
        """Count what was not acknowledged with the time it has waited: its latency is no less."""
        open_ = [self._due[self._due != _FREE], *self._cut_off, *(block.due for block in self._queue)]
        self._tally.latency.record(self._clock.now() - np.concatenate(open_))

    def care(self, now: Micros) -> None:
        """Ask a broker that has not been spoken to for a while, and leave one that does not answer."""
        if not self.connected or self._transport is None:
            return
        third = self._keep_alive * SECOND / 3
        if now - self._spoke >= third:
            self._spoke = now
            if not self._choked:
                self._transport.write(protocol.PINGREQ)
        if now - self._heard >= self._keep_alive * SECOND:
            self._end(f"the broker has not answered for {self._keep_alive:g} s")

    def goodbye(self) -> None:
        """Say DISCONNECT where there is a connection."""
        if self.connected and self._transport is not None and not self._choked:
            self._transport.write(protocol.DISCONNECT)

    def pause_writing(self) -> None:
        """Note that the kernel takes no more."""
        self._choked = True

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._choked = False
        self.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why it is over."""
        self.digest()
        why = (isinstance(exc, OSError) and exc.strerror) or exc
        self._end("the broker closed the connection" if exc is None else f"the connection broke: {why}")

    def _end(self, reason: str) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)
