"""The body of a message to 119, as ``docs/handover.md`` has it for the other side's engineers."""

import json
from typing import Any

from firetower.alerts.handover.facts import Facts, Told, point
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, rfc3339
from firetower.devices.metrics import catalogue

INTERFACE = "firetower-119/1"
"""Name and version of the interface; fields are added within a version, never changed."""

_CLOCKS = ("device_at", "received_at", "raised_at", "acknowledged_at", "verified_at", "forwarded_at")


def compose(told: Told, coordinate_system: str) -> bytes:
    """Return the body, UTF-8 JSON. ``coordinate_system``: of every coordinate in it."""
    said = {
        "interface": INTERFACE,
        "kind": told.kind,
        "key": told.key,
        "report_key": told.report_key,
        "earlier_key": told.earlier_key,
        "sender": told.sender,
        "written_at": rfc3339(told.created_at),
        "written_by": told.actor,
        "text": told.text,
        "coordinate_system": coordinate_system,
        "alert": _alert(told.facts.alert),
        "place": _place(told.facts),
        "signals": [
            {
                "alert_id": str(each.alert_id),
                "class": each.alert_class,
                "title": {"zh": each.title_zh, "en": each.title_en},
                "device": each.device,
                "device_kind": each.device_kind,
                "component": each.component,
                "place": each.place,
                "raised_at": rfc3339(each.raised_at),
                "same_zone": each.is_near,
            }
            for each in told.facts.signals
        ],
        "contacts": [
            {"role": each.role, "name": each.name, "phone": each.phone, "reachable": each.is_reachable}
            for each in told.facts.persons
        ],
        "water": [
            {
                "kind": each.kind,
                "name": each.name,
                "place": each.place,
                "lon": each.lon,
                "lat": each.lat,
                "distance_m": round(each.distance_m),
                "bearing": each.bearing,
                "faulty": each.faulty,
            }
            for each in told.facts.water
        ],
    }
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def _alert(alert: Alert) -> dict[str, Any]:
    known = None if alert.metric is None else catalogue().by_name.get(alert.metric.partition(".")[0])
    figure = alert.figure.split(" ")
    return {
        "id": str(alert.id),
        "incident_id": None if alert.incident_id is None else str(alert.incident_id),
        "class": alert.alert_class,
        "priority": alert.priority,
        "title": {"zh": alert.title_zh, "en": alert.title_en},
        "text": alert.text,
        "device": alert.device,
        "device_kind": alert.device_kind,
        "component": point(alert),
        "metric": alert.metric,
        "value": alert.value,
        "limit": alert.limit_value,
        "uom": figure[2] if len(figure) == 3 else None if known is None else known.unit,
        "condition": alert.condition,
        "occurrences": alert.occurrences,
        "verification": alert.verification,
        "verified_by": alert.verified_by,
        "verify_method": alert.verify_method,
        "flags": list(alert.flags),
        **{name: _instant(getattr(alert, name)) for name in _CLOCKS},
    }


def _place(facts: Facts) -> dict[str, Any]:
    alert, premises, found = facts.alert, facts.premises, facts.coordinates
    return {
        "unit": alert.unit,
        "unit_name": alert.unit_name,
        "category": premises.category or None,
        "address": premises.address or None,
        "building": premises.building or None,
        "floor": premises.floor or None,
        "level": premises.level,
        "zone": premises.zone or None,
        "words": alert.place,
        "main": alert.main,
        "lon": None if found is None else found[0],
        "lat": None if found is None else found[1],
    }


def _instant(at: Micros | None) -> str | None:
    return None if at is None else rfc3339(at)
