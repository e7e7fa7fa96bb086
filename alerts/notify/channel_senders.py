"""Which sender a channel of the duty plan has."""

from firetower.alerts.duty.channels import AppriseChannel, Channel, WebhookChannel
from firetower.alerts.notify.apprise_sender import AppriseSender
from firetower.alerts.notify.gateway_sender import GatewaySender
from firetower.alerts.notify.senders import Sender
from firetower.alerts.notify.webhook_sender import WebhookSender
from firetower.core.clock import Clock
from firetower.core.outside import Outside


def sender_of(channel: Channel, outside: Outside, clock: Clock) -> Sender:
    """Return what sends over ``channel``."""
    if isinstance(channel, AppriseChannel):
        return AppriseSender(channel)
    if isinstance(channel, WebhookChannel):
        return WebhookSender(channel, outside, clock)
    return GatewaySender(channel, outside)
