"""Under what circumstances an alert is raised, and what follows: its frozen place, its words and whether it is held.

A fire is never held, whatever is announced; nor is a prealarm, or what nobody could read, held by a window
(``holds.NEVER_HELD``). What tells of the past only (``historical``) has a place, but no window of today says anything
about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from firetower.alerts import flags as words
from firetower.alerts.chatter import CHATTER_TRANSITIONS
from firetower.alerts.holds import NEVER_HELD, POWER_RULES, TAKES_OUT, hold_reason, may_be_of_the_link
from firetower.alerts.incidents import scene_of
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.place import disagree
from firetower.alerts.windows import Where, Window, WindowKind
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.verdicts import HISTORICAL, SubjectKind

_REAL_IN_A_TEST = {"event:manual_call", "event:waterflow"}
_OF_MANY_POINTS = {DeviceKind.PANEL.value, DeviceKind.GATEWAY.value}
_HYDRANTS = {DeviceKind.HYDRANT.value, DeviceKind.WATER_CRANE.value, DeviceKind.WATER_POINT.value}
_OF_WATER_TAKEN = {"flow", "water_used"}
_NOT_HELD = {"hold": Hold.NONE, "hold_reason": None, "held_until": None, "held_by": None, "cause_id": None}
_TOLD = {"window": "window_id", "cause": "cause_id"}
_NAMED_FIRST = (WindowKind.TEST, WindowKind.DRILL, WindowKind.IMPAIRMENT, WindowKind.MAINTENANCE)

FOLLOWING: tuple[str, ...] = (
    "id", "unit", "unit_name", "device", "device_kind", "place", "lon", "lat", "zone", "main", "gateway", "scene",
    "flags", "hold", "hold_reason", "held_until", "held_by", "window_id", "cause_id",
)  # fmt: skip
"""Fields of a new alert that follow from its circumstances."""

Follows = tuple[dict[str, Any], dict[str, Any]]
"""Those fields, and what the alert's first history entry says of the circumstances."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the store knows when an alert is raised; None or "" where nobody registered it.

    ``alert_id``: the id that was drawn for it. ``unit``, ``device``: codes; ``device_kind``: of the registry. ``zone``:
    ``building/floor/zone`` (of an alert about a building, its code alone), and ``level`` the floor's, of the point
    where one is registered under the alert's component (``of_point``), else of the device, else of the zone that the
    alert is about; ``place`` likewise, in the registry's words; ``elsewhere``: the best there is without, the main's
    name or the unit's address. ``lon``, ``lat``: the device's, the unit's, or of a main those of a device on it.
    ``windows``: in force now in the unit or on the main, wherever there. ``cause``: id of an open, active alert that
    explains this one. ``turns``: how often the alert's key alarmed or returned within ``chatter.CHATTER_WITHIN``, this
    time not among them.
    """

    alert_id: int
    unit: str | None = None
    unit_name: str | None = None
    device: str | None = None
    device_kind: str | None = None
    zone: str | None = None
    level: int | None = None
    place: str = ""
    elsewhere: str | None = None
    lon: float | None = None
    lat: float | None = None
    main: str | None = None
    gateway: str | None = None
    retired: bool = False
    of_point: bool = False
    windows: Sequence[Window] = ()
    cause: int | None = None
    turns: int = 0


def raised_under(alert: Alert, found: Circumstances) -> Follows:
    """Return the fields (``FOLLOWING``) a new alert gets under ``found``, and what its first history entry says of it.

    ``alert``: as ``judge`` began it, and as later verdicts of the same batch may have changed it. A panel's or
    gateway's own place says nothing of its points. Fields, not an alert: in a flood, copying costs more than deciding.
    """
    of_a_point = alert.rule.startswith("event:") and bool(alert.component)
    foreign = of_a_point and found.device_kind in _OF_MANY_POINTS and not found.of_point
    zone = None if foreign else found.zone
    where = Where(found.unit, zone, found.device, alert.component, found.main, found.gateway)
    said = dict.fromkeys(alert.flags)
    if found.retired:
        said[words.RETIRED] = None
    if alert.text and not foreign and disagree(alert.text, found.place, found.level):
        said[words.PLACE_MISMATCH] = None
    fields: dict[str, Any] = {
        "id": found.alert_id,
        "unit": found.unit,
        "unit_name": found.unit_name,
        "device": found.device,
        "device_kind": found.device_kind,
        "place": found.place or found.elsewhere,
        "lon": found.lon,
        "lat": found.lat,
        "zone": zone,
        "main": found.main,
        "gateway": found.gateway,
        "scene": scene_of(
            alert.subject_kind, alert.subject, alert.alert_class, _scene_place(alert, found, where), alert.rule
        ),
        "window_id": None,
        **_NOT_HELD,
    }
    evidence: dict[str, Any] = {}
    if HISTORICAL not in said:
        if found.turns + 1 >= CHATTER_TRANSITIONS:
            said[words.CHATTERING] = None
        windows = [window for window in found.windows if window.covers(where)]
        if windows:
            said.update(dict.fromkeys(_words_of(alert, windows)))
            fields["window_id"] = _raised_in(windows)
            evidence["windows"] = [{"id": each.id, "kind": each.kind.value, "reason": each.reason} for each in windows]
        held = _held(alert, found, windows)
        if held:
            fields |= held
            evidence["hold"] = held["hold"].value
            evidence |= {name: held[field] for name, field in _TOLD.items() if field in held}
    fields["flags"] = tuple(said)
    return fields, evidence


def _scene_place(alert: Alert, found: Circumstances, where: Where) -> Where:
    """Return where an alert belongs: a panel's faults are of the panel and not of a zone, so that one cause is one."""
    of_panel = found.device_kind == DeviceKind.PANEL and alert.alert_class is AlertClass.FAULT
    return replace(where, zone=None) if of_panel else where


