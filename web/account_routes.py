"""Accounts: who there is, what each may do and answers for, passwords, and ending sessions; an admin's to change."""

import asyncio
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.watch.scopes import Scope
from firetower.core.errors import NotFound
from firetower.storage import account_acts, watch, watch_scopes
from firetower.storage.accounts import USERNAME_LIMIT, Role
from firetower.web.api import Access, Call, Handler, Route
from firetower.web.api_models import Asked, AsMany, Nothing
from firetower.web.errors import Refused
from firetower.web.passwords import LEAST_LENGTH, MOST_LENGTH, hash_password
from firetower.web.watch_json import People, PersonOut, person_out
from firetower.web.watch_routes import forced

PATH = "/api/v1/accounts"
ONE = f"{PATH}/{{account}}"
SCOPE_LIMIT = 1024 * 1024
_KEY = (("Idempotency-Key", "1 to 200 characters of your own; the same key again answers what the first made"),)

_Password = Annotated[str, Field(min_length=LEAST_LENGTH, max_length=MOST_LENGTH)]


class PeopleQuery(Asked):
    """Which accounts; several roles are written with commas between."""

    role: Annotated[tuple[Role, ...], AsMany] = Field(
        ("admin", "operator", "viewer"), description="absent: the centre's; `unit` lists those of networked units"
    )


class NewAccount(Asked):
    """Whoever is to sign in."""

    username: str = Field(min_length=1, max_length=USERNAME_LIMIT, description="printable, without spaces")
    password: _Password
    role: Role = "operator"
    unit: str | None = Field(None, min_length=1, max_length=64, description="whose account it is, of role `unit`")


class NewRole(Asked):
    """What an account of the centre may do."""

    role: Literal["admin", "operator", "viewer"]


class NewPassword(Asked):
    """Its next password."""

    password: _Password


class Switch(Asked):
    """Nothing to say."""


class EndQuery(Asked):
    """How the last seat of the watch is ended all the same."""

    reason: str | None = Field(None, min_length=1, max_length=200, description="an admin's, to force it")


class NewScope(Asked):
    """What an account answers for; nothing named: everything."""

    units: tuple[str, ...] = Field((), max_length=10_000)
    grids: tuple[str, ...] = Field((), max_length=10_000)
    districts: tuple[str, ...] = Field((), max_length=1000)


async def list_people(call: Call[PeopleQuery, None]) -> BaseModel:
    """List accounts: who is on duty, and what each answers for."""
    duty = {each.account for each in (await watch.latest(call.deps.pool, call.deps.clock.now())).on_duty}
    found = await watch_scopes.people(call.deps.pool, call.query.role)
    return People(items=[person_out(each, on_duty=each.username in duty) for each in found], next_cursor=None)


async def add_account(call: Call[Nothing, NewAccount]) -> BaseModel:
    """Add an account; whoever it is for changes the password with an admin."""
    body = call.body
    hashed = await asyncio.to_thread(hash_password, body.password)
    await account_acts.add(
        call.deps.pool,
        body.username,
        hashed,
        body.role,
        call.deps.clock.now(),
        unit=body.unit,
        actor=call.person.username,
        idempotency_key=call.idempotency_key,
    )
    return await _person(call, body.username)


async def put_role(call: Call[Nothing, NewRole]) -> BaseModel:
    """Let an account of the centre do more or less; at once, also in sessions that stand."""
    name = call.path("account")
    now = call.deps.clock.now()
    await account_acts.change_role(call.deps.pool, name, call.body.role, actor=call.person.username, at=now)
    call.site.guard.forget(name)
    return await _person(call, name)


async def disable(call: Call[Nothing, Switch]) -> BaseModel:
    """Let nobody sign in with an account; its sessions end. Never somebody on duty, nor the last admin."""
    name = call.path("account")
    await account_acts.disable(call.deps.pool, name, actor=call.person.username, at=call.deps.clock.now())
    return await _ended(call, name)


