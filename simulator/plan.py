"""The ground plan of the city: districts, grids, streets, water mains, and where things stand on them.

An irregular street grid, bent and turned, around a point in the open sea, so that nobody takes it for a
real place. Lengths in metres east and north of that point; ``lonlat`` turns them into WGS-84 degrees.
"""

import math
from dataclasses import dataclass

import numpy as np

from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.templates import names

CENTRE_LON, CENTRE_LAT = 123.6, 28.9
METRES_PER_DEGREE = 111_320.0
HYDRANT_SPACING_M = 110.0  # ≤ 120 m is asked for (GB 50974-2014 7.2, from a secondary source)
BLOCK_M = 250.0
KERB_M = 6.0  # from the middle of the street to a hydrant, 0.5 to 2 m behind the kerb
ARTERIAL_EVERY = 4
MAIN_BLOCKS = 6  # a main runs along so many blocks
GAP_SHARE = 0.07  # of the blocks of a minor street are built over
SMALLEST, LARGEST = 6, 400  # streets each way
TURN = math.radians(11)


@dataclass(frozen=True, slots=True)
class Street:
    """An unbroken piece of a street: its crossings, shape (n, 2) in metres; ``line`` numbers its name in the plan."""

    line: int
    arterial: bool
    nodes: Floats


@dataclass(frozen=True, slots=True)
class Main:
    """A stretch of water main under a street: nodes of shape (n, 2) in metres, in the grid numbered ``grid``."""

    code: str
    line: int
    diameter_mm: int
    grid: int
    nodes: Floats


@dataclass(frozen=True, slots=True)
class Area:
    """A district or a grid: the blocks [row0, row1) × [col0, col1); ``district`` is the number of its district."""

    code: str
    name: str
    district: int
    row0: int
    row1: int
    col0: int
    col1: int


@dataclass(frozen=True, slots=True)
class Spots:
    """n places: ``xy`` (n, 2) in metres; ``owner``: main or grid, ``line``: street, ``along``: m along it."""

    xy: Floats
    owner: Int64s
    line: Int64s
    along: Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole ground plan; ``nodes`` are the crossings, shape (k, k, 2) in metres; ``lines`` the streets' names."""

    seed: int
    nodes: Floats
    lines: tuple[str, ...]
    districts: tuple[Area, ...]
    grids: tuple[Area, ...]
    streets: tuple[Street, ...]
    mains: tuple[Main, ...]

    def hydrants(self, count: int) -> Spots:
        """Return ``count`` places along the mains, evenly spread, at the kerb; ``owner`` is the main."""
        blocks = np.array([len(main.nodes) - 1 for main in self.mains])
        owner = np.repeat(np.arange(len(blocks)), blocks)
        starts = np.concatenate([main.nodes[:-1] for main in self.mains])
        ends = np.concatenate([main.nodes[1:] for main in self.mains])
        lengths = np.hypot(*(ends - starts).T)
        reached = np.concatenate([[0.0], np.cumsum(lengths)])
        number = np.arange(count)
        way = (number + noise.between(self.seed, "hydrant along", number, 0.3, 0.7)) / count * reached[-1]
        block = np.clip(np.searchsorted(reached, way, "right") - 1, 0, len(lengths) - 1)
        direction = (ends[block] - starts[block]) / lengths[block, None]
        side = np.where(noise.uniform(self.seed, "hydrant side", number) < 0.5, -KERB_M, KERB_M)
        across = np.stack([-direction[:, 1], direction[:, 0]], 1) * side[:, None]
        xy = starts[block] + direction * (way - reached[block])[:, None] + across
        line = np.array([main.line for main in self.mains])
        first = np.concatenate([[0], np.cumsum(blocks)[:-1]])
        return Spots(xy, owner[block], line[owner[block]], way - reached[first[owner[block]]])

    def blocks(self, count: int) -> Spots:
        """Return ``count`` places inside blocks, away from the streets; ``owner`` is the grid."""
        size = len(self.nodes) - 1
        number = np.arange(count)
        row = noise.whole(self.seed, "block row", number, size)
        col = noise.whole(self.seed, "block column", number, size)
        u = noise.between(self.seed, "block u", number, 0.2, 0.8)[:, None]
        v = noise.between(self.seed, "block v", number, 0.2, 0.8)[:, None]
        south = self.nodes[row, col] * (1 - u) + self.nodes[row, col + 1] * u
        north = self.nodes[row + 1, col] * (1 - u) + self.nodes[row + 1, col + 1] * u
        grid = np.zeros((size, size), np.int64)
        for place, area in enumerate(self.grids):
            grid[area.row0 : area.row1, area.col0 : area.col1] = place
        return Spots(south * (1 - v) + north * v, grid[row, col], row, (col + u[:, 0]) * BLOCK_M)

    def outline(self, area: Area) -> Floats:
        """Return the closed outline of a district or grid, anticlockwise, shape (n, 2) in metres."""
        nodes = self.nodes[area.row0 : area.row1 + 1, area.col0 : area.col1 + 1]
        return np.concatenate([nodes[0], nodes[1:, -1], nodes[-1, -2::-1], nodes[-2::-1, 0]])


