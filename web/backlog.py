"""What a console that is behind has not been told yet: the newest state of each thing, once, fires first.

No I/O. The hub says ``News``; a console that keeps up is sent the frame in it, the same for all. For one that does not
they are added here, where a newer state takes the place of an older one, and ``part`` by ``part`` leaves again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from firetower.web.provisional_view import Listing
from firetower.web.told import NOTHING, RANKS, Piece, Told

PART = 100
"""Alerts of one frame, and incidents, and windows: a page has them in a moment, and what is urgent comes next."""
PART_DEVICES = 1000
MOST_ENDED = 20_000
"""So many closed alerts and incidents and ended windows may wait: a snapshot, which leaves them out, is less then."""

Device = Mapping[str, str | int]
"""A DeviceStatus."""


@dataclass(frozen=True, slots=True)
class News:
    """What every console is told at one time; ``frame``: as one that keeps up is.

    ``told``: of what changed after the number ``after``, up to ``seq``; ``last``: with it all of that was told.
    ``devices`` and ``listing`` (None: as before) are of no number: latest wins.
    """

    frame: bytes
    after: int
    seq: int
    last: bool = True
    told: Told = NOTHING
    devices: Sequence[Device] = ()
    listing: Listing | None = None

    @property
    def says(self) -> int:
        """The number in its frame: everything up to it was told by then."""
        return self.seq if self.last else self.after


@dataclass(frozen=True, slots=True)
class Part:
    """What one frame of a console that is behind says; ``seq``: everything up to it was told by then."""

    seq: int
    told: Told
    devices: Sequence[Device]
    listing: Listing | None
    is_changes: bool


class Backlog:
    """Everything after the number ``told`` up to ``seq`` waits here, or was told ahead of its number.

    When full (``is_full``) the console is to be given a snapshot instead of what it missed: closed alerts, closed
    incidents and ended windows are in none. Whatever else waits is one entry a thing that exists, its bytes shared with
    the hub.
    """

    def __init__(self, told: int, listed: Listing | None = None) -> None:
        self.told = told
        self.seq = told
        self._listed = listed
        self._pieces: dict[str, dict[int, Piece]] = {place: {} for place in _PLACES}
        self._since: dict[tuple[str, int], int] = {}
        self._ended = 0
        self._devices: dict[str | int, Device] = {}
        self._listing: Listing | None = None
        self._stirred = False
        self._resumed = False

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return self._stirred

    @property
    def is_full(self) -> bool:
        """Whether a snapshot is less than what waits."""
        return self._ended > MOST_ENDED

    def is_next(self, news: News) -> bool:
        """Say whether the console may be told ``news`` as it is: nothing waits, and it has none of it."""
        return not self and news.says >= self.told and (news.seq > self.seq or news.seq == news.after)

    def sent(self, news: News) -> None:
        """Note that the console was sent the frame of ``news``."""
        self.told = self.seq = news.says
        self._listed = news.listing or self._listed

    def replaced(self, told: int, listed: Listing) -> "Backlog":
        """Return what is left of it once the console was told everything up to ``told``: devices are in no snapshot."""
        left = Backlog(told, listed)
        left._devices = self._devices
        left._stirred = bool(self._devices)
        return left

    def resume(self, seq: int, told: Told, listing: Listing) -> None:
        """Take in what a console missed that comes back with the number ``told``; it is told so first."""
        self._add(self.told, told)
        self.seq = seq
        self._listing = listing
        self._stirred = self._resumed = True

    def add(self, news: News) -> None:
        """Take in news; what of it is older than what the console has, or waits already, is left out."""
        if news.seq == news.after or news.seq > self.seq:
            self._add(max(news.after, self.told), news.told)
            if news.last:
                self.seq = max(self.seq, news.seq)
        for device in news.devices:
            self._devices[device["number"]] = device
        self._listing = news.listing or self._listing
        self._stirred = True

    def part(self) -> Part:
        """Return what to tell next and forget it."""
        before = self.told
        told = Told(self._alerts(), self._take(_INCIDENTS, PART), self._take(_WINDOWS, PART))
        numbers = list(islice(self._devices, PART_DEVICES))
        devices = [self._devices.pop(number) for number in numbers]
        oldest = next(iter(self._since.values()), None)
        self.told = self.seq if oldest is None else max(self.told, oldest - 1)
        listing = self._listing_of(is_last=oldest is None)
        is_changes = self._resumed or self.told > before or bool(devices) or not told.is_empty
        self._resumed = False
        self._stirred = oldest is not None or bool(self._devices)
        return Part(self.told, told, devices, listing, is_changes)

    def _add(self, after: int, told: Told) -> None:
        for piece in told.alerts:
            self._put(_ALERTS[piece.rank], piece, after)
        for piece in told.incidents:
            self._put(_INCIDENTS, piece, after)
        for piece in told.windows:
            self._put(_WINDOWS, piece, after)

    def _put(self, place: str, piece: Piece, after: int) -> None:
        kind = place if place in {_INCIDENTS, _WINDOWS} else _ALERT
        for other in _ALERTS if kind == _ALERT else (place,):
            before = self._pieces[other].get(piece.id)
            if before is not None:
                self._ended -= before.ended
                if other != place:  # its priority rose
                    del self._pieces[other][piece.id]
        self._pieces[place][piece.id] = piece
        self._ended += piece.ended
        self._since.setdefault((kind, piece.id), after + 1)

    def _alerts(self) -> list[Piece]:
        found: list[Piece] = []
        for place in _ALERTS:
            found += self._take(place, PART - len(found))
        return found

    def _take(self, place: str, most: int) -> list[Piece]:
        waiting = self._pieces[place]
        taken = list(islice(waiting.values(), most))
        kind = place if place in {_INCIDENTS, _WINDOWS} else _ALERT
        for piece in taken:
            del waiting[piece.id]
            del self._since[kind, piece.id]
            self._ended -= piece.ended
        return taken

    def _listing_of(self, *, is_last: bool) -> Listing | None:
        """Return the provisional alarms to be said; one that became an alert stays until that was told."""
        if self._listing is None:
            return None
        now = self._listing
        if not is_last:
            if self._listed is None and not now.alarms:
                return None
            now = now if self._listed is None else now.keeping(self._listed)
        else:
            self._listing = None
        if now == self._listed:
            return None
        self._listed = now
        return now


_ALERT, _INCIDENTS, _WINDOWS = "alert", "incident", "window"
_ALERTS = tuple(f"alert of rank {rank}" for rank in range(RANKS))
_PLACES = (*_ALERTS, _INCIDENTS, _WINDOWS)
