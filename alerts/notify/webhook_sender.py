"""The channel ``webhook``: a letter as signed JSON. What a receiver does with it stands in docs/duty.md."""

import json
from collections.abc import Mapping
from typing import Any

from firetower.alerts.duty.channels import WebhookChannel
from firetower.alerts.notify.message import Message
from firetower.alerts.notify.senders import of_outside
from firetower.alerts.notify.signing import sign
from firetower.core.clock import SECOND, Clock
from firetower.core.outside import Outside, OutsideFailed


class WebhookSender:
    """Posts to one address; taken is what is answered with 2xx."""

    def __init__(self, channel: WebhookChannel, outside: Outside, clock: Clock) -> None:
        self._channel = channel
        self._outside = outside
        self._clock = clock

    async def send(self, message: Message) -> Mapping[str, Any]:
        """Post ``message``. Raises SendFailed."""
        body = json.dumps(message.as_json(), ensure_ascii=False).encode("utf-8", "replace")
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": message.reference,
            **sign(self._channel.secret.encode(), body, self._clock.now()),
        }
        within_s = self._channel.answers_within / SECOND
        try:
            await self._outside.ask("POST", self._channel.url, body, headers, within_s=within_s)
        except OutsideFailed as err:
            raise of_outside(err) from err
        return {}
