"""What ingest measures, under the names of the contract (Prometheus, default registry)."""

from prometheus_client import Counter, Gauge, Histogram

_LANE = ["lane"]

messages_received = Counter("firetower_messages_received", "Messages taken from the broker", _LANE)
messages_acknowledged = Counter("firetower_messages_acknowledged", "Messages acknowledged after their commit", _LANE)
readings_stored = Counter("firetower_readings_stored", "Readings stored, repeats not counted")
readings_repeated = Counter("firetower_readings_repeated", "Readings dropped because they were stored already")
rejects = Counter("firetower_rejects", "Messages refused, wholly or in part", ["reason"])
alerts_raised = Counter("firetower_alerts_raised", "Alerts raised", ["class"])
ingest_lag = Gauge("firetower_ingest_lag_seconds", "Wait of the oldest message not yet committed", _LANE)
alarm_backlog = Gauge("firetower_alarm_backlog_senders", "Senders whose flood of alarms is put away and worked off")
commit_time = Histogram(
    "firetower_commit_seconds",
    "Duration of one commit",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
alarm_latency = Histogram(
    "firetower_alarm_latency_seconds",
    "A device's alarm: received (since the device's time), committed and shown (since it was received)",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 20, 60),
)
