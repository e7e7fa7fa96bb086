"""What a rule is: its words, its class, whom it watches, and its one condition (``conditions.py``)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.conditions import (
    Bands,
    Condition,
    EventName,
    Part,
    Priority,
    RuleId,
    Samples,
    Source,
    Text,
    Words,
)
from firetower.rules.book.quantities import Amount, Duration, Limit

Day = Literal["working_day", "rest_day", "holiday"]
"""Kinds of day (``calendar.yaml``): ``holiday`` a public one, ``rest_day`` weekend or holiday, else ``working_day``."""
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Date = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Person = Annotated[str, Field(min_length=1, max_length=80)]
Level = Literal["city", "district", "unit_category", "unit", "model", "device"]
LEVELS: tuple[Level, ...] = ("city", "district", "unit_category", "unit", "model", "device")
"""Scopes of an override, from the widest to the narrowest; the narrowest that fits a device wins, field by field."""


def _kinds(given: Any) -> Any:
    return tuple(DeviceKind) if given == "any" else given


class Span(Part):
    """A time of day, ``from`` (inclusive) to ``to`` (exclusive), over midnight when ``to`` is the earlier."""

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")


class Season(Part):
    """A part of the year, both days included, over New Year when ``to`` is the earlier."""

    start: MonthDay = Field(alias="from")
    end: MonthDay = Field(alias="to")


class Schedule(Part):
    """When a rule is active 时段, in the calendar's time zone; what is absent is not asked for.

    Outside of it a reading counts as in order: nothing is raised, and what is active is over after its off delay.
    ``days``: kinds of day; a stretch over midnight belongs to the day on which it began. ``during``: the name of a span
    of ``calendar.yaml`` (``night``), or a span of its own.
    """

    days: Annotated[tuple[Day, ...], Field(min_length=1)] | None = None
    during: str | Span | None = None
    season: Season | None = None


class Suppression(Part):
    """By design held back 设计抑制, never for fire: while any of ``rules`` or ``events`` is active ``on`` the same.

    The alert is raised all the same, held as suppressed with ``reason``, and comes up by itself when that is over.
    No rules hold one another back, directly or over others: some alert is always seen.
    """

    rules: tuple[RuleId, ...] = ()
    events: tuple[EventName, ...] = ()
    on: Literal["device", "gateway", "zone", "main", "unit"] = "device"
    reason: Words


class Loosened(Part):
    """Why a fire or prealarm limit is looser than it was shipped: two persons, a back-test that misses no fire."""

    by: Person
    approved_by: Person
    backtest: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Text


class Rule(Part):
    """One rule of the rulebook; its ``id`` is part of an alert's key, its ``version`` rises with every change.

    ``metric``: what a measured condition is about; None for the other forms. ``shadow``: evaluated, counted and listed,
    never shown or sent.
    """

    id: RuleId
    version: Annotated[int, Field(ge=1)]
    title: Words
    advice: Words
    alert_class: AlertClass = Field(alias="class")
    kinds: Annotated[tuple[DeviceKind, ...], Field(min_length=1), BeforeValidator(_kinds)]
    metric: str | None = None
    condition: Condition
    schedule: Schedule | None = None
    suppressed: Suppression | None = None
    shadow: bool = False
    loosened: Loosened | None = None

    @property
    def measured(self) -> Bands | None:
        """The part of the condition that has bands on a measured or derived value; None for the other forms."""
        return self.condition.measured


class Scope(Part):
    """Where an override is in force: exactly one of these. ``device``: ``unit/device``; ``city``: everywhere."""

    city: Literal["all"] | None = None
    district: Text | None = None
    unit_category: Text | None = None
    unit: Text | None = None
    model: Text | None = None
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$")] | None = None

    @property
    def level(self) -> Level:
        """Which of them is given."""
        return next(level for level in LEVELS if getattr(self, level) is not None)

    @property
    def value(self) -> str:
        """Its value."""
        return str(getattr(self, self.level))


class BandOverride(Part):
    """Fields of the band of that ``priority`` that are other here; the last four are those of silence bands."""

    priority: Priority
    limit: Limit | None = None
    clear: Amount | None = None
    deadband: Amount | None = None
    on_delay: Duration | None = None
    off_delay: Duration | None = None
    and_samples: Samples | None = None
    or_samples: Samples | None = None
    one_sample_over: Duration | None = None
    after: Duration | None = None
    intervals: Annotated[int, Field(ge=1, le=100)] | None = None
    at_least: Duration | None = None
    at_most: Duration | None = None


class Override(Part):
    """A rule's limits, other in one scope; ``off``: the rule does not apply there (never for fire).

    ``source``: the basis of the numbers. ``loosened``: needed where a fire or prealarm limit becomes looser.
    """

    rule: RuleId
    scope: Scope
    reason: Text
    source: Source
    off: bool = False
    bands: tuple[BandOverride, ...] = ()
    loosened: Loosened | None = None


class Calendar(Part):
    """Kinds of day and spans by name. ``zone``: an IANA name. Saturdays and Sundays are rest days.

    ``holidays``: public holidays, no working days whatever the weekday. ``working_days``: weekends worked (调休).
    """

    zone: str = "Asia/Shanghai"
    holidays: frozenset[Date] = frozenset()
    working_days: frozenset[Date] = frozenset()
    spans: dict[str, Span] = Field(default_factory=dict)


class RuleFile(Part):
    """One file of the rulebook; the calendar stands in one file only."""

    rules: tuple[Rule, ...] = ()
    overrides: tuple[Override, ...] = ()
    calendar: Calendar | None = None


LONGEST_FIRE_DELAY: Micros = 10 * SECOND
"""10 s: the device's leg of the alarm path; the longest on delay a fire rule may have."""
