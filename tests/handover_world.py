"""What the tests of the hand-over share: a database, a desk's lease, a sender, and a clock that is moved by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from alert_making import fire
from command_centre import SECRET
from desk_city import City
from waiting import until

from firetower.alerts.acts import Act
from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.handover.line import Line
from firetower.alerts.handover.model import HandedOver, MessageState
from firetower.alerts.handover.sender import Sender
from firetower.alerts.model import Alert, Method, Verification
from firetower.alerts.verification import Verify
from firetower.core.clock import ManualClock, SystemClock
from firetower.core.outside import Outside
from firetower.storage.alerts import AlertStore
from firetower.storage.handovers import Handovers
from firetower.storage.lease import Lease

REAL = Verify(Verification.REAL, Method.PHONE, "Liu")
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class World:
    """A database, a desk's lease, and a clock that is moved by hand."""

    city: City
    lease: Lease
    store: AlertStore
    clock: ManualClock

    def centre(self, *addresses: str, **more: Any) -> CommandCentre:
        return CommandCentre(addresses=addresses, secret=SECRET, sender="fz-01", **more)

    @contextlib.asynccontextmanager
    async def sending(
        self, centre: CommandCentre | None, lease: Lease | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run the sender."""
        async with Outside() as outside:
            messages = Handovers(self.city.pool, lease or self.lease, centre, ZONE)
            line = None if centre is None else Line(centre, outside, self.clock)
            task = asyncio.create_task(Sender(line, messages, self.clock).run())
            await until(lambda: self._configured(centre))
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _configured(self, centre: CommandCentre | None) -> bool:
        return (await self.city.pool.fetchval("SELECT count(*) FROM command_centre") == 1) is (centre is not None)

    async def known(self, centre: CommandCentre) -> None:
        """Have messages written for ``centre`` though nobody sends them yet."""
        await Handovers(self.city.pool, self.lease, centre, ZONE).configure(self.clock.now())

    async def act(self, alert_id: int, act: Act) -> Alert:
        return await self.store.act(alert_id, act, actor="wang")

    async def handed_over(self, alert_id: int) -> HandedOver:
        found = (await self.city.alert(alert_id)).handover
        assert found is not None
        return found

    async def is_received(self, alert_id: int) -> bool:
        return (await self.handed_over(alert_id)).state is MessageState.RECEIVED

    async def is_missed(self, alert_id: int) -> bool:
        return (await self.handed_over(alert_id)).missed

    async def tried(self, alert_id: int, times: int) -> HandedOver:
        async def so_often() -> HandedOver | None:
            found = await self.handed_over(alert_id)
            return found if found.tries >= times else None

        return await until(so_often)  # type: ignore[no-any-return]

    async def burning(self, device: str = "smk-1", *, act: Act = REAL) -> int:
        (alert_id,) = await self.city.raised(fire(device))
        await self.act(alert_id, act)
        return alert_id


def make_world(city: City, lease: Lease) -> World:
    clock = ManualClock(SystemClock().now())  # the receiver goes by the machine's clock
    return World(city, lease, AlertStore(city.pool, clock), clock)


async def keys(world: World) -> list[tuple[str, str]]:
    rows = await world.city.pool.fetch("SELECT kind, state FROM handover ORDER BY id")
    return [(row["kind"], row["state"]) for row in rows]
