"""What the service's double knows of the city: places, grids, files of devices; and base maps made by hand."""

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from double_facts import Json, at
from double_watch import error
from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

COLUMNS = ("name", "lon", "lat")


class CityDouble:
    """Units, stations and grids beside the devices; nobody is told of a change here."""

    def __init__(self) -> None:
        super().__init__()
        self.places: Json = {"units": [], "stations": []}
        self.grids: list[Json] = []
        self.latest: list[Json] = []
        self.ground: Path | None = None  # the base map's file
        self.ground_asked: list[str] = []  # methods and ranges

    def station(self, code: str, name: str, lon: float, lat: float, phone: str = "13900000001") -> Json:
        """Add a micro fire station with one keeper."""
        person = {"id": f"{code}-1", "scope": "station", "of": code, "role": "station", "name": "周队长",
                  "phone": phone, "email": None, "addresses": {}, "order": 0, "language": "zh",
                  "hours": [{"days": [1, 2], "from": "08:00", "to": "18:00"}]}  # fmt: skip
        made = {
            "station": code,
            "name": name,
            "grid": "g-1",
            "unit": None,
            "lon": lon,
            "lat": lat,
            "contacts": [person],
        }
        self.places["stations"].append(made)
        return made

    def unit_at(self, code: str, name: str, lon: float, lat: float) -> Json:
        """Add a unit with a place."""
        made = {"unit": code, "name": name, "category": "mall", "grid": "g-1", "lon": lon, "lat": lat, "address": "",
                "contact_name": "钱经理", "contact_phone": "13900000002", "registered_at": at(0), "buildings": [],
                "devices": {"online": 41, "offline": 2, "never_seen": 1}}  # fmt: skip
        self.places["units"].append(made)
        self.units[code] = made  # type: ignore[attr-defined]  # reason: the double it is mixed into has them
        return made

    def grid_around(self, name: str, lon: float, lat: float, half: float = 0.01) -> None:
        """Add a grid whose boundary is a square."""
        corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
        boundary = [[lon + dx, lat + dy] for dx, dy in corners]
        self.grids.append({"grid": name, "name": name, "district": None, "boundary": boundary, "units": 1})

    def add_city(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/api/v1/map/places", self._places)
        app.router.add_get("/api/v1/grids", self._grids)
        app.router.add_get("/api/v1/stations/{station}", self._station)
        app.router.add_get("/api/v1/map/base", self._ground)  # and HEAD
        app.router.add_get("/api/v1/devices/{unit}/{device}", self._device)
        app.router.add_get("/api/v1/devices/{unit}/{device}/latest", self._latest_of)

    async def _places(self, request: web.Request) -> web.Response:
        def columns(rows: list[Json], names: tuple[str, ...]) -> Json:
            return {name: [row[name] for row in rows] for name in names}

        return web.json_response(
            {
                "units": columns(self.places["units"], ("unit", "category", "grid", *COLUMNS)),
                "stations": columns(self.places["stations"], ("station", "unit", "grid", *COLUMNS)),
                "units_placeless": 3,
            }
        )

    async def _grids(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.grids, "next_cursor": None})

    async def _station(self, request: web.Request) -> web.Response:
        found = [each for each in self.places["stations"] if each["station"] == request.match_info["station"]]
        return web.json_response(found[0]) if found else error(404, "not_found", "there is no such station")

    async def _device(self, request: web.Request) -> web.Response:
        if self.has_file(request):
            return await self._file(request)
        unit, device = request.match_info["unit"], request.match_info["device"]
        file = {"unit": unit, "unit_name": "中心商场", "device": device, "kind": "smoke", "status": "online",
                "place": "3F 走廊", "lon": 113.26, "lat": 23.13, "last_seen_at": at(5)}  # fmt: skip
        return web.json_response(file)

    async def _latest_of(self, request: web.Request) -> web.Response:
        if self.has_file(request):
            return await self._file(request)
        return web.json_response({"items": self.latest})

    async def _ground(self, request: web.Request) -> web.StreamResponse:
        self.ground_asked.append(f"{request.method} {request.headers.get('Range', '')}".strip())
        if self.ground is None:
            return error(404, "not_found", "there is no base map file")
        return web.FileResponse(self.ground, headers={"Content-Type": "application/vnd.pmtiles"})


# base maps ------------------------------------------------------------------------------------------


def picture(colour: tuple[int, int, int]) -> bytes:
    """A tile of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(made, "PNG")
    return made.getvalue()


def _varint(value: int) -> bytes:
    said = b""
    while value > 127:
        said += bytes([value & 127 | 128])
        value >>= 7
    return said + bytes([value])


def _part(field: int, content: bytes | int) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(content, int):
        return _varint(field << 3) + _varint(content)
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def vector_layer(layer: str, shape: int, points: list[tuple[int, int]], **properties: str) -> bytes:
    """A layer of a vector tile with one feature: ``shape`` 2 a line, 3 a polygon; 4,096 units wide."""
    steps = [9, *_moves(points[:1], (0, 0)), (len(points) - 1) << 3 | 2, *_moves(points[1:], points[0])]
    geometry = b"".join(map(_varint, [*steps, 15] if shape == 3 else steps))
    tags = b"".join(_varint(i) + _varint(i) for i in range(len(properties)))
    feature = _part(2, tags) + _part(3, shape) + _part(4, geometry)
    named = b"".join(_part(3, each.encode()) for each in properties)
    valued = b"".join(_part(4, _part(1, each.encode())) for each in properties.values())
    return _part(3, _part(15, 2) + _part(1, layer.encode()) + _part(2, feature) + named + valued + _part(5, 4096))


def _moves(points: list[tuple[int, int]], at_: tuple[int, int]) -> list[int]:
    said = []
    for x, y in points:
        said += [(delta << 1) ^ (delta >> 31) for delta in (x - at_[0], y - at_[1])]
        at_ = (x, y)
    return said


def archive(file: Path, kind: TileType, tile: Callable[[int, int, int], bytes], most_zoom: int) -> Path:
    """Write a PMTiles file of the whole world down to a zoom, with the writer of its makers."""
    squeezed = kind is TileType.MVT
    with file.open("wb") as out:
        writer = Writer(out)
        for zoom in range(most_zoom + 1):
            for x in range(2**zoom):
                for y in range(2**zoom):
                    data = tile(zoom, x, y)
                    writer.write_tile(zxy_to_tileid(zoom, x, y), gzip.compress(data) if squeezed else data)
        writer.finalize(
            {
                "tile_type": kind, "tile_compression": Compression.GZIP if squeezed else Compression.NONE,
                "min_lon_e7": -1_800_000_000, "min_lat_e7": -850_000_000, "max_lon_e7": 1_800_000_000,
                "max_lat_e7": 850_000_000, "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0,
            },
            {},
        )  # fmt: skip
    return file


def colour_at(shot: bytes, x: float, y: float) -> tuple[int, int, int]:
    """What a screenshot shows at a place."""
    r, g, b = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((round(x), round(y)))  # type: ignore[misc]
    return r, g, b


def pad(file: Path, size: int) -> Path:
    """Make a file larger than what is kept whole; what follows its tiles is never read."""
    with file.open("ab") as out:
        out.write(struct.pack("B", 0) * max(0, size - file.stat().st_size))
    return file
