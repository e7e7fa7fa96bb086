"""When an alert last alarmed by the word of a device or a rule, as its history says: for a second signal."""

SAID = """
LEFT JOIN LATERAL (
    SELECT h.at, h.evidence FROM alert_history h
    WHERE h.alert_id = a.id AND h.reason IN ('priority_rose', 'occurred_again') ORDER BY h.seq DESC LIMIT 1
) alarmed ON true
"""
"""Joins to ``alert a`` the newest entry that only a device or a rule can give, as ``alarmed``: that nobody answered, or
that a person reopened it, is no signal."""

SAID_AT = "coalesce((alarmed.evidence ->> 'device_at')::timestamptz, alarmed.at, a.device_at) AS alarmed_at"
"""When that was, by the device: what was kept back while a line was down comes all at once."""
