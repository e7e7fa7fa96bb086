"""The board of what does not protect right now (未受保护)."""

import asyncio
from enum import StrEnum

from pydantic import BaseModel, Field

from firetower.rules.book.model import Level
from firetower.storage import protection
from firetower.storage.protection import COUNTED, Gap
from firetower.web.alert_json import Title
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, Instant, instant_or_none
from firetower.web.rule_gaps import rule_gaps


class GapKind(StrEnum):
    """Why something does not protect."""

    IMPAIRMENT = "impairment"
    MAINTENANCE = "maintenance"
    TEST = "test"
    PERMIT = "permit"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"
    SHIELDED = "shielded"
    SILENT = "silent"
    LOOSENED = "loosened"
    RULE_OFF = "rule_off"
    ON_TRIAL = "on_trial"


class BoardQuery(Asked):
    """How much of the board."""

    limit: int = Field(200, ge=1, le=1000)


class ScopeOut(Answered):
    """Where a rule is other than everywhere else; `city` `all`: everywhere."""

    level: Level
    value: str


class GapOut(Answered):
    """One thing that does not protect."""

    kind: GapKind
    unit: str | None
    zone: str | None
    device: str | None
    component: str | None
    main: str | None
    place: str | None
    what: Title
    since: Instant | None = Field(description="null of a rule: for as long as its rulebook is in force")
    until: Instant | None = Field(description="when it ends by itself; null: when somebody mends it")
    reason: str | None
    measure: str | None = Field(description="what protects meanwhile (临时防范措施)")
    by: str | None = Field(description="who approved or shelved it; who loosened a rule")
    id: str | None = Field(description="the announced window it is")
    alert_id: str | None = Field(description="the alert that says so")
    rule: str | None = Field(description="the rule that is loosened, off there or on trial")
    scope: ScopeOut | None = Field(description="where, of a rule")
    approved_by: str | None = Field(description="the second person, of a loosened rule")
    changes: list[str] = Field(description="in what a loosened rule is looser than shipped, each from what to what")


class Board(Answered):
    """What does not protect now: units and mains, then zones, devices that others hang on, devices, points."""

    items: list[GapOut]
    more: int = Field(description=f"how many there are beyond these; of alerts no more than {COUNTED} are counted")


async def not_protected(call: Call[BoardQuery, None]) -> BaseModel:
    """Return the board: windows in force, held alerts, shielded points, silent devices, loosened rules."""
    now = call.deps.clock.now()
    of_rules = await asyncio.to_thread(rule_gaps, call.deps.rulebook())
    gaps, more = await protection.not_protected(call.deps.pool, limit=call.query.limit, now=now, of_rules=of_rules)
    return Board(items=[out(gap) for gap in gaps], more=more)


def out(gap: Gap) -> GapOut:
    """Return a line of the board as the API writes it."""
    return GapOut(
        kind=GapKind(gap.kind),
        unit=gap.unit,
        zone=gap.zone,
        device=gap.device,
        component=gap.component,
        main=gap.main,
        place=gap.place,
        what=Title(zh=gap.what_zh, en=gap.what_en),
        since=instant_or_none(gap.since),
        until=instant_or_none(gap.until),
        reason=gap.reason,
        measure=gap.measure,
        by=gap.by,
        id=None if gap.window_id is None else str(gap.window_id),
        alert_id=None if gap.alert_id is None else str(gap.alert_id),
        rule=gap.rule,
        scope=None if gap.scope is None else ScopeOut(level=gap.scope.level, value=gap.scope.value),
        approved_by=gap.approved_by,
        changes=list(gap.changes),
    )


ROUTES = (
    Route(
        "GET",
        "/api/v1/not-protected",
        not_protected,
        "What does not protect right now",
        "windows",
        query=BoardQuery,
        answer=Board,
    ),
)
