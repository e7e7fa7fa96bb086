"""Which cameras see the place of an alert, the nearest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from firetower.devices.earth import distance_m

OUTDOOR_M = 100.0
"""Within so many metres a camera outdoors is one of the alert's."""
MOST_ELSEWHERE = 12
"""Cameras elsewhere in the unit that are told of."""


class Sight(IntEnum):
    """How near to the place it is what a camera sees."""

    ZONE = 1
    FLOOR = 2
    BUILDING = 3
    OUTDOOR = 4
    UNIT = 5  # elsewhere in the unit: to look at by hand, no picture is taken by itself


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as stored; ``unit``: whose it is, None: nobody's. See ``devices.city.Camera``."""

    id: int
    code: str
    name: str
    unit: str | None
    sees: tuple[str, ...]
    lon: float | None
    lat: float | None
    link: str | None
    snapshot: str | None
    secret: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: ``zone`` is ``building/floor/zone`` of ``unit``; None what nobody knows."""

    unit: str | None
    zone: str | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera of a place. ``distance_m``: of one outdoors, metres from there."""

    camera: Camera
    sight: Sight
    distance_m: float | None = None

    @property
    def sees_it(self) -> bool:
        """Whether the place itself is in its sight, so that a picture is taken by itself."""
        return self.sight is not Sight.UNIT


def cameras_of(place: Place, cameras: Iterable[Camera]) -> Sequence[Seen]:
    """Return those of ``cameras`` that see ``place``, then those elsewhere in its unit, on its floor first."""
    found = [seen for camera in cameras if (seen := _seen(place, camera)) is not None]
    found.sort(key=lambda seen: (seen.sight, seen.distance_m or 0.0, -_shared(place, seen.camera), seen.camera.code))
    near = [seen for seen in found if seen.sees_it]
    return near + [seen for seen in found if not seen.sees_it][:MOST_ELSEWHERE]


def _seen(place: Place, camera: Camera) -> Seen | None:
    if camera.sees:
        if camera.unit is None or camera.unit != place.unit:
            return None
        steps = [len(path.split("/")) for path in camera.sees if place.zone and _holds(path, place.zone)]
        return Seen(camera, _SIGHTS[max(steps)] if steps else Sight.UNIT)
    if None not in {place.lon, place.lat, camera.lon, camera.lat}:
        assert place.lon is not None
        assert place.lat is not None
        assert camera.lon is not None
        assert camera.lat is not None
        away = distance_m(place.lon, place.lat, camera.lon, camera.lat)
        if away <= OUTDOOR_M:
            return Seen(camera, Sight.OUTDOOR, away)
    return Seen(camera, Sight.UNIT) if camera.unit is not None and camera.unit == place.unit else None


_SIGHTS = {3: Sight.ZONE, 2: Sight.FLOOR, 1: Sight.BUILDING}


def _holds(path: str, zone: str) -> bool:
    return zone == path or zone.startswith(f"{path}/")


def _shared(place: Place, camera: Camera) -> int:
    """Return how many steps of the place's path a camera elsewhere has in common with it: 2 on its floor."""
    steps = (place.zone or "").split("/")
    most = 0
    for path in camera.sees:
        same = 0
        for ours, theirs in zip(steps, path.split("/"), strict=False):
            if ours != theirs:
                break
            same += 1
        most = max(most, same)
    return most
