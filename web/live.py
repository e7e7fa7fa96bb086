"""The live hub: reads each change once for the whole node and hands it to every open console.

It keeps the open alerts as the JSON the consoles read, at one durable sequence number. A snapshot is taken from that
copy and the subscription added in one step of the event loop: there is no gap, and no second source to merge.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import msgspec
from aiohttp import WSCloseCode

from firetower.alerts.floods import Flood
from firetower.alerts.ports import LiveView
from firetower.core.clock import Micros, rfc3339
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.patience import Patience
from firetower.storage import changes
from firetower.storage.watch_scopes import lying_in
from firetower.web.deps import Deps, hears
from firetower.web.flood_watch import FloodWatch
from firetower.web.kpis import DeviceCounts, Kpis, StatusWatch, figures
from firetower.web.live_state import LiveState, Written, parted, written_of
from firetower.web.meters import observe_shown
from firetower.web.phone_book import PhoneBook
from firetower.web.provisional_view import ProvisionalView
from firetower.web.seat_book import SeatBook
from firetower.web.subscription import SESSION_OVER, Subscription
from firetower.web.watch_view import WatchView

_log = logger("web.live")

HEARTBEAT_S = 2.0
FRAME_S = 0.02  # changes within this time travel in one frame, while there are many
AT_ONCE = 4  # frames that do not wait for that after a quiet moment: an alarm, and what the desk says of the last one
FRAME_ALERTS = 400  # of a reading with more, these go ahead in frames that bear the number before it
CATCH_UP_TRIES = 10  # of a resuming console to join where the hub stands
POLL_S = 1.0  # the store is asked this often even when nothing was announced: a lost NOTIFY costs a second
TELL_S = 0.2  # provisional alarms are told of at most so often
READ_S = 5.0  # a store that takes longer counts as away
RETRY_S = 0.5


class Hub:
    """All open consoles of this node. ``run`` until cancelled; it survives the database going away and coming back."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self.seats = SeatBook(deps)
        self._state = LiveState(deps.limits)
        self._floods = FloodWatch(deps)
        self._seq: int | None = None
        self._marking: set[int] = set()
        self._subscriptions: set[Subscription] = set()
        self._news = asyncio.Event()
        self._store_ok = False
        self._watch = StatusWatch(deps.registry)
        self._canary: tuple[Micros, Micros] | None = None
        self.phones = PhoneBook(deps)
        self._provisional = ProvisionalView(deps.provisional, self.phones.of)
        self._told = 0
        self._aside = asyncio.Event()
        self.watch = WatchView(deps, self._aside.set)
        self._patience = Patience()
        deps.provisional.listen(self._board_changed)

    # what is known ------------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The durable sequence number up to which this node has read; -1 before the first reading."""
        return -1 if self._seq is None else self._seq

    @property
    def consoles(self) -> int:
        """How many sockets are open."""
        return len(self._subscriptions)

    def kpis(self) -> Kpis:
        """Return the figures of the console's header."""
        checks = {name: ok for name, ok, _ in self._deps.health.ready()}
        return figures(
            counts=self._state.counts,
            devices=self._watch.counts,
            flood=self._floods.flood,
            messages_per_second=self._deps.message_rate(),
            lags=self._deps.lags(),
            store_ok=self._store_ok and checks.get("database", True),
            broker_ok=checks.get("broker", True),
            command_centre=self._deps.duty.command_centre is not None,
        )

    def open_counts(self) -> dict[tuple[str, int], int]:
        """Return how many alerts are open by (class, priority)."""
        counts: Counter[tuple[str, int]] = Counter()
        for (alert_class, priority, *_), count in self._state.counts.items():
            counts[alert_class, priority] += count
        return dict(counts)

    @property
    def flood(self) -> Flood:
        """Whether there is a flood, as of the last look."""
        return self._floods.flood

    def device_counts(self) -> DeviceCounts:
        """Return how many devices have which status, as of the last heartbeat."""
        return self._watch.counts

    # consoles -----------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def subscribe(
        self, digest: bytes, after: int | None = None, *, account: str = ""
    ) -> AsyncIterator[Subscription]:
        """Open a subscription: its first frame is a snapshot, or what happened since ``after``; then every change.

        Where ``after`` is unknown or too old, or the store is away, the first frame is a snapshot; where this node has
        not read the store yet, a heartbeat of seq -1. Each says everything that is latest-wins, provisional alarms too.
        """
        missed = await self._missed(after) if after is not None and self._store_ok else None
        # From here to add() nothing awaits: no change can fall between the first frame and the next one.
        subscription = Subscription(digest, account)
        if missed is not None:
            view, told = missed
            self._offer(subscription, self._frame("changes", view.seq, told, whole=True), seq=view.seq)
        elif self._seq is not None:
            self._offer(subscription, self._snapshot(), seq=self._seq)
        else:
            self._offer(subscription, self._frame("heartbeat", self.seq, None, whole=True))
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _missed(self, after: int) -> tuple[LiveView, Written] | None:
        """Return what happened since ``after``, as it is and as JSON, ending where the hub's next frame begins.

        In a flood the two never meet for long; then the hub's next frame says some of it again, which changes nothing.
        """
        for attempt in range(CATCH_UP_TRIES):
            try:
                found = await self._patience.ask(self._deps.alerts.changes(after), READ_S)
            except StoreUnavailable:
                return None
            if found is None or found.seq < after:
                return None
            written = await written_of(found, self._deps.clock.now(), self._deps.limits)
            # where the hub has read on meanwhile, frames would be missing between
            if found.seq == self.seq or (found.seq > self.seq and attempt == CATCH_UP_TRIES - 1):
                return found, written
            if found.seq > self.seq:
                self._news.set()
                await asyncio.sleep(FRAME_S)
        return None

    def end_session(self, digest: bytes | None, *, account: str | None = None, keep: Sequence[bytes] = ()) -> None:
        """Close the sockets of a session that was signed out, or of every one of ``account`` but those of ``keep``."""
        for subscription in self._subscriptions:
            if subscription.digest == digest or (subscription.account == account and subscription.digest not in keep):
                subscription.drop(SESSION_OVER)

    def close(self) -> None:
        """Tell every console that this node goes down."""
        for subscription in self._subscriptions:
            subscription.drop(WSCloseCode.GOING_AWAY)

    async def shown(self, alerts: Sequence[int], account: str = "") -> None:
        """Note that a live, sound-armed seat of ``account`` shows these alerts; the first time counts, in whose scope
        they lie. Raises StoreUnavailable.
        """
        opened = self._state.alerts
        known = {id_: opened[id_] for id_ in set(alerts) - self._marking if id_ in opened}
        new = sorted(id_ for id_, entry in known.items() if entry.alert.shown_at is None)
        if not new:
            return
        scope = self.watch.scope_of(account)
        if not scope.is_everything:
            new = await lying_in(self._deps.pool, scope, new)
        at = self._deps.clock.now()
        self._marking.update(new)  # two seats report at once: one writes
        try:
            first = await self._deps.alerts.mark_shown(new, at)
        finally:
            self._marking.difference_update(new)
        for id_ in new:
            entry = self._state.alerts.get(id_)
            if entry is not None and entry.alert.shown_at is None:
                self._state.keep(replace(entry.alert, shown_at=at))
                if first:
                    observe_shown(entry.alert.received_at, at)

    # reading ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the store and beat, until cancelled; a failure is logged and all of it begun again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(
                        changes.listen(self._deps.pool, self._heard, on_canary=self._canary_heard), name="live-listen"
                    )
                    tasks.create_task(self._tell(), name="live-provisional")
                    tasks.create_task(self._follow(), name="live-follow")
                    tasks.create_task(self._beat(), name="live-heartbeat")
                    tasks.create_task(self._floods.run(), name="live-floods")
                    tasks.create_task(self.phones.run(), name="live-phone-book")
                    tasks.create_task(self.seats.run(), name="live-seats")
                    tasks.create_task(self.watch.run(), name="live-watch")
            except Exception:  # noqa: BLE001  # reason: consoles must outlive a bug here; it is logged and all begun again
                _log.exception("the live feed failed; it begins again from a snapshot")
            self._store_ok, self._seq = False, None
            await asyncio.sleep(RETRY_S)

    def _heard(self, seq: int) -> None:
        if seq > self.seq:
            self._news.set()

    def _canary_heard(self, sent: Micros, committed: Micros) -> None:
        if self._canary != (sent, committed):
            self._canary = (sent, committed)
            self._aside.set()

    def _board_changed(self) -> None:
        self._aside.set()
        self._news.set()  # what was settled leaves the consoles with the next reading

    async def _tell(self) -> None:
        """Tell every console of provisional alarms, canaries and the watch at once; the store need not answer."""
        while True:
            await self._aside.wait()
            self._aside.clear()
            self._provisional.look()
            self._broadcast(self._frame("heartbeat", self.seq, None))
            await asyncio.sleep(TELL_S)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due, loop.time() - AT_ONCE * FRAME_S) + FRAME_S
            pause = None
            self._news.clear()
            reading = asyncio.create_task(self._read(), name="live-read")
            try:
                # it is waited for all the same: a hung statement ends no sooner than its own limit
                if not (await asyncio.wait({reading}, timeout=READ_S))[0]:
                    self._store_away(f"nothing within {READ_S:g} s")
                await reading
            except StoreUnavailable as err:
                self._store_away(str(err))
                pause = RETRY_S
            else:
                self._store_ok = True
            finally:
                reading.cancel()
            await asyncio.sleep(max(0.0, due - loop.time()) if pause is None else pause)
            if self._store_ok:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._news.wait()

    def _store_away(self, why: str) -> None:
        if self._store_ok:
            _log.warning("live changes: the store does not answer: %s", why)
            self._store_ok = False
            self._aside.set()

    async def _read(self) -> None:
        self._provisional.reading()
        found = None if self._seq is None else await self._deps.alerts.changes(self._seq)
        if found is None:
            found = await self._deps.alerts.snapshot()
            state = await LiveState.of(found, self._deps.clock.now(), self._deps.limits)
            self._state, self._seq = state, found.seq
            self._provisional.settle()
            for subscription in self._subscriptions:
                subscription.seq = -1  # whatever it had: the snapshot replaces it
            self._broadcast(self._snapshot(), seq=found.seq)
            return
        now = self._deps.clock.now()
        written = await written_of(found, now, self._deps.limits)
        while len(found.alerts) > FRAME_ALERTS:
            (ahead, text), (found, written) = parted(found, written, FRAME_ALERTS)
            self._broadcast(self._frame("changes", self.seq, self._state.take(ahead, text, now)))
            await asyncio.sleep(0)
        self._provisional.settle()
        if found.seq == self._seq:
            if self._told != self._provisional.revision:
                self._broadcast(self._frame("heartbeat", found.seq, None))
            return
        told = self._state.take(found, written, now)
        self._seq = found.seq
        self._broadcast(self._frame("changes", found.seq, told), seq=found.seq)

    # frames -------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            # while nothing is heard nobody knows who is silent: what was known stands
            changed = self._watch.look(self._deps.clock.now()) if hears(self._deps.health) else []
            turned = self._state.turned(self._deps.clock.now())
            if changed or turned:
                told = Written(windows=turned)
                self._broadcast(self._frame("changes", self.seq, told, msgspec.json.encode(changed)))
            else:
                self._broadcast(self._frame("heartbeat", self.seq, None))
            await asyncio.sleep(HEARTBEAT_S)

    def _broadcast(self, frame: bytes, *, seq: int | None = None) -> None:
        for subscription in self._subscriptions:
            if not self._offer(subscription, frame, seq=seq):
                self._offer(subscription, self._frame("heartbeat", self.seq, None, whole=True))

    def _offer(self, subscription: Subscription, frame: bytes, *, seq: int | None = None) -> bool:
        return subscription.offer(self.watch.told(frame, subscription.account), seq=seq)

    def _snapshot(self) -> bytes:
        return self._frame("snapshot", self.seq, self._state.written(), whole=True)

    def _frame(
        self, kind: str, seq: int, told: Written | None, devices: bytes = b"[]", *, whole: bool = False
    ) -> bytes:
        """Return a frame; ``whole``: for a console that was told nothing yet, else it goes to all of them."""
        head = f'{{"type":"{kind}","seq":{seq},"t":"{rfc3339(self._deps.clock.now())}"'.encode()
        parts = [head]
        if told is not None:
            parts += [b',"alerts":[', b",".join(told.alerts), b'],"incidents":[', b",".join(told.incidents)]
            parts += [b'],"windows":[', b",".join(told.windows), b'],"devices":', devices]
        if whole:
            self._provisional.look()
        if whole or self._told != self._provisional.revision:
            parts.append(self._provisional.written())
        if not whole:
            self._told = self._provisional.revision
        parts += [b',"canary":', self._canary_written(), b',"kpis":', self.kpis().model_dump_json().encode()]
        parts += [b',"watch":', self.watch.written, b"}"]
        return b"".join(parts)

    def _canary_written(self) -> bytes:
        if self._canary is None:
            return b"null"
        sent, committed = self._canary
        return b'{"sent_at":"%b","committed_at":"%b"}' % (rfc3339(sent).encode(), rfc3339(committed).encode())
