"""Where an alert is on the plan 平面图 of its floor: its own point, or why there is none. Never a place beside it.

| what the alert is about | where it is |
|---|---|
| a component with a place of its own on the plan | there |
| a component of a panel or gateway without one | nowhere: where the panel hangs says nothing of it |
| what a panel or gateway says of a place it does not name (fire, prealarm, supervisory, hazard) | nowhere |
| anything else about a device | where the device is |
| a zone, a building, a unit | nowhere |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from firetower.alerts.model import Alert
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind

_SPEAKERS = {DeviceKind.PANEL.value, DeviceKind.GATEWAY.value}
_OF_ITSELF = {AlertClass.FAULT, AlertClass.OFFLINE, AlertClass.QUALITY}


class Why(StrEnum):
    """Why a plan, or a point on it, cannot be shown."""

    NO_ZONE = "no_zone"  # the registry does not say on which floor it is
    NO_FLOOR = "no_floor"  # its floor is not registered any more
    NO_PLAN = "no_plan"
    NO_POSITION = "no_position"  # there is a plan, and the point has no place on it


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a device or a point of a panel is on its floor's plan: ``x``, ``y`` 0 to 1 from the left and upper edge."""

    x: float
    y: float
    placed_at: Micros
    placed_by: str


@dataclass(frozen=True, slots=True)
class Stood:
    """A plan and from when to when it stood on its floor, µs; ``ended_at`` None: it stands."""

    sha256: bytes
    media: str
    width: int
    height: int
    size: int
    put_at: Micros
    put_by: str
    ended_at: Micros | None = None

    def stood_at(self, at: Micros) -> bool:
        """Say whether it was the floor's plan at ``at``."""
        return self.put_at <= at and (self.ended_at is None or at < self.ended_at)


Spots = Mapping[tuple[str, str], Spot]
"""By device and component, "" for the device itself."""


def floor_of(zone: str | None) -> tuple[str, str] | None:
    """Return building and floor of ``building/floor/zone``."""
    parts = (zone or "").split("/")
    return (parts[0], parts[1]) if len(parts) == 3 else None


def plan_for(alert: Alert, plans: Sequence[Stood]) -> Stood | None:
    """Return the plan to show: the one that stands; of a closed alert the one that stood when it was closed."""
    stands = next((plan for plan in plans if plan.ended_at is None), None)
    if alert.closed_at is None:
        return stands
    closed_at = alert.closed_at
    return next((plan for plan in plans if plan.stood_at(closed_at)), stands)


def spot_of(alert: Alert, spots: Spots) -> Spot | None:
    """Return where an alert is on its floor's plan, None for nowhere."""
    if alert.device is None:
        return None
    if alert.component and (alert.device, alert.component) in spots:
        return spots[alert.device, alert.component]
    if alert.device_kind in _SPEAKERS and not _is_of_itself(alert):
        return None
    return spots.get((alert.device, ""))


def _is_of_itself(alert: Alert) -> bool:
    """Say whether a panel speaks of itself: of its own values, or of a fault or silence without naming a component."""
    if alert.metric is not None:
        return True
    return not alert.component and alert.alert_class in _OF_ITSELF


def is_doubtful(spot: Spot, shown: Stood | None, plans: Sequence[Stood]) -> bool:
    """Say whether a place was marked on another drawing than the one shown, which may be cut differently.

    One marked while the floor had no plan is of the file it came with, and is believed.
    """
    drawn_on = next((plan for plan in plans if plan.stood_at(spot.placed_at)), None)
    return shown is not None and drawn_on is not None and drawn_on.sha256 != shown.sha256
