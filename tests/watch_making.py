"""People at seats of a running web part, several at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from waiting import until

from firetower.core.clock import to_datetime
from firetower.storage import seats


class AtSeat:
    """Somebody signed in, with a console whose sound works: ``call`` as them, ``watch`` as their console knows it."""

    def __init__(
        self, running: Any, name: str, headers: dict[str, str], socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.running, self.name, self.headers, self.socket = running, name, headers, socket

    async def call(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Return (status, body) of a request of theirs."""
        return await self.running.call(method, f"/api/v1{path}", headers=self.headers, **given)

    async def done(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the body of a request that must succeed."""
        status, answer = await self.call(method, path, **({} if method == "GET" else {"json": body or {}}))
        assert status < 300, answer
        return answer

    async def heard(self) -> None:
        """Let the console say that it lives, sound and all, and wait until the store knows."""
        now = self.running.clock.now()
        await self.socket.send_json({"type": "shown", "alerts": [], "armed": True})

        async def written() -> bool:
            seen = await self.running.pool.fetchval(
                "SELECT max(seen_at) FROM seat WHERE account = $1 AND armed", self.name
            )
            return seen is not None and seen >= to_datetime(now)

        await until(written, 15)

    async def watch(self, wanted: Any, seconds: float = 10) -> Any:
        """Return the first ``watch`` of a frame for which ``wanted`` holds."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.socket.receive_json()
                if "watch" in frame and wanted(frame["watch"]):
                    return frame["watch"]


@contextlib.asynccontextmanager
async def at_seat(running: Any, name: str, *, armed: bool = True) -> AsyncIterator[AtSeat]:
    """Give somebody who signed in and sits at a seat that the store knows."""
    headers = await running.sign_in(name)
    async with running.client.ws_connect(f"{running.url}/api/v1/live", headers=headers) as socket:
        await socket.send_json({"type": "shown", "alerts": [], "armed": armed})

        async def sits() -> bool:
            live = await seats.live(running.pool, running.clock.now())
            return any(seat.account == name and seat.armed is armed for seat in live)

        await until(sits)
        yield AtSeat(running, name, headers, socket)
