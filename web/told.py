"""What consoles are told of alerts, incidents and windows: each as JSON, with what decides when its turn comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from firetower.alerts.model import Alert
from firetower.devices.events import AlertClass

RANKS = 3


class Piece(NamedTuple):
    """A thing as it stands. ``rank``: 0 is told first; ``ended``: no snapshot has it any more."""

    id: int
    written: bytes
    rank: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Members of a frame."""

    alerts: Sequence[Piece] = ()
    incidents: Sequence[Piece] = ()
    windows: Sequence[Piece] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it tells nothing."""
        return not (self.alerts or self.incidents or self.windows)


NOTHING = Told()


def rank_of(alert: Alert) -> int:
    """Return when an alert's turn comes: a fire's first, then what else is of priority 1."""
    if alert.alert_class is AlertClass.FIRE:
        return 0
    return 1 if alert.priority == 1 else 2
