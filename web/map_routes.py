"""What the map draws: every device as binary columns, units and stations, and the base map that is configured."""

import struct
from typing import Literal

import msgspec
import numpy as np
from aiohttp import web
from pydantic import BaseModel, Field

from firetower.core.errors import NotFound
from firetower.devices import liveness
from firetower.devices.kinds import KIND_NUMBER
from firetower.devices.registry import Registry
from firetower.storage import places
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Nothing, instant
from firetower.web.base_map import BaseMap

PATH = "/api/v1/devices/snapshot"
MAGIC = b"FTD1"
NOWHERE = -(2**31)
"""Longitude and latitude of a device whose place is not known."""
NO_DEVICE = 255
"""Kind of a slot in which no device in service stands."""
_SCALE = 1e7
_KINDS = [kind.value for kind, _ in sorted(KIND_NUMBER.items(), key=lambda each: each[1])]


def columns(registry: Registry, now: int) -> bytes:
    """Return the devices as the map reads them, 10 bytes each: slots are device numbers, and never change.

    ``FTD1``, the length of a JSON head (uint32), the head padded with spaces to a multiple of 4 bytes (``count``,
    ``kinds``, ``statuses``, ``t``), then the columns of ``count``: longitude and latitude (int32, 1e-7 degrees, WGS-84,
    -2**31 where unknown), kind and status (uint8, places in ``kinds`` and ``statuses``; kind 255: none). Little-endian.
    """
    size = len(registry.kind)
    statuses = liveness.statuses(registry, now, slice(0, size))
    gone = (registry.kind[:size] < 0) | registry.retired[:size] | (statuses == liveness.NO_DEVICE)
    kinds = np.where(gone, NO_DEVICE, registry.kind[:size]).astype(np.uint8)
    states = np.where(gone, NO_DEVICE, statuses).astype(np.uint8)
    places = [
        np.where(np.isfinite(degrees), np.round(degrees * _SCALE), NOWHERE).astype("<i4")
        for degrees in (registry.lon[:size], registry.lat[:size])
    ]
    head = msgspec.json.encode(
        {"count": size, "kinds": _KINDS, "statuses": list(liveness.STATUS_NAMES), "t": instant(now)}
    )
    head += b" " * (-len(head) % 4)
    return b"".join((MAGIC, struct.pack("<I", len(head)), head, *(each.tobytes() for each in (*places, kinds, states))))


class UnitColumns(Answered):
    """Units 联网单位 that have a place, by code: the same length in every column."""

    unit: list[str]
    name: list[str]
    category: list[str]
    grid: list[str | None]
    lon: list[float] = Field(description="WGS-84, degrees")
    lat: list[float]


class StationColumns(Answered):
    """Micro fire stations 微型消防站 by code: the same length in every column."""

    station: list[str]
    name: list[str]
    grid: list[str | None]
    unit: list[str | None] = Field(description="whose it is, if a unit's")
    lon: list[float] = Field(description="WGS-84, degrees")
    lat: list[float]


class PlacesOut(Answered):
    """What stands on the map beside the devices."""

    units: UnitColumns
    stations: StationColumns
    units_placeless: int = Field(description="units whose place is not on record: they are not on the map")


class BaseMapOut(Answered):
    """What lies under the devices."""

    kind: Literal["none", "geojson", "tiles", "pmtiles"]
    url: str | None = Field(description="where it is fetched: `{z}/{x}/{y}` of tiles, else one file; null of `none`")
    attribution: str | None = Field(description="to be shown with it")
    review_number: str | None = Field(description="审图号 of a map shown in public")
    crs: Literal["wgs84", "gcj02", "bd09"] = Field(
        description="the coordinates it is drawn in: WGS-84 places are moved by that much for display only"
    )


async def devices_snapshot(call: Call[Nothing, None]) -> web.StreamResponse:
    """Every device in service as binary columns for the map: `FTD1`, a JSON head, longitude, latitude, kind, status.

    10 bytes a device; a device's slot is its `number` in live frames and in `GET /api/v1/devices?number=`.
    """
    response = web.Response(
        body=columns(call.deps.registry, call.deps.clock.now()), content_type="application/octet-stream"
    )
    response.enable_compression()
    return response


async def map_places(call: Call[Nothing, None]) -> web.StreamResponse:
    """Every unit and micro fire station with its place, in columns; whom to call: `GET /api/v1/stations/{station}`."""
    pool = call.deps.pool
    found = await places.units(pool), await places.stations(pool), await places.placeless(pool)
    response = web.Response(
        body=b'{"units":%b,"stations":%b,"units_placeless":%d}' % found, content_type="application/json"
    )
    response.enable_compression()
    return response


async def base_map(call: Call[Nothing, None]) -> BaseModel:
    """Say which base map is configured."""
    given: BaseMap = call.deps.base_map
    return BaseMapOut(
        kind=given.kind,
        url=given.url,
        attribution=given.attribution,
        review_number=given.review_number,
        crs=given.crs,
    )


async def base_map_file(call: Call[Nothing, None]) -> web.StreamResponse:
    """Give the base map's file, parts of it by `Range`."""
    file = call.deps.base_map.file
    if file is None:
        raise NotFound("there is no base map file; set FIRETOWER_MAP_BASE to a .geojson or .pmtiles file")
    if not file.is_file():
        raise NotFound(f"the base map file {file.name} is gone; put it back, or mend FIRETOWER_MAP_BASE")
    return web.FileResponse(file, headers={"Content-Type": call.deps.base_map.media, "Cache-Control": "no-cache"})


ROUTES = (
    Route("GET", PATH, devices_snapshot, "Every device for the map", "map", media="application/octet-stream"),
    Route("GET", "/api/v1/map/places", map_places, "Units and stations on the map", "map", answer=PlacesOut),
    Route("GET", "/api/v1/map", base_map, "The base map", "map", answer=BaseMapOut),
    Route("GET", "/api/v1/map/base", base_map_file, "The base map's file", "map", media="application/octet-stream"),
)
