"""One MQTT 3.1.1 connection: paho's protocol on the running loop, from CONNECT until the socket ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from firetower.core.clock import Clock
from firetower.core.logs import logger
from firetower.core.mqtt_message import BrokerRefused, BrokerUnavailable, Incoming
from firetower.core.mqtt_socket import Address, BufferedSocket

log = logger("core.mqtt")

Answer = TypeVar("Answer")

KEEPALIVE = 12
"""Seconds: the broker counts us lost after one and a half of it, and we count it lost after two."""
_PINGREQ = b"\xc0\x00"
_SLICE = 0.003
"""Seconds of packets handled before the loop gets its turn."""


class _Paho(paho.Client):
    """paho on a socket that is connected already."""

    wire: BufferedSocket

    def _create_socket(self) -> BufferedSocket:
        return self.wire


class Connection:
    """Speaks MQTT over ``wire``. ``lost`` completes with the reason when it is over; ``close`` always follows.

    Messages go to ``on_messages`` on the loop, between two reads; QoS 1 ones wait for ``ack``.
    """

    def __init__(
        self,
        wire: BufferedSocket,
        address: Address,
        client_id: str,
        *,
        clean: bool,
        will: tuple[str, bytes] | None,
        epoch: int,
        clock: Clock,
        on_messages: Callable[[Sequence[Incoming]], None] | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._address = address
        self._client_id = client_id
        self._epoch = epoch
        self._clock = clock
        self._on_messages = on_messages
        self._paused = False
        self._drain_soon: asyncio.Handle | None = None
        self._flush_soon: asyncio.Handle | None = None
        self._writing = False
        self._closed = False
        self._heard = self._spoke = self._loop.time()
        self._in_flight: dict[int, Incoming] = {}
        self._acked: dict[int, int] = {}  # by packet id, the hash of what was acknowledged under it
        self._publishing: dict[int, asyncio.Future[None] | None] = {}
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._connack: asyncio.Future[bool] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self.published = 0
        self._paho = self._make_paho(clean=clean, will=will)
        self._loop.add_reader(wire.fileno(), self._readable)

    def _make_paho(self, *, clean: bool, will: tuple[str, bytes] | None) -> _Paho:
        client = _Paho(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=clean,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.wire = self._wire
        client.max_inflight_messages = 0
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._paho_connected
        client.on_disconnect = self._paho_disconnected
        client.on_subscribe = self._paho_subscribed
        client.on_publish = self._paho_published
        client.on_message = self._paho_message
        client.on_socket_register_write = lambda *_: self._schedule_flush()
        client.on_socket_close = lambda *_: self._detach()
        return client

    # the acts ------------------------------------------------------------------------------------

    async def connect(self) -> bool:
        """CONNECT; return whether the broker resumed a session. BrokerRefused gives its reason."""
        self._paho.connect(self._address.host, self._address.port, KEEPALIVE)
        return await self._answer(self._connack)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """SUBSCRIBE at QoS 1; BrokerRefused names each filter the broker does not grant."""
        code, mid = self._paho.subscribe([(topic, 1) for topic in filters])
        if code or mid is None:
            raise BrokerUnavailable(f"SUBSCRIBE could not be sent to {self._address}: {paho.error_string(code)}")
        answer = self._subacks[mid] = self._loop.create_future()
        granted = await self._answer(answer)
        refused = [topic for topic, code in zip(filters, granted, strict=False) if code.is_failure]
        if refused:
            raise BrokerRefused(
                f"broker {self._address} refuses client {self._client_id!r} the subscription {', '.join(refused)}; "
                "give its account permission to subscribe there"
            )

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, confirm: bool
    ) -> asyncio.Future[None] | None:
        """PUBLISH; with ``confirm`` a future that completes with the PUBACK (at QoS 0: None at once)."""
        info = self._paho.publish(topic, payload, qos, retain)
        if info.rc:
            raise BrokerUnavailable(f"publish to {topic} failed: {paho.error_string(info.rc)}")
        if qos == 0:
            return None
        answer = self._loop.create_future() if confirm else None
        self._publishing[info.mid] = answer
        return answer

    @property
    def publishing(self) -> int:
        """How many messages wait for their PUBACK."""
        return len(self._publishing)

    def ack(self, message: Incoming) -> bool:
        """PUBACK a message of this connection; False when it is not waiting for one."""
        if self._in_flight.get(message.mid) is not message:
            return False
        del self._in_flight[message.mid]
        self._acked[message.mid] = hash((message.topic, message.payload))
        self._paho.ack(message.mid, 1)
        return True

    def pause(self) -> None:
        """Stop reading: what the broker sends stays in the kernel, and then at the broker."""
        if not self._paused and not self._closed:
            self._paused = True
            self._loop.remove_reader(self._wire.fileno())

    def resume(self) -> None:
        """Read again."""
        if self._paused and not self._closed:
            self._paused = False
            self._heard = self._loop.time()  # the broker was not asked while nobody listened
            self._loop.add_reader(self._wire.fileno(), self._readable)
            self._schedule_drain()

    @property
    def quiet_for(self) -> float:
        """Seconds since the broker's last word, which it is asked for every third of KEEPALIVE; 0 while paused."""
        return 0.0 if self._paused else self._loop.time() - self._heard

    async def stay(self) -> str:
        """Keep the connection alive until it is over; return why it is."""
        while True:
            done, _ = await asyncio.wait({self.lost}, timeout=KEEPALIVE / 6)
            if done:
                return self.lost.result()
            now = self._loop.time()
            if now - self._spoke >= KEEPALIVE / 3:
                self._ping()
            if self.quiet_for >= KEEPALIVE:
                return f"the broker has not answered for {KEEPALIVE} s"

    def close(self) -> None:
        """Say DISCONNECT where that is possible, close, and fail whoever waits for an answer."""
        if not self._closed:
            self._paho.disconnect()
            self._paho.loop_write()
            self._detach()
            self._wire.close()
        reason = self.lost.result() if self.lost.done() else "the session was closed"
        ended = BrokerUnavailable(f"connection of {self._client_id!r} to {self._address} is over: {reason}")
        for answer in (*self._publishing.values(), *self._subacks.values(), self._connack):
            if answer is not None and not answer.done():
                answer.set_exception(ended)
            if answer is not None:
                answer.exception()  # whoever waited was told; it is no error that nobody did
        self._publishing.clear()
        self._in_flight.clear()

    # paho's callbacks ------------------------------------------------------------------------------

    def _paho_connected(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(
                BrokerRefused(
                    f"broker {self._address} refuses client {self._client_id!r}: {reason}; "
                    "check user and password in the broker's URL and the account at the broker"
                )
            )
        else:
            self._connack.set_result(bool(flags.session_present))

    def _paho_disconnected(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._over(self._wire.ended or f"the connection ended ({reason})")

    def _paho_subscribed(self, _client: Any, _data: Any, mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        answer = self._subacks.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(codes)

    def _paho_published(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        if mid in self._publishing:
            self.published += 1
            answer = self._publishing.pop(mid)
            if answer is not None and not answer.done():
                answer.set_result(None)

    def _paho_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as err:
            topic = err.object.decode("utf-8", "replace")
        arrived = Incoming(
            topic, bytes(message.payload), message.mid, message.qos, message.dup, message.retain,
            self._clock.now(), self._epoch,
        )  # fmt: skip
        if message.qos == 1:
            # A broker repeats what waits long for its PUBACK (NATS after 5 s): it is in work, or was until a paused
            # session read on. Not acknowledged again: the packet id may be another message's by now.
            said = (topic, arrived.payload)
            if message.dup and (message.mid in self._in_flight or self._acked.get(message.mid) == hash(said)):
                return
            self._in_flight[message.mid] = arrived
        if self._on_messages is not None:
            try:
                self._on_messages([arrived])
            except Exception:
                # An error up there must not break the stream of packets; unacknowledged, the message comes again.
                log.exception("message on %s was not taken; it stays unacknowledged", topic)

    # the socket --------------------------------------------------------------------------------------

    def _readable(self) -> None:
        if self._drain_soon is not None:
            return
        more = self._wire.fill()
        self._heard = self._loop.time()
        self._drain()
        if more:
            self._schedule_drain(fill=True)

    def _drain(self) -> None:
        self._drain_soon = None
        until = self._loop.time() + _SLICE
        while not self._paused and not self._closed and self._wire.readable():
            if self._paho.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._over(self._wire.ended or "the broker broke the protocol")
                return
            if self._loop.time() > until:
                self._schedule_drain()
                return

    def _schedule_drain(self, *, fill: bool = False) -> None:
        if self._drain_soon is None:
            self._drain_soon = self._loop.call_soon(self._refill if fill else self._drain)

    def _refill(self) -> None:
        self._drain_soon = None
        if not self._paused and not self._closed:
            self._readable()

    def _ping(self) -> None:
        """Ask for a sign of life; here and not in paho, whose own keepalive takes a paused reader for a dead broker."""
        self._wire.send(_PINGREQ)
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        if self._flush_soon is None and not self._writing and not self._closed:
            self._flush_soon = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_soon = None
        if self._closed:
            return
        self._spoke = self._loop.time()
        self._paho.loop_write()
        if self._closed:
            return
        empty = self._wire.flush()
        if self._wire.ended is not None:
            self._over(self._wire.ended)
        elif not empty and not self._writing:
            self._writing = True
            self._loop.add_writer(self._wire.fileno(), self._writable)

    def _writable(self) -> None:
        if self._wire.flush():
            self._loop.remove_writer(self._wire.fileno())
            self._writing = False
            self._schedule_flush()

    def _detach(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._wire.fileno())
        self._loop.remove_writer(self._wire.fileno())
        for handle in (self._drain_soon, self._flush_soon):
            if handle is not None:
                handle.cancel()

    def _over(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    async def _answer(self, answer: "asyncio.Future[Answer]") -> Answer:
        either: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise BrokerUnavailable(f"broker {self._address}: {self.lost.result()}")
