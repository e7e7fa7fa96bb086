"""When an alert last alarmed, as its history says: raised, unacknowledged again, or told of anew."""

from firetower.alerts.model import State

_ALARMS_AGAIN = ("priority_rose", "overruled", "occurred_again", "test_ended")
"""Reasons that begin a period anew, whatever the state."""

ALARMED = f"""
LEFT JOIN LATERAL (
    SELECT h.seq, h.at FROM alert_history h
    WHERE h.alert_id = a.id AND (h.reason IN ({", ".join(f"'{reason}'" for reason in _ALARMS_AGAIN)})
        OR h.new = '{State.UNACKNOWLEDGED}' AND h.old IS DISTINCT FROM '{State.UNACKNOWLEDGED}')
    ORDER BY h.seq DESC LIMIT 1
) alarmed ON true
"""
"""Joins to ``alert a`` the history entry with which it last alarmed, as ``alarmed``; see ALARMED_AT."""

ALARMED_AT = "coalesce(alarmed.at, a.raised_at) AS alarmed_at"
