"""What the web part measures: alerts open, devices by status, consoles, and the last stage of an alarm's way."""

from prometheus_client import Gauge

from firetower.core.clock import SECOND, Micros
from firetower.ingest.meters import alarm_latency

alerts_open = Gauge("firetower_alerts_open", "Alerts that are not closed", ["class", "priority"])
devices = Gauge("firetower_devices", "Devices in service by status", ["status"])
alerts_held = Gauge("firetower_alerts_held", "Alerts that are not closed and held", ["hold"])
alarm_flood = Gauge("firetower_alarm_flood", "Whether more new alarms come than the operators can answer (1) or not")
consoles = Gauge("firetower_consoles", "Open live connections")


def observe_shown(received_at: Micros, shown_at: Micros) -> None:
    """Note that an alarm that arrived at ``received_at`` stood on a live, sound-armed seat at ``shown_at``."""
    alarm_latency.labels(stage="shown").observe(max(0, shown_at - received_at) / SECOND)
