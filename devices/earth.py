"""Distances and directions between places on the earth, WGS-84 degrees in, metres and compass words out."""

import math
from enum import StrEnum

RADIUS_M = 6_371_008.8
"""Mean radius of the earth (IUGG): great-circle distances within 0.6 % of the ellipsoid's."""
_PER_DEGREE_M = RADIUS_M * math.pi / 180


class Bearing(StrEnum):
    """In which direction something lies."""

    NORTH = "north"  # 北
    NORTH_EAST = "north_east"  # 东北
    EAST = "east"  # 东
    SOUTH_EAST = "south_east"  # 东南
    SOUTH = "south"  # 南
    SOUTH_WEST = "south_west"  # 西南
    WEST = "west"  # 西
    NORTH_WEST = "north_west"  # 西北


def distance_m(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Return the great-circle distance between two places in metres."""
    north, south = math.radians(to_lat), math.radians(lat)
    half_lat, half_lon = (north - south) / 2, math.radians(to_lon - lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(south) * math.cos(north) * math.sin(half_lon) ** 2
    return 2 * RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def bearing(lon: float, lat: float, to_lon: float, to_lat: float) -> Bearing:
    """Return in which of the eight directions the second place lies as seen from the first."""
    here, there, east = math.radians(lat), math.radians(to_lat), math.radians(to_lon - lon)
    x = math.sin(east) * math.cos(there)
    y = math.cos(here) * math.sin(there) - math.sin(here) * math.cos(there) * math.cos(east)
    return list(Bearing)[round(math.degrees(math.atan2(x, y)) / 45) % 8]


def box(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) in degrees of a box that holds all within ``metres``.

    It does not go on beyond the meridian of 180°, nor past a pole.
    """
    high = metres / _PER_DEGREE_M * 1.001  # no place at the very edge is lost to rounding
    wide = high / max(math.cos(math.radians(min(abs(lat) + high, 89.0))), 0.01)
    return lon - wide, lat - high, lon + wide, lat + high
