"""What else there is to read: the reject ledger, the rulebook, the header's figures."""

import base64

from pydantic import BaseModel, Field

from firetower.storage import rejects
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Moment, Nothing, instant, is_storable
from firetower.web.kpis import Kpis


class RejectCountQuery(Asked):
    """Which rejects."""

    unit: str | None = Field(None, max_length=64)
    device: str | None = Field(None, max_length=64, description="itself the sender, or named in its gateway's message")
    reason: str | None = Field(None, max_length=40)
    topic: str | None = Field(None, max_length=200, description="part of the topic")
    since: Moment | None = Field(None, description="refused at or after")


class RejectQuery(RejectCountQuery):
    """Which rejects, and how many."""

    cursor: str | None = Field(None, max_length=100, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class RejectOut(Answered):
    """A message that could not be used."""

    id: str
    at: Instant
    lane: str
    topic: str
    reason: str = Field(description="stable word: bad_json, unknown_device, …")
    detail: str = Field(description="what was wrong, with the value, the limit and the remedy")
    payload_text: str | None = Field(description="the bytes as text where they are UTF-8")
    payload_base64: str = Field(description="the bytes as they came")


class ReasonOut(Answered):
    """What was refused for one reason."""

    reason: str
    count: int
    last_at: Instant


class RejectCounts(Answered):
    """Rejects by reason, the most first."""

    items: list[ReasonOut]
    waiting: int = Field(description="rejects of all that wait for the second try they were asked for")


class RejectPage(Answered):
    """Rejects, newest first."""

    items: list[RejectOut]
    next_cursor: str | None


async def list_rejects(call: Call[RejectQuery, None]) -> BaseModel:
    """List messages that could not be used, with reason, sender and bytes."""
    query = call.query
    page = await rejects.list_rejects(call.deps.pool, _which(call), limit=query.limit, cursor=query.cursor)
    return RejectPage(
        items=[
            RejectOut(
                id=str(id_),
                at=instant(reject.at),
                lane=reject.lane,
                topic=reject.topic,
                reason=reject.reason,
                detail=reject.detail,
                payload_text=_text(reject.payload),
                payload_base64=base64.b64encode(reject.payload).decode(),
            )
            for id_, reject in page.items
        ],
        next_cursor=page.next_cursor,
    )


async def count_rejects(call: Call[RejectCountQuery, None]) -> BaseModel:
    """Count rejects by reason."""
    found = await rejects.counted(call.deps.pool, _which(call))
    waiting = 0 if call.person.unit is not None else await rejects.asked_count(call.deps.pool)
    return RejectCounts(
        items=[ReasonOut(reason=each.reason, count=each.count, last_at=instant(each.last_at)) for each in found],
        waiting=waiting,
    )


def _which(call: Call[RejectCountQuery, None]) -> rejects.Which:
    query = call.query
    return rejects.Which(
        unit=call.unit_shown(query.unit),
        device=query.device,
        reason=query.reason,
        topic=query.topic,
        since=query.since,
    )


class ReplayAsked(Asked):
    """Which rejects to try again: those with `reason`, of one unit or one device if given."""

    unit: str | None = Field(None, max_length=64)
    device: str | None = Field(None, max_length=64, description="itself the sender, or named in its gateway's message")
    reason: str = Field(rejects.REPLAYABLE, max_length=40, description="what they were refused for")


class ReplayAnswer(Answered):
    """What was asked for; the service tries them in the background."""

    asked: int = Field(description="rejects that are tried again")


async def replay_rejects(call: Call[Nothing, ReplayAsked]) -> BaseModel:
    """Have rejected messages tried again; what is still wrong stands in the ledger again."""
    wanted = call.body
    asked = await rejects.ask_replay(
        call.deps.pool, call.deps.clock.now(), unit=wanted.unit, device=wanted.device, reason=wanted.reason
    )
    return ReplayAnswer(asked=asked)


def _text(payload: bytes) -> str | None:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return text if is_storable(text) else None


async def get_kpis(call: Call[Nothing, None]) -> BaseModel:
    """Return the figures of the console's header."""
    return call.site.hub.kpis()


ROUTES = (
    Route(
        "GET",
        "/api/v1/rejects",
        list_rejects,
        "The reject ledger",
        "records",
        access=Access.EVERYBODY,
        query=RejectQuery,
        answer=RejectPage,
    ),
    Route(
        "GET",
        "/api/v1/rejects/counts",
        count_rejects,
        "Rejects by reason",
        "records",
        access=Access.EVERYBODY,
        query=RejectCountQuery,
        answer=RejectCounts,
    ),
    Route(
        "POST",
        "/api/v1/rejects/replay",
        replay_rejects,
        "Try rejected messages again",
        "records",
        body=ReplayAsked,
        access=Access.OPERATOR,
        answer=ReplayAnswer,
        status=202,
    ),
    Route("GET", "/api/v1/kpis", get_kpis, "The header's figures", "records", answer=Kpis),
)
