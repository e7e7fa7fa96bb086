"""Four-colour risk 四色风险 of units and grids: how they stand, the worst first, and each change of band."""

from aiohttp import web
from pydantic import BaseModel

from firetower.alerts.risk.model import shipped
from firetower.core.clock import SECOND
from firetower.core.errors import InvalidInput
from firetower.storage import risk
from firetower.storage.risk_rounds import EVERY
from firetower.web.api import Access, Call, Route, answer_aside
from firetower.web.api_models import cursor_of, instant_or_none, parts_of
from firetower.web.errors import Refused
from firetower.web.risk_json import (
    ChangePage,
    ChangeQuery,
    RiskPage,
    RiskQuery,
    change_out,
    counted,
    model_out,
    risk_out,
)


async def list_risk(call: Call[RiskQuery, None]) -> web.Response:
    """List units or grids by risk, the worst first, with parts and reasons; a unit's account sees its own unit."""
    query, model = call.query, shipped()
    if query.by == "grid":
        _centre_only(call)
    which = risk.Which(
        scope=query.by,
        bands=query.band,
        unit=call.unit_shown(query.unit) if query.by == "unit" else None,
        grid=query.grid,
        q=query.q,
        within=None if query.within is None else (query.within[0], query.within[1], query.within[2], query.within[3]),
        after=None if query.cursor is None else _after(query.cursor),
        limit=query.limit + 1,
    )
    rows = await risk.listed(call.deps.pool, which)
    kept = rows[: query.limit]
    reckoned = await risk.last_round(call.deps.pool)
    counts = await risk.counts(call.deps.pool, which)
    return await answer_aside(
        lambda: RiskPage(
            computed_at=instant_or_none(None if reckoned is None else reckoned.computed_at),
            every_s=EVERY // SECOND,
            counts=counted(counts),
            items=[risk_out(row, query.by, model) for row in kept],
            next_cursor=cursor_of(str(kept[-1].place), str(kept[-1].id)) if len(rows) > query.limit else None,
            model=model_out(model),
        )
    )


async def list_changes(call: Call[ChangeQuery, None]) -> BaseModel:
    """List the changes of band of one unit or grid, the newest first, each with what changed."""
    query, model = call.query, shipped()
    if query.grid is not None:
        _centre_only(call)
    unit = call.unit_shown(query.unit) if query.grid is None else query.unit
    if (unit is None) == (query.grid is None):
        raise InvalidInput("name one unit or one grid: `unit=` or `grid=`", {"field": "unit"})
    before = None if query.cursor is None else _number(parts_of(query.cursor, 1)[0], query.cursor)
    found = await risk.changes(
        call.deps.pool,
        "unit" if query.grid is None else "grid",
        str(unit if query.grid is None else query.grid),
        before=before,
        limit=query.limit + 1,
    )
    kept = found[: query.limit]
    more = cursor_of(str(kept[-1].n)) if len(found) > query.limit else None
    return ChangePage(items=[change_out(row, model) for row in kept], next_cursor=more)


def _centre_only(call: Call[object, None]) -> None:
    if call.person.unit is not None:
        raise Refused(
            403,
            "forbidden",
            f"{call.person.username} is an account of unit {call.person.unit} and sees no grids; ask with by=unit",
        )


def _after(cursor: str) -> tuple[int, int]:
    place, number = parts_of(cursor, 2)
    return min(_number(place, cursor), 101), _number(number, cursor)


def _number(text: str, cursor: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidInput(f"cursor {cursor[:80]!r} is none of this list; start again without a cursor")
    return int(text)


ROUTES = (
    Route(
        "GET",
        "/api/v1/risk",
        list_risk,
        "Risk of units or grids",
        "risk",
        access=Access.EVERYBODY,
        query=RiskQuery,
        answer=RiskPage,
    ),
    Route(
        "GET",
        "/api/v1/risk/history",
        list_changes,
        "Changes of one's risk",
        "risk",
        access=Access.EVERYBODY,
        query=ChangeQuery,
        answer=ChangePage,
        errors=(404,),
    ),
)
