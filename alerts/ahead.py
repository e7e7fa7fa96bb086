"""Clocks that are set back: how far the instants of an alert lie ahead of the clock by which somebody is awaited."""

from firetower.alerts.model import Alert
from firetower.core.clock import SECOND, Micros

SET_BACK: Micros = SECOND
"""A clock that shows this much less than before was set back; what falls due when is then to be reckoned anew."""

_Instants = tuple[Micros | None, ...]


class Ahead:
    """What alerts are ahead by. A period that began in what is the future by now, began when that was first seen."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[_Instants, Micros]] = {}

    def by(self, alert: Alert, now: Micros) -> Micros:
        """Return what is to be taken off the instants since which somebody is awaited for an alert, 0 or more µs."""
        instants = (alert.alarmed_at, alert.acknowledged_at, alert.verified_at, alert.forwarded_at)
        newest = max(at for at in instants if at is not None)
        if newest <= now:
            self._known.pop(alert.id, None)
            return 0
        known = self._known.get(alert.id)
        if known is None or known[0] != instants or newest - known[1] > now:
            known = self._known[alert.id] = (instants, newest - now)
        return known[1]

    def forget(self, alert_id: int) -> None:
        """Forget an alert for which nobody is awaited any more."""
        self._known.pop(alert_id, None)
