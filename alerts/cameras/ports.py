"""What taking pictures needs of a store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from firetower.alerts.cameras.trouble import Trouble
from firetower.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to be asked for. ``address`` None: its camera is retired or has none any more. ``tries``: so far."""

    id: int
    address: str | None
    secret: str | None
    due: Micros
    tries: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that came: its type and its bytes."""

    media: str
    body: bytes


class SnapshotStore(Protocol):
    """The store. Everything it writes is fenced: LeaseLost when another instance has taken over."""

    async def due(self, now: Micros, in_hand: Collection[int], most: int) -> Sequence[Wanted]:
        """Return what is to be asked for at ``now``, by hand first, then by its time. Raises StoreUnavailable."""
        ...

    async def keep(self, wanted: Wanted, picture: Picture, asked: Micros, now: Micros) -> None:
        """Store a picture that was asked for at ``asked``. Raises LeaseLost, StoreUnavailable."""
        ...

    async def failed(self, wanted: Wanted, trouble: Trouble, asked: Micros | None, again: Micros | None) -> None:
        """Store that a try failed; ``again``: when it is tried next, None: given up. Raises as ``keep``."""
        ...
