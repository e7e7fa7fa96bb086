"""How long something has been missing, counted in time that was watched: a clock that is set ends no grace."""

from dataclasses import dataclass

from firetower.core.clock import SECOND, Micros

GRACE: Micros = 20 * SECOND
"""A page that is loaded anew, or a node that restarts, empties no seat within this."""
START_GRACE: Micros = 60 * SECOND
"""After a start of the service: its consoles come back, and people sign in."""
_LONGEST_LOOK: Micros = 5 * SECOND
"""Between two looks no more than this counts."""


@dataclass(frozen=True, slots=True)
class Absence:
    """``missing_for``: µs of watched time, less what a start is granted; ``looked_at``: of the last look, µs."""

    missing_for: Micros = GRACE - START_GRACE
    looked_at: Micros | None = None

    def after(self, now: Micros, *, missing: bool) -> "Absence":
        """Return what it is after a look at ``now``."""
        if not missing:
            return Absence(0, now)
        passed = 0 if self.looked_at is None else min(max(now - self.looked_at, 0), _LONGEST_LOOK)
        return Absence(self.missing_for + passed, now)

    @property
    def stands(self) -> bool:
        """Whether it has been missing for longer than any reload takes."""
        return self.missing_for >= GRACE
