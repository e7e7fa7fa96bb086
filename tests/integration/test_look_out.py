"""A node that only serves consoles shows alarms that nobody takes into the store, until somebody does."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from service import Service, now_ms, publisher, running, signed_in
from waiting import until


class Feed:
    """What the live feed of a node says now."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.provisional: list[Any] = []
        self.alerts: list[Any] = []

    async def shows(self, component: str) -> None:
        """Return once the component stands among the provisional alarms."""
        async with asyncio.timeout(20):
            while component not in [alarm["component"] for alarm in self.provisional]:
                await self._next()

    async def stores(self, component: str) -> None:
        """Return once it is a stored alert and provisional no more."""
        async with asyncio.timeout(40):
            while component not in self.alerts or self.provisional:
                await self._next()

    async def _next(self) -> None:
        frame = await self._socket.receive_json(timeout=30)
        self.provisional = frame.get("provisional", self.provisional)
        self.alerts += [alert["component"] for alert in frame.get("alerts", [])]


async def test_an_alarm_is_shown_by_a_console_node_while_whoever_stores_alarms_is_dead(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    (tmp_path / "ingest").mkdir()
    ingest = Service(database_url, nats.url, tmp_path / "ingest", role="ingest")
    async with (
        running(database_url, nats.url, tmp_path, role="web") as web,
        signed_in(web) as api,
        api.http.ws_connect(f"{api.url}/api/v1/live") as socket,
    ):
        await ingest.launch()  # its session is there from now on, so that the broker keeps alarms for it
        await until(lambda: "-alarm-" in ingest.log() and "connected to" in ingest.log().split("-alarm-")[1], 40)
        await ingest.kill()
        feed = Feed(socket)
        with publisher(nats.device_url) as device:
            device.send("firetower/v1/mall/panel/alarm", {"ts": now_ms(), "event": "fire", "component": "7-1"})
            await feed.shows("7-1")
            await ingest.launch()
            try:
                await feed.stores("7-1")
                device.send("firetower/v1/mall/panel/alarm", {"ts": now_ms(), "event": "fire", "component": "7-2"})
                await until(lambda: api.alert(component="7-2"), 20)
            finally:
                await ingest.stop()
