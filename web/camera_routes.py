"""Cameras of an alert and of a unit, and the pictures kept with an alert; who may see which."""

from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.cameras.sight import Camera, Seen, Sight
from firetower.alerts.cameras.taking import Moment
from firetower.alerts.cameras.trouble import Why
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage import cameras, devices, snapshots
from firetower.storage.snapshots import Snapshot
from firetower.web.alert_routes import PATH, shown_alert
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant, instant_or_none

SNAPSHOT = "/api/v1/snapshots/{id}"
_SIGHTS: Mapping[Sight, Literal["zone", "floor", "building", "outdoor", "unit"]] = {
    Sight.ZONE: "zone", Sight.FLOOR: "floor", Sight.BUILDING: "building", Sight.OUTDOOR: "outdoor", Sight.UNIT: "unit",
}  # fmt: skip
_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"


class TroubleOut(Answered):
    """Why there is no picture."""

    code: Why
    status: int | None = Field(description="of the camera's answer, where that was wrong")
    message: str


class SnapshotOut(Answered):
    """A picture asked for because of an alert; the picture itself is at `url`."""

    id: str
    camera: str
    camera_name: str
    moment: Moment = Field(description="`raised`: at the alarm; `after`: 30 s later; `by_hand`")
    by: str = Field(description="account, or `timer`")
    state: Literal["waiting", "taken", "failed"]
    due_at: Instant
    asked_at: Instant | None = Field(description="when the camera was last asked")
    taken_at: Instant | None = Field(description="when the whole picture was here")
    next_try_at: Instant | None
    tries: int
    trouble: TroubleOut | None = Field(description="of the newest try")
    media: str | None
    bytes: int | None
    sha256: str | None = Field(description="hex, of the picture as it came")
    url: str | None = Field(description="null while there is no picture")


class SnapshotList(Answered):
    """Pictures, newest first."""

    items: list[SnapshotOut]


class CameraOut(Answered):
    """A camera. Its address for pictures is not told: the service asks it, nobody else."""

    camera: str
    name: str
    unit: str | None
    sees: list[str] = Field(description="`building`, `building/floor` or `building/floor/zone`; none: outdoors")
    lon: float | None
    lat: float | None
    link: str | None = Field(description="the page to open in another tab")
    takes_pictures: bool


class CameraList(Answered):
    """Cameras by code."""

    items: list[CameraOut]


class SeenOut(CameraOut):
    """A camera of an alert."""

    sight: Literal["zone", "floor", "building", "outdoor", "unit"] = Field(
        description="what it sees: the zone, floor or building of the alert, its surroundings from outdoors;"
        " `unit`: elsewhere in the unit"
    )
    distance_m: int | None = Field(description="of one outdoors")
    last: SnapshotOut | None = Field(description="the newest picture of it kept with this alert")


class SeenList(Answered):
    """Cameras of an alert: those that see its place, the nearest first, then those elsewhere in its unit."""

    items: list[SeenOut]


class NewSnapshot(Asked):
    """手动抓拍."""

    camera: str = Field(max_length=64, description="code of one of the alert's cameras")


async def alert_cameras(call: Call[Nothing, None]) -> BaseModel:
    """List the cameras of an alert, those that see its place first, each with its newest picture kept."""
    alert = await shown_alert(call)
    seen = await cameras.of_alert(call.deps.pool, alert)
    newest = snapshots.newest_by_camera(await snapshots.of_alert(call.deps.pool, alert.id))
    return SeenList(items=[_seen_out(each, newest) for each in seen if _may_see(call, each.camera.unit)])


async def alert_snapshots(call: Call[Nothing, None]) -> BaseModel:
    """List the pictures asked for because of an alert, newest first, with those that could not be had and why."""
    alert = await shown_alert(call)
    kept = await snapshots.of_alert(call.deps.pool, alert.id)
    return SnapshotList(items=[snapshot_out(each) for each in kept if _may_see(call, each.unit)])


async def take_snapshot(call: Call[Nothing, NewSnapshot]) -> BaseModel:
    """Have a picture taken by hand (手动抓拍), `waiting` at first. Two asked for within 5 s are the same picture."""
    alert = await shown_alert(call)
    seen = await cameras.of_alert(call.deps.pool, alert)
    camera = next((each.camera for each in seen if each.camera.code == call.body.camera), None)
    if camera is None:
        raise InvalidInput(
            f"camera {call.body.camera!r} is none of alert {alert.id}; list the alert's cameras", {"field": "camera"}
        )
    if camera.snapshot is None:
        raise InvalidInput(
            f"camera {camera.code!r} has no address for pictures; open its link, or register one with snapshot",
            {"field": "camera"},
        )
    made = await snapshots.ask_by_hand(
        call.deps.pool, alert, camera, actor=call.person.username, at=call.deps.clock.now(),
        idempotency_key=call.idempotency_key,
    )  # fmt: skip
    return snapshot_out(made)


