"""The rulebook in force, as an operator or a script may read it."""

from pydantic import BaseModel, Field

from firetower.core.errors import NotFound
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.conditions import Condition
from firetower.rules.model import Rule
from firetower.rules.rulebook import Rulebook
from firetower.web.alert_json import Title
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Nothing


class RuleOut(Answered):
    """One rule. Durations in µs; limits in the metric's unit."""

    id: str
    version: int
    title: Title
    advice: Title = Field(description="what to do about it")
    alert_class: AlertClass = Field(serialization_alias="class")
    kinds: list[DeviceKind]
    metric: str | None
    condition: Condition
    where: str | None = Field(description="file and line of the rulebook")


class RuleList(Answered):
    """All rules, in the rulebook's order."""

    items: list[RuleOut]
    next_cursor: None = None


async def list_rules(call: Call[Nothing, None]) -> BaseModel:
    """List the rules in force, each limit with its source."""
    book = call.deps.rulebook()
    return RuleList(items=[_rule_out(book, rule) for rule in book.rules])


async def get_rule(call: Call[Nothing, None]) -> BaseModel:
    """Return one rule."""
    rule_id = call.path("rule")
    book = call.deps.rulebook()
    rule = book.rule(rule_id)
    if rule is None:
        raise NotFound(f"there is no rule {rule_id!r}; GET /api/v1/rules lists them")
    return _rule_out(book, rule)


def _rule_out(book: Rulebook, rule: Rule) -> RuleOut:
    return RuleOut(
        id=rule.id,
        version=rule.version,
        title=Title(zh=rule.title.zh, en=rule.title.en),
        advice=Title(zh=rule.advice.zh, en=rule.advice.en),
        alert_class=rule.alert_class,
        kinds=list(rule.kinds),
        metric=rule.metric,
        condition=rule.condition,
        where=book.where.get(rule.id),
    )


ROUTES = (
    Route("GET", "/api/v1/rules", list_rules, "The rulebook", "records", answer=RuleList),
    Route("GET", "/api/v1/rules/{rule}", get_rule, "One rule", "records", answer=RuleOut),
)
