"""Floor plans 平面图: put, withdrawn, read; where devices are on them; and the one to show with an alert."""

import asyncio

from aiohttp import web
from pydantic import BaseModel

from firetower.core.errors import NotFound
from firetower.devices.plan_images import MEDIA, MOST_BYTES, BadImageError, NotAnImageError, PlanImage, read_image
from firetower.storage import floor_plans, plan_positions
from firetower.storage.floor_plans import Floor, Where
from firetower.storage.plan_positions import OnPlan, Placed
from firetower.web.alert_routes import shown_alert
from firetower.web.api import Access, Call, Route, answer_aside, read_body
from firetower.web.api_models import Nothing
from firetower.web.errors import Refused
from firetower.web.plan_models import (
    PLAN,
    AlertPlan,
    FloorPlans,
    ImageQuery,
    PlansQuery,
    PositionsIn,
    PositionsOut,
    PutOut,
    alert_plan_out,
    floor_plan_out,
    plan_out,
)

PLANS = "/api/v1/units/{unit}/plans"
_SMALLER = "save the image smaller, or as JPEG or WebP, and send it again"
_AT_MOST = f"at most {MOST_BYTES} (8 MiB) are taken: {_SMALLER}"
_POSITIONS_LIMIT = 512 * 1024
_HEADERS = {  # an image is drawn and never run, whoever opens its address
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Content-Disposition": "inline",
}


async def list_plans(call: Call[PlansQuery, None]) -> web.Response:
    """List the floors of a unit with their plans, and where devices and points are on them."""
    query, unit = call.query, _unit(call)
    floors = [
        (floor, plans)
        for floor, plans in await floor_plans.floors(call.deps.pool, unit)
        if query.building in {None, floor.building} and query.floor in {None, floor.floor}
    ]
    on: dict[tuple[str, str], list[OnPlan]] = {}
    for each in await plan_positions.listed(call.deps.pool, unit, query.building, query.floor):
        on.setdefault((each.building, each.floor), []).append(each)
    return await answer_aside(
        lambda: FloorPlans(
            items=[floor_plan_out(floor, plans, on.get((floor.building, floor.floor), [])) for floor, plans in floors]
        )
    )


async def get_plan(call: Call[ImageQuery, None]) -> web.StreamResponse:
    """Give the image of a floor's plan; with `v` one that stands or stood, which never changes and may be kept."""
    wanted = call.query.v
    stood = await floor_plans.which(call.deps.pool, _floor(call), None if wanted is None else bytes.fromhex(wanted))
    etag = stood.sha256.hex()
    headers = _HEADERS | {
        "ETag": f'"{etag}"',
        "Cache-Control": "private, no-cache" if wanted is None else "private, max-age=31536000, immutable",
    }
    if any(known.value in {etag, "*"} for known in call.request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(
        body=await floor_plans.image(call.deps.pool, stood.sha256), content_type=stood.media, headers=headers
    )


async def put_plan(call: Call[Nothing, None]) -> BaseModel:
    """Make an image the plan of a floor; the one before stays as history, the same one again changes nothing.

    PNG, JPEG or WebP, at most 8 MiB, 8000 pixels a side and 36 million in all; the type is checked by its content.
    """
    where = _floor(call)
    said = call.request.content_type
    if said not in MEDIA:
        raise Refused(
            415,
            "unsupported_media_type",
            f"Content-Type is {said}; a floor plan is {', '.join(MEDIA)}"
            + (": SVG can carry script, export it as PNG" if "svg" in said else ""),
        )
    if (call.request.content_length or 0) > MOST_BYTES:
        raise Refused(413, "too_large", f"the image is {call.request.content_length} bytes; {_AT_MOST}")
    data = await read_body(call.request, MOST_BYTES, _SMALLER)
    image = await asyncio.to_thread(_checked, data, said)
    became, stood = await floor_plans.put(
        call.deps.pool, where, image, data, by=call.person.username, at=call.deps.clock.now()
    )
    floor = Floor(0, where.unit, where.building, "", where.floor, "", None)
    return PutOut(became=became, plan=plan_out(floor, stood))


def _checked(data: bytes, said: str) -> PlanImage:
    try:
        image = read_image(data)
    except NotAnImageError as err:
        raise Refused(415, err.code, str(err)) from err
    except BadImageError as err:
        raise Refused(422, err.code, str(err)) from err
    if image.media != said:
        raise Refused(
            415, "unsupported_media_type", f"Content-Type says {said} and the content is {image.media}; send them alike"
        )
    return image


async def withdraw_plan(call: Call[Nothing, None]) -> web.StreamResponse:
    """Take a floor's plan back, so that none is shown; it stays as history."""
    await floor_plans.withdraw(call.deps.pool, _floor(call), by=call.person.username, at=call.deps.clock.now())
    return web.Response(status=204)


async def put_positions(call: Call[Nothing, PositionsIn]) -> BaseModel:
    """Say where devices and points are on the plans of their floors: each is placed, or an error says why not."""
    given = [Placed(each.device, each.component, each.x, each.y) for each in call.body.positions]
    errors = await plan_positions.place(call.deps.pool, _unit(call), given, call.person.username, call.deps.clock.now())
    return PositionsOut(placed=len(given) - len(errors), errors=errors)


async def alert_plan(call: Call[Nothing, None]) -> web.Response:
    """Return the floor plan to show with an alert: its own point, or why there is none, and what else is open there."""
    alert = await shown_alert(call)
    found = await floor_plans.around(call.deps.pool, alert)
    standing: list[OnPlan] = []
    if found is not None and found.plans:
        floor = found.floor
        standing = await plan_positions.listed(call.deps.pool, floor.unit, floor.building, floor.floor)
    return await answer_aside(lambda: alert_plan_out(alert, found, standing))


def _unit(call: Call[object, object]) -> str:
    code = call.path("unit")
    if not call.may_see(code):
        raise NotFound(f"there is no unit {code!r}")
    return code


def _floor(call: Call[object, object]) -> Where:
    return Where(_unit(call), call.path("building"), call.path("floor"))


ROUTES = (
    Route(
        "GET",
        PLANS,
        list_plans,
        "The floor plans of a unit",
        "plans",
        access=Access.EVERYBODY,
        query=PlansQuery,
        answer=FloorPlans,
    ),
    Route(
        "PUT",
        PLANS + "/positions",
        put_positions,
        "Place devices and points on plans",
        "plans",
        access=Access.OPERATOR,
        body=PositionsIn,
        body_limit=_POSITIONS_LIMIT,
        answer=PositionsOut,
    ),
    Route(
        "GET",
        PLAN,
        get_plan,
        "The image of a floor plan",
        "plans",
        access=Access.EVERYBODY,
        query=ImageQuery,
        media="image/*",
    ),
    Route(
        "PUT",
        PLAN,
        put_plan,
        "Put a floor plan",
        "plans",
        access=Access.OPERATOR,
        answer=PutOut,
        takes=MEDIA,
        errors=(409, 422),
    ),
    Route(
        "DELETE",
        PLAN,
        withdraw_plan,
        "Withdraw a floor plan",
        "plans",
        access=Access.OPERATOR,
        status=204,
        errors=(409,),
    ),
    Route(
        "GET",
        "/api/v1/alerts/{id}/plan",
        alert_plan,
        "The floor plan of an alert",
        "plans",
        access=Access.EVERYBODY,
        answer=AlertPlan,
    ),
)
