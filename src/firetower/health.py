"""Whether the service can do its work, and how busy it is: looked at each second, told at once when asked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from prometheus_client import Gauge

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.patience import Patience
from firetower.storage.pool import Pool, ping

_ready = Gauge("firetower_ready", "Whether a check of /readyz passes", ["check"])

PERIOD_S = 1.0
ANSWER_S = 3.0
LONGEST_LAG: Micros = 60 * SECOND
"""Past this the limits are blind (监测滞后): what is shown is older than an operator may think."""


class Source(Protocol):
    """What is asked of whoever hears devices: a lane, or the look-out of a node without lanes."""

    name: str
    received: int

    @property
    def rules_trouble(self) -> str | None:
        """Why its last batch was stored without being judged."""
        ...

    @property
    def connected(self) -> bool:
        """Whether its session is subscribed and its connection alive."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why it is not."""
        ...

    @property
    def store_trouble(self) -> str | None:
        """Why its work cannot be committed now: a full disk, a lock, a database that is away."""
        ...

    def lag(self, now: Micros) -> Micros:
        """How long the oldest message not yet committed has waited, µs."""
        ...


class Watch(Protocol):
    """What is asked of the ticker."""

    rules_trouble: str | None


class Canary(Protocol):
    """What is asked of whoever watches the canary."""

    def age(self, now: Micros) -> Micros:
        """Return the age of the newest committed one, µs."""
        ...

    def missed(self, now: Micros) -> bool:
        """Say whether three in a row are missing."""
        ...


class Signal(Protocol):
    """What is asked of what works beside the alarms' way: the desk, the dead-man signal, a notification."""

    @property
    def trouble(self) -> str | None:
        """Why it does not do its work; None when it does."""
        ...


class Health:
    """Database, broker, rules, lag and canary of this process. ``run`` until cancelled.

    ``lanes``: whatever hears devices here; a node that only serves consoles hears alarms, for when nobody stores them.
    ``canary``: None where this process takes nothing in. ``signals``: by name; their trouble stops nothing.
    """

    def __init__(
        self,
        pool: Pool,
        lanes: Sequence[Source],
        clock: Clock,
        *,
        ticker: Watch | None = None,
        canary: Canary | None = None,
        signals: Mapping[str, Signal] | None = None,
    ) -> None:
        self._pool = pool
        self._lanes = lanes
        self._ticker = ticker
        self._canary = canary
        self._signals = dict(signals or {})
        self._clock = clock
        self._patience = Patience()
        self._database = "not asked yet"
        self._rate = 0.0

    async def run(self) -> None:
        """Ask the database and count messages each second."""
        loop = asyncio.get_running_loop()
        counted, at = self._received(), loop.time()
        while True:
            self._database = await self._ask()
            for name, ok, _ in self.ready():
                _ready.labels(name).set(ok)
            await asyncio.sleep(PERIOD_S)
            received, now = self._received(), loop.time()
            self._rate = (received - counted) / (now - at)
            counted, at = received, now

    def lags(self) -> Mapping[str, Micros]:
        """Return how far each lane of this process is behind, µs; a look-out stores nothing, and has no lag."""
        now = self._clock.now()
        return {lane.name: lane.lag(now) for lane in self._lanes}

    def message_rate(self) -> float:
        """Messages received per second, all lanes, over the last second."""
        return self._rate

    def ready(self) -> Sequence[tuple[str, bool, str]]:
        """Return (name, ok, detail) of every check."""
        now = self._clock.now()
        cut = [f"{lane.name}: {lane.trouble}" for lane in self._lanes if not lane.connected]
        slow = {lane.name: lane.lag(now) for lane in self._lanes if lane.lag(now) > LONGEST_LAG}
        blind = [f"{lane.name}: {lane.rules_trouble}" for lane in self._lanes if lane.rules_trouble]
        if self._ticker is not None and self._ticker.rules_trouble:
            blind.append(f"tick: {self._ticker.rules_trouble}")
        # a database that answers a question may still not be able to commit: a full disk, a standby
        stuck = [f"{lane.name}: {lane.store_trouble}" for lane in self._lanes if lane.store_trouble]
        database = self._database or "; ".join(stuck)
        return [
            ("rules", not blind, "; ".join(blind) or "judge every reading"),
            ("database", not database, database or "answers"),
            ("broker", not cut, "; ".join(cut) or "connected"),
            (
                "lag",
                not slow,
                "; ".join(f"{name} is {lag / SECOND:.0f} s behind" for name, lag in slow.items()) or "keeps up",
            ),
            *self._canary_check(now),
            *((name, True, f"warning: {at.trouble}" if at.trouble else "taken") for name, at in self._signals.items()),
        ]

    def _canary_check(self, now: Micros) -> Sequence[tuple[str, bool, str]]:
        if self._canary is None:
            return ()
        missed = self._canary.missed(now)
        detail = f"none was committed for {self._canary.age(now) / SECOND:.0f} s: alarms may not get through"
        return (("canary", not missed, detail if missed else "gets through"),)

    def _received(self) -> int:
        return sum(lane.received for lane in self._lanes)

    async def _ask(self) -> str:
        """Return what is wrong with the database, "" when it answers."""
        try:
            await self._patience.ask(ping(self._pool), ANSWER_S)
        except StoreUnavailable as err:
            return str(err)
        return ""
