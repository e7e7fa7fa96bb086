"""What the store measures (Prometheus, default registry)."""

from prometheus_client import Counter

rejects_dropped = Counter(
    "firetower_rejects_dropped", "Rejects dropped from the ledger for their age or for its size", ["cause"]
)
