"""The watch: who is on duty, signing on and off, the presence check, the roster."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.watch.log import LogKind
from firetower.alerts.watch.roster import Day, DutyRoster, Planned, Swap, Weekly, planned, problems
from firetower.core.errors import Conflict, InvalidInput
from firetower.storage import watch, watch_log, watch_roster
from firetower.web.api import Access, Call, Handler, Route
from firetower.web.api_models import Asked, Nothing
from firetower.web.errors import Refused
from firetower.web.watch_json import (
    RosterOut,
    WatchOut,
    members_of,
    planned_out,
    presence_of,
    roster_out,
)

PATH = "/api/v1/watch"
ROSTER = "/api/v1/roster"
ROSTER_LIMIT = 1024 * 1024
_SHIFTS_OF_A_WEEK = 14


class SigningOn(Asked):
    """到岗. Nothing to say: it is whoever asks, at their seat."""


class SigningOff(Asked):
    """离岗. Of oneself; an admin may sign anybody off, with a reason."""

    account: str | None = Field(None, min_length=1, max_length=64, description="absent: whoever asks")
    reason: str | None = Field(None, min_length=1, max_length=200, description="an admin's, to force it")


class Present(Asked):
    """查岗应答."""


class Muting(Asked):
    """消音: the seat is silent for a while."""

    seconds: int = Field(120, ge=1, le=600)


class NewRoster(Asked):
    """The whole roster; it replaces the one before."""

    weekly: tuple[Weekly, ...] = Field((), max_length=100)
    days: tuple[Day, ...] = Field((), max_length=2000, description="holidays and make-up days 调休")
    shifts: tuple[Swap, ...] = Field((), max_length=2000, description="swaps 换班: single shifts by their id")
    expected_revision: int | None = Field(None, ge=0, lt=2**31, description="refuse with 409 if it changed since")


async def get_watch(call: Call[Nothing, Any]) -> BaseModel:
    """Say who is on duty, who is planned now and next, and what is wrong with the watch."""
    current = await watch.latest(call.deps.pool, call.deps.clock.now())
    on, following = _planned(call, (await watch_roster.get(call.deps.pool)).roster, 2)
    mine = next((each for each in current.on_duty if each.account == call.person.username), None)
    presence = None if mine is None else presence_of(mine, call.deps.duty.watch.answer_within)
    return WatchOut(**members_of(current, presence), shift=planned_out(on), next=planned_out(following))


async def sign_on(call: Call[Nothing, SigningOn]) -> BaseModel:
    """Go on duty (到岗), at a live seat whose sound works; again changes nothing."""
    now, person = call.deps.clock.now(), call.person
    if not await is_seated(call):
        raise Conflict(
            f"{person.username} is at no live seat whose sound works; open the console, switch its sound on and"
            " sign on there"
        )
    await watch.sign_on(call.deps.pool, person.username, now)
    return await _after(call)


async def sign_off(call: Call[Nothing, SigningOff]) -> BaseModel:
    """Go off duty (离岗) while another stays at a seat that sounds; the last one hands over instead."""
    account = call.body.account or call.person.username
    reason = forced(call, call.body.reason)
    if reason is None and account != call.person.username:
        raise Refused(403, "forbidden", f"only an admin signs {account} off, and with a reason")
    now = call.deps.clock.now()
    await watch.sign_off(call.deps.pool, account, now, by=call.person.username, reason=reason)
    return await _after(call)


async def answer_presence(call: Call[Nothing, Present]) -> BaseModel:
    """Answer a presence check (查岗), or show unasked that one is there."""
    if await watch.show_presence(call.deps.pool, call.person.username, call.deps.clock.now()) is None:
        raise Conflict(f"{call.person.username} is not on duty, and nobody asks; GET /api/v1/watch says who is")
    return await _after(call)


async def note_mute(call: Call[Nothing, Muting]) -> web.Response:
    """Write into the shift log that a seat was muted (消音); a new fire sounds all the same."""
    said = {"seconds": call.body.seconds}
    now = call.deps.clock.now()
    await watch_log.write(call.deps.pool, now, LogKind.MUTE, call.person.username, evidence=said)
    return web.Response(status=204)


async def get_roster(call: Call[Nothing, None]) -> BaseModel:
    """Return the duty roster 排班, and whom it plans for this and the next shifts."""
    return _roster(call, await watch_roster.get(call.deps.pool))


async def put_roster(call: Call[Nothing, NewRoster]) -> BaseModel:
    """Replace the duty roster; every problem is told at once."""
    body = call.body
    roster = DutyRoster(weekly=body.weekly, days=body.days, shifts=body.shifts)
    found = list(problems(roster, call.deps.roster))
    if found:
        raise InvalidInput("; ".join(found[:20]), [{"message": each} for each in found])
    actor, now = call.person.username, call.deps.clock.now()
    return _roster(
        call, await watch_roster.replace(call.deps.pool, roster, body.expected_revision, actor=actor, at=now)
    )


async def is_seated(call: Call[Any, object]) -> bool:
    """Say whether whoever asks has a live seat whose sound works: here, or as another node has told the store."""
    digest, now = call.person.digest, call.deps.clock.now()
    return call.site.hub.seats.is_armed(digest, now) or await watch.sits(call.deps.pool, digest, now)


def forced(call: Call[Any, object], reason: str | None) -> str | None:
    """Return the reason with which an admin forces somebody to leave the watch. Raises Refused 403 for others."""
    if reason is not None and call.person.role != "admin":
        raise Refused(
            403,
            "forbidden",
            f"{call.person.username} is of role {call.person.role}; only an admin may force anybody to leave: leave"
            " reason out",
        )
    return reason


async def _after(call: Call[Nothing, object]) -> BaseModel:
    """Return the watch as it stands now, and tell the consoles of this node."""
    await call.site.hub.watch.look()
    return await get_watch(call)


def _planned(call: Call[Nothing, object], roster: DutyRoster, count: int) -> list[Planned]:
    """Return the shift that is on and those that follow, ``count`` in all, with their people."""
    shifts = [call.deps.roster.at(call.deps.clock.now())]
    while len(shifts) < count:
        shifts.append(call.deps.roster.at(shifts[-1].end))
    return [planned(roster, shift) for shift in shifts]


def _roster(call: Call[Nothing, object], stored: watch_roster.StoredRoster) -> RosterOut:
    return roster_out(stored, _planned(call, stored.roster, _SHIFTS_OF_A_WEEK))


def _act(name: str, handler: Handler, summary: str, body: type[Asked]) -> Route:
    path = f"{PATH}/{name}"
    return Route(
        "POST", path, handler, summary, "watch", access=Access.OPERATOR, body=body, answer=WatchOut, errors=(409,)
    )


ROUTES = (
    Route("GET", PATH, get_watch, "Who is on duty", "watch", answer=WatchOut),
    _act("on", sign_on, "Go on duty", SigningOn),
    _act("off", sign_off, "Go off duty", SigningOff),
    _act("presence", answer_presence, "Answer a presence check", Present),
    Route("POST", f"{PATH}/mute", note_mute, "Note that a seat was muted", "watch", access=Access.OPERATOR,
          body=Muting, status=204),
    Route("GET", ROSTER, get_roster, "The duty roster", "watch", answer=RosterOut),
    Route("PUT", ROSTER, put_roster, "Replace the duty roster", "watch", access=Access.ADMIN, body=NewRoster,
          answer=RosterOut, errors=(409,), body_limit=ROSTER_LIMIT),
)  # fmt: skip
