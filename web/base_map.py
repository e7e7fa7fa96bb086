"""The base map under the devices: nothing, the city's own lines, tiles of an address, or one PMTiles file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from firetower.core.errors import ConfigError

FILE_PATH = "/api/v1/map/base"
_REMEDY = "set FIRETOWER_MAP_BASE to a .geojson or .pmtiles file, to https://host/{z}/{x}/{y}.png, or leave it out"
_SEVERAL = re.compile(r"^[\w-]*\{(?:[a-z]-[a-z]|[0-9]-[0-9])\}[\w-]*\.")
"""Several hosts of one kind, as the page's map reads them: {a-c}.example.com, t{0-7}.example.com."""


@dataclass(frozen=True, slots=True)
class BaseMap:
    """What is configured. ``url``: where a page fetches it; ``file``: what is served there, None for tiles.

    ``origin``: scheme and host of tiles that come from elsewhere, for the page's policy; "" where nothing does.
    """

    kind: Literal["none", "geojson", "tiles", "pmtiles"] = "none"
    url: str | None = None
    file: Path | None = None
    attribution: str | None = None
    review_number: str | None = None
    crs: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    origin: str = ""

    @property
    def media(self) -> str:
        """The media type of the file."""
        return "application/geo+json" if self.kind == "geojson" else "application/vnd.pmtiles"


def base_map(
    given: str | None,
    attribution: str | None,
    review_number: str | None,
    crs: Literal["wgs84", "gcj02", "bd09"],
) -> BaseMap:
    """Return the base map of the settings; ConfigError says what of it cannot be used."""
    if given is None:
        return BaseMap(crs=crs)
    parts = urlsplit(given)
    if parts.scheme in {"http", "https"} and parts.hostname:
        origin = f"{parts.scheme}://{_SEVERAL.sub('*.', parts.netloc)}"
        if set("{}@;,' ") & set(origin):
            raise ConfigError(
                f"map_base: {parts.netloc!r} is no host that a page can be allowed to ask; name one host, or several as"
                f" {{a-c}}.example.com, without user and password; {_REMEDY}"
            )
        if not all(place in given for place in ("{z}", "{x}", "{y}")):
            raise ConfigError(f"map_base: the address {given!r} has no {{z}}, {{x}} and {{y}}; {_REMEDY}")
        if not attribution:
            raise ConfigError("map_attribution: tiles of others are shown with their source; set it to their words")
        return BaseMap("tiles", given, None, attribution, review_number, crs, origin)
    file = Path(given)
    kinds: dict[str, Literal["geojson", "pmtiles"]] = {".geojson": "geojson", ".json": "geojson", ".pmtiles": "pmtiles"}
    kind = kinds.get(file.suffix.lower())
    if kind is None:
        raise ConfigError(f"map_base: {given!r} is neither an address of tiles nor a file of a known kind; {_REMEDY}")
    if not file.is_file():
        raise ConfigError(f"map_base: there is no file {given}; {_REMEDY}")
    if kind == "pmtiles" and not attribution:
        raise ConfigError("map_attribution: a base map of others is shown with its source; set it to their words")
    return BaseMap(kind, FILE_PATH, file, attribution, review_number, crs)
