"""Signing in and out."""

import asyncio

from aiohttp import web
from pydantic import Field

from firetower.core.clock import DAY, SECOND
from firetower.storage import account_acts
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant, instant_or_none
from firetower.web.guard import COOKIE, came_by_https
from firetower.web.passwords import LEAST_LENGTH, MOST_LENGTH, hash_password
from firetower.web.watch_routes import forced

PATH = "/api/v1/session"
COOKIE_LASTS = 30 * DAY
"""Of the cookie, from the last load of the page on. The session ends by the server's word: a seat of the watch goes on
showing and sounding past twelve hours, and must be let in again after a broken connection."""

_ZONE = "the centre's, a name of the IANA database: its console writes times by it"


class Credentials(Asked):
    """Who signs in."""

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=MOST_LENGTH)


class Session(Answered):
    """A new session, 12 hours long; scripts send the token as `Authorization: Bearer <token>`."""

    username: str
    role: str = Field(description="admin, operator, viewer or unit")
    unit: str | None = Field(description="whose account it is, of role `unit`")
    token: str
    expires_at: Instant
    timezone: str = Field(description=_ZONE)


class WhoAmI(Answered):
    """Who is signed in."""

    username: str
    role: str
    unit: str | None
    expires_at: Instant
    shows_until: Instant | None = Field(
        description="of a seat of somebody on duty: it shows and sounds until then, later as long as it lives"
    )
    timezone: str = Field(description=_ZONE)


class OwnPassword(Asked):
    """One's present password, and the next one."""

    present: str = Field(min_length=1, max_length=MOST_LENGTH)
    password: str = Field(min_length=LEAST_LENGTH, max_length=MOST_LENGTH)


class SignOutQuery(Asked):
    """How the last seat of the watch signs out all the same."""

    reason: str | None = Field(None, min_length=1, max_length=200, description="an admin's, to force it")


async def sign_in(call: Call[Nothing, Credentials]) -> web.StreamResponse:
    """Check the password and open a session."""
    address = call.request.remote or ""
    person, token = await call.site.guard.sign_in(call.body.username, call.body.password, address)
    opened = Session(
        username=person.username,
        role=person.role,
        unit=person.unit,
        token=token,
        expires_at=instant(person.expires_at),
        timezone=call.deps.roster.zone.key,
    )
    response = web.json_response(body=opened.model_dump_json().encode())
    _set_cookie(call.request, response, token)
    return response


async def who_am_i(call: Call[Nothing, None]) -> web.StreamResponse:
    """Say who is signed in."""
    person = call.person
    said = WhoAmI(
        username=person.username,
        role=person.role,
        unit=person.unit,
        expires_at=instant(person.expires_at),
        shows_until=instant_or_none(person.shows_until),
        timezone=call.deps.roster.zone.key,
    )
    response = web.json_response(body=said.model_dump_json().encode())
    if person.by_cookie:
        _set_cookie(call.request, response, call.request.cookies[COOKIE])
    return response


async def put_own_password(call: Call[Nothing, OwnPassword]) -> web.Response:
    """Give oneself another password. This session stays, and so do one's seats while one is on duty; others end."""
    person, site = call.person, call.site
    await site.guard.confirm(person, call.body.present, call.request.remote or "")
    hashed = await asyncio.to_thread(hash_password, call.body.password)
    kept = await account_acts.set_own_password(
        call.deps.pool, person.username, hashed, person.digest, call.deps.clock.now()
    )
    site.guard.forget(person.username)
    site.hub.end_session(None, account=person.username, keep=kept)
    return web.Response(status=204)


async def sign_out(call: Call[SignOutQuery, None]) -> web.StreamResponse:
    """End the session, its cookie and its live connections.

    The last seat of the watch that sounds does not sign out: hand over first. Whoever was on duty here is so no more.
    """
    await call.site.guard.sign_out(call.person, forced(call, call.query.reason))
    await call.site.hub.watch.look()
    call.site.hub.end_session(call.person.digest)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


def _set_cookie(request: web.Request, response: web.Response, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_LASTS // SECOND,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=came_by_https(request),
    )


ROUTES = (
    Route(
        "POST",
        PATH,
        sign_in,
        "Sign in",
        "session",
        access=Access.OPEN,
        body=Credentials,
        answer=Session,
        errors=(401, 429),
    ),
    Route("GET", PATH, who_am_i, "Who is signed in", "session", access=Access.EVERYBODY, answer=WhoAmI),
    Route(
        "PUT",
        f"{PATH}/password",
        put_own_password,
        "Change one's own password",
        "session",
        access=Access.EVERYBODY,
        body=OwnPassword,
        status=204,
        errors=(429,),
    ),
    Route(
        "DELETE",
        PATH,
        sign_out,
        "Sign out",
        "session",
        access=Access.EVERYBODY,
        query=SignOutQuery,
        status=204,
        errors=(409,),
    ),
)
