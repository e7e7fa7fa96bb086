"""The live hub: reads each change once for the whole node and hands it to every open console.

It keeps the open alerts as the JSON the consoles read, at one durable sequence number. A snapshot is taken from that
copy and the subscription added in one step of the event loop: there is no gap, and no second source to merge.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import WSCloseCode

from firetower.alerts.floods import Flood
from firetower.core.clock import Micros, rfc3339
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.patience import Patience
from firetower.storage import changes
from firetower.web.backlog import Device, News, Part
from firetower.web.cadence import Cadence
from firetower.web.deps import Deps, hears
from firetower.web.flood_watch import FloodWatch
from firetower.web.kpis import DeviceCounts, Kpis, StatusWatch
from firetower.web.live_header import LiveHeader
from firetower.web.live_state import LiveState, parted, told_of
from firetower.web.phone_book import PhoneBook
from firetower.web.provisional_view import Listing, ProvisionalView
from firetower.web.seat_book import SeatBook
from firetower.web.shown_book import ShownBook
from firetower.web.subscription import SESSION_OVER, Subscription, Whole
from firetower.web.told import NOTHING, Piece, Told
from firetower.web.watch_view import WatchView

_log = logger("web.live")

HEARTBEAT_S = 2.0
FRAME_ALERTS = 400  # of a reading with more, these go ahead in frames that bear the number before it
POLL_S = 1.0  # the store is asked this often even when nothing was announced: a lost NOTIFY costs a second
TELL_S = 0.2  # provisional alarms are told of at most so often
LIST_S = 1.0  # of hundreds of them, but for a change of a fire: the list itself would keep consoles busy
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
        self._subscriptions: set[Subscription] = set()
        self._news = asyncio.Event()
        self._status = StatusWatch(deps.registry)
        self.phones = PhoneBook(deps)
        self._provisional = ProvisionalView(deps.provisional, self.phones.of)
        self._told = self._urgent = 0
        self._list_at = 0.0
        self._aside = asyncio.Event()
        self.watch = WatchView(deps, self._aside.set)
        self._header = LiveHeader(deps, lambda: self._state.counts, self._status, self._floods, self.watch)
        self._shown = ShownBook(deps, lambda: self._state)
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
        return self._header.kpis()

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
        return self._status.counts

    # consoles -----------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def subscribe(
        self, digest: bytes, after: int | None = None, *, account: str = ""
    ) -> AsyncIterator[Subscription]:
        """Open a subscription: its first frame is a snapshot, or what happened since ``after``; then every change.

        Where ``after`` is unknown or too old, or the store is away, the first frame is a snapshot; where this node has
        not read the store yet, a heartbeat of seq -1. Each says everything that is latest-wins, provisional alarms too.
        """
        subscription = Subscription(digest, account, self._part, self._snapshot, self.watch.told)
        self._subscriptions.add(subscription)
        try:
            resumed = False
            if after is not None and self._header.store_ok:
                subscription.hold()  # whatever comes while the store is asked: no change can fall in between
                resumed = await self._resume(subscription, after)
            if not resumed:
                subscription.replace(self._snapshot() or self._none_yet())
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def _resume(self, subscription: Subscription, after: int) -> bool:
        """Have a console begin with what happened since ``after``; False where that is not known."""
        least = max(after, self.seq)  # what this node reads from now on is held, however long the store takes
        try:
            found = await self._patience.ask(self._deps.alerts.changes(after), READ_S)
        except StoreUnavailable:
            return False
        if found is None or found.seq < least:
            return False
        told = await told_of(found, self._deps.clock.now(), self._deps.limits)
        self._provisional.look()
        return subscription.resume(after, found.seq, told, self._provisional.listing())

    def end_session(self, digest: bytes | None, *, account: str | None = None, keep: Sequence[bytes] = ()) -> None:
        """Close the sockets of a session that was signed out, or of every one of ``account`` but those of ``keep``."""
        for subscription in self._subscriptions:
            if subscription.digest == digest or (subscription.account == account and subscription.digest not in keep):
                subscription.drop(SESSION_OVER)

    def close(self) -> None:
        """Tell every console that this node goes down."""
        for subscription in self._subscriptions:
            subscription.drop(WSCloseCode.GOING_AWAY)

    def shown(self, alerts: Sequence[int], account: str = "") -> None:
        """Note that a live, sound-armed seat of ``account`` shows these alerts from now on; the first time counts, in
        whose scope they lie.
        """
        self._shown.note(alerts, self.watch.scope_of(account))

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
                    tasks.create_task(self._shown.run(), name="live-shown")
            except Exception:  # noqa: BLE001  # reason: consoles must outlive a bug here; it is logged and all begun again
                _log.exception("the live feed failed; it begins again from a snapshot")
            self._header.store_ok, self._seq = False, None
            await asyncio.sleep(RETRY_S)

    def _heard(self, seq: int) -> None:
        if seq > self.seq:
            self._news.set()

    def _canary_heard(self, sent: Micros, committed: Micros) -> None:
        if self._header.canary != (sent, committed):
            self._header.canary = (sent, committed)
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
            self._broadcast()
            await asyncio.sleep(TELL_S)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        cadence = Cadence()
        while True:
            cadence.begin(loop.time())
            self._news.clear()
            reading = asyncio.create_task(self._read(), name="live-read")
            try:
                # it is waited for all the same: a hung statement ends no sooner than its own limit
                if not (await asyncio.wait({reading}, timeout=READ_S))[0]:
                    self._store_away(f"nothing within {READ_S:g} s")
                alerts = await reading
                pause = cadence.pause(loop.time(), alerts)
            except StoreUnavailable as err:
                self._store_away(str(err))
                pause = RETRY_S
            else:
                self._header.store_ok = True
            finally:
                reading.cancel()
            await asyncio.sleep(pause)
            if self._header.store_ok:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._news.wait()

    def _store_away(self, why: str) -> None:
        if self._header.store_ok:
            _log.warning("live changes: the store does not answer: %s", why)
            self._header.store_ok = False
            self._aside.set()

    async def _read(self) -> int:
        """Read what changed and tell of it; return how many alerts that was."""
        self._provisional.reading()
        found = None if self._seq is None else await self._deps.alerts.changes(self._seq)
        if found is None:
            found = await self._deps.alerts.snapshot()
            state = await LiveState.of(found, self._deps.clock.now(), self._deps.limits)
            self._state, self._seq = state, found.seq
            self._provisional.settle()
            if (whole := self._snapshot()) is not None:
                for subscription in self._subscriptions:
                    subscription.replace(whole)  # whatever it had
            return 0
        now, after = self._deps.clock.now(), self._seq
        *ahead, rest = parted(found, FRAME_ALERTS)
        for view in ahead:
            told = self._state.take(view, await told_of(view, now, self._deps.limits), now)
            self._broadcast(told, seq=view.seq, last=False)
            await asyncio.sleep(0)
        written = await told_of(rest, now, self._deps.limits)
        self._provisional.settle()
        if found.seq == after:
            if self._has_list():
                self._broadcast()
            return 0
        told = self._state.take(rest, written, now)
        self._seq = found.seq
        self._broadcast(told, after=after, seq=found.seq)
        return len(found.alerts)

    # frames -------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            # while nothing is heard nobody knows who is silent: what was known stands
            changed = self._status.look(self._deps.clock.now()) if hears(self._deps.health) else []
            turned = self._state.turned(self._deps.clock.now())
            self._broadcast(Told(windows=turned), changed)
            await asyncio.sleep(HEARTBEAT_S)

    def _broadcast(
        self,
        told: Told = NOTHING,
        devices: Sequence[Device] = (),
        *,
        after: int | None = None,
        seq: int | None = None,
        last: bool = True,
    ) -> None:
        """Tell every console of what changed after ``after`` up to ``seq`` (both the hub's own where not given)."""
        listing = None
        if self._has_list():
            self._told, self._urgent = self._provisional.revision, self._provisional.urgent
            self._list_at = asyncio.get_running_loop().time() + LIST_S
            listing = self._provisional.listing()
        after = self.seq if after is None else after
        seq = self.seq if seq is None else seq
        kind = "heartbeat" if seq == after and told.is_empty and not devices else "changes"
        frame = self._frame(kind, seq if last else after, told, devices, listing)
        news = News(frame, after, seq, last, told, devices, listing)
        for subscription in self._subscriptions:
            subscription.offer(news)

    def _has_list(self) -> bool:
        """Say whether provisional alarms changed in a way that is to be told now."""
        view = self._provisional
        if self._told == view.revision:
            return False
        return not view.is_long or self._urgent != view.urgent or asyncio.get_running_loop().time() >= self._list_at

    def _snapshot(self) -> Whole | None:
        """Return everything as it stands; None before the store was read."""
        return None if self._seq is None else self._whole("snapshot", self._state.told())

    def _none_yet(self) -> Whole:
        return self._whole("heartbeat", NOTHING)

    def _whole(self, kind: str, told: Told) -> Whole:
        self._provisional.look()
        listing = self._provisional.listing()
        return Whole(self._frame(kind, self.seq, told, (), listing), self.seq, listing)

    def _part(self, part: Part) -> bytes:
        kind = "changes" if part.is_changes else "heartbeat"
        return self._frame(kind, part.seq, part.told, part.devices, part.listing)

    def _frame(self, kind: str, seq: int, told: Told, devices: Sequence[Device], listing: Listing | None) -> bytes:
        parts = [f'{{"type":"{kind}","seq":{seq},"t":"{rfc3339(self._deps.clock.now())}"'.encode()]
        if kind != "heartbeat":
            parts += [b',"alerts":[', _members(told.alerts), b'],"incidents":[', _members(told.incidents)]
            parts += [b'],"windows":[', _members(told.windows), b'],"devices":', msgspec.json.encode(devices)]
        if listing is not None:
            parts.append(listing.written())
        return b"".join((*parts, self._header.written()))


def _members(pieces: Sequence[Piece]) -> bytes:
    return b",".join([piece.written for piece in pieces])
