"""Which events are active, by device and point; what is said late or twice changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from firetower.core.clock import Micros
from firetower.rules.book.conditions import EventCondition

MOST_QUIET = 1000
"""Points of a device that are not active, of which it is remembered when they last said so; a tenth more at times."""
Point = tuple[str, str]
"""An event, or ``event:<name>``, and the point it is about, "" for the device."""


@dataclass(slots=True)
class _Word:
    """The newest word of a point: its instant, and what was said at that instant (bit 1 active, bit 0 not)."""

    at: Micros
    said: int
    active_since: Micros | None


class Points:
    """The newest word of each point of each device, and since when what is active is so."""

    def __init__(self) -> None:
        self._of: dict[int, dict[Point, _Word]] = {}
        self._quiet: dict[int, int] = {}  # by device, how many points are not active

    def said(self, device: int, point: Point, at: Micros, *, active: bool) -> bool:
        """Take a word in; False when it is no news: older than the point's newest, or said at that instant already."""
        words = self._of.setdefault(device, {})
        bit = 1 << active
        word = words.get(point)
        if word is None:
            words[point] = _Word(at, bit, at if active else None)
            if not active:
                self._is_quiet(device)
            return True
        if at < word.at or (at == word.at and word.said & bit):
            return False
        word.said = word.said | bit if at == word.at else bit
        word.at = at
        if not active:
            if word.active_since is not None:
                word.active_since = None
                self._is_quiet(device)
        elif word.active_since is None:
            word.active_since = at
            self._quiet[device] -= 1
        return True

    def is_active(self, device: int, point: Point) -> bool:
        """Say whether the newest word of a point is active."""
        word = self._of.get(device, {}).get(point)
        return word is not None and word.active_since is not None

    def active(self, device: int) -> Iterator[tuple[Point, Micros]]:
        """Yield what is active of a device, and since when."""
        words = self._of.get(device, {})
        return ((point, word.active_since) for point, word in words.items() if word.active_since is not None)

    @property
    def devices(self) -> Iterable[int]:
        """The devices that something is known of."""
        return self._of.keys()

    def save(self, devices: Iterable[int]) -> list[Any]:
        """Return the state of some devices, of JSON's types."""
        return [
            [device, *point, word.at, word.said, word.active_since]
            for device in devices
            for point, word in self._of.get(device, {}).items()
        ]

    def word(self, device: int, point: Point) -> list[Any]:
        """Return what ``save`` would of one point."""
        word = self._of.get(device, {}).get(point)
        return [] if word is None else [[device, *point, word.at, word.said, word.active_since]]

    def load(self, saved: list[Any]) -> None:
        """Take over what ``save`` returned."""
        for device, event, point, at, said, active_since in saved:
            self._of.setdefault(device, {})[event, point] = _Word(at, said, active_since)
            self._quiet[device] = self._quiet.get(device, 0) + (active_since is None)

    def _is_quiet(self, device: int) -> None:
        """Count one more quiet point; forget those that spoke longest ago: a device may name points without end."""
        self._quiet[device] = self._quiet.get(device, 0) + 1
        if self._quiet[device] > MOST_QUIET + MOST_QUIET // 10:
            words = self._of[device]
            quiet = sorted((word.at, point) for point, word in words.items() if word.active_since is None)
            for _, point in quiet[:-MOST_QUIET]:
                del words[point]
            self._quiet[device] = MOST_QUIET


def met_by(condition: EventCondition, active: Iterable[tuple[Point, Micros]]) -> Micros | None:
    """Return since when the first of the active points is active with which they are enough; None: they are too few."""
    events: set[str] = set()
    points: set[str] = set()
    wanted = len(set(condition.events)) if condition.all_of else 1
    for (event, point), since in active:
        if event in condition.events and condition.component in {None, point}:
            events.add(event)
            points.add(point)
            if len(points) >= condition.components and len(events) >= wanted:
                return since
    return None
