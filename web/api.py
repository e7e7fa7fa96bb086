"""A route as data (method, path, models, errors, who may), and what makes a request handler of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from firetower.core.errors import InvalidInput, NotFound
from firetower.web.api_models import Asked, Nothing, is_storable
from firetower.web.deps import Deps, Person
from firetower.web.errors import Refused, invalid
from firetower.web.site import SITE, Site

Query_co = TypeVar("Query_co", covariant=True)
Body_co = TypeVar("Body_co", covariant=True)

BODY_LIMIT = 64 * 1024
"""Bytes of the largest request body taken, where a route does not say otherwise."""


class Access(StrEnum):
    """Who may use a route; which roles that means is the guard's to know."""

    OPEN = "open"
    SIGNED_IN = "signed_in"  # whoever belongs to the centre
    OPERATOR = "operator"  # operator and admin: whoever may act on alerts
    EVERYBODY = "everybody"  # units' accounts too: the handler shows them what is their unit's, and nothing else
    ADMIN = "admin"
    ASKING = "asking"  # whoever may ask for something: operator, admin and units' accounts


@dataclass(frozen=True, slots=True)
class Call(Generic[Query_co, Body_co]):
    """One request, checked: ``query`` and ``body`` are the route's models, ``person`` whoever is signed in."""

    request: web.Request
    site: Site
    signed_in: Person | None
    query: Query_co
    body: Body_co

    @property
    def deps(self) -> Deps:
        """What the service was wired with."""
        return self.site.deps

    @property
    def person(self) -> Person:
        """Who is signed in; only on routes that need a session."""
        if self.signed_in is None:
            raise Refused(401, "unauthenticated", "sign in first: POST /api/v1/session")
        return self.signed_in

    @property
    def idempotency_key(self) -> str | None:
        """The request's Idempotency-Key, None without; InvalidInput for one that nothing could be kept under."""
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not (1 <= len(key) <= 200 and is_storable(key)):
            raise InvalidInput(f"Idempotency-Key has {len(key)} characters; send 1 to 200 of plain text")
        return key

    def unit_shown(self, asked: str | None) -> str | None:
        """Return the unit to show when ``asked`` was asked for, None for every one; a unit's account sees only its own.

        Raises Refused 403 where it asks for another.
        """
        own = self.person.unit
        if own is not None and asked not in {None, own}:
            raise Refused(
                403,
                "forbidden",
                f"{self.person.username} is an account of unit {own} and sees nothing of {asked!r}; leave unit out",
            )
        return asked if own is None else own

    def may_see(self, unit: str | None) -> bool:
        """Say whether what belongs to ``unit`` is shown to whoever asks."""
        return self.person.unit in {None, unit}

    def path(self, name: str) -> str:
        """Return a part of the path; NotFound where nothing could have that name."""
        part = self.request.match_info[name]
        if not is_storable(part):
            raise NotFound(f"there is no {name} by that name")
        return part


Handler = Callable[[Any], Awaitable[BaseModel | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the contract. ``answer`` None: no body (204) or, with ``socket``, a WebSocket.

    ``takes``: types of a body that is no JSON, which the handler reads (``read_body``).
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    access: Access = Access.SIGNED_IN
    query: type[Asked] = Nothing
    body: type[Asked] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    socket: bool = False
    media: str = "application/json"
    body_limit: int = BODY_LIMIT
    takes: tuple[str, ...] = ()

    @property
    def unsafe(self) -> bool:
        """Whether it changes something."""
        return self.method not in {"GET", "HEAD"}


def register(app: web.Application, routes: Sequence[Route]) -> None:
    """Add ``routes`` to the application."""
    for route in routes:
        handle = _adapt(route)
        app.router.add_route(route.method, route.path, handle)
        if route.method == "GET" and not route.socket:
            app.router.add_route("HEAD", route.path, handle)


def _adapt(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        site = request.app[SITE]
        person = await site.guard.admit(request, route.access, unsafe=route.unsafe, socket=route.socket)
        query = _query(route.query, request)
        body = None if route.body is None else await _body(route.body, request, person, route.body_limit)
        result = await route.handler(Call(request, site, person, query, body))
        if isinstance(result, web.StreamResponse):
            return result
        return web.Response(status=route.status, body=_json(result), content_type="application/json")

    return handle


def _json(answer: BaseModel) -> bytes:
    return answer.model_dump_json(by_alias=True).encode()


async def answer_aside(made: Callable[[], BaseModel]) -> web.Response:
    """Return an answer that is made and written beside the event loop: one of thousands of items."""
    return web.Response(body=await asyncio.to_thread(lambda: _json(made())), content_type="application/json")


def names_of(model: type[BaseModel]) -> list[str]:
    """Return the names a model accepts, as written in requests."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _query(model: type[Asked], request: web.Request) -> Asked:
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise InvalidInput(f"query parameter {name!r} stands twice; give several values as {name}=a,b")
        given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as err:
        raise invalid(err, names_of(model), "query parameter") from err


async def read_body(request: web.Request, limit: int, remedy: str = "send less") -> bytes:
    """Return the body of a request; raises Refused 413 as soon as it is larger than ``limit`` bytes."""
    raw = bytearray()
    while part := await request.content.readany():
        raw += part
        if len(raw) > limit:
            raise Refused(413, "too_large", f"the body is larger than {limit} bytes; {remedy}")
    return bytes(raw)


async def _body(model: type[Asked], request: web.Request, person: Person | None, limit: int) -> Asked:
    raw = await (request.read() if limit == BODY_LIMIT else read_body(request, limit))
    by_cookie = person is not None and person.by_cookie
    if request.content_type != "application/json" and (raw or by_cookie):
        raise Refused(
            415, "unsupported_media_type", f"the body is {request.content_type}; send Content-Type: application/json"
        )
    try:
        decoded = msgspec.json.decode(raw) if raw else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise Refused(400, "bad_json", f"the body is not JSON: {err}") from err
    if not isinstance(decoded, dict):
        raise Refused(400, "bad_json", "the body must be one JSON object, for example {}")
    try:
        return model.model_validate(decoded)
    except ValidationError as err:
        raise invalid(err, names_of(model), "body field") from err
