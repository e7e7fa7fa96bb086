"""When an alert last alarmed, as its history says: for people, who are awaited anew, and for a second signal."""

from collections.abc import Iterable

from firetower.alerts.model import State

_SAID_AGAIN = ("priority_rose", "occurred_again")
"""Reasons that only a device or a rule can give."""
_ALARMS_AGAIN = (*_SAID_AGAIN, "overruled", "test_ended")
"""Reasons that begin a period anew, whatever the state."""


def _named(reasons: Iterable[str]) -> str:
    return ", ".join(f"'{reason}'" for reason in reasons)


def _newest(condition: str) -> str:
    return f"""
LEFT JOIN LATERAL (
    SELECT h.seq, h.at, h.evidence FROM alert_history h
    WHERE h.alert_id = a.id AND ({condition}) ORDER BY h.seq DESC LIMIT 1
) alarmed ON true
"""


ALARMED = _newest(
    f"h.reason IN ({_named(_ALARMS_AGAIN)})"
    f" OR h.new = '{State.UNACKNOWLEDGED}' AND h.old IS DISTINCT FROM '{State.UNACKNOWLEDGED}'"
)
"""Joins to ``alert a`` the entry since when somebody is awaited, as ``alarmed``: raised, unacknowledged again, told of
anew. See ALARMED_AT."""

SAID = _newest(f"h.reason IN ({_named(_SAID_AGAIN)})")
"""The same, of what a device or a rule said: that nobody answered, or that a person reopened it, is no signal."""

SAID_AT = "coalesce((alarmed.evidence ->> 'device_at')::timestamptz, alarmed.at, a.device_at) AS alarmed_at"
"""When that was, by the device: what was kept back while a line was down comes all at once."""

ALARMED_AT = "coalesce(alarmed.at, a.raised_at) AS alarmed_at"
"""When that was; as it was raised where there is no such entry."""
