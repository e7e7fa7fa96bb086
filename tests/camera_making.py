"""Cameras, places and pictures that the tests of cameras share, and a camera that answers as it is bid."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from firetower.alerts.cameras.sight import Camera


def picture(kind: str = "JPEG", size: tuple[int, int] = (32, 18), colour: str = "red") -> bytes:
    """A small picture."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


JPEG = picture()


def camera(code: str, *sees: str, unit: str | None = "u1", number: int = 0, **more: Any) -> Camera:
    """A camera of unit u1 with an address for pictures."""
    fields: dict[str, Any] = {
        "id": number or abs(hash(code)) % 10**6, "code": code, "name": "", "unit": unit, "sees": sees, "lon": None,
        "lat": None, "link": None, "snapshot": f"http://camera/{code}.jpg", "secret": None,
    }  # fmt: skip
    return Camera(**(fields | more))


@dataclass
class Lens:
    """``answers``: of the next askings, one each; then a picture. ``gate``: closed, no answer is given."""

    url: str = ""
    answers: list[web.Response] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    endless: bool = False
    most_at_once: int = 0
    _now: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(dict(request.headers))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await self.gate.wait()
            if self.endless:
                return await self._without_end(request)
            return self.answers.pop(0) if self.answers else web.Response(body=JPEG, content_type="image/jpeg")
        finally:
            self._now -= 1

    async def _without_end(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(JPEG)
            while True:
                await response.write(b"\0" * 262_144)
        return response


@contextlib.asynccontextmanager
async def lens() -> AsyncIterator[Lens]:
    """Run a camera; its gate is open."""
    made = Lens()
    made.gate.set()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    server = TestServer(app)
    await server.start_server()
    try:
        made.url = str(server.make_url("/")).rstrip("/")
        yield made
    finally:
        made.gate.set()
        await server.close()
