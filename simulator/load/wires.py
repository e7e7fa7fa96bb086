"""All connections of a process: opened, fed on schedule, listened to, and closed, with one tally."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import ConfigError
from firetower.core.mqtt_address import Address, parse_url
from firetower.simulator.load.block import Block
from firetower.simulator.load.connections import Plan
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.wire import Account, Wire

TICK = 0.002
"""Seconds between two looks at the schedule: what comes due in between goes out together."""
MOST_WAITING = 400_000
"""Messages that may wait to be sent in a process, some 80 MB; those that come when it is full are dropped, counted."""
_DIALING = 100
"""Connections opened at a time."""
_OPEN_WITHIN = 60.0


class Source(Protocol):
    """Whoever knows what is due."""

    def due(self, now: Micros) -> Iterable[tuple[int, Block]]:
        """Yield what is due by ``now`` and was not yielded before: the number of its connection, and the frames."""
        ...


def address_of(broker_url: str, ca: Path | None) -> Address:
    """Return the broker's address; ``ca``: trust this authority. ConfigError when it is not for ``mqtts://``."""
    address = parse_url(broker_url)
    if ca is None:
        return address
    if not address.tls:
        raise ConfigError(f"--ca {ca} is for a broker with TLS, and {address} has none: write mqtts://")
    return replace(address, ca=str(ca))


def trust(address: Address) -> ssl.SSLContext | None:
    """Return what to trust, None without TLS; ConfigError when the authority's file is no such thing."""
    if not address.tls:
        return None
    try:
        return ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError) as err:
        raise ConfigError(
            f"the authority's certificate {address.ca} cannot be used: {err.strerror or err}; give a PEM file with --ca"
        ) from err


class Wires:
    """The connections of ``plan``, open while inside ``opened``."""

    def __init__(self, plan: Plan, address: Address, *, name: str, qos: int, clock: Clock) -> None:
        self.tally = Tally()
        self._clock = clock
        self._heard: list[Wire] = []
        self._failure: BaseException | None = None
        self._address = address
        context = trust(address)
        default = Account(address.user, address.password)
        self._wires = [
            Wire(
                f"{name}-{number}", address, account or default, context=context, qos=qos, window=plan.window,
                clock=clock, tally=self.tally, on_heard=self._heard.append,
            )
            for number, account in enumerate(plan.accounts)
        ]  # fmt: skip

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect all; ConfigError when the broker does not take them at the start. Later they reconnect."""
        tasks = [self._task(self._listen(), "wires")]
        try:
            try:
                async with asyncio.timeout(_OPEN_WITHIN):
                    for first in range(0, len(self._wires), _DIALING):
                        some = self._wires[first : first + _DIALING]
                        tasks += [self._task(wire.keep(), wire.client_id) for wire in some]
                        while not all(wire.connected for wire in some):
                            self._complain(some)
                            await asyncio.sleep(TICK)
            except TimeoutError:
                raise ConfigError(
                    f"only {self.tally.connected:,} of {len(self._wires):,} connections to {self._address} stood after "
                    f"{_OPEN_WITHIN:.0f} s; ask for fewer with --connections, or see what the broker allows"
                ) from None
            yield
        finally:
            for wire in self._wires:
                wire.goodbye()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                self._failure = self._failure or task.exception()

        task = asyncio.create_task(work, name=name)
        task.add_done_callback(ended)
        return task

    def _complain(self, some: list[Wire]) -> None:
        for wire in some:
            if wire.last_error is not None and not wire.connected:
                stood = self.tally.connected
                also = "" if not stood else (
                    f"; {stood:,} of {len(self._wires):,} connections stood: see what it allows, or ask "
                    "for fewer with --connections"
                )  # fmt: skip
                raise ConfigError(
                    f"broker {self._address}: {wire.last_error}{also}; check that it runs and its account, "
                    "another broker is given with --broker or FIRETOWER_MQTT_URL"
                )

    async def _listen(self) -> None:
        """Read what came, and keep quiet connections alive."""
        care = self._clock.now()
        while True:
            heard, self._heard[:] = self._heard[:], []
            for wire in heard:
                wire.digest()
            now = self._clock.now()
            if now - care >= SECOND:
                care = now
                for wire in self._wires:
                    wire.care(now)
            await asyncio.sleep(TICK)

    def offer(self, number: int, block: Block, now: Micros) -> None:
        """Send ``block`` over connection ``number`` as soon as that can; what exceeds MOST_WAITING is dropped."""
        tally, count = self.tally, len(block)
        tally.intended += count
        tally.lateness.record(now - block.due)
        room = MOST_WAITING - tally.waiting
        if count > room:
            tally.dropped += count - room
            block = block.part(0, room)
        if len(block):
            self._wires[number].offer(block)

    async def play(
        self,
        source: Source,
        over: Callable[[Micros], bool],
        watch: Callable[[Micros], None],
        *,
        until: Micros,
    ) -> None:
        """Send what ``source`` says when it is due, before ``until``, and be done when it is ``over``.

        ``watch`` is called in between.
        """
        while True:
            now = self._clock.now()
            for number, block in source.due(min(now, until - 1)):
                self.offer(number, block, now)
            watch(now)
            if over(now):
                return
            await self._pause()

    async def drain(self, seconds: float, watch: Callable[[Micros], None]) -> None:
        """Wait until nothing waits and nothing is in flight, at most so long."""
        end = self._clock.now() + round(seconds * SECOND)
        tally = self.tally
        while (tally.waiting or tally.in_flight) and self._clock.now() < end:
            watch(self._clock.now())
            await self._pause()

    async def _pause(self) -> None:
        if self._failure is not None:
            raise self._failure
        await asyncio.sleep(TICK)

    def give_up(self) -> None:
        """Count what was never acknowledged, or never sent, with the time since its instant: its latency is no less."""
        for wire in self._wires:
            wire.give_up()