async def get_snapshot(call: Call[Nothing, None]) -> web.StreamResponse:
    """Return a picture as it came from the camera."""
    given = call.path("id")
    number = int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else None
    kept = None if number is None else await snapshots.picture(call.deps.pool, number)
    own = call.person.unit
    if kept is None or (own is not None and not (kept.unit in {None, own} and own in kept.units)):
        raise NotFound(f"there is no picture {given[:64]!r}; list an alert's snapshots to find the one you mean")
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'inline; filename="firetower-{number}.{kept.media.rpartition("/")[2]}"',
        "Content-Security-Policy": _CSP,
        "ETag": f'"{kept.sha256}"',
    }
    return web.Response(body=kept.body, content_type=kept.media, headers=headers)


async def unit_cameras(call: Call[Nothing, None]) -> BaseModel:
    """List the cameras of a unit."""
    unit = call.path("unit")
    if not call.may_see(unit):
        raise NotFound(f"there is no unit {unit!r}")
    found = await cameras.of_unit(call.deps.pool, unit)
    if not found and await devices.get_unit(call.deps.pool, unit) is None:
        raise NotFound(f"there is no unit {unit!r}")
    return CameraList(items=[CameraOut(**_plain(each)) for each in found])


def snapshot_out(kept: Snapshot) -> SnapshotOut:
    """Return a picture's row as the API writes it."""
    why = kept.trouble
    return SnapshotOut(
        id=str(kept.id),
        camera=kept.camera,
        camera_name=kept.camera_name,
        moment=kept.moment,
        by=kept.by,
        state=kept.state,
        due_at=instant(kept.due_at),
        asked_at=instant_or_none(kept.asked_at),
        taken_at=instant_or_none(kept.taken_at),
        next_try_at=instant_or_none(kept.next_try_at),
        tries=kept.tries,
        trouble=None if why is None else TroubleOut(code=why.why, status=why.status, message=why.words("en")),
        media=kept.media,
        bytes=kept.size,
        sha256=kept.sha256,
        url=None if kept.taken_at is None else SNAPSHOT.format(id=kept.id),
    )


def _seen_out(seen: Seen, newest: Mapping[str, Snapshot]) -> SeenOut:
    last = newest.get(seen.camera.code)
    return SeenOut(
        **_plain(seen.camera),
        sight=_SIGHTS[seen.sight],
        distance_m=None if seen.distance_m is None else round(seen.distance_m),
        last=None if last is None else snapshot_out(last),
    )


def _plain(camera: Camera) -> dict[str, Any]:
    plain = {name: getattr(camera, name) for name in ("name", "unit", "lon", "lat", "link")}
    return plain | {
        "camera": camera.code, "sees": list(camera.sees), "takes_pictures": camera.snapshot is not None
    }  # fmt: skip


def _may_see(call: Call[Any, Any], unit: str | None) -> bool:
    """Say whether a camera is shown: a unit's account sees its own and those of nobody, never its neighbour's."""
    return unit is None or call.may_see(unit)


ROUTES = (
    Route(
        "GET",
        PATH + "/{id}/cameras",
        alert_cameras,
        "The cameras of an alert",
        "cameras",
        access=Access.EVERYBODY,
        answer=SeenList,
    ),
    Route(
        "GET",
        PATH + "/{id}/snapshots",
        alert_snapshots,
        "The pictures kept with an alert",
        "cameras",
        access=Access.EVERYBODY,
        answer=SnapshotList,
    ),
    Route(
        "POST",
        PATH + "/{id}/snapshots",
        take_snapshot,
        "Take a picture by hand",
        "cameras",
        access=Access.OPERATOR,
        body=NewSnapshot,
        answer=SnapshotOut,
        status=201,
        errors=(409,),
        headers=(("Idempotency-Key", "1 to 200 characters of your own; the same key again answers the same picture"),),
    ),
    Route("GET", SNAPSHOT, get_snapshot, "A picture", "cameras", access=Access.EVERYBODY, media="image/jpeg"),
    Route(
        "GET",
        "/api/v1/units/{unit}/cameras",
        unit_cameras,
        "The cameras of a unit",
        "cameras",
        access=Access.EVERYBODY,
        answer=CameraList,
    ),
)
