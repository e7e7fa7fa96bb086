"""The boundary of a grid 网格 as a registry file writes it: one outer ring of WGS-84 points."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

LARGEST = 500
"""Points of a ring, the closing one counted."""
FEWEST = 4
_SMALLEST_AREA = 1e-10
"""Square degrees, about one square metre: what encloses less is a line or a point written many times."""

Place = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
"""Longitude and latitude, degrees, in that order."""
Ring = tuple[Place, ...]


def area(ring: Ring) -> float:
    """Return what a closed ring encloses, in square degrees, whichever way round it is written."""
    # from the first point: products of whole longitudes would cost the digits that small areas need
    lon, lat = ring[0]
    moved = [(x - lon, y - lat) for x, y in ring]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(moved))) / 2


def _closed(ring: Ring) -> Ring:
    """Return the ring with its first point at its end too; an empty one stays: no boundary any more."""
    if not ring:
        return ring
    closed = ring if ring[0] == ring[-1] else (*ring, ring[0])
    if len(closed) < FEWEST:
        raise ValueError(f"a ring of {len(closed)} points encloses nothing; give at least {FEWEST}, the last the first")
    if len(closed) > LARGEST:
        raise ValueError(f"a ring of {len(closed)} points is too fine; give at most {LARGEST}, the closing one counted")
    if area(closed) < _SMALLEST_AREA:
        raise ValueError("the ring encloses no area; give its corners in their order, [longitude, latitude]")
    return closed


Boundary = Annotated[Ring, Field(max_length=10_000), AfterValidator(_closed)]
"""A closed ring of at most ``LARGEST`` points; one that was written open is closed. Empty: none any more."""
