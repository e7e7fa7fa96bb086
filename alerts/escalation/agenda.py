"""When which alert is to be looked at next: kept between calls, from what changed; the most urgent first."""

import heapq

from firetower.alerts.model import Alert
from firetower.core.clock import Micros

_Rank = tuple[bool, int]


class Agenda:
    """The next time of each alert for which something is to be told."""

    def __init__(self) -> None:
        self._next: dict[int, tuple[Micros, _Rank]] = {}
        self._later: list[tuple[Micros, int]] = []
        self._ready: list[tuple[_Rank, Micros, int]] = []

    def __len__(self) -> int:
        return len(self._next)

    def note(self, alert: Alert, at: Micros | None) -> None:
        """Look at ``alert`` at ``at``, and not before; never when that is None."""
        if at is None:
            self.forget(alert.id)
            return
        entry = at, (not alert.is_fire, alert.priority)
        if self._next.get(alert.id) != entry:
            self._next[alert.id] = entry
            heapq.heappush(self._later, (at, alert.id))

    def forget(self, alert_id: int) -> None:
        """Look at it no more."""
        self._next.pop(alert_id, None)

    def clear(self) -> None:
        """Forget everything."""
        self._next.clear()
        self._later.clear()
        self._ready.clear()

    def ready(self, now: Micros, most: int) -> list[int]:
        """Return alerts, at most ``most``, whose time has come: fires, then by priority, then the longest due.

        Of what has just come due only some are taken in at once; each stays until it is noted anew or forgotten.
        """
        for _ in range(10 * most):
            if not self._later or self._later[0][0] > now:
                break
            at, alert_id = heapq.heappop(self._later)
            known = self._next.get(alert_id)
            if known is not None:
                heapq.heappush(self._ready, (known[1], at, alert_id))
        found: list[tuple[_Rank, Micros, int]] = []
        while self._ready and len(found) < most:
            rank, at, alert_id = heapq.heappop(self._ready)
            if self._next.get(alert_id) == (at, rank) and (not found or found[-1][2] != alert_id):
                found.append((rank, at, alert_id))
        for entry in found:
            heapq.heappush(self._ready, entry)
        return [alert_id for _, _, alert_id in found]