async def enable(call: Call[Nothing, Switch]) -> BaseModel:
    """Let a disabled account sign in again."""
    name = call.path("account")
    await account_acts.enable(call.deps.pool, name, actor=call.person.username, at=call.deps.clock.now())
    return await _person(call, name)


async def put_password(call: Call[Nothing, NewPassword]) -> BaseModel:
    """Give an account another password; its sessions end, also at a seat of the watch."""
    name = call.path("account")
    hashed = await asyncio.to_thread(hash_password, call.body.password)
    await account_acts.set_password(call.deps.pool, name, hashed, actor=call.person.username, at=call.deps.clock.now())
    return await _ended(call, name)


async def end_sessions(call: Call[EndQuery, None]) -> web.Response:
    """Sign an account out everywhere: one's own, or as an admin any. The last seat of the watch stays."""
    name, person = call.path("account"), call.person
    if name != person.username and person.role != "admin":
        raise Refused(403, "forbidden", f"{person.username} is no admin and signs out only {person.username}")
    reason = forced(call, call.query.reason)
    now = call.deps.clock.now()
    await account_acts.sign_out_everywhere(call.deps.pool, name, actor=person.username, at=now, reason=reason)
    await _forgotten(call, name)
    return web.Response(status=204)


async def put_scope(call: Call[Nothing, NewScope]) -> BaseModel:
    """Say what an account answers for. It hides nothing: every seat shows every alarm."""
    body, name = call.body, call.path("account")
    scope = Scope(frozenset(body.units), frozenset(body.grids), frozenset(body.districts))
    await watch_scopes.put(call.deps.pool, name, scope, actor=call.person.username, at=call.deps.clock.now())
    await call.site.hub.watch.look()
    return await _person(call, name)


async def _ended(call: Call[Nothing, Any], name: str) -> BaseModel:
    await _forgotten(call, name)
    return await _person(call, name)


async def _forgotten(call: Call[Any, Any], name: str) -> None:
    """Shut out what this node still holds of an account's sessions; another node does so within 25 s."""
    call.site.guard.forget(name)
    call.site.hub.end_session(None, account=name)
    await call.site.hub.watch.look()


async def _person(call: Call[Any, Any], name: str) -> PersonOut:
    found = await watch_scopes.person(call.deps.pool, name)
    if found is None:
        raise NotFound(f"there is no account {name!r}; GET {PATH} lists them")
    duty = (await watch.latest(call.deps.pool, call.deps.clock.now())).on_duty
    return person_out(found, on_duty=any(each.account == name for each in duty))


def _act(method: str, name: str, handler: Handler, summary: str, body: type[Asked]) -> Route:
    path = f"{ONE}/{name}"
    return Route(
        method, path, handler, summary, "accounts", access=Access.ADMIN, body=body, answer=PersonOut, errors=(409,)
    )


ROUTES = (
    Route("GET", PATH, list_people, "Accounts and what they answer for", "accounts", query=PeopleQuery, answer=People),
    Route("POST", PATH, add_account, "Add an account", "accounts", access=Access.ADMIN, body=NewAccount,
          answer=PersonOut, status=201, errors=(409,), headers=_KEY),
    _act("PUT", "role", put_role, "Change what an account may do", NewRole),
    _act("PUT", "password", put_password, "Set a password", NewPassword),
    _act("POST", "disable", disable, "Disable an account", Switch),
    _act("POST", "enable", enable, "Enable an account", Switch),
    Route("DELETE", f"{ONE}/sessions", end_sessions, "Sign out everywhere", "accounts", query=EndQuery, status=204,
          errors=(409,)),
    Route("PUT", f"{ONE}/scope", put_scope, "Say what an account answers for", "accounts", access=Access.ADMIN,
          body=NewScope, answer=PersonOut, body_limit=SCOPE_LIMIT),
)  # fmt: skip
