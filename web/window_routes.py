"""Announced windows: tests, drills, maintenance, impairments and permits; asked for, approved, refused, ended."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from firetower.alerts import windows
from firetower.alerts.windows import Actor, Wanted, Window, WindowKind, WindowState
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage import windows as stored
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, AsMany, Moment, Nothing, cursor_of, parts_of
from firetower.web.errors import Refused
from firetower.web.passwords import MOST_LENGTH
from firetower.web.window_json import WindowOut, window_out

PATH = "/api/v1/windows"

_Code = Annotated[str, Field(min_length=1, max_length=64)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class WindowQuery(Asked):
    """Which windows; several values of one parameter are written with commas between."""

    state: Annotated[tuple[WindowState, ...], AsMany] = ()
    kind: Annotated[tuple[WindowKind, ...], AsMany] = ()
    unit: _Code | None = None
    cursor: str | None = Field(None, max_length=100, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class WindowPage(Answered):
    """Windows, newest first."""

    items: list[WindowOut]
    next_cursor: str | None


class NewWindow(Asked):
    """What is announced, where, and for how long."""

    kind: WindowKind
    unit: _Code | None = Field(None, description="may be left out by a unit's own account")
    zone: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,2}$",
        description="`building`, `building/floor` or `building/floor/zone`",
    )
    device: _Code | None = None
    component: str | None = Field(None, min_length=1, max_length=200, description="a point (部位) of the device")
    main: _Code | None = Field(None, description="a water main, of a water_permit only")
    starts_at: Moment | None = Field(None, description="absent: now")
    ends_at: Moment = Field(
        description="after the start by at most 4 hours (test), 24 hours (drill, water_permit), 7 days (maintenance)"
        " or 30 days (impairment)"
    )
    reason: _Words
    measure: _Words | None = Field(None, description="what protects meanwhile (临时防范措施); an impairment needs it")
    person: str | None = Field(
        None, min_length=1, max_length=64, description="who of the unit asked; for a test the username of its account"
    )
    password: str | None = Field(
        None,
        min_length=1,
        max_length=MOST_LENGTH,
        description="that account's password (口令), as read out on the phone",
    )


class Approval(Asked):
    """An approval needs no words; who approved, and when, is on the window."""


class Refusal(Asked):
    """Why a request is not approved."""

    reason: _Words


class Ending(Asked):
    """Why a window ends before its time."""

    reason: _Words | None = None


async def list_windows(call: Call[WindowQuery, None]) -> BaseModel:
    """List announced windows, newest first."""
    query, now = call.query, call.deps.clock.now()
    which = stored.WindowFilter(
        states=query.state,
        kinds=query.kind,
        unit=call.unit_shown(query.unit),
        before=None if query.cursor is None else _number(parts_of(query.cursor, 1)[0], query.cursor),
    )
    found = await stored.list_windows(call.deps.pool, which, limit=query.limit + 1, now=now)
    kept = found[: query.limit]
    more = cursor_of(str(kept[-1].id)) if len(found) > query.limit else None
    return WindowPage(items=[window_out(window, now) for window in kept], next_cursor=more)


async def get_window(call: Call[Nothing, None]) -> BaseModel:
    """Return one announced window."""
    window = await stored.get(call.deps.pool, _id(call))
    _check_shown(call, window)
    return window_out(window, call.deps.clock.now())


async def announce_window(call: Call[Nothing, NewWindow]) -> BaseModel:
    """Announce a window. What a unit's own account asks for is `requested` until the centre approves it.

    A test that the centre announces is asked for by a person of the unit, who proves it by the password (口令).
    """
    body, now = call.body, call.deps.clock.now()
    actor = _actor(call)
    given = body.model_dump(exclude={"password", "unit"})
    wanted = Wanted(**given, unit=body.unit if body.unit is not None else actor.unit)
    try:
        window = windows.request(wanted, actor, now, vouched=body.password is not None)
    except windows.NotYours as err:
        raise Refused(403, err.code, str(err)) from err
    if body.password is not None:
        await _check_password(call, body.password, wanted)
    added = await stored.add(call.deps.pool, window, wanted, call.idempotency_key)
    return window_out(added, now)


async def _check_password(call: Call[Nothing, NewWindow], password: str, wanted: Wanted) -> None:
    if call.person.unit is not None:
        raise InvalidInput(
            "a unit's own account has proven who it is by signing in; leave password out", {"field": "password"}
        )
    if wanted.person is None or wanted.unit is None:
        raise InvalidInput(
            "a password (口令) is that of an account of the unit: give unit and person, or leave password out",
            {"field": "person"},
        )
    address = call.request.remote or ""
    await call.site.guard.vouch(wanted.person, password, wanted.unit, address)


async def approve_window(call: Call[Nothing, Approval]) -> BaseModel:
    """Approve what a unit requested; approving twice changes nothing."""
    actor, now = _actor(call), call.deps.clock.now()
    after = await stored.act(call.deps.pool, _id(call), lambda window: windows.approve(window, actor, now), now)
    return window_out(after, now)


async def refuse_window(call: Call[Nothing, Refusal]) -> BaseModel:
    """Refuse what a unit requested, and say why."""
    actor, why, now = _actor(call), call.body.reason, call.deps.clock.now()
    after = await stored.act(call.deps.pool, _id(call), lambda window: windows.refuse(window, actor, why, now), now)
    return window_out(after, now)


async def end_window(call: Call[Nothing, Ending]) -> BaseModel:
    """End a window before its time. A unit's account withdraws what it requested, or ends a test."""
    actor, why, now = _actor(call), call.body.reason, call.deps.clock.now()

    def decide(window: Window) -> Window:
        _check_shown(call, window)
        return windows.end(window, actor, why, now)

    try:
        return window_out(await stored.act(call.deps.pool, _id(call), decide, now), now)
    except windows.NotYours as err:
        raise Refused(403, err.code, str(err)) from err


