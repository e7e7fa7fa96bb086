"""An MQTT session that stays: persistent or clean, QoS 1 with acknowledgement by hand, reconnecting with jitter.

The session is the broker's memory of a client id: its subscriptions and every message not yet acknowledged. A resumed
session is not subscribed again, because a broker answers each SUBSCRIBE with all retained messages. Nothing is dropped
here: a message is handed on once a connection, and comes again on the next one unless ``ack`` was called for it.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence

from firetower.core.clock import Clock, Micros
from firetower.core.logs import logger
from firetower.core.mqtt_address import parse_url
from firetower.core.mqtt_connection import KEEPALIVE, Connection
from firetower.core.mqtt_message import BrokerRefused, BrokerUnavailable, Incoming

__all__ = ["BrokerRefused", "BrokerUnavailable", "Incoming", "MqttSession"]

log = logger("core.mqtt")

_ANSWER_WITHIN = 10.0
"""Seconds a broker has to accept the socket, to answer CONNECT, and to answer SUBSCRIBE."""
ANSWERS_WITHIN = KEEPALIVE / 2
"""Seconds in which a broker that works has said something: it is asked every third of KEEPALIVE."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 15.0
_STEADY = 10.0
"""Seconds a connection must last before its end is taken for a new trouble and not the old one."""


def waits() -> Iterator[float]:
    """Yield the seconds to wait before each further attempt: doubling, and spread so that nobody returns in step."""
    wait = _FIRST_WAIT
    while True:
        yield wait * random.uniform(0.5, 1.5)
        wait = min(2 * wait, _LONGEST_WAIT)


