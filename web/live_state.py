"""What the live hub knows of the store at one sequence number, as the JSON the consoles read, written once a node."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from firetower.alerts.deadlines import SHIPPED, Limits
from firetower.alerts.flags import IN_TEST
from firetower.alerts.incidents import Incident
from firetower.alerts.model import Alert, State
from firetower.alerts.ports import LiveView
from firetower.alerts.windows import Window, WindowState
from firetower.core.clock import Micros
from firetower.web.alert_json import alert_bytes
from firetower.web.incident_json import incident_bytes
from firetower.web.kpis import CountedBy
from firetower.web.told import Piece, Told, rank_of
from firetower.web.window_json import window_bytes

_AT_ONCE = 50
"""Alerts written before others have their turn: a millisecond or two."""
_CURRENT = {WindowState.REQUESTED, WindowState.PLANNED, WindowState.ACTIVE}

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An open alert and what is told of it."""

    alert: Alert
    piece: Piece

    @property
    def key(self) -> CountedBy:
        """What it is counted by."""
        alert = self.alert
        return alert.alert_class, alert.priority, alert.state, alert.hold, IN_TEST in alert.flags


@dataclass(frozen=True, slots=True)
class _Announced:
    """A window and what is told of it while it stands at ``state``."""

    window: Window
    state: WindowState
    piece: Piece


class LiveState:
    """Open alerts, open incidents and current windows. ``counts``: open alerts by what ``OpenAlert.key`` says.

    ``limits``: how long each step of a fire may take.
    """

    def __init__(self, limits: Limits = SHIPPED) -> None:
        self._limits = limits
        self.alerts: dict[int, OpenAlert] = {}
        self.counts: Counter[CountedBy] = Counter()
        self._incidents: dict[int, Piece] = {}
        self._windows: dict[int, _Announced] = {}

    @classmethod
    async def of(cls, view: LiveView, now: Micros, limits: Limits = SHIPPED) -> Self:
        """Return the state that a snapshot of the store begins."""
        state = cls(limits)
        rest = replace(view, alerts=())
        state.take(rest, await told_of(rest, now, limits), now)
        for start in range(0, len(view.alerts), _AT_ONCE):
            part = LiveView(view.seq, view.alerts[start : start + _AT_ONCE])
            state.take(part, await told_of(part, now, limits), now)
            await asyncio.sleep(0)
        return state

    def take(self, view: LiveView, told: Told, now: Micros) -> Told:
        """Take in what changed, at once; return it (``told_of`` it) as it is to be told."""
        alerts = [self.keep(*each) for each in zip(view.alerts, told.alerts, strict=True)]
        for incident in told.incidents:
            self._incidents.pop(incident.id, None)
            if not incident.ended:
                self._incidents[incident.id] = incident
        for window, piece in zip(view.windows, told.windows, strict=True):
            self._windows.pop(window.id, None)
            if (state := window.state(now)) in _CURRENT:
                self._windows[window.id] = _Announced(window, state, piece)
        return replace(told, alerts=alerts)

    def keep(self, alert: Alert, piece: Piece | None = None) -> Piece:
        """Note an alert as it stands and return what is told of it."""
        before = self.alerts.pop(alert.id, None)
        if before is not None:
            self.counts[before.key] -= 1
            if alert.shown_at is None and before.alert.shown_at is not None:
                # read before the mark was committed
                alert, piece = replace(alert, shown_at=before.alert.shown_at), None
        if piece is None:
            piece = _alert_piece(alert, self._limits)
        if alert.state is not State.CLOSED:
            entry = self.alerts[alert.id] = OpenAlert(alert, piece)
            self.counts[entry.key] += 1
        return piece

    def turned(self, now: Micros) -> list[Piece]:
        """Return the windows that became active or ended by the clock since they were written, as they stand.

        The desk announces them too, durably; but by its clock, which may be ahead of this node's.
        """
        changed = [each for each in self._windows.values() if each.window.state(now) is not each.state]
        pieces = []
        for each in changed:
            piece, state = _window_piece(each.window, now), each.window.state(now)
            pieces.append(piece)
            if piece.ended:
                del self._windows[each.window.id]
            else:
                self._windows[each.window.id] = _Announced(each.window, state, piece)
        return pieces

    def told(self) -> Told:
        """Return everything, for a snapshot."""
        return Told(
            [each.piece for each in self.alerts.values()],
            list(self._incidents.values()),
            [each.piece for each in self._windows.values()],
        )


async def told_of(view: LiveView, now: Micros, limits: Limits) -> Told:
    """Return what is to be told of ``view``, without holding the event loop up."""
    return Told(
        await _each(lambda alert: _alert_piece(alert, limits), view.alerts),
        await _each(_incident_piece, view.incidents),
        await _each(lambda window: _window_piece(window, now), view.windows),
    )


def parted(view: LiveView, most: int) -> list[LiveView]:
    """Return what changed in parts of at most ``most`` alerts, fires first; the last one has all that is no alert."""
    alerts = sorted(view.alerts, key=rank_of)
    ahead = [LiveView(view.seq, alerts[start : start + most]) for start in range(0, len(alerts) - most, most)]
    return [*ahead, replace(view, alerts=alerts[len(ahead) * most :])]


def _alert_piece(alert: Alert, limits: Limits) -> Piece:
    return Piece(alert.id, alert_bytes(alert, limits), rank_of(alert), alert.state is State.CLOSED)


def _incident_piece(incident: Incident) -> Piece:
    return Piece(incident.id, incident_bytes(incident), 0, incident.closed_at is not None)


def _window_piece(window: Window, now: Micros) -> Piece:
    return Piece(window.id, window_bytes(window, now), 0, window.state(now) not in _CURRENT)


async def _each(write: Callable[[Thing], Piece], things: Sequence[Thing]) -> list[Piece]:
    pieces: list[Piece] = []
    for start in range(0, len(things), _AT_ONCE):
        if start:
            await asyncio.sleep(0)
        pieces += map(write, things[start : start + _AT_ONCE])
    return pieces
