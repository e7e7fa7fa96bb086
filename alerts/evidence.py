"""What a verdict says, as an alert's history keeps it: who said it, of which priority, with which figures and words."""

from math import isfinite
from typing import Any

from firetower.core.clock import rfc3339
from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.verdicts import Verdict

_PAYLOAD_SHOWN = 2000
"""Bytes of an unreadable alarm that stand in its history; all of them are in the ledger of device events."""


def actor_of(verdict: Verdict) -> str:
    """Return who says it: the device itself, or the rule."""
    return "device" if verdict.rule.startswith("event:") else f"rule:{verdict.rule}"


def priority_of(verdict: Verdict) -> int:
    """Return its priority; a fire is red whatever its rule says."""
    return 1 if verdict.alert_class is AlertClass.FIRE else verdict.priority


def metric_of(verdict: Verdict) -> str | None:
    """Return the name of the metric it is about; None where it is about none."""
    metric = None if verdict.metric is None else catalogue().by_number.get(verdict.metric)
    return None if metric is None else metric.name


def evidence_of(verdict: Verdict) -> dict[str, Any]:
    """Return what was said, of JSON's types, what is absent left out."""
    event = verdict.event
    said = {
        "device_at": rfc3339(verdict.at),
        "priority": priority_of(verdict),
        "event": None if event is None else event.event,
        "received_at": None if event is None else rfc3339(event.received_at),
        "value": _finite(verdict.value),
        "limit": _finite(verdict.limit),
        "component": verdict.component or None,
        "text": verdict.text or None,
        "flags": list(verdict.flags) or None,
        "suppressed": verdict.suppressed or None,
        "payload": None if event is None or event.payload is None else _as_text(event.payload),
    }
    return {name: value for name, value in said.items() if value is not None}


def _finite(value: float | None) -> float | None:
    """JSON has no NaN; evidence that cannot be written must not hold up an alarm."""
    return value if value is not None and isfinite(value) else None


def _as_text(payload: bytes) -> str:
    """Return the bytes of an alarm nobody could read, as far as they are text, for the operator to look at."""
    return payload[:_PAYLOAD_SHOWN].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
