"""What the live hub knows of the store at one sequence number, as the JSON the consoles read, written once a node."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from firetower.alerts.deadlines import SHIPPED, Limits
from firetower.alerts.flags import IN_TEST
from firetower.alerts.model import Alert, State
from firetower.alerts.ports import LiveView
from firetower.alerts.windows import Window, WindowState
from firetower.core.clock import Micros
from firetower.web.alert_json import alert_bytes
from firetower.web.incident_json import incident_bytes
from firetower.web.kpis import CountedBy
from firetower.web.window_json import window_bytes

_AT_ONCE = 50
"""Alerts written before others have their turn: a millisecond or two."""
_CURRENT = {WindowState.REQUESTED, WindowState.PLANNED, WindowState.ACTIVE}

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An open alert and the JSON of it."""

    alert: Alert
    written: bytes

    @property
    def key(self) -> CountedBy:
        """What it is counted by."""
        alert = self.alert
        return alert.alert_class, alert.priority, alert.state, alert.hold, IN_TEST in alert.flags


@dataclass(frozen=True, slots=True)
class Written:
    """Members of a frame, as JSON."""

    alerts: Sequence[bytes] = ()
    incidents: Sequence[bytes] = ()
    windows: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class _Announced:
    """A window and the JSON of it while it stands at ``state``."""

    window: Window
    state: WindowState
    written: bytes


class LiveState:
    """Open alerts, open incidents and current windows. ``counts``: open alerts by what ``OpenAlert.key`` says.

    ``limits``: how long each step of a fire may take.
    """

    def __init__(self, limits: Limits = SHIPPED) -> None:
        self._limits = limits
        self.alerts: dict[int, OpenAlert] = {}
        self.counts: Counter[CountedBy] = Counter()
        self._incidents: dict[int, bytes] = {}
        self._windows: dict[int, _Announced] = {}

    @classmethod
    async def of(cls, view: LiveView, now: Micros, limits: Limits = SHIPPED) -> Self:
        """Return the state that a snapshot of the store begins."""
        state = cls(limits)
        rest = replace(view, alerts=())
        state.take(rest, await written_of(rest, now, limits), now)
        for start in range(0, len(view.alerts), _AT_ONCE):
            part = LiveView(view.seq, view.alerts[start : start + _AT_ONCE])
            state.take(part, await written_of(part, now, limits), now)
            await asyncio.sleep(0)
        return state

    def take(self, view: LiveView, written: Written, now: Micros) -> Written:
        """Take in what changed, at once; return it (``written`` of it) as it is to be told."""
        alerts = [self.keep(*each) for each in zip(view.alerts, written.alerts, strict=True)]
        for incident, text in zip(view.incidents, written.incidents, strict=True):
            self._incidents.pop(incident.id, None)
            if incident.closed_at is None:
                self._incidents[incident.id] = text
        for window, text in zip(view.windows, written.windows, strict=True):
            self._windows.pop(window.id, None)
            if (state := window.state(now)) in _CURRENT:
                self._windows[window.id] = _Announced(window, state, text)
        return replace(written, alerts=alerts)

    def keep(self, alert: Alert, written: bytes | None = None) -> bytes:
        """Note an alert as it stands and return it as JSON."""
        before = self.alerts.pop(alert.id, None)
        if before is not None:
            self.counts[before.key] -= 1
            if alert.shown_at is None and before.alert.shown_at is not None:
                # read before the mark was committed
                alert, written = replace(alert, shown_at=before.alert.shown_at), None
        if written is None:
            written = alert_bytes(alert, self._limits)
        if alert.state is not State.CLOSED:
            entry = self.alerts[alert.id] = OpenAlert(alert, written)
            self.counts[entry.key] += 1
        return written

    def turned(self, now: Micros) -> list[bytes]:
        """Return the windows that became active or ended by the clock since they were written, as they stand.

        The desk announces them too, durably; but by its clock, which may be ahead of this node's.
        """
        changed = [each for each in self._windows.values() if each.window.state(now) is not each.state]
        written = []
        for each in changed:
            text, state = window_bytes(each.window, now), each.window.state(now)
            written.append(text)
            if state in _CURRENT:
                self._windows[each.window.id] = _Announced(each.window, state, text)
            else:
                del self._windows[each.window.id]
        return written

    def written(self) -> Written:
        """Return everything, for a snapshot."""
        return Written(
            [each.written for each in self.alerts.values()],
            list(self._incidents.values()),
            [each.written for each in self._windows.values()],
        )


async def written_of(view: LiveView, now: Micros, limits: Limits) -> Written:
    """Return what ``view`` holds as JSON, without holding the event loop up."""
    return Written(
        await _each(lambda alert: alert_bytes(alert, limits), view.alerts),
        await _each(incident_bytes, view.incidents),
        await _each(lambda window: window_bytes(window, now), view.windows),
    )


def parted(view: LiveView, written: Written, most: int) -> tuple[tuple[LiveView, Written], tuple[LiveView, Written]]:
    """Return the first ``most`` alerts of what changed, and then the rest of it, each with what is written of it."""
    first = LiveView(view.seq, view.alerts[:most]), Written(written.alerts[:most])
    return first, (replace(view, alerts=view.alerts[most:]), replace(written, alerts=written.alerts[most:]))


async def _each(write: Callable[[Thing], bytes], things: Sequence[Thing]) -> list[bytes]:
    written: list[bytes] = []
    for start in range(0, len(things), _AT_ONCE):
        if start:
            await asyncio.sleep(0)
        written += map(write, things[start : start + _AT_ONCE])
    return written
