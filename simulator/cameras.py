"""Cameras 视频 of the simulated city: where they stand, and a small server on this machine that shows what happens."""

import asyncio
import contextlib
import html
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta, timezone
from functools import partial
from pathlib import PurePosixPath

import numpy as np
from aiohttp import web

from firetower.core.child import check_port
from firetower.core.clock import SECOND, Clock, Micros, to_datetime
from firetower.devices.city import Camera, City, Unit
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Int64s
from firetower.simulator.signals import SMOKE, Block

HOST = "127.0.0.1"
MOST_ZONES = 24
"""Zones of one unit with a camera."""
BROKEN_EVERY = 3
"""The camera of the entrance hall is out of order in every third of the units, the first among them."""
_LOCAL = timezone(timedelta(hours=8))

Sample = Callable[[Int64s, Int64s], list[Block]]
"""What devices (positions in the city) measure at instants, µs: ``Play.sample``."""


def address(port: int) -> str:
    """Return where the cameras are."""
    return f"http://{HOST}:{port}/cameras"


def cameras_of(city: City, at: str) -> tuple[Camera, ...]:
    """Return the cameras of units with a fire panel: one a zone, one in the entrance hall, one outdoors.

    ``at``: the address of their server.
    """
    panels = {device.unit for device in city.devices if device.kind is DeviceKind.PANEL}
    found: list[Camera] = []
    for number, unit in enumerate(each for each in city.units if each.code in panels):
        for code, name, sees in _views(unit):
            kept = f"{at}/{code}.jpg" + ("?broken=1" if code.endswith("-hall") and number % BROKEN_EVERY == 0 else "")
            found.append(Camera(code=code, name=name, unit=unit.code, sees=sees, link=f"{at}/{code}", snapshot=kept))
        if unit.lon is not None:
            code = f"{unit.code}-yard"
            place = {"lon": unit.lon, "lat": unit.lat, "link": f"{at}/{code}", "snapshot": f"{at}/{code}.jpg"}
            found.append(Camera.model_validate({"code": code, "name": "室外", "unit": unit.code, **place}))
    return tuple(found)


def _views(unit: Unit) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    zones = 0
    for building in unit.buildings:
        yield f"{unit.code}-{building.code}-hall", f"{building.name}大厅", (building.code,)
        for floor in building.floors:
            for zone in floor.zones:
                zones += 1
                if zones > MOST_ZONES:
                    return
                path = f"{building.code}/{floor.code}/{zone.code}"
                yield f"{unit.code}-{path.replace('/', '-')}", f"{building.name}{floor.name}{zone.name}", (path,)


class Theatre:
    """Serves what the cameras of ``city`` see: ``/cameras/{code}.jpg``, and a page at ``/cameras/{code}``.

    ``sample`` is to be set when the play begins; before, nothing burns.
    """

    def __init__(self, city: City, clock: Clock, seed: int, port: int) -> None:
        self.sample: Sample | None = None
        self._clock = clock
        self._seed = seed
        self._cameras = {each.code: (n, each) for n, each in enumerate(cameras_of(city, address(port)), 1)}
        self._smokes: dict[tuple[str, str], list[int]] = {}
        for number, device in enumerate(city.devices):
            if device.kind is DeviceKind.SMOKE and device.zone is not None:
                self._smokes.setdefault((device.unit, device.zone), []).append(number)

    def smoke(self, code: str, now: Micros) -> float:
        """Return the thickest smoke in sight of a camera, dB/m; a clean ceiling has some hundredths."""
        _, camera = self._cameras[code]
        seen = [
            number
            for (unit, zone), numbers in self._smokes.items()
            if unit == camera.unit and any(zone == path or zone.startswith(f"{path}/") for path in camera.sees)
            for number in numbers
        ]
        if self.sample is None or not seen:
            return 0.0
        index = np.array(seen, np.int64)
        blocks = self.sample(index, np.full(len(index), now, np.int64))
        thick = max(float(block.values[:, 0].max()) for block in blocks if block.shape is SMOKE)
        return thick if camera.sees[0].count("/") == 2 else thick / 4  # from the hall it is far away

    async def picture(self, request: web.Request) -> web.Response:
        """Answer with a picture, or, where the camera is out of order, 503."""
        from firetower.simulator.film import frame  # no start waits for what draws

        code = request.match_info["code"]
        if code not in self._cameras:
            raise web.HTTPNotFound
        if "broken" in request.query:
            raise web.HTTPServiceUnavailable
        now = self._clock.now()
        clock = f"{to_datetime(now).astimezone(_LOCAL):%Y-%m-%d %H:%M:%S}"
        number, camera = self._cameras[code]
        place = camera.code.upper()
        draw = partial(
            frame, self._seed, number, place=place, clock=clock, smoke=self.smoke(code, now),
            second=now // SECOND % 3600,
            outdoors=not camera.sees,
        )  # fmt: skip
        body = await asyncio.to_thread(draw)
        return web.Response(body=body, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def page(self, request: web.Request) -> web.Response:
        """Answer with the page an operator opens: the picture, again each second."""
        code = request.match_info["code"]
        if code not in self._cameras:
            raise web.HTTPNotFound
        _, camera = self._cameras[code]
        name, source = html.escape(camera.name), html.escape(PurePosixPath(camera.snapshot or "").name)
        text = (
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>{name}</title>'
            f'<body style="margin:0;background:#000"><img src="{source}" alt="{name}" style="width:100%">'
        )
        return web.Response(text=text, content_type="text/html")


@contextlib.asynccontextmanager
async def serving(theatre: Theatre, port: int) -> AsyncIterator[None]:
    """Serve on ``port`` of this machine alone. Raises ConfigError when the port is taken."""
    check_port(HOST, port, "the simulated cameras", "--cameras")
    app = web.Application()
    app.router.add_get("/cameras/{code}.jpg", theatre.picture)
    app.router.add_get("/cameras/{code}", theatre.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield
    finally:
        await runner.cleanup()
