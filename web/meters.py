"""What the web part measures: alerts open, devices by status, consoles, and the last stage of an alarm's way."""

from prometheus_client import Gauge, Histogram

from firetower.core.clock import SECOND, Micros

alarm_latency = Histogram(
    "firetower_alarm_latency_seconds",
    "From the arrival of a device's alarm to each stage of its way",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)
alerts_open = Gauge("firetower_alerts_open", "Alerts that are not closed", ["class", "priority"])
devices = Gauge("firetower_devices", "Devices in service by status", ["status"])
consoles = Gauge("firetower_consoles", "Open live connections")


def observe_shown(received_at: Micros, shown_at: Micros) -> None:
    """Note that an alarm that arrived at ``received_at`` stood on a live, sound-armed seat at ``shown_at``."""
    alarm_latency.labels(stage="shown").observe(max(0, shown_at - received_at) / SECOND)
