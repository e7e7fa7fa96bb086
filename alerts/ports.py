"""What is asked of the alert store: acts, filters, pages, history entries, and the rows that seed the engine."""

from dataclasses import dataclass

from firetower.alerts.model import Alert, Hold, State, Transition
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass

PAGE_LIMIT = 1000
"""Most alerts on one page."""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts to list; an empty field excludes nothing.

    ``q`` is looked for in place, panel text, titles, unit (code and name), device and component. ``since``: raised at
    or after, µs. ``cursor``: ``Page.next_cursor`` of the page before. ``limit``: 1 to 1000.
    """

    states: tuple[State, ...] = ()
    holds: tuple[Hold, ...] = ()
    priorities: tuple[int, ...] = ()
    classes: tuple[AlertClass, ...] = ()
    unit: str | None = None
    device: str | None = None
    q: str | None = None
    since: Micros | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts, highest priority first, then unacknowledged before the others, then newest first."""

    items: list[Alert]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an alert's history; ``seq`` counts from 1 without gaps."""

    seq: int
    transition: Transition


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule's alert of a device whose condition still stands, whatever its state: what the engine must know at start.

    ``condition_at``: device time since when it stands, µs.
    """

    rule: str
    subject_kind: str
    subject: str
    component: str
    device_number: int
    priority: int
    condition_at: Micros
