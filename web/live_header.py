"""What every live frame ends with: the newest canary, the header's figures, the watch. Latest wins."""

import asyncio
from collections.abc import Callable, Mapping

from firetower.core.clock import Micros, rfc3339
from firetower.web.deps import Deps
from firetower.web.flood_watch import FloodWatch
from firetower.web.kpis import CountedBy, Kpis, StatusWatch, figures
from firetower.web.watch_view import WatchView

LOOK_S = 0.2
"""The rate of messages and how far lanes are behind, which are never twice the same, are looked at no more often."""


class LiveHeader:
    """``store_ok``, ``canary`` (sent, committed): as the hub knows them. ``counts``: what is open, by what."""

    def __init__(
        self,
        deps: Deps,
        counts: Callable[[], Mapping[CountedBy, int]],
        status: StatusWatch,
        floods: FloodWatch,
        watch: WatchView,
    ) -> None:
        self._deps = deps
        self._counts = counts
        self._status = status
        self._floods = floods
        self._watch = watch
        self.store_ok = False
        self.canary: tuple[Micros, Micros] | None = None
        self._looked_at = -LOOK_S
        self._rate: tuple[float, Mapping[str, Micros]] = (0.0, {})
        self._of: tuple[object, ...] = ()
        self._figures = b""

    def kpis(self) -> Kpis:
        """Return the figures of the console's header."""
        return self._kpis(*self._known())

    def written(self) -> bytes:
        """Return the last members of a frame, with a comma before and the brace that ends it.

        ``WatchView.told`` goes by how it ends.
        """
        known = self._known()
        of = (*known, *self._counts().items(), self._status.counts, self._floods.flood)
        if of != self._of:
            self._of, self._figures = of, self._kpis(*known).model_dump_json().encode()
        return b',"canary":%b,"kpis":%b,"watch":%b}' % (self._canary_written(), self._figures, self._watch.written)

    def _known(self) -> tuple[bool, bool, float, Mapping[str, Micros]]:
        """Return whether store and broker are there, at once, and what is looked at now and then."""
        checks = {name: ok for name, ok, _ in self._deps.health.ready()}
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= LOOK_S:
            self._looked_at, self._rate = now, (self._deps.message_rate(), self._deps.lags())
        return self.store_ok and checks.get("database", True), checks.get("broker", True), *self._rate

    def _kpis(self, store_ok: bool, broker_ok: bool, rate: float, lags: Mapping[str, Micros]) -> Kpis:
        return figures(
            counts=self._counts(),
            devices=self._status.counts,
            flood=self._floods.flood,
            messages_per_second=rate,
            lags=lags,
            store_ok=store_ok,
            broker_ok=broker_ok,
            command_centre=self._deps.duty.command_centre is not None,
        )

    def _canary_written(self) -> bytes:
        if self.canary is None:
            return b"null"
        sent, committed = self.canary
        return b'{"sent_at":"%b","committed_at":"%b"}' % (rfc3339(sent).encode(), rfc3339(committed).encode())
