"""The boundary of a grid is read as one closed ring that encloses something, or refused with the reason."""

import math
from typing import Any

import pytest

from firetower.devices.city import FORMAT, read_city

SQUARE = [[108.0, 22.0], [108.1, 22.0], [108.1, 22.1], [108.0, 22.1]]


def read(boundary: Any) -> tuple[Any, str]:
    city, errors = read_city({"format": FORMAT, "grids": [{"code": "g", "boundary": boundary}]})
    return (city.grids[0].boundary if city.grids else None), "".join(error.message for error in errors)


def test_an_open_ring_is_closed_and_a_closed_one_stays_as_it_is() -> None:
    closed = tuple((lon, lat) for lon, lat in [*SQUARE, SQUARE[0]])
    assert read(SQUARE) == read([*SQUARE, SQUARE[0]]) == (closed, "")
    assert read(None) == (None, "")
    assert read([]) == ((), ""), "none any more"


def circle(points: int, radius: float = 0.01) -> list[list[float]]:
    turns = [2 * math.pi * n / points for n in range(points)]
    return [[108 + radius * math.cos(turn), 22 + radius * math.sin(turn)] for turn in turns]


def test_a_ring_of_500_points_is_taken_closing_one_counted() -> None:
    assert len(read(circle(499))[0]) == 500
    assert len(read(circle(60, 0.00002))[0]) == 61, "two metres across: small, and an area all the same"


@pytest.mark.parametrize(
    ("boundary", "told"),
    [
        (SQUARE[:2], "3 points"),
        ([*SQUARE[:2], SQUARE[0]], "3 points"),
        ([[108, 22], [108.1, 22.1], [108.2, 22.2], [108.3, 22.3]], "no area"),
        ([[108, 22]] * 5, "no area"),
        (circle(500), "501 points"),
        ([[22.0, 108.0]] * 4, "less than or equal to 90"),
        ([[108.0], [1, 2, 3], "x"], "boundary"),
        ({"type": "Polygon"}, "boundary"),
        ([[float("nan"), 1], [1, 2], [3, 1]], "boundary"),
    ],
)
def test_what_is_no_ring_is_one_error_with_its_reason(boundary: Any, told: str) -> None:
    grid, message = read(boundary)
    assert grid is None
    assert told in message
