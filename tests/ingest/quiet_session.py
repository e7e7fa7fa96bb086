"""A session without a broker, for tests of lanes that need exact control of what arrives when."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from lane_city import CLOCK, City

from firetower.core.mqtt import Incoming
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry
from firetower.ingest.lane import Lane

_mids: Iterable[int] = itertools.count(1)
_mid: Callable[[], int] = iter(_mids).__next__


class QuietSession:
    """As much of ``MqttSession`` as a lane uses; ``acked``: what was acknowledged."""

    def __init__(self) -> None:
        self.on_messages: Callable[[Sequence[Incoming]], None] | None = None
        self.connected_since = CLOCK.now()
        self.quiet_for = 0.0
        self.connected = True
        self.last_error = None
        self.acked: list[Incoming] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    def ack(self, messages: Sequence[Incoming]) -> int:
        self.acked += messages
        return len(messages)

    def pause(self) -> None:
        """Nothing is read here."""

    def resume(self) -> None:
        """Nothing is read here."""

    def say(self, *messages: Incoming) -> None:
        """Have the lane take ``messages``, as if they had been read at once."""
        assert self.on_messages is not None
        self.on_messages(messages)


def quiet_city(**options: Any) -> City:
    """A city of three smoke detectors, smk-1 to smk-3."""
    city = City("", **options)
    for number in (2, 3):
        city.registry.add(DeviceEntry(number, "mall-01", f"smk-{number}", DeviceKind.SMOKE, registered_at=CLOCK.now()))
    return city


def quiet_lane(city: City, name: str, **options: Any) -> tuple[Lane, QuietSession]:
    session = QuietSession()
    defaults: dict[str, Any] = {"auto_register": False, "batch_messages": 500, "batch_age_ms": 20}
    return Lane(name, session, city.shared, **(defaults | options)), session  # type: ignore[arg-type]


def heard(topic: str, payload: object, *, received_at: int | None = None, epoch: int = 1, **more: Any) -> Incoming:
    """A message as the session hands it over; ``payload``: bytes, or what is to be JSON."""
    return Incoming(
        topic=f"firetower/v1/mall-01/{topic}",
        payload=payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode(),
        mid=more.pop("mid", None) or _mid(),
        qos=1,
        dup=False,
        retain=more.pop("retain", False),
        received_at=CLOCK.now() if received_at is None else received_at,
        epoch=epoch,
    )


def ms(shift: int = 0) -> int:
    """The present time as devices say it, moved by ``shift`` ms."""
    return CLOCK.now() // 1000 + shift


@contextlib.asynccontextmanager
async def lanes_running(*lanes: Lane) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(lane.run()) for lane in lanes]
    try:
        await asyncio.sleep(0)
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