def lonlat(xy: Floats) -> Floats:
    """Return metres, shape (n, 2), as WGS-84 degrees (longitude, latitude), to about 0.1 m."""
    per_lon = METRES_PER_DEGREE * math.cos(math.radians(CENTRE_LAT))
    degrees: Floats = np.round(np.array([CENTRE_LON, CENTRE_LAT]) + xy / [per_lon, METRES_PER_DEGREE], 6)
    return degrees


def lay_out(seed: int, hydrants: int) -> Plan:
    """Return a plan whose streets have room for ``hydrants`` at their usual spacing."""
    # k streets each way of (k - 1) blocks give about 2 k² blocks
    wanted = math.sqrt(hydrants * HYDRANT_SPACING_M / (2 * BLOCK_M)) + 1
    size = int(min(max(SMALLEST, round(wanted)), LARGEST))
    nodes = _crossings(seed, size)
    districts = _divide(size - 1, 2 if size < 12 else 3 if size < 60 else 4)
    named = names()
    district_areas = tuple(
        Area(f"d{number + 1:02d}", named.districts[number % len(named.districts)], number, *cells)
        for number, cells in enumerate(districts)
    )
    grids: list[Area] = []
    for area in district_areas:
        across = max(1, min(4, (area.row1 - area.row0) // 3))
        for number, (row0, row1, col0, col1) in enumerate(
            _divide(area.row1 - area.row0, across, area.col1 - area.col0)
        ):
            cells = (area.row0 + row0, area.row0 + row1, area.col0 + col0, area.col0 + col1)
            name = f"{area.name}第{number + 1:02d}网格"
            grids.append(Area(f"{area.code}-g{number + 1:02d}", name, area.district, *cells))
    lines = _street_names(seed, 2 * size)
    streets = tuple(_streets(seed, nodes))
    return Plan(seed, nodes, lines, district_areas, tuple(grids), streets, tuple(_mains(streets, nodes, grids)))


def _crossings(seed: int, size: int) -> Floats:
    number = np.arange(size)
    east = np.cumsum(noise.between(seed, "street east", number, 0.75, 1.25) * BLOCK_M)
    north = np.cumsum(noise.between(seed, "street north", number, 0.75, 1.25) * BLOCK_M)
    x, y = np.meshgrid(east - east.mean(), north - north.mean())
    reach = BLOCK_M * size
    phase = 2 * math.pi * noise.uniform(seed, "street bend", np.arange(2))
    bent_x = x + 0.05 * reach * np.sin(2 * math.pi * y / reach + phase[0])
    bent_y = y + 0.05 * reach * np.sin(2 * math.pi * x / reach + phase[1])
    each = np.arange(size * size)
    bent_x += noise.between(seed, "crossing east", each, -14, 14).reshape(size, size)
    bent_y += noise.between(seed, "crossing north", each, -14, 14).reshape(size, size)
    turned_x = bent_x * math.cos(TURN) - bent_y * math.sin(TURN)
    turned_y = bent_x * math.sin(TURN) + bent_y * math.cos(TURN)
    return np.stack([turned_x, turned_y], axis=-1)


def _divide(rows: int, parts: int, cols: int | None = None) -> list[tuple[int, int, int, int]]:
    row = np.linspace(0, rows, parts + 1).round().astype(int).tolist()
    col = np.linspace(0, rows if cols is None else cols, parts + 1).round().astype(int).tolist()
    return [(row[i], row[i + 1], col[j], col[j + 1]) for i in range(parts) for j in range(parts)]


def _street_names(seed: int, count: int) -> tuple[str, ...]:
    named = names()
    # a stride without a common divisor visits every combination before one comes again
    pairs = [place + kind for kind in named.street_kinds for place in named.places]
    start = int(noise.whole(seed, "street name", 0, len(pairs))[0])
    stride = next(n for n in range(31, len(pairs) + 31) if math.gcd(n, len(pairs)) == 1)
    made = []
    for number in range(count):
        again, place = divmod(number, len(pairs))
        made.append(pairs[(start + place * stride) % len(pairs)] + (f"{again + 1}段" if again else ""))
    return tuple(made)


def _streets(seed: int, nodes: Floats) -> list[Street]:
    size = len(nodes)
    made = []
    for line in range(2 * size):
        way = nodes[line] if line < size else nodes[:, line - size]
        place = line % size
        arterial = place % ARTERIAL_EVERY == 0 or place == size - 1
        built_over = noise.uniform(seed, f"gap {line}", np.arange(size - 1)) < GAP_SHARE
        cuts = [] if arterial else np.flatnonzero(built_over).tolist()
        begin = 0
        for cut in [*cuts, size - 1]:
            if cut > begin:
                made.append(Street(line, arterial, way[begin : cut + 1]))
            begin = cut + 1
    return made


def _mains(streets: tuple[Street, ...], nodes: Floats, grids: list[Area]) -> list[Main]:
    size = len(nodes) - 1
    centres = np.array([nodes[a.row0 : a.row1 + 1, a.col0 : a.col1 + 1].mean((0, 1)) for a in grids])
    made: list[Main] = []
    for street in streets:
        for begin in range(0, len(street.nodes) - 1, MAIN_BLOCKS):
            part = street.nodes[begin : begin + MAIN_BLOCKS + 1]
            grid = int(np.argmin(np.hypot(*(centres - part.mean(0)).T)))
            diameter = 600 if street.arterial and size > 12 else 400 if street.arterial else 200
            made.append(Main(f"main-{len(made) + 1:05d}", street.line, diameter, grid, part))
    return made
