"""What notification measures, under the name of the contract (Prometheus, default registry)."""

from prometheus_client import Counter

notifications = Counter("firetower_notifications", "Notifications by what became of them", ["channel", "outcome"])
