"""What the service's double knows: alerts, incidents and windows in the API's shapes, and what acts do to them."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

TITLES = {
    "fire": ("火警", "Fire alarm"),
    "prealarm": ("疑似火警", "Prealarm"),
    "hazard": ("管网压力低", "Hydrant pressure low"),
    "fault": ("主电故障", "Main power lost"),
    "offline": ("设备离线", "Device offline"),
    "unreadable": ("无法解析的报警", "Unreadable alarm"),
}

PAST = {
    "note": "noted",
    "verify": "verified",
    "forward": "forwarded",
    "receipt": "receipted",
    "assign": "assigned",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "reopen": "reopened",
    "follow-up": "followed_up",
    "cancel": "cancelled",
    "close": "closed",
}

Json = dict[str, Any]


def at(seconds_ago: float = 0) -> str:
    """An instant as the API writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


class Facts:
    """Alerts and what stands around them; nobody is told of a change here."""

    def __init__(self) -> None:
        self.alerts: dict[str, Json] = {}
        self.history: dict[str, list[Json]] = {}
        self.provisional: list[Json] = []
        self.incidents: dict[str, Json] = {}
        self.windows: dict[str, Json] = {}
        self.requests: list[tuple[str, str, Json]] = []  # path, idempotency key or method, body
        self._ids = itertools.count(101)

    def raise_alert(self, alert_class: str = "fire", priority: int = 1, *, ago: float = 0, **more: Any) -> Json:
        """Add an alert without telling anybody."""
        number = next(self._ids)
        zh, en = TITLES[alert_class]
        alert: Json = {
            "id": str(number), "key": f"key-{number}", "class": alert_class, "priority": priority,
            "state": "unacknowledged", "hold": "none", "condition": "active", "disposition": None, "cause": None,
            "unit": f"unit-{number}", "unit_name": f"单位{number}", "device": f"dev-{number}",
            "device_kind": "smoke", "component": "", "subject_kind": "device",
            "subject": f"unit-{number}/dev-{number}", "rule": f"event:{alert_class}",
            "rule_version": 1, "title": {"zh": zh, "en": en}, "metric": None, "value": None, "limit": None, "uom": None,
            "figure": None, "text": "", "place": "A座 / 3层 / 东区", "lon": 113.26, "lat": 23.13, "flags": [],
            "latched": alert_class == "fire", "occurrences": 1, "repeats": 0, "version": 1, "assignee": None,
            "device_at": at(ago + 1), "received_at": at(ago + 0.4), "raised_at": at(ago), "condition_at": at(ago + 1),
            "last_event_at": at(ago), "shown_at": None, "acknowledged_at": None, "acknowledged_by": None,
            "verified_at": None, "forwarded_at": None, "receipted_at": None, "closed_at": None, "closed_by": None,
            "zone": None, "main": None, "gateway": None, "incident_id": None, "hold_reason": None, "held_until": None,
            "held_by": None, "window_id": None, "cause_id": None, "verification": None, "verified_by": None,
            "verify_method": None, "escalation": 0, "due": None, "handover": None,
        } | more  # fmt: skip
        self.alerts[alert["id"]] = alert
        self.history[alert["id"]] = []
        self._remember(alert, None, "device", "raised", {"text": alert["text"]})
        return alert

    def gather(self, *alerts: Json, place: str = "A座 / 3层 / 东区") -> Json:
        """Make an incident of these alerts without telling anybody."""
        number = str(next(self._ids))
        classes = list(dict.fromkeys(alert["class"] for alert in alerts))
        counts = [sum(alert["class"] == each for alert in alerts) for each in classes]
        said = "、".join(f"{TITLES[each][0]} {count}" for each, count in zip(classes, counts, strict=True))
        incident: Json = {
            "id": number, "scene": "zone:unit-1/A/3/east", "class": classes[0], "unit": "unit-1",
            "headline": {"zh": f"中心商场 {place}：{said}", "en": f"Central Mall, {place}: {len(alerts)} alerts"},
            "priority": min(alert["priority"] for alert in alerts), "unit_name": "中心商场", "place": place,
            "lon": None, "lat": None, "opened_at": at(60), "last_raised_at": at(1), "closed_at": None, "version": 1,
            "members": [
                {"class": each, "count": n, "open": n} for each, n in zip(classes, counts, strict=True)
            ],
        }  # fmt: skip
        self.incidents[number] = incident
        for alert in alerts:
            alert["incident_id"] = number
        return incident

    def announce_window(self, kind: str = "test", state: str = "active", *, left: float = 3600, **more: Any) -> Json:
        """Add an announced window without telling anybody."""
        number = str(next(self._ids))
        approved = {"approved_by": "wang", "approved_at": at(60)} if state in {"active", "planned"} else {}
        window: Json = {
            "id": number, "kind": kind, "state": state, "unit": "unit-1", "zone": "A/3", "device": None,
            "component": None, "main": None, "starts_at": at(60), "ends_at": at(-left), "reason": "年度检测",
            "measure": None, "person": "li", "requested_by": "li", "requested_at": at(120), "approved_by": None,
            "approved_at": None, "refused_by": None, "refused_at": None, "refusal": None, "ended_by": None,
            "ended_at": None,
        } | approved | more  # fmt: skip
        self.windows[number] = window
        return window

    def hold_back(
        self, alert_class: str = "fire", priority: int = 1, *, key: str = "", ago: float = 0, **more: Any
    ) -> Json:
        """Add a provisional alarm without telling anybody."""
        zh, en = TITLES[alert_class]
        number = next(self._ids)
        alarm: Json = {
            "key": key or f"key-{number}", "class": alert_class, "priority": priority, "title": {"zh": zh, "en": en},
            "unit": f"unit-{number}", "device": f"dev-{number}", "component": "2-3-017", "text": "3F 走廊",
            "place": "b1/f3/z2", "device_at": at(ago + 1), "received_at": at(ago), "flags": [],
        } | more  # fmt: skip
        self.provisional = [*self.provisional, alarm]
        return alarm

    def acknowledged(self, alert: Json, by: str, *, ago: float = 0) -> Json:
        """Acknowledge an alert without telling anybody."""
        alert |= {"state": "acknowledged", "acknowledged_by": by, "acknowledged_at": at(ago)}
        alert["version"] += 1
        self._remember(alert, "unacknowledged", by, "acknowledged", {})
        return alert

    def _remember(self, alert: Json, old: str | None, actor: str, reason: str, evidence: Json) -> None:
        log = self.history[alert["id"]]
        log.append(
            {"seq": len(log) + 1, "at": at(), "old": old, "new": alert["state"], "actor": actor, "reason": reason,
             "evidence": evidence}
        )  # fmt: skip

    def carry_out(self, alert: Json, verb: str, who: str, body: Json) -> None:
        """Change the alert the way the service does, as far as a page can tell."""
        if verb == "acknowledge":
            self.acknowledged(alert, who)
            return
        old, changes = alert["state"], self._changes(alert, verb, who, body)
        if verb != "note":
            alert |= changes | {"version": alert["version"] + 1}
        self._remember(alert, old, who, PAST[verb], body)

    def _changes(self, alert: Json, verb: str, who: str, body: Json) -> Json:
        taken = {"state": "acknowledged"}
        match verb:
            case "verify":
                forwards = body["result"] == "real" and alert["class"] == "fire"
                how = {"verification": body["result"], "verify_method": body["method"]}
                forwarded = {"forwarded_at": at()} if forwards else {}
                return taken | how | {"verified_at": at(), "verified_by": who} | forwarded
            case "forward":
                return taken | {"forwarded_at": at()}
            case "receipt":
                return {"receipted_at": at()}
            case "shelve":
                why = {"held_until": body["until"], "hold_reason": body["reason"], "held_by": who}
                return taken | why | {"hold": "shelved"}
            case "unshelve":
                return {"hold": "none", "held_until": None, "hold_reason": None, "held_by": None}
            case "cancel":
                return {"handover": alert["handover"] | {"cancel": "waiting"}}
            case "assign":
                return {"assignee": body["to"]}
            case "reopen":
                return {"state": "unacknowledged", "closed_at": None, "closed_by": None, "disposition": None}
            case "close":
                verdict = {"disposition": body["disposition"], "hold": "none"}
                return verdict | {"state": "closed", "closed_by": who, "closed_at": at()}
            case _:
                return {}