class MqttSession:
    """A client id at a broker.

    ``url``: ``mqtt://user:password@host:port`` or ``mqtts://``; MQTT 3.1.1, or 5 with ``?version=5``. ``clean``: the
    broker forgets the session when the connection ends. ``will``: (topic, payload) the broker publishes, retained, when
    it ends without a goodbye. ``on_messages`` is called on the loop with what just arrived and must be quick.
    ``nowait_limit``: most messages of ``publish_nowait`` that wait for their PUBACK.

    ``connected``: subscribed and alive. ``last_error``: why it is not, None when it is. ``published`` counts PUBACKs
    received.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        filters: Sequence[str] = (),
        on_messages: Callable[[Sequence[Incoming]], None] | None = None,
        clean: bool,
        clock: Clock,
        will: tuple[str, bytes] | None = None,
        nowait_limit: int = 1000,
    ) -> None:
        self._address = parse_url(url)
        self.client_id = client_id
        self._filters = tuple(filters)
        self.on_messages = on_messages
        self._clean = clean
        self._clock = clock
        self._will = will
        self._nowait_limit = nowait_limit
        self._connection: Connection | None = None
        self._epoch = 0
        self._subscribe_anyway = clean
        self._paused = False
        self._up = asyncio.Event()
        self._published = 0
        self._unconfirmed = 0
        self.connected_since: Micros | None = None
        self.last_error: str | None = "not connected yet"

    @property
    def connected(self) -> bool:
        """Whether the session is subscribed and its connection alive."""
        return self._up.is_set()

    @property
    def quiet_for(self) -> float:
        """Seconds since the broker's last word; past ANSWERS_WITHIN it may be hung though its connection stands."""
        return 0.0 if self._connection is None else self._connection.quiet_for

    @property
    def published(self) -> int:
        """How many PUBACKs the broker has sent."""
        return self._published + (0 if self._connection is None else self._connection.published)

    @property
    def unconfirmed(self) -> int:
        """How many messages of ours the broker refused, or lost their connection before their PUBACK."""
        return self._unconfirmed + (0 if self._connection is None else self._connection.refused)

    async def wait_connected(self) -> None:
        """Return once the session is connected."""
        await self._up.wait()

    async def run(self) -> None:
        """Connect and stay connected until cancelled; each cause of failure is logged once, ``last_error`` keeps it."""
        pauses = waits()
        told: str | None = None
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._one_connection()
            except BrokerUnavailable as err:
                self.last_error = str(err)
            if self.last_error != told:
                log.error("%s: %s; trying again until it works", self.client_id, self.last_error)
                told = self.last_error
            if loop.time() - began > _STEADY:
                pauses, told = waits(), None
            await asyncio.sleep(next(pauses))

    async def _one_connection(self) -> None:
        """Live through one connection; raises BrokerUnavailable with the reason of its end."""
        connection = self._connection = Connection(
            self._address, self.client_id, epoch=self._epoch + 1, clock=self._clock, on_messages=self.on_messages
        )
        try:
            await self._reach(connection)
            self._epoch += 1
            await self._open(connection)
            reason = await connection.stay()
        finally:
            self._up.clear()
            self.connected_since = None
            self._published += connection.published
            self._unconfirmed += connection.publishing + connection.refused
            self._connection = None
            connection.close()
        raise BrokerUnavailable(f"connection to {self._address} lost: {reason}")

    async def _reach(self, connection: Connection) -> None:
        """Connect the socket, TLS handshake included."""
        address, loop = self._address, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                context = await loop.run_in_executor(None, _context, address.ca) if address.tls else None
                await loop.create_connection(lambda: connection, address.host, address.port, ssl=context)
        except TimeoutError as err:
            raise BrokerUnavailable(
                f"broker {address} does not answer within {_ANSWER_WITHIN:.0f} s; check address and network"
            ) from err
        except OSError as err:
            raise BrokerUnavailable(
                f"broker {address} cannot be reached: {err.strerror or err}; "
                "check that it runs and the address is right"
            ) from err

    async def _open(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                resumed = await connection.connect(clean=self._clean, will=self._will)
                if self._filters and (self._subscribe_anyway or not resumed):
                    # Until the broker confirms, a session it kept may lack the subscription.
                    self._subscribe_anyway = True
                    await connection.subscribe(self._filters)
                    self._subscribe_anyway = self._clean
        except TimeoutError as err:
            raise BrokerUnavailable(
                f"broker {self._address} does not answer {self.client_id!r} within {_ANSWER_WITHIN:.0f} s"
            ) from err
        if self._paused:
            connection.pause()
        self.connected_since = self._clock.now()
        self.last_error = None
        self._up.set()
        log.info("%s: connected to %s, session %s", self.client_id, self._address, "resumed" if resumed else "new")

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and return when the broker has acknowledged it (QoS 0: when it is handed to the socket).

        Raises BrokerUnavailable when there is no connection or 1 MiB waits for the network (nothing is sent then), and
        when the connection ends first: the message may or may not have arrived. BrokerRefused: MQTT 5's broker said no.
        """
        answer = self._connected().publish(topic, payload, qos=qos, retain=retain, confirm=True)
        if answer is not None:
            await answer

    def publish_nowait(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Publish without waiting; False, nothing sent, when not connected or too much waits.

        Too much: ``nowait_limit`` messages for their PUBACK, or 1 MiB for the network.
        """
        connection = self._connection
        if connection is None or not self._up.is_set() or connection.publishing >= self._nowait_limit:
            return False
        with contextlib.suppress(BrokerUnavailable):
            connection.publish(topic, payload, qos=qos, retain=retain, confirm=False)
            return True
        return False

    def ack(self, messages: Iterable[Incoming]) -> int:
        """PUBACK ``messages``, return how many; those of an earlier connection are skipped and will come again."""
        return 0 if self._connection is None else self._connection.ack(messages)

    def pause(self) -> None:
        """Stop reading from the broker, which keeps the rest; the connection stays alive."""
        self._paused = True
        if self._connection is not None and self._up.is_set():
            self._connection.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._connection is not None:
            self._connection.resume()

    def _connected(self) -> Connection:
        if self._connection is None or not self._up.is_set():
            raise BrokerUnavailable(f"{self.client_id}: not connected to {self._address}: {self.last_error}")
        return self._connection


def _context(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)
