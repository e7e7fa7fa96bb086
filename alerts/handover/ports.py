"""What the sender needs of a store."""

from collections.abc import Collection, Sequence
from typing import Protocol

from firetower.alerts.handover.model import Message, Signed
from firetower.alerts.handover.pacing import Next
from firetower.core.clock import Micros


class Messages(Protocol):
    """Messages to 119. Every method raises LeaseLost when another instance sends by now, StoreUnavailable."""

    async def configure(self, now: Micros) -> None:
        """Have messages written from now on, or no more where no centre is configured: those that wait are given up.

        What was given up so of an open alert that nobody at 119 took is taken up again.
        """
        ...

    async def due(self, now: Micros, in_hand: Collection[int], limit: int) -> Sequence[Message]:
        """Return what is to be sent now: the first of each hand-over that is without a receipt; fires first."""
        ...

    async def claim(self, message: Message, now: Micros) -> bytes:
        """Return the message's body, the same at every try; to be asked before each."""
        ...

    async def received(self, message: Message, signed: Signed, now: Micros) -> None:
        """Record its receipt, once."""
        ...

    async def unreceived(self, message: Message, after: Next, trouble: str, now: Micros) -> None:
        """Record a try without a receipt; a report that is given up takes what follows it along."""
        ...

    async def miss(self, now: Micros) -> None:
        """Record in the history, once each, the messages whose receipt has not come in time."""
        ...
