"""What the engine decides: verdicts, each a raise, a clear or a record, with its evidence."""

from dataclasses import dataclass
from enum import StrEnum

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass, Event

RULE_GONE = "rule_gone"
"""Flag of a latched alert whose rule the rulebook has no more (规则已删除); a clear that bears it ends any other."""
HISTORICAL = "historical"
"""Flag of a raise that tells of the past (历史告警): nothing of it is known to hold now."""


class VerdictKind(StrEnum):
    """What a verdict asks of the alert of its key."""

    RAISE = "raise"  # the condition holds, or holds again
    CLEAR = "clear"  # the condition is over
    RECORD = "record"  # note it on an open alert of the sender; raises none


class SubjectKind(StrEnum):
    """What an alert is about."""

    DEVICE = "device"
    SENDER = "sender"  # somebody nobody registered
    GATEWAY = "gateway"
    UNIT = "unit"
    MAIN = "main"
    ZONE = "zone"
    SYSTEM = "system"  # Firetower itself
    PLACE = "place"  # in a caller's words, where no unit was named


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision about one key: (``rule``, ``subject_kind``, ``subject``, ``component``).

    ``rule``: the rule's id, or ``event:<name>`` for a device's own alarm. ``subject``: ``unit/device`` for device,
    gateway and sender, else the code of the unit, main or zone. ``component``: the point (部位), the metric with its
    channel (``cable_temperature.2``), or "".
    ``at``: event time at which the verdict became true. ``value``, ``limit``: in the metric's unit, None for events
    and silence. ``priority``: 1 red to 4 blue. ``latch``: closes only with a disposition.
    ``title_zh``, ``title_en``: the headline an operator reads. ``text``: the panel's own words.
    ``flags``: ``unregistered``, ``late``, ``uncertain``, ``historical`` …
    ``again``: a raise of what was raised before, now at another priority or no longer suppressed.
    ``figure``: what ``value`` and ``limit`` are where they are derived from readings: which figure, of how long a time
    (``-``: of none), and its unit, ``rise 10min °C``; "" where they are as measured.
    ``shadow``: of a rule on trial; counted and listed, neither shown nor sent.
    ``since``: of a silence, the last word that was heard, or when we began to listen where that was later; else None.
    ``suppressed``: what holds it back by design, ``rule:<id>`` or ``event:<name>``; "" when nothing does. Never a fire.
    """

    kind: VerdictKind
    rule: str
    rule_version: int
    subject_kind: SubjectKind
    subject: str
    component: str
    alert_class: AlertClass
    priority: int
    latch: bool
    at: Micros
    title_zh: str
    title_en: str
    device_number: int | None = None
    metric: int | None = None
    value: float | None = None
    limit: float | None = None
    text: str = ""
    flags: tuple[str, ...] = ()
    event: Event | None = None
    again: bool = False
    figure: str = ""
    shadow: bool = False
    suppressed: str = ""
    since: Micros | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The key under which at most one alert is open."""
        return (self.rule, self.subject_kind, self.subject, self.component)

    @property
    def historical(self) -> bool:
        """Whether it is late evidence."""
        return HISTORICAL in self.flags

    @property
    def for_the_record(self) -> bool:
        """Whether nobody is to be called for it: of the past, and no fire."""
        return self.historical and self.alert_class is not AlertClass.FIRE
