"""A console's live socket: what it was told last, and whether an alarm it was told of was ever missing again."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from service import Api


class Seat:
    """Keeps the frames' sum: ``provisional`` by key, ``alerts`` that are open by id, ``store`` as the figures say.

    ``missed``: keys that were provisional and then, in some frame, neither provisional nor an open alert.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.provisional: dict[str, Any] = {}
        self.alerts: dict[str, Any] = {}
        self.store = ""
        self.missed: set[str] = set()
        self._told: set[str] = set()

    def take(self, frame: dict[str, Any]) -> None:
        """Take in one frame."""
        self.frames += 1
        if frame["type"] == "snapshot":
            self.alerts.clear()
        for alert in frame.get("alerts", ()):
            self.alerts[alert["id"]] = alert
        if frame.get("provisional") is not None:
            self.provisional = {alarm["key"]: alarm for alarm in frame["provisional"]}
        if "kpis" in frame:
            self.store = frame["kpis"]["store"]
        self._told |= self.provisional.keys()
        self.missed |= self._told - self.provisional.keys() - {alert["key"] for alert in self.alerts.values()}

    def waiting(self, device: str) -> Any:
        """The provisional alarm of a device, or None."""
        return next((alarm for alarm in self.provisional.values() if alarm["device"] == device), None)

    def open(self, device: str) -> Any:
        """The stored alert of a device, or None."""
        return next((alert for alert in self.alerts.values() if alert["device"] == device), None)


@contextlib.asynccontextmanager
async def seat(api: Api) -> AsyncIterator[Seat]:
    """Give a seat that has heard its first frame."""
    made = Seat()
    async with api.http.ws_connect(f"{api.url}/api/v1/live") as socket:
        made.take(await socket.receive_json(timeout=15))

        async def listen() -> None:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    made.take(json.loads(message.data))

        task = asyncio.create_task(listen(), name="seat")
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
