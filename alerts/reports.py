"""A person reports it (电话报警): the alert that begins without any device, decided without I/O."""

from dataclasses import dataclass, replace

from firetower.alerts import flags
from firetower.alerts.incidents import scene_of
from firetower.alerts.model import Alert, Condition, Hold, State, Transition
from firetower.alerts.windows import Where
from firetower.alerts.words import CAUSE_LIMIT, NAME_LIMIT, NOTE_LIMIT, needed, words
from firetower.core.clock import Micros
from firetower.core.errors import InvalidInput
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind

RULE = "manual:report"

_KNOWN: dict[AlertClass, tuple[int, str, str]] = {
    AlertClass.FIRE: (1, "火警", "fire"),
    AlertClass.PREALARM: (2, "疑似火警", "suspected fire"),
    AlertClass.SUPERVISORY: (2, "监管", "supervisory"),
    AlertClass.HAZARD: (3, "隐患", "hazard"),
    AlertClass.FAULT: (3, "故障", "fault"),
}
REPORTED = tuple(_KNOWN)
"""Classes a person can report; silence, bad data and what cannot be read are Firetower's own findings."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a caller says. ``place``: in the caller's words. ``unit``, ``zone`` (``building/floor/zone``): codes.

    ``lon``, ``lat``: WGS 84. ``caller``, ``phone``: who it was.
    """

    alert_class: AlertClass
    text: str
    place: str | None = None
    unit: str | None = None
    zone: str | None = None
    lon: float | None = None
    lat: float | None = None
    caller: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Premises:
    """What the registry knows of the unit, or of the zone in it, that a report names."""

    unit_name: str | None = None
    place: str | None = None
    lon: float | None = None
    lat: float | None = None


def checked(report: Report) -> Report:
    """Return the report with its words trimmed; raises InvalidInput for one that says nothing, or nothing of where."""
    if report.alert_class not in _KNOWN:
        raise InvalidInput(
            f"a person cannot report class {report.alert_class}; give one of {', '.join(_KNOWN)}", {"field": "class"}
        )
    if (report.lon is None) != (report.lat is None):
        raise InvalidInput(
            "a report with only one of lon and lat names no place; give both, or neither", {"field": "lon"}
        )
    place = words("place", report.place, CAUSE_LIMIT)
    if place is None and report.unit is None and report.lon is None:
        raise InvalidInput(
            "a report must say where it is; give a place in words, a unit, or lon and lat", {"field": "place"}
        )
    if report.zone is not None and report.unit is None:
        raise InvalidInput(f"zone {report.zone!r} is of no unit; name the unit too", {"field": "unit"})
    return replace(
        report,
        text=needed("a report", "text", report.text, NOTE_LIMIT, "write what the caller says"),
        place=place,
        caller=words("caller", report.caller, NAME_LIMIT),
        phone=words("phone", report.phone, NAME_LIMIT),
    )


def begin(report: Report, premises: Premises, *, component: str, actor: str, at: Micros) -> tuple[Alert, Transition]:
    """Return the alert (``id`` 0) of a checked ``report``, taken down by ``actor``, and its first transition.

    ``component``: fresh, so that no two reports are ever one alert.
    """
    priority, zh, en = _KNOWN[report.alert_class]
    place = report.place or premises.place
    lon, lat = (premises.lon, premises.lat) if report.lon is None else (report.lon, report.lat)
    if report.unit is not None:
        kind, subject = SubjectKind.UNIT, report.unit
    else:
        kind, subject = SubjectKind.PLACE, place or f"{lon},{lat}"
    alert = Alert(
        id=0,
        rule=RULE,
        rule_version=1,
        subject_kind=kind.value,
        subject=subject,
        component=component,
        alert_class=report.alert_class,
        priority=priority,
        latched=True,
        state=State.UNACKNOWLEDGED,
        hold=Hold.NONE,
        condition=Condition.ACTIVE,
        disposition=None,
        cause=None,
        unit=report.unit,
        unit_name=premises.unit_name,
        device=None,
        device_kind=None,
        metric=None,
        value=None,
        limit_value=None,
        title_zh=f"电话报警：{zh}",
        title_en=f"Reported by telephone: {en}",
        text=report.text,
        place=place,
        lon=lon,
        lat=lat,
        flags=(flags.MANUAL,),
        occurrences=1,
        repeats=0,
        version=1,
        assignee=None,
        device_at=at,
        received_at=at,
        raised_at=at,
        condition_at=at,
        last_event_at=at,
        alarmed_at=at,
        zone=report.zone,
        scene=scene_of(kind, subject, report.alert_class, Where(unit=report.unit, zone=report.zone)),
    )
    said = {"text": report.text, "place": report.place, "caller": report.caller, "phone": report.phone}
    evidence = {name: value for name, value in said.items() if value is not None}
    return alert, Transition(None, State.UNACKNOWLEDGED, at, actor, "raised", evidence)
