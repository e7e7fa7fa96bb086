"""Self-tests over HTTP: how each stands, those that were done, and putting one on record."""

from typing import Annotated

from pydantic import BaseModel, Field

from firetower.alerts.duty.self_tests import Period
from firetower.alerts.selftests.schedule import Bounds, Done, Kind, Result, State, deadline
from firetower.alerts.words import NAME_LIMIT, NOTE_LIMIT
from firetower.core.clock import Micros
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage import self_tests as stored
from firetower.storage.self_tests import Listed
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, AsMany, Instant, Nothing, cursor_of, instant, parts_of

PATH = "/api/v1/self-tests"
_KEY = (("Idempotency-Key", "1 to 200 characters of your own; the same key again answers what the first made"),)


class SelfTestQuery(Asked):
    """Which self-tests; several values of one parameter are written with commas between."""

    kind: Annotated[tuple[Kind, ...], AsMany] = ()
    state: Annotated[tuple[State, ...], AsMany] = ()
    unit: str | None = Field(None, max_length=64)
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class LogQuery(Asked):
    """Which of those that were done."""

    kind: Kind | None = None
    unit: str | None = Field(None, max_length=64)
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class NewSelfTest(Asked):
    """What came of a self-test."""

    result: Result
    note: str | None = Field(None, max_length=NOTE_LIMIT)
    evidence: str | None = Field(None, max_length=NAME_LIMIT, description="the alert's id, a recording, a work order")


class DoneOut(Answered):
    """A self-test that was done."""

    id: str
    kind: Kind
    unit: str | None
    at: Instant
    by: str = Field(description="`timer`: Firetower did it by itself")
    result: Result
    note: str | None
    evidence: str | None


class SuggestionOut(Answered):
    """A fire of the unit that came in its announced test, and is not on record as its fire test."""

    alert_id: str
    window_id: str
    at: Instant


class SelfTestOut(Answered):
    """How a self-test stands."""

    kind: Kind
    unit: str | None = Field(description="null: of the centre")
    unit_name: str | None
    state: State
    due_at: Instant = Field(description="until when it must be done; of a failed one, had it been passed")
    last: DoneOut | None
    suggested: bool = Field(description="a fire test may be put on record: `suggestion` says from what")
    suggestion: SuggestionOut | None


class SelfTestPage(Answered):
    """Those of the centre, then those of units by code."""

    items: list[SelfTestOut]
    next_cursor: str | None


class LogPage(Answered):
    """Self-tests that were done, newest first."""

    items: list[DoneOut]
    next_cursor: str | None


async def list_self_tests(call: Call[SelfTestQuery, None]) -> BaseModel:
    """List how the self-tests stand: those of the centre first, then the fire tests of units with a panel."""
    query, now, zone = call.query, call.deps.clock.now(), call.deps.roster.zone
    periods = {kind: period for kind in query.kind or Kind if (period := _period(call, kind)) is not None}
    wanted = stored.Wanted(
        bounds={kind: Bounds.at(period, now, zone) for kind, period in periods.items()},
        states=query.state or tuple(State),
        unit=query.unit,
        after=None if query.cursor is None else parts_of(query.cursor, 1)[0],
        limit=query.limit,
    )
    found, more = await stored.listed(call.deps.pool, wanted, now)
    items = [_out(each, deadline(each.standing, periods[each.standing.kind], zone)) for each in found]
    return SelfTestPage(items=items, next_cursor=cursor_of(items[-1].unit or "") if more else None)


async def list_done(call: Call[LogQuery, None]) -> BaseModel:
    """List self-tests that were done, newest first."""
    query = call.query
    before = None if query.cursor is None else _number(query.cursor)
    rows = await stored.log(call.deps.pool, kind=query.kind, unit=query.unit, before=before, limit=query.limit + 1)
    kept = rows[: query.limit]
    more = cursor_of(str(kept[-1].id)) if len(rows) > query.limit else None
    return LogPage(items=[_done(row) for row in kept], next_cursor=more)


async def record_of_centre(call: Call[Nothing, NewSelfTest]) -> BaseModel:
    """Put a self-test of the centre on record."""
    return await _record(call, None)


async def record_of_unit(call: Call[Nothing, NewSelfTest]) -> BaseModel:
    """Put a unit's fire test on record."""
    return await _record(call, call.path("unit"))


async def _record(call: Call[Nothing, NewSelfTest], unit: str | None) -> BaseModel:
    given = call.path("kind")
    try:
        kind = Kind(given)
    except ValueError as err:
        raise NotFound(f"there is no self-test {given[:64]!r}; known: {', '.join(Kind)}") from err
    body = call.body
    done = await stored.record(
        call.deps.pool,
        kind,
        body.result,
        by=call.person.username,
        at=call.deps.clock.now(),
        unit=unit,
        note=body.note,
        evidence=body.evidence,
        idempotency_key=call.idempotency_key,
    )
    return _done(done)


def _period(call: Call[object, None], kind: Kind) -> Period | None:
    period: Period | None = getattr(call.deps.duty.self_tests, kind)
    return period


def _out(listed: Listed, due_at: Micros) -> SelfTestOut:
    standing, hint = listed.standing, listed.suggested
    suggestion = None
    if hint is not None:
        suggestion = SuggestionOut(alert_id=str(hint.alert_id), window_id=str(hint.window_id), at=instant(hint.at))
    return SelfTestOut(
        kind=standing.kind,
        unit=standing.unit,
        unit_name=standing.unit_name,
        state=listed.state,
        due_at=instant(due_at),
        last=None if standing.last is None else _done(standing.last),
        suggested=hint is not None,
        suggestion=suggestion,
    )


def _done(done: Done) -> DoneOut:
    return DoneOut(
        id=str(done.id),
        kind=done.kind,
        unit=done.unit,
        at=instant(done.at),
        by=done.by,
        result=done.result,
        note=done.note,
        evidence=done.evidence,
    )


def _number(cursor: str) -> int:
    part = parts_of(cursor, 1)[0]
    if not (part.isascii() and part.isdigit() and len(part) <= 18):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    return int(part)


ROUTES = (
    Route(
        "GET", PATH, list_self_tests, "How the self-tests stand", "self-tests", query=SelfTestQuery, answer=SelfTestPage
    ),
    Route("GET", PATH + "/log", list_done, "Self-tests done", "self-tests", query=LogQuery, answer=LogPage),
    Route(
        "POST",
        PATH + "/{kind}",
        record_of_centre,
        "Record a self-test of the centre",
        "self-tests",
        access=Access.OPERATOR,
        body=NewSelfTest,
        answer=DoneOut,
        status=201,
        errors=(409,),
        headers=_KEY,
    ),
    Route(
        "POST",
        PATH + "/{kind}/{unit}",
        record_of_unit,
        "Record a unit's fire test",
        "self-tests",
        access=Access.OPERATOR,
        body=NewSelfTest,
        answer=DoneOut,
        status=201,
        errors=(409,),
        headers=_KEY,
    ),
)
