"""What the web part is handed by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firetower.alerts.deadlines import Limits
from firetower.alerts.duty.plan import DutyPlan, shipped
from firetower.alerts.performance import Roster
from firetower.alerts.provisional import ProvisionalBoard
from firetower.core.clock import HOUR, Clock, Micros
from firetower.devices.rates import Targets
from firetower.devices.registry import Registry
from firetower.rules.book.rulebook import Rulebook
from firetower.storage.alerts import AlertStore
from firetower.storage.pool import Pool
from firetower.web.base_map import BaseMap

ACTS_LATE: Micros = 4 * HOUR
"""Whoever is on duty acts for so long beyond the end of their session: a late handover locks nobody out."""


_HEARING = frozenset({"database", "broker", "lag"})
"""Checks of readiness without which devices are not heard, or only long after they spoke."""


class Health(Protocol):
    """Whoever knows whether the service can do its work."""

    def ready(self) -> Sequence[tuple[str, bool, str]]:
        """Return (name, ok, detail) of every check, at once and without I/O; names used: database, broker, lag."""
        ...


def hears(health: Health) -> bool:
    """Say whether devices are heard as they speak: else nobody knows who is silent."""
    return all(ok for name, ok, _ in health.ready() if name in _HEARING)


class Backtests(Protocol):
    """Whoever does back-tests."""

    def begin(self, backtest_id: str) -> None:
        """Begin one that was asked for (``storage.backtests.ask``), apart from everything else."""
        ...


@dataclass(frozen=True, slots=True)
class Deps:
    """What the composition root hands in.

    ``message_rate``: messages received per second, lately. ``console``: the folder of the operator's page;
    None serves none. ``rulebook``: the one in force. ``provisional``: alarms that are not in the store yet.
    ``roster``: when shifts begin. ``backtests``: None where none are done. ``duty``: deadlines, channels, who is told.
    ``lags``: how long the oldest uncommitted message of each lane has waited, µs; of lanes in this process only.
    ``targets``: of the rates.
    """

    pool: Pool
    registry: Registry
    alerts: AlertStore
    clock: Clock
    rulebook: Callable[[], Rulebook]
    health: Health
    message_rate: Callable[[], float]
    console: Path | None
    provisional: ProvisionalBoard
    roster: Roster = field(default_factory=Roster)
    backtests: Backtests | None = None
    base_map: BaseMap = field(default_factory=BaseMap)
    duty: DutyPlan = field(default_factory=shipped)
    lags: Callable[[], Mapping[str, Micros]] = dict
    targets: Targets = field(default_factory=Targets)

    @property
    def limits(self) -> Limits:
        """How long each step of a fire may take."""
        return self.duty.deadlines.limits


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is signed in: ``digest`` is the sha256 of the session's token, ``by_cookie`` how it came.

    ``unit``: whose account it is, of role ``unit``; None for everybody of the centre. ``shows_until``: a seat of the
    watch shows and sounds until then, though ``expires_at`` is past; None for every other session.
    """

    username: str
    role: str
    expires_at: Micros
    digest: bytes
    by_cookie: bool
    unit: str | None
    shows_until: Micros | None = None

    def shows(self, now: Micros) -> bool:
        """Say whether the session stands, to look and to listen."""
        return max(self.expires_at, self.shows_until or 0) > now

    def acts(self, now: Micros) -> bool:
        """Say whether it may still change anything."""
        late = ACTS_LATE if self.shows_until is not None else 0
        return self.shows(now) and self.expires_at + late > now
