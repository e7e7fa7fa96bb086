"""One MQTT connection on the running loop, from CONNECT until the socket ends.

A turn of the loop reads one socket buffer (``_READ``), hands its messages on in one call, and writes what is to be said
in one piece. What a turn may cost is bounded by ``mqtt_protocol.MOST`` packets; when more of them are in a buffer, the
rest waits for the next turn and the socket is not read meanwhile.

When full: a paused connection keeps one socket buffer and one unfinished packet (``mqtt_protocol.LONGEST``), with TLS
half a MiB more; the kernel's buffers fill up, and the broker keeps the rest. What is to be sent is bounded by who
sends: PUBACKs by the messages handed on, messages of ours by ``_UNSENT`` and by the session's ``nowait_limit``.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from firetower.core import mqtt_protocol as protocol
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.logs import logger
from firetower.core.mqtt_address import Address
from firetower.core.mqtt_flights import Received, Sent
from firetower.core.mqtt_message import BrokerRefused, BrokerUnavailable, Connack, Incoming, Taken
from firetower.core.mqtt_reasons import BAD_CLIENT_ID, UNSUPPORTED_VERSION

log = logger("core.mqtt")

Answer = TypeVar("Answer")

KEEPALIVE = 12
"""Seconds: the broker counts us lost after one and a half of it, and we count it lost after as much silence."""
_READ = 65_536
_UNSENT = 1 << 20
"""Bytes the kernel has not taken yet, from which on nothing more is published."""


class Connection(asyncio.BufferedProtocol):
    """Speaks MQTT. ``lost`` completes with the reason when it is over; ``close`` always follows.

    Messages go to ``on_messages`` on the loop, those of one socket buffer in one call; QoS 1 ones wait for ``ack``.
    """

    def __init__(
        self,
        address: Address,
        client_id: str,
        *,
        epoch: int,
        clock: Clock,
        on_messages: Callable[[Sequence[Incoming]], None] | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._address = address
        self._client_id = client_id
        self._clock = clock
        self._on_messages = on_messages
        self._transport: asyncio.Transport | None = None
        self._parser = protocol.Parser(address.version, epoch)
        self._buffer = memoryview(bytearray(_READ))
        self._reading = True
        self._paused = False
        self._closed = False
        self._next_arrival: Micros = 0
        self._turn_soon: asyncio.Handle | None = None
        self._flush_soon: asyncio.Handle | None = None
        self._outbox: list[bytes] = []
        self._heard = self._spoke = self._loop.time()
        self._keep_alive = float(KEEPALIVE)
        self._received = Received()
        self._sent: Sent[asyncio.Future[None]] = Sent(self._send)
        self._complaints: set[str] = set()
        self._connack: asyncio.Future[Connack] = self._loop.create_future()
        self._suback: asyncio.Future[list[str | None]] = self._loop.create_future()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._choked = False
        self.published = 0
        self.refused = 0

    # the acts ------------------------------------------------------------------------------------

    async def connect(self, *, clean: bool, will: tuple[str, bytes] | None) -> bool:
        """CONNECT; return whether the broker resumed a session. BrokerRefused gives its reason."""
        address = self._address
        self._send(
            protocol.connect(
                self._client_id, version=address.version, keep_alive=KEEPALIVE, clean=clean, user=address.user,
                password=address.password, will=will,
            )
        )  # fmt: skip
        try:
            answer = await self._answer(self._connack)
        except BrokerUnavailable as err:
            if address.version != 5:
                raise
            raise BrokerUnavailable(f"{err}; if it does not speak MQTT 5, take version=5 out of its URL") from err
        if answer.refusal is not None:
            raise BrokerRefused(
                f"broker {address} refuses client {self._client_id!r}: {answer.refusal}; {self._remedy(answer.code)}"
            )
        self._sent.window = answer.window
        if answer.keep_alive:
            self._keep_alive = min(self._keep_alive, answer.keep_alive)
        return answer.session_present

    def _remedy(self, code: int) -> str:
        if code in UNSUPPORTED_VERSION:
            if self._address.version == 5:
                return "it does not speak MQTT 5: take version=5 out of the broker's URL"
            return "it does not speak MQTT 3.1.1: add ?version=5 to the broker's URL"
        if code in BAD_CLIENT_ID:
            return "allow this client id at the broker"
        return "check user and password in the broker's URL and the account at the broker"

    async def subscribe(self, filters: Sequence[str]) -> None:
        """SUBSCRIBE at QoS 1; BrokerRefused names each filter the broker does not grant."""
        # before anything is published, so the packet id cannot be one that waits for its PUBACK
        self._send(protocol.subscribe(self._sent.next_mid(), filters, version=self._address.version))
        granted = await self._answer(self._suback)
        refused = [f"{topic} ({why})" for topic, why in zip(filters, granted, strict=False) if why is not None]
        if refused:
            raise BrokerRefused(
                f"broker {self._address} refuses client {self._client_id!r} the subscription {', '.join(refused)}; "
                "give its account permission to subscribe there"
            )

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, confirm: bool
    ) -> asyncio.Future[None] | None:
        """PUBLISH; with ``confirm`` a future that completes with the PUBACK (at QoS 0: None at once).

        What exceeds the number of unconfirmed messages the broker takes at a time waits for its turn.
        """
        if self._closed or self.lost.done():
            raise BrokerUnavailable(f"publish to {topic} failed: the connection to {self._address} is over")
        if self._choked:
            raise BrokerUnavailable(
                f"publish to {topic} failed: {_UNSENT} bytes wait for the network to {self._address}; publish slower"
            )
        version = self._address.version
        if qos == 0:
            self._send(protocol.publish(topic, payload, mid=0, retain=retain, version=version))
            return None
        mid = self._sent.next_mid()
        packet = protocol.publish(topic, payload, mid=mid, retain=retain, version=version)
        answer = self._loop.create_future() if confirm else None
        self._sent.add(mid, packet, answer)
        return answer

    @property
    def publishing(self) -> int:
        """How many messages wait for their PUBACK."""
        return len(self._sent)

    def ack(self, messages: Iterable[Incoming]) -> int:
        """PUBACK those of ``messages`` that came on this connection and wait for it; return how many."""
        mids = self._received.done(messages)
        if mids:
            self._send(protocol.pubacks(mids))
        return len(mids)

    def pause(self) -> None:
        """Stop reading: what the broker sends stays in the kernel, and then at the broker."""
        self._paused = True
        self._set_reading()

    def resume(self) -> None:
        """Read again."""
        if self._paused and not self._closed:
            self._paused = False
            self._heard = self._loop.time()  # the broker was not heard while nobody listened
            if self._turn_soon is None:
                self._turn_soon = self._loop.call_soon(self._turn)

    @property
    def quiet_for(self) -> float:
        """Seconds since the broker's last word, which it is asked for every third of KEEPALIVE; 0 while paused."""
        return 0.0 if self._paused else self._loop.time() - self._heard

    async def stay(self) -> str:
        """Keep the connection alive until it is over; return why it is."""
        while True:
            done, _ = await asyncio.wait({self.lost}, timeout=self._keep_alive / 6)
            if done:
                return self.lost.result()
            if self._loop.time() - self._spoke >= self._keep_alive / 3:
                self._send(protocol.PINGREQ)
            if self.quiet_for >= self._keep_alive:
                return f"the broker has not answered for {self._keep_alive:g} s"

    def close(self) -> None:
        """Say DISCONNECT where that is possible, close, and fail whoever waits for an answer."""
        if not self._closed:
            self._closed = True
            for handle in (self._turn_soon, self._flush_soon):
                if handle is not None:
                    handle.cancel()
            if self._transport is not None:
                if not self._transport.is_closing():
                    self._transport.write(b"".join((*self._outbox, protocol.DISCONNECT)))
                self._transport.abort()  # the kernel has what it took; a hung broker must not keep the rest here
        reason = self.lost.result() if self.lost.done() else "the session was closed"
        ended = BrokerUnavailable(f"connection of {self._client_id!r} to {self._address} is over: {reason}")
        waiting: list[asyncio.Future[Any]] = [*self._sent.abandon(), self._suback, self._connack]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(ended)
                answer.exception()  # whoever waited was told; it is no error that nobody did
        self._received = Received()
        self._outbox.clear()

    # what the broker says ------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Take what the parser has, as much as one turn of the loop may cost."""
        self._turn_soon = None
        if self._paused or self._closed:
            return
        now = self._clock.now()
        if self._next_arrival - SECOND < now < self._next_arrival:  # farther back, the clock was set
            now = self._next_arrival
        taken = self._parser.take(now)
        self._next_arrival = now + len(taken.messages)
        if taken.messages:
            self._hand_on(self._received.note(taken.messages, repeats=taken.repeats))
        if taken.acknowledged:
            self._confirm(taken.acknowledged)
        if taken.connack or taken.granted or taken.refused or taken.goodbye or taken.error:
            self._note(taken)
        if taken.more and not self._paused:
            self._turn_soon = self._loop.call_soon(self._turn)
        self._set_reading()

    def _hand_on(self, messages: list[Incoming]) -> None:
        if messages and self._on_messages is not None:
            try:
                self._on_messages(messages)
            except Exception:
                log.exception("%d messages, the first on %s, were not taken", len(messages), messages[0].topic)
                # on the next connection the broker says everything again that was not acknowledged; on this one it
                # would be taken for a repeat of what is in work
                self._over("messages were not taken; they are asked for again")

    def _confirm(self, mids: Iterable[int]) -> None:
        for answer in self._sent.answered(mids):
            self.published += 1
            if answer is not None and not answer.done():
                answer.set_result(None)

    def _note(self, taken: Taken) -> None:
        if taken.connack is not None and not self._connack.done():
            self._connack.set_result(taken.connack)
        if taken.granted is not None and not self._suback.done():
            self._suback.set_result(taken.granted)
        for mid, why in taken.refused.items():
            for answer in self._sent.answered([mid]):
                self._refuse(answer, why)
        if taken.goodbye is not None:
            self._over(f"{taken.goodbye} (client id {self._client_id!r})")
        if taken.error is not None:
            self._over(f"the broker broke the protocol: {taken.error}")

    def _refuse(self, answer: asyncio.Future[None] | None, why: str) -> None:
        self.refused += 1
        refusal = f"broker {self._address} does not take a message of {self._client_id!r}: {why}"
        if answer is not None and not answer.done():
            answer.set_exception(BrokerRefused(f"{refusal}; check what its account may publish"))
        elif why not in self._complaints:
            self._complaints.add(why)
            log.error("%s; more of these are not told on this connection", refusal)

    # the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_UNSENT)
        if self._closed:
            transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # reason: asyncio's signature
        """Give the socket buffer; it is empty again whenever this is asked."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read."""
        self._heard = self._loop.time()
        self._parser.feed(self._buffer[:nbytes])
        if self._turn_soon is None:
            self._turn()

    def pause_writing(self) -> None:
        """Note that the kernel takes no more."""
        self._choked = True

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._choked = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why it is over."""
        if exc is not None:
            self._over(f"the connection broke: {(isinstance(exc, OSError) and exc.strerror) or exc}")
        elif not self._connack.done():
            self._over("the broker closed the connection")
        else:
            self._over(
                "the broker closed the connection; where it was not stopped, "
                f"another client took over the session (client id {self._client_id!r})"
            )

    def _set_reading(self) -> None:
        wanted = not self._paused and self._turn_soon is None
        if self._transport is None or self._closed or wanted == self._reading:
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _send(self, packet: bytes) -> None:
        self._outbox.append(packet)
        if self._flush_soon is None and not self._closed:
            self._flush_soon = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_soon = None
        if self._transport is not None and not self._transport.is_closing():
            self._spoke = self._loop.time()
            self._transport.write(b"".join(self._outbox))
        self._outbox.clear()

    def _over(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    async def _answer(self, answer: "asyncio.Future[Answer]") -> Answer:
        either: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise BrokerUnavailable(f"broker {self._address}: {self.lost.result()}")