def _actor(call: Call[Nothing, object]) -> Actor:
    return Actor(call.person.username, call.person.unit)


def _check_shown(call: Call[Nothing, object], window: Window) -> None:
    if not call.may_see(window.unit):
        raise NotFound(stored.missing(window.id))


def _id(call: Call[Nothing, object]) -> int:
    given = call.path("id")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise NotFound(f"there is no window {given[:64]!r}")
    return int(given)


def _number(part: str, cursor: str) -> int:
    if not (part.isascii() and part.isdigit() and len(part) <= 18):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    return int(part)


ROUTES = (
    Route(
        "GET",
        PATH,
        list_windows,
        "List announced windows",
        "windows",
        access=Access.EVERYBODY,
        query=WindowQuery,
        answer=WindowPage,
    ),
    Route(
        "POST",
        PATH,
        announce_window,
        "Announce or request a window",
        "windows",
        access=Access.ASKING,
        body=NewWindow,
        answer=WindowOut,
        status=201,
        errors=(409, 429),
        headers=(("Idempotency-Key", "1 to 200 characters of your own; the same key again answers the same window"),),
    ),
    Route(
        "GET",
        PATH + "/{id}",
        get_window,
        "One announced window",
        "windows",
        access=Access.EVERYBODY,
        answer=WindowOut,
    ),
    Route(
        "POST",
        PATH + "/{id}/approve",
        approve_window,
        "Approve a requested window",
        "windows",
        access=Access.OPERATOR,
        body=Approval,
        answer=WindowOut,
        errors=(409,),
    ),
    Route(
        "POST",
        PATH + "/{id}/refuse",
        refuse_window,
        "Refuse a requested window",
        "windows",
        access=Access.OPERATOR,
        body=Refusal,
        answer=WindowOut,
        errors=(409,),
    ),
    Route(
        "POST",
        PATH + "/{id}/end",
        end_window,
        "End a window early",
        "windows",
        access=Access.ASKING,
        body=Ending,
        answer=WindowOut,
        errors=(409,),
    ),
)
