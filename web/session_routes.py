"""Signing in and out."""

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.core.clock import SECOND
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant
from firetower.web.guard import COOKIE, SESSION_LASTS, came_by_https
from firetower.web.passwords import MOST_LENGTH

PATH = "/api/v1/session"


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


class WhoAmI(Answered):
    """Who is signed in."""

    username: str
    role: str
    unit: str | None
    expires_at: Instant


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
    )
    response = web.json_response(body=opened.model_dump_json().encode())
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_LASTS // SECOND,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=came_by_https(call.request),
    )
    return response


async def who_am_i(call: Call[Nothing, None]) -> BaseModel:
    """Say who is signed in."""
    person = call.person
    return WhoAmI(username=person.username, role=person.role, unit=person.unit, expires_at=instant(person.expires_at))


async def sign_out(call: Call[Nothing, None]) -> web.StreamResponse:
    """End the session, its cookie and its live connections."""
    await call.site.guard.sign_out(call.person)
    call.site.hub.end_session(call.person.digest)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


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
    Route("DELETE", PATH, sign_out, "Sign out", "session", access=Access.EVERYBODY, status=204),
)