def may_be_explained(alert: Alert) -> bool:
    """Say whether another alert may explain this one away; of what may explain others, only a gateway's silence."""
    if alert.alert_class is AlertClass.OFFLINE:
        return may_be_of_the_link(alert)
    return alert.alert_class is AlertClass.FAULT and alert.rule not in POWER_RULES


def may_explain(alert: Alert) -> bool:
    """Say whether others may be explained by it: open, standing, a gateway's or a unit's silence, or lost power."""
    if alert.condition is not Condition.ACTIVE or alert.state is State.CLOSED:
        return False
    of_many = alert.subject_kind in {SubjectKind.GATEWAY, SubjectKind.UNIT}
    return (alert.alert_class is AlertClass.OFFLINE and of_many) or alert.rule in POWER_RULES


def _words_of(alert: Alert, windows: Sequence[Window]) -> list[str]:
    kinds = {window.kind for window in windows}
    said = []
    if WindowKind.TEST in kinds:
        said.append(words.DURING_TEST if alert.rule in _REAL_IN_A_TEST else words.IN_TEST)
    if WindowKind.DRILL in kinds:
        said.append(words.IN_DRILL)
    if alert.alert_class in NEVER_HELD and not kinds.isdisjoint(TAKES_OUT):
        said.append(words.IMPAIRED)
    return said


def _raised_in(windows: Sequence[Window]) -> int | None:
    """Return the window an alert is said to be raised in: a test or drill first, since a disposition asks for one."""
    named = [window for window in windows if window.kind in _NAMED_FIRST]
    return min(named, key=lambda each: (_NAMED_FIRST.index(each.kind), -each.ends_at, each.id)).id if named else None


def _held(alert: Alert, found: Circumstances, windows: Sequence[Window]) -> dict[str, Any]:
    """Return the fields of the hold an alert begins in: out of service before suppressed, by design before a cause."""
    if alert.state is State.CLOSED or alert.is_fire:
        return {}
    out = [window for window in windows if window.kind in TAKES_OUT and alert.alert_class not in NEVER_HELD]
    permits = [
        window
        for window in windows
        if window.kind is WindowKind.WATER_PERMIT and _takes_water(alert, found.device_kind)
    ]
    if out or permits:
        window = max(out or permits, key=lambda each: (each.ends_at, each.id))
        return {
            "hold": Hold.OUT_OF_SERVICE if out else Hold.SUPPRESSED,
            "hold_reason": hold_reason(window),
            "held_until": window.ends_at,
            "held_by": window.approved_by,
            "window_id": window.id,
        }
    if alert.held_by_design:
        return {"hold": Hold.SUPPRESSED, "hold_reason": alert.hold_reason}
    if found.cause is not None and may_be_explained(alert):
        return {"hold": Hold.SUPPRESSED, "hold_reason": f"cause:{found.cause}", "cause_id": found.cause}
    return {}


def _takes_water(alert: Alert, device_kind: str | None) -> bool:
    """Say whether it is what a permit to take water from a hydrant allows for."""
    taken = alert.metric in _OF_WATER_TAKEN or alert.rule == "event:cover_open"
    return taken and alert.alert_class is AlertClass.HAZARD and device_kind in _HYDRANTS
