"""What is asked of the alert store: acts, filters, pages, history entries, and the rows that seed the engine."""

from collections.abc import Sequence
from dataclasses import dataclass

from firetower.alerts.incidents import Incident
from firetower.alerts.model import Alert, Hold, State, Transition
from firetower.alerts.windows import Window
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
    incident: int | None = None
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
class IncidentFilter:
    """Which incidents to list; an empty field excludes nothing. ``cursor`` and ``limit`` as of AlertFilter."""

    is_open: bool | None = None
    unit: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Incidents, newest first."""

    items: list[Incident]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LiveView:
    """Alerts, incidents and windows as they stand at the durable sequence number ``seq``, in one view of the store."""

    seq: int
    alerts: Sequence[Alert] = ()
    incidents: Sequence[Incident] = ()
    windows: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an alert's history; ``seq`` counts from 1 without gaps."""

    seq: int
    transition: Transition


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule's alert of a device whose condition still stands, whatever its state: what the engine must know at start.

    ``condition_at``: device time since when it stands, µs. ``held``: suppressed by design.
    """

    rule: str
    subject_kind: str
    subject: str
    component: str
    device_number: int | None
    priority: int
    condition_at: Micros
    held: bool = False
