"""Firetower's own voice under the reserved unit: probes measure each lane's lag, a canary proves the whole way.

A message of ours carries a code made with the installation's secret name, so that nobody else's is taken for it and the
name itself is told to nobody.
"""

import asyncio
import hmac
import json
import secrets
from collections import deque

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.logs import logger
from firetower.core.mqtt import BrokerUnavailable, Incoming, MqttSession
from firetower.devices.topics import OWN_UNIT, ROOT
from firetower.ingest.canary import EVERY
from firetower.ingest.ports import OwnWord

log = logger("ingest.probe")

PERIOD_S = 1.0
LANES = ("alarm", "telemetry")
"""The lanes that are probed."""
CANARY_TOPIC = f"{ROOT}/{OWN_UNIT}/canary/alarm"
_CONFIRMED_WITHIN_S = 5.0
_FIRST_CANARY_S = 3.0
"""Until the first canary of a start was heard they fly so often: the lane may not have been listening yet."""
_STANDS: Micros = 2 * SECOND
"""So long after its last word the broker is taken to be there; then lag stands still: the lanes tell of its absence."""
_MOST_UNHEARD = 4096
_MOST_BYTES = 512


class _Heard:
    """What a lane has said back. ``sent``: numbers and times of probes confirmed by the broker and not heard, in order.

    ``position``: when the newest probe of an earlier start was sent, until one of this start is heard.
    """

    __slots__ = ("newest", "position", "sent")

    def __init__(self) -> None:
        self.newest = -1
        self.position: Micros | None = None
        self.sent: deque[tuple[int, Micros]] = deque()

    def confirm(self, number: int, at: Micros) -> None:
        if number <= self.newest:
            return
        self.sent.append((number, at))
        if len(self.sent) > _MOST_UNHEARD:  # the oldest is what counts; of the others every second one will do
            self.sent = deque(pair for place, pair in enumerate(self.sent) if place % 2 == 0)

    def hear(self, number: int) -> None:
        self.newest, self.position = max(self.newest, number), None
        while self.sent and self.sent[0][0] <= self.newest:
            self.sent.popleft()

    def oldest(self) -> Micros | None:
        """Return when the oldest message that is still under way may have been sent; None: none is."""
        if self.position is not None:
            return self.position
        return self.sent[0][1] if self.sent else None


class Probe:
    """``ports.OwnUnit``: publishes a probe a second for each lane of ``partition`` and a canary every 30 s.

    ``session``: clean, of its own, without filters; ``run`` runs it. ``installation``: the secret name; messages of its
    earlier starts, which may wait in a lane's queue, are known by it too. ``trouble``: why the last one was not
    published, None when it was.
    """

    def __init__(self, session: MqttSession, installation: str, clock: Clock, *, partition: int = 0) -> None:
        self._session = session
        self._key = installation.encode()
        self._clock = clock
        self._instance = secrets.token_hex(8)
        self._topics = {lane: f"{ROOT}/{OWN_UNIT}/probe-{partition}/{lane}" for lane in LANES}
        self._lanes = {lane: _Heard() for lane in LANES}
        self._number = 0
        self._alive_at: Micros = 0
        self._next_canary: float | None = None
        self._canary_heard = False
        self.trouble: str | None = None

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._session.run(), name="probe session")
            tasks.create_task(self._publish_all(), name="probe publishing")

    async def _publish_all(self) -> None:
        loop = asyncio.get_running_loop()
        await self._session.wait_connected()
        due = loop.time()
        while True:
            await self.publish()
            due = max(due + PERIOD_S, loop.time())  # a late probe is not made up for
            await asyncio.sleep(due - loop.time())

    async def publish(self) -> None:
        """Publish one probe for each lane, and the canary when it is due; what fails is told by ``trouble``."""
        self._number += 1
        try:
            async with asyncio.timeout(_CONFIRMED_WITHIN_S):
                for lane in LANES:
                    await self._probe(lane)
                if self._next_canary is None or asyncio.get_running_loop().time() >= self._next_canary:
                    await self._canary()
        except TimeoutError:
            self._fails(f"the broker does not confirm a probe within {_CONFIRMED_WITHIN_S:g} s")
        except BrokerUnavailable as err:
            self._fails(str(err))
        else:
            self.trouble = None

    async def _probe(self, lane: str) -> None:
        at = self._clock.now()
        await self._session.publish(self._topics[lane], self._message(self._topics[lane], self._number, at))
        self._alive_at = self._clock.now()
        self._lanes[lane].confirm(self._number, at)

    async def _canary(self) -> None:
        at, began = self._clock.now(), asyncio.get_running_loop().time()
        await self._session.publish(CANARY_TOPIC, self._message(CANARY_TOPIC, self._number, at))
        self._next_canary = began + (EVERY / SECOND if self._canary_heard else _FIRST_CANARY_S)

    def _fails(self, why: str) -> None:
        if why != self.trouble:
            log.warning("probes and canaries are not published: %s", why)
        self.trouble = why

    # what comes back --------------------------------------------------------------------------------

    def heard(self, lane: str, message: Incoming) -> OwnWord | None:
        """Take a message of the reserved unit; None when Firetower did not send it."""
        read = self._read(message)
        if read is None:
            return None
        instance, number, sent = read
        if message.topic == CANARY_TOPIC:
            self._canary_heard |= instance == self._instance
            return OwnWord(canary=sent)
        heard = self._lanes.get(lane)
        if heard is not None and message.topic == self._topics[lane]:
            self._alive_at = max(self._alive_at, message.received_at)
            if instance == self._instance:
                heard.hear(number)
            elif heard.newest < 0:
                heard.position = max(sent, heard.position or 0)
        return OwnWord()

    def lag(self, lane: str, now: Micros) -> Micros:
        """Return how long the oldest probe the broker has confirmed and ``lane`` has not heard is under way, µs.

        While the broker is away this stands still. 0 for a lane that is not probed.
        """
        heard = self._lanes.get(lane)
        oldest = None if heard is None else heard.oldest()
        return 0 if oldest is None else max(0, min(now, self._alive_at + _STANDS) - oldest)

    def known(self, lane: str) -> bool:
        """Say whether ``lane`` has heard a probe of this start, so that a lag of 0 means that it keeps up."""
        return self._lanes[lane].newest >= 0

    # the message ------------------------------------------------------------------------------------

    def _message(self, topic: str, number: int, sent: Micros) -> bytes:
        said = {"instance": self._instance, "number": number, "sent": sent}
        return json.dumps(said | {"code": self._code(topic, self._instance, number, sent)}).encode()

    def _code(self, topic: str, instance: str, number: int, sent: Micros) -> str:
        return hmac.digest(self._key, f"{topic}\n{instance}\n{number}\n{sent}".encode(), "sha256").hex()

    def _read(self, message: Incoming) -> tuple[str, int, Micros] | None:
        """Return instance, number and time of a message of this installation; None for anybody else's."""
        if len(message.payload) > _MOST_BYTES:
            return None
        try:
            said = json.loads(message.payload)
            instance, number, sent, code = (said[name] for name in ("instance", "number", "sent", "code"))
        except (ValueError, TypeError, LookupError, RecursionError):
            return None
        if not (type(instance) is str and type(number) is int and type(sent) is int and type(code) is str):
            return None
        ours = self._code(message.topic, instance, number, sent)
        return (instance, number, sent) if hmac.compare_digest(ours.encode(), code.encode("utf-8", "replace")) else None
