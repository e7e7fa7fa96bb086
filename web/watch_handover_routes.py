"""Handovers 交接班 and the shift log 值班日志."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from firetower.alerts.words import NAME_LIMIT, NOTE_LIMIT
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage import watch_handovers, watch_log
from firetower.web.api import Access, Call, Handler, Route
from firetower.web.api_models import Asked, Nothing, cursor_of, parts_of
from firetower.web.watch_json import (
    DraftOut,
    HandoverOut,
    HandoverPage,
    LogEntryOut,
    LogPage,
    draft_out,
    entry_out,
    handover_out,
)
from firetower.web.watch_routes import is_seated

PATH = "/api/v1/watch/handovers"
LOG = "/api/v1/shifts"

_KEY = (("Idempotency-Key", "1 to 200 characters of your own; the same key again answers what the first made"),)
_Id = Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_LIMIT)]
_Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NOTE_LIMIT)]


class HandoverQuery(Asked):
    """How many."""

    limit: int = Field(20, ge=1, le=200)


class NewHandover(Asked):
    """Who leaves and who comes: whoever asks is one of them."""

    from_: str | None = Field(
        None, alias="from", min_length=1, max_length=NAME_LIMIT, description="who leaves; absent: whoever asks"
    )
    to: str | None = Field(
        None, min_length=1, max_length=NAME_LIMIT, description="who comes; absent: whoever accepts first"
    )
    notes: _Notes = ""


class Accepting(Asked):
    """Open alarms taken on, by name."""

    alerts: list[_Id] = Field(min_length=1, max_length=1000)


class Noting(Asked):
    """The free notes that go with a handover; they replace those before."""

    notes: _Notes


class Completing(Asked):
    """The watch changes."""


class Cancelling(Asked):
    """The watch stays as it is."""


class LogQuery(Asked):
    """Which entries."""

    order: Literal["oldest", "newest"] = Field("oldest", description="which comes first")
    cursor: str | None = Field(None, max_length=100, description="`next_cursor` of the page before, in the same order")
    limit: int = Field(200, ge=1, le=1000)


class NewEntry(Asked):
    """记事. A correction is an entry that refers to the one it corrects."""

    text: _Words
    refers_to: _Id | None = None
    alert_id: _Id | None = None


async def list_handovers(call: Call[HandoverQuery, None]) -> BaseModel:
    """List handovers, newest first."""
    found = await watch_handovers.recent(call.deps.pool, call.query.limit)
    return HandoverPage(items=[handover_out(each) for each in found], next_cursor=None)


async def begin_handover(call: Call[Nothing, NewHandover]) -> BaseModel:
    """Begin a handover (交接班): a draft with every open alarm. One is open at a time; it survives a restart.

    Begun by whoever leaves, or by whoever comes, who then names in `from` who leaves.
    """
    body, person = call.body, call.person.username
    outgoing = body.from_ or person
    incoming = person if body.to is None and outgoing != person else body.to
    begun = await watch_handovers.begin(
        call.deps.pool, outgoing, incoming, actor=person, notes=body.notes, at=call.deps.clock.now()
    )
    return await _draft(call, begun.id)


async def get_handover(call: Call[Nothing, None]) -> BaseModel:
    """Return a handover with what passes over as it stands now."""
    return await _draft(call, _id(call))


async def accept_alerts(call: Call[Nothing, Accepting]) -> BaseModel:
    """Take open alarms on, each by name; whoever does so first is the one who comes."""
    ids = [int(each) for each in call.body.alerts]
    number, now = _id(call), call.deps.clock.now()
    await watch_handovers.accept(call.deps.pool, number, ids, actor=call.person.username, at=now)
    return await _draft(call, number)


async def write_notes(call: Call[Nothing, Noting]) -> BaseModel:
    """Replace the notes that go with a handover."""
    number = _id(call)
    await watch_handovers.write_notes(call.deps.pool, number, call.body.notes, actor=call.person.username)
    return await _draft(call, number)


async def complete_handover(call: Call[Nothing, Completing]) -> BaseModel:
    """Change the watch, by whoever comes, at a live seat whose sound works, all open alarms accepted.

    What arrived meanwhile counts: the conflict lists it in `details.current.missing`.
    """
    person, now = call.person, call.deps.clock.now()
    seated = await is_seated(call)
    done = await watch_handovers.complete(call.deps.pool, _id(call), actor=person.username, seated=seated, at=now)
    await call.site.hub.watch.look()
    return handover_out(done)


async def cancel_handover(call: Call[Nothing, Cancelling]) -> BaseModel:
    """Give a handover up; whoever is on duty stays so."""
    admin = call.person.role == "admin"
    done = await watch_handovers.cancel(
        call.deps.pool, _id(call), actor=call.person.username, admin=admin, at=call.deps.clock.now()
    )
    await call.site.hub.watch.look()
    return handover_out(done)


async def get_log(call: Call[LogQuery, None]) -> BaseModel:
    """Return the shift log 值班日志 of one shift, oldest or newest entry first."""
    roster, name, query = call.deps.roster, call.path("id"), call.query
    shift = roster.named(name)
    if shift is None:
        raise NotFound(f"there is no shift {name[:40]!r}; GET /api/v1/shifts lists them")
    after = None if query.cursor is None else _place(query.cursor)
    found = await watch_log.entries(
        call.deps.pool,
        shift.begin,
        shift.end,
        limit=query.limit + 1,
        after=after,
        newest_first=query.order == "newest",
    )
    kept = found[: query.limit]
    more = cursor_of(str(kept[-1].at), str(kept[-1].id)) if len(found) > query.limit else None
    return LogPage(items=[entry_out(each, shift.id) for each in kept], next_cursor=more)


async def write_log(call: Call[Nothing, NewEntry]) -> BaseModel:
    """Write into the shift log. Nothing there is ever changed: a correction refers to what it corrects."""
    body, now = call.body, call.deps.clock.now()
    entry = await watch_log.note(
        call.deps.pool,
        body.text,
        actor=call.person.username,
        at=now,
        refers_to=None if body.refers_to is None else int(body.refers_to),
        alert_id=None if body.alert_id is None else int(body.alert_id),
        idempotency_key=call.idempotency_key,
    )
    return entry_out(entry, call.deps.roster.at(now).id)


async def _draft(call: Call[Nothing, object], number: int) -> DraftOut:
    await call.site.hub.watch.look()
    now = call.deps.clock.now()
    return draft_out(await watch_handovers.draft(call.deps.pool, number, now), now)


def _id(call: Call[Nothing, object]) -> int:
    given = call.path("id")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise NotFound(f"there is no handover {given[:64]!r}")
    return int(given)


def _place(cursor: str) -> tuple[int, int]:
    at, number = parts_of(cursor, 2)
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (at, number)):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    return int(at), int(number)


def _act(name: str, handler: Handler, summary: str, body: type[Asked], answer: type[BaseModel]) -> Route:
    path = f"{PATH}/{{id}}/{name}"
    return Route(
        "POST", path, handler, summary, "watch", access=Access.OPERATOR, body=body, answer=answer, errors=(409,)
    )


ROUTES = (
    Route("GET", PATH, list_handovers, "Handovers", "watch", query=HandoverQuery, answer=HandoverPage),
    Route("POST", PATH, begin_handover, "Begin a handover", "watch", access=Access.OPERATOR, body=NewHandover,
          answer=DraftOut, status=201, errors=(409,)),
    Route("GET", f"{PATH}/{{id}}", get_handover, "A handover with what passes over", "watch", answer=DraftOut),
    _act("accept", accept_alerts, "Take open alarms on", Accepting, DraftOut),
    _act("notes", write_notes, "Replace its notes", Noting, DraftOut),
    _act("complete", complete_handover, "Change the watch", Completing, HandoverOut),
    _act("cancel", cancel_handover, "Give it up", Cancelling, HandoverOut),
    Route("GET", f"{LOG}/{{id}}/log", get_log, "A shift's log", "watch", query=LogQuery, answer=LogPage),
    Route("POST", f"{LOG}/log", write_log, "Write into the shift log", "watch", access=Access.OPERATOR, body=NewEntry,
          answer=LogEntryOut, status=201, errors=(409,), headers=_KEY),
)  # fmt: skip
