"""Draws floors of the simulated city as PNG: rooms, corridor, stairs, compartments; and places what is there."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from firetower.devices.city import City, Device, Unit
from firetower.devices.kinds import DeviceKind

WIDE, HIGH = 1200, 720
_LEFT, _RIGHT, _UP, _DOWN = 60, 1140, 90, 660
_CORRIDOR = (340, 410)
_ROOMS = 3  # of a zone, on each side of the corridor
_STAIRS = 70
_PALETTE = ((252, 252, 249), (60, 66, 74), (238, 240, 236), (206, 214, 222), (120, 128, 138), (176, 96, 40))
_PAPER, _WALL, _ROOM, _WALK, _THIN, _BOUNDARY = range(len(_PALETTE))
_SIGNS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71122",
    "8": "75757", "9": "75717", "F": "74644", "B": "65656",
}  # fmt: skip
"""Five rows of three pixels, each row a digit of three bits."""

Canvas = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DrawnFloor:
    """A floor's drawing, and where on it (device, component, x, y) are, 0 to 1 from the left and upper edge."""

    unit: str
    building: str
    floor: str
    png: bytes
    positions: tuple[tuple[str, str, float, float], ...]


def draw_unit(city: City, unit: Unit) -> Iterator[DrawnFloor]:
    """Yield every floor of a unit, drawn, with the devices and points of its zones."""
    devices = [device for device in city.devices if device.unit == unit.code]
    for building in unit.buildings:
        for floor in building.floors:
            positions = [
                (device, component, x, y)
                for number, zone in enumerate(floor.zones)
                for (device, component), (x, y) in _spread(
                    _standing(devices, f"{building.code}/{floor.code}/{zone.code}"), number, len(floor.zones)
                )
            ]
            png = _drawing(floor.level or 1, max(1, len(floor.zones)))
            yield DrawnFloor(unit.code, building.code, floor.code, png, tuple(positions))


def _standing(devices: Sequence[Device], zone: str) -> list[tuple[tuple[str, str], bool]]:
    """Return ((device, component), whether it hangs in the corridor) of what stands in a zone."""
    found: list[tuple[tuple[str, str], bool]] = []
    for device in devices:
        if device.zone == zone:
            found.append(((device.device, ""), device.kind is DeviceKind.ELECTRICAL))
        found += [
            ((device.device, point.component), "按钮" in point.place) for point in device.points if point.zone == zone
        ]
    return found


def _spread(
    standing: Sequence[tuple[tuple[str, str], bool]], zone: int, zones: int
) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """Give each a place of its own: in the rooms of its zone in turn, or along its corridor."""
    left, right = _bounds(zone, zones)
    room = (right - left) / _ROOMS
    in_rooms, in_corridor = 0, 0
    for name, corridor in standing:
        if corridor:
            x = left + room * (0.25 + 0.37 * in_corridor % (_ROOMS - 0.5))
            y = _CORRIDOR[0] + 12.0 if in_corridor % 2 == 0 else _CORRIDOR[1] - 12
            in_corridor += 1
        else:
            turn, slot = divmod(in_rooms, 2 * _ROOMS)
            x = left + room * (slot % _ROOMS + (0.5, 0.25, 0.75, 0.3, 0.7)[turn % 5])
            upper = (_UP + _CORRIDOR[0]) / 2 + (0, 60, -55, -70, 70)[turn % 5]
            y = upper if slot < _ROOMS else _UP + _DOWN - upper
            in_rooms += 1
        yield name, (round(x / WIDE, 4), round(y / HIGH, 4))


def _bounds(zone: int, zones: int) -> tuple[float, float]:
    inside = _RIGHT - _LEFT - 2 * _STAIRS
    return _LEFT + _STAIRS + inside * zone / zones, _LEFT + _STAIRS + inside * (zone + 1) / zones


@cache
def _drawing(level: int, zones: int) -> bytes:
    canvas = np.full((HIGH, WIDE), _PAPER, np.uint8)
    canvas[_UP:_DOWN, _LEFT:_RIGHT] = _ROOM
    canvas[slice(*_CORRIDOR), _LEFT:_RIGHT] = _WALK
    for zone in range(zones):
        _rooms(canvas, level, zone, zones)
    for left in (_LEFT, _RIGHT - _STAIRS):  # stairs at both ends
        canvas[_UP:_DOWN, left : left + _STAIRS] = _ROOM
        canvas[slice(*_CORRIDOR), left : left + _STAIRS] = _WALK
        canvas[_CORRIDOR[0] - 110 : _CORRIDOR[0] : 10, left : left + _STAIRS] = _THIN
        for at in (left, left + _STAIRS):
            _line(canvas, at, _UP, at, _CORRIDOR[0])
            _line(canvas, at, _CORRIDOR[1], at, _DOWN)
        _line(canvas, left, _CORRIDOR[0], left + 20, _CORRIDOR[0])
        _line(canvas, left, _CORRIDOR[1], left + _STAIRS, _CORRIDOR[1])
    for zone in range(1, zones):  # what parts two fire compartments, dashed
        at = round(_bounds(zone, zones)[0])
        for y in range(_UP - 20, _DOWN + 20, 24):
            canvas[y : y + 14, at - 3 : at + 3] = _BOUNDARY
    for y in (_UP, _DOWN):
        _line(canvas, _LEFT, y, _RIGHT, y, thick=8)
    for x in (_LEFT, _RIGHT):
        _line(canvas, x, _UP, x, _DOWN, thick=8)
    _write(canvas, f"{level}F" if level > 0 else f"B{-level}F", _LEFT, 22, 9)
    return _png(canvas)


def _rooms(canvas: Canvas, level: int, zone: int, zones: int) -> None:
    left, right = _bounds(zone, zones)
    room = (right - left) / _ROOMS
    for number in range(2 * _ROOMS):
        start, upper = round(left + room * (number % _ROOMS)), number < _ROOMS
        end, wall = round(start + room), _CORRIDOR[0] if upper else _CORRIDOR[1]
        _line(canvas, start, _UP if upper else _CORRIDOR[1], start, _CORRIDOR[0] if upper else _DOWN)
        door = (start + end) // 2
        _line(canvas, start, wall, door - 18, wall)  # the gap is the door
        _line(canvas, door + 18, wall, end, wall)
        name = str(abs(level) * 100 + 2 * (zone * _ROOMS + number % _ROOMS) + (1 if upper else 2))
        _write(canvas, name, start + 14, _UP + 16 if upper else _DOWN - 36, 4)


def _line(canvas: Canvas, x1: int, y1: int, x2: int, y2: int, *, thick: int = 4) -> None:
    half = thick // 2
    canvas[y1 - half : y2 + half, x1 - half : x2 + half] = _WALL


def _write(canvas: Canvas, text: str, x: int, y: int, size: int) -> None:
    for sign in text:
        for row, bits in enumerate(_SIGNS[sign]):
            for column in range(3):
                if int(bits) & (4 >> column):
                    top, left = y + row * size, x + column * size
                    canvas[top : top + size, left : left + size] = _THIN
        x += 4 * size


def _png(canvas: Canvas) -> bytes:
    """Return the canvas as a PNG with a palette."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    high, wide = canvas.shape
    rows = np.concatenate([np.zeros((high, 1), np.uint8), canvas], 1).tobytes()  # each begins with its filter, none
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", bytes(part for colour in _PALETTE for part in colour)),
            chunk(b"IDAT", zlib.compress(rows, 9)),
            chunk(b"IEND", b""),
        )
    )
