"""Clocks that are set back: since when somebody is awaited where that began in what is the future by now."""

from firetower.core.clock import SECOND, Micros

SET_BACK: Micros = SECOND
"""A clock that shows this much less than before was set back; what falls due when is then to be reckoned anew."""


class Ahead:
    """Instants of alerts that lie ahead of the clock: each counts from when that was first seen."""

    def __init__(self) -> None:
        self._seen: dict[int, dict[Micros, Micros]] = {}

    def began(self, alert_id: int, at: Micros, now: Micros) -> Micros:
        """Return ``at``, or when it was first seen to be after ``now``."""
        if at <= now:
            return at
        seen = self._seen.setdefault(alert_id, {})
        if seen.get(at, now) >= now:
            seen[at] = now
        return seen[at]

    def forget(self, alert_id: int) -> None:
        """Forget an alert for which nobody is awaited any more."""
        self._seen.pop(alert_id, None)
