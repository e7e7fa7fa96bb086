"""What a channel does: take one message, or say why not and whether to try again."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from firetower.alerts.notify.message import Message
from firetower.alerts.notify.ports import Fact
from firetower.core.clock import Micros
from firetower.core.errors import FiretowerError
from firetower.core.outside import OutsideFailed


class SendFailed(FiretowerError):
    """A message was not taken. ``permanent``: nor will it ever be. ``of_channel``: us it refuses, not the letter.

    ``retry_after_s``: seconds the channel asked to be left alone.
    """

    code = "send_failed"

    def __init__(
        self, message: str, *, permanent: bool, of_channel: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.of_channel = of_channel
        self.retry_after_s = retry_after_s


class Sender(Protocol):
    """One channel's."""

    async def send(self, message: Message) -> Mapping[str, Any]:
        """Hand ``message`` over and return what is worth keeping of the answer. Raises SendFailed; bounded in time."""
        ...


@runtime_checkable
class Asks(Protocol):
    """A sender that may ask what became of a message.

    ``asks_every_s``: None: it never does; ``asks_until``: so long after a message was sent, µs.
    """

    asks_every_s: float | None
    asks_until: Micros

    async def ask(self, reference: str, facts: Mapping[str, Any]) -> tuple[Fact | None, Mapping[str, Any]]:
        """Return what became of one it took, as far as is known by now, with the gateway's word. Raises SendFailed."""
        ...


_REFUSES_US = frozenset({401, 403, 407})
_WRONG_PLACE = frozenset({404, 405, 410})


def of_outside(err: OutsideFailed, *, of_recipient: bool = False) -> SendFailed:
    """Return what a call to an address of the plan that failed means for the letter and for the channel.

    Who does not know us, sends us elsewhere or is not there refuses all letters alike; the letter is not at fault.
    ``of_recipient``: the address is this recipient's own, so that nothing there says nothing of the others.
    """
    status = err.status or 0
    refuses = status in _REFUSES_US or 300 <= status < 400 or (status in _WRONG_PLACE and not of_recipient)
    return SendFailed(
        str(err), permanent=err.permanent and not refuses, of_channel=refuses, retry_after_s=err.retry_after_s
    )
