"""How a device reports, and which limits are in force for what it measures."""

from pydantic import BaseModel, Field

from firetower.core.clock import DAY, SECOND
from firetower.core.errors import NotFound
from firetower.devices.events import AlertClass
from firetower.rules.told.limits_of import LimitLine, limits_of
from firetower.storage import device_history as history
from firetower.storage import devices as stored
from firetower.web.alert_json import Title
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant

_DEVICE = "/api/v1/devices/{unit}/{device}"


class ReportingQuery(Asked):
    """Over how many days."""

    days: int = Field(7, ge=1, le=31)


class ReportingOut(Answered):
    """How a device reported: its stored readings of the time, and how many of them came how."""

    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    readings: int
    late: int = Field(description="brought later (补报) than they were evaluated")
    bad: int = Field(description="outside the believable range")
    uncertain: int
    clock_stuck: int = Field(description="with the time of an earlier one, and another value")
    arrival_time: int = Field(description="without a time that could be used")


class LimitLineOut(Answered):
    """A limit on single readings that is in force for a device."""

    rule: str
    title: Title
    metric: str
    alert_class: AlertClass = Field(serialization_alias="class")
    priority: int
    side: str = Field(description="above, at_or_above, below, at_or_below or outside")
    value: float = Field(description="the limit; of a range its lower end")
    high: float | None = Field(description="the upper end of a range")
    clear: float | None = Field(description="where it is over again")
    uom: str
    on_delay_s: float
    shadow: bool = Field(description="of a rule on trial")
    overridden: bool = Field(description="other here than the rule says")


class LimitLines(Answered):
    """The limits in force for a device, rule by rule."""

    items: list[LimitLineOut]


async def get_reporting(call: Call[ReportingQuery, None]) -> BaseModel:
    """Return how a device reported lately."""
    number = await _number(call)
    now = call.deps.clock.now() + SECOND
    since = now - call.query.days * DAY
    found = await history.reporting(call.deps.pool, number, since, now)
    return ReportingOut(
        since=instant(since),
        until=instant(now),
        readings=found.readings,
        late=found.late,
        bad=found.bad,
        uncertain=found.uncertain,
        clock_stuck=found.stuck,
        arrival_time=found.unclocked,
    )


async def get_limits(call: Call[Nothing, None]) -> BaseModel:
    """Return the limits in force for what a device measures; what is derived from readings is not among them."""
    number = await _number(call)
    return LimitLines(items=[_line(each) for each in limits_of(call.deps.rulebook(), call.deps.registry, number)])


async def _number(call: Call[ReportingQuery, None] | Call[Nothing, None]) -> int:
    unit, device = call.path("unit"), call.path("device")
    found = await stored.get_device(call.deps.pool, unit, device) if call.may_see(unit) else None
    if found is None:
        raise NotFound(f"there is no device {unit}/{device}; GET /api/v1/devices?unit={unit} lists the unit's")
    return found[0]


def _line(each: LimitLine) -> LimitLineOut:
    return LimitLineOut(
        rule=each.rule,
        title=Title(zh=each.title_zh, en=each.title_en),
        metric=each.metric,
        alert_class=AlertClass(each.alert_class),
        priority=each.priority,
        side=each.side,
        value=each.value,
        high=each.high,
        clear=each.clear,
        uom=each.uom,
        on_delay_s=each.on_delay / SECOND,
        shadow=each.shadow,
        overridden=each.overridden,
    )


ROUTES = (
    Route("GET", f"{_DEVICE}/reporting", get_reporting, "How a device reported", "devices", access=Access.EVERYBODY,
          query=ReportingQuery, answer=ReportingOut),
    Route("GET", f"{_DEVICE}/limits", get_limits, "The limits in force for a device", "devices",
          access=Access.EVERYBODY, answer=LimitLines),
)  # fmt: skip
