"""Back-tests 回测: a changed rulebook tried on stored history before it comes into force."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Self

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from firetower.core.errors import NotFound
from firetower.rules.book import changed
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


_Words = Annotated[str, Field(max_length=60)]


class BandChange(Asked):
    """Fields of one band that are to be tried otherwise, as a rulebook writes them; null takes one away."""

    priority: int = Field(ge=1, le=4, description="which band of the rule")
    limit: _Words | dict[str, _Words] | None = Field(None, examples=["200 mA"])
    clear: _Words | None = None
    deadband: _Words | None = None
    on_delay: _Words | None = Field(None, examples=["30s"])
    off_delay: _Words | None = None
    after: _Words | None = Field(None, description="of a silence band")

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if "limit" in self.model_fields_set and self.limit is None:
            raise ValueError("limit is null; a band has a limit: leave it out to keep the one it has")
        return self


class RuleChange(Asked):
    """A rule of the rulebook in force, and what is to be other of its bands."""

    rule: str = Field(max_length=64)
    bands: list[BandChange] = Field(min_length=1, max_length=4)


class NewBacktest(Asked):
    """Which rulebook to try, and on which stretch of stored history. Exactly one of the last three."""

    since: Moment = Field(alias="from")
    until: Moment = Field(alias="to", description="not after now, at most 92 days after `from`")
    rulebook: dict[Annotated[str, Field(max_length=100)], str] | None = Field(
        None, min_length=1, max_length=100, description="text of each file by its name, for example `smoke.yaml`"
    )
    rules: str | None = Field(
        None, description="YAML of a rulebook's file: its rules in the place of those in force with the same ids"
    )
    change: RuleChange | None = Field(None, description="the rulebook in force with one rule's bands otherwise")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(each is not None for each in (self.rulebook, self.rules, self.change)) != 1:
            raise ValueError("give exactly one of rulebook, rules and change")
        return self


class BacktestOut(Answered):
    """A back-test as it stands."""

    id: str = Field(description="what `loosened.backtest` of a rule names")
    state: str = Field(description="`running`, `done`, `failed` or `cancelled`")
    progress: float | None = Field(description="the share that is done, 0 to 1, told each second; null before any was")
    asked_at: Instant
    asked_by: str
    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    digest: str = Field(description="of the fire and prealarm rules tried")
    finished_at: Instant | None
    error: str | None = Field(description="why it failed, or who called it off")


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
    texts = await asyncio.to_thread(_texts, call)
    book = await asyncio.to_thread(load_texts, texts)
    await history.check_range(deps.pool, asked.since, asked.until, now)
    digest = await asyncio.to_thread(fire_digest, book)
    begun = await backtests.ask(
        deps.pool, texts, digest, since=asked.since, until=asked.until, by=call.person.username, at=now
    )
    deps.backtests.begin(begun.id)
    return BacktestOut(**_fields(begun))


def _texts(call: Call[Nothing, NewBacktest]) -> dict[str, str]:
    asked, book = call.body, call.deps.rulebook()
    if asked.rules is not None:
        return changed.with_rules(book, asked.rules)
    if asked.change is not None:
        bands = [each.model_dump(exclude_unset=True) for each in asked.change.bands]
        return changed.with_bands(book, asked.change.rule, bands)
    assert asked.rulebook is not None  # one of the three is given
    return asked.rulebook


async def cancel_backtest(call: Call[Nothing, None]) -> web.Response:
    """Call a back-test off; its process stops within a second or so, and another may begin."""
    backtest_id, now = call.path("id"), call.deps.clock.now()
    await _found(call)
    await backtests.cancel(call.deps.pool, backtest_id, call.person.username, now)
    return web.Response(status=204)


async def list_backtests(call: Call[Nothing, None]) -> BaseModel:
    """List back-tests, the newest first."""
    found = await backtests.listed(call.deps.pool, call.deps.clock.now())
    return BacktestList(items=[BacktestOut(**_fields(each)) for each in found])


async def get_backtest(call: Call[Nothing, None]) -> BaseModel:
    """Return a back-test, with what it told once it is done."""
    found, result = await _found(call)
    return BacktestResult(**_fields(found), result=None if result is None else dict(result))


async def _found(call: Call[Nothing, None]) -> tuple[Backtest, Mapping[str, Any] | None]:
    backtest_id = call.path("id")
    found = await backtests.found(call.deps.pool, backtest_id, call.deps.clock.now())
    if found is None:
        raise NotFound(f"there is no back-test {backtest_id!r}; GET {PATH} lists them")
    return found


def _fields(backtest: Backtest) -> dict[str, Any]:
    return {
        "id": backtest.id,
        "state": backtest.state,
        "progress": backtest.progress,
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
    Route("DELETE", f"{PATH}/{{id}}", cancel_backtest, "Call a back-test off", "records", access=Access.ADMIN,
          status=204, errors=(409,)),
)  # fmt: skip
