"""Back-tests 回测: a changed rulebook tried on stored history before it comes into force."""

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, Field

from firetower.core.errors import NotFound
from firetower.rules.book.rulebook import load_texts
from firetower.rules.told.backtest import fire_digest
from firetower.storage import backtests, history
from firetower.storage.backtests import Backtest
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Moment, Nothing, instant, instant_or_none
from firetower.web.errors import Refused

PATH = "/api/v1/rules/backtests"
RULEBOOK_LIMIT = 1024 * 1024
"""Bytes of the largest request with a rulebook; the shipped one has a tenth of that."""


class NewBacktest(Asked):
    """Which rulebook to try, and on which stretch of stored history."""

    since: Moment = Field(alias="from")
    until: Moment = Field(alias="to", description="not after now, at most 92 days after `from`")
    rulebook: dict[Annotated[str, Field(max_length=100)], str] = Field(
        min_length=1, max_length=100, description="text of each file by its name, for example `smoke.yaml`"
    )


class BacktestOut(Answered):
    """A back-test as it stands."""

    id: str = Field(description="what `loosened.backtest` of a rule names")
    state: str = Field(description="`running`, `done` or `failed`")
    asked_at: Instant
    asked_by: str
    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    digest: str = Field(description="of the fire and prealarm rules tried")
    finished_at: Instant | None
    error: str | None = Field(description="why it failed")


class BacktestResult(BacktestOut):
    """A back-test with what it told; docs/rulebook.md describes `result`."""

    result: dict[str, Any] | None


class BacktestList(Answered):
    """Back-tests, newest first."""

    items: list[BacktestOut]
    next_cursor: None = None


async def begin(call: Call[Nothing, NewBacktest]) -> BaseModel:
    """Begin a back-test in a process of its own; one is done at a time (409 names the one that goes on)."""
    deps, asked = call.deps, call.body
    if deps.backtests is None:
        raise Refused(503, "not_here", "this process does no back-tests; ask a node with FIRETOWER_ROLE all or web")
    now = deps.clock.now()
    book = await asyncio.to_thread(load_texts, asked.rulebook)
    await history.check_range(deps.pool, asked.since, asked.until, now)
    digest = await asyncio.to_thread(fire_digest, book)
    begun = await backtests.ask(
        deps.pool, asked.rulebook, digest, since=asked.since, until=asked.until, by=call.person.username, at=now
    )
    deps.backtests.begin(begun.id)
    return BacktestOut(**_fields(begun))


async def list_backtests(call: Call[Nothing, None]) -> BaseModel:
    """List back-tests, the newest first."""
    found = await backtests.listed(call.deps.pool, call.deps.clock.now())
    return BacktestList(items=[BacktestOut(**_fields(each)) for each in found])


async def get_backtest(call: Call[Nothing, None]) -> BaseModel:
    """Return a back-test, with what it told once it is done."""
    backtest_id = call.path("id")
    found = await backtests.found(call.deps.pool, backtest_id, call.deps.clock.now())
    if found is None:
        raise NotFound(f"there is no back-test {backtest_id!r}; GET {PATH} lists them")
    return BacktestResult(**_fields(found[0]), result=None if found[1] is None else dict(found[1]))


def _fields(backtest: Backtest) -> dict[str, Any]:
    return {
        "id": backtest.id,
        "state": backtest.state,
        "asked_at": instant(backtest.asked_at),
        "asked_by": backtest.asked_by,
        "since": instant(backtest.since),
        "until": instant(backtest.until),
        "digest": backtest.digest,
        "finished_at": instant_or_none(backtest.finished_at),
        "error": backtest.error,
    }


ROUTES = (
    Route(
        "POST", PATH, begin, "Begin a back-test", "records", access=Access.ADMIN, body=NewBacktest, answer=BacktestOut,
        status=202, errors=(409,), body_limit=RULEBOOK_LIMIT,
    ),
    Route("GET", PATH, list_backtests, "Back-tests", "records", answer=BacktestList),
    Route("GET", f"{PATH}/{{id}}", get_backtest, "One back-test", "records", answer=BacktestResult),
)  # fmt: skip
