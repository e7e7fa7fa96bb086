"""Cameras 视频 as a registry file writes them: which places one sees, and the addresses that are opened and asked."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

MOST_PLACES = 50
"""Places that one camera sees."""
_LONGEST = 2000


def _address(given: str) -> str:
    """Return an address of the web; ValueError for any other, and for one that holds a password."""
    try:
        parts = urlsplit(given)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or any(char.isspace() or not char.isprintable() for char in given):
        raise ValueError("must look like https://host/path")
    if "@" in parts.netloc:
        raise ValueError(
            "holds a name or password; take it out, and give with secret its name in camera_secrets of the duty plan"
        )
    return given


WebAddress = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_address)]
"""http or https, without name and password."""

PlacePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,2}$")]
"""``building``, ``building/floor`` or ``building/floor/zone`` within a unit."""


def each_place_once(places: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``places``; ValueError where one stands twice."""
    for number, place in enumerate(places):
        if place in places[:number]:
            raise ValueError(f"{place!r} stands twice; keep one")
    return places
