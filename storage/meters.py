"""What the store measures (Prometheus, default registry)."""

from prometheus_client import Counter

rejects_dropped = Counter(
    "firetower_rejects_dropped", "Rejects dropped from the ledger for their age or for its size", ["cause"]
)
shadow_alerts = Counter("firetower_shadow_alerts", "Alerts that rules on trial would have raised", ["rule"])
