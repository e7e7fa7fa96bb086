"""Which events are active, by device and point; what is said late or twice changes nothing."""

from dataclasses import dataclass
from typing import Any

from firetower.core.clock import Micros

MOST_QUIET = 1000
"""Points of a device that are not active, of which it is remembered when they last said so."""
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

    def said(self, device: int, point: Point, at: Micros, *, active: bool) -> bool:
        """Take a word in; False when it is no news: older than the point's newest, or said at that instant already."""
        words = self._of.setdefault(device, {})
        bit = 1 << active
        word = words.get(point)
        if word is None:
            words[point] = _Word(at, bit, at if active else None)
            if len(words) > MOST_QUIET and not active:
                self._forget(words)
            return True
        if at < word.at or (at == word.at and word.said & bit):
            return False
        word.said = word.said | bit if at == word.at else bit
        word.at = at
        if not active:
            word.active_since = None
        elif word.active_since is None:
            word.active_since = at
        return True

    def is_active(self, device: int, point: Point) -> bool:
        """Say whether the newest word of a point is active."""
        word = self._of.get(device, {}).get(point)
        return word is not None and word.active_since is not None

    def active(self, device: int) -> dict[Point, Micros]:
        """Return what is active of a device, and since when."""
        words = self._of.get(device, {})
        return {point: word.active_since for point, word in words.items() if word.active_since is not None}

    def save(self) -> list[Any]:
        """Return the state, of JSON's types."""
        return [
            [device, *point, word.at, word.said, word.active_since]
            for device, words in self._of.items()
            for point, word in words.items()
        ]

    def load(self, saved: list[Any]) -> None:
        """Take over what ``save`` returned."""
        self._of = {}
        for device, event, point, at, said, active_since in saved:
            self._of.setdefault(device, {})[event, point] = _Word(at, said, active_since)

    @staticmethod
    def _forget(words: dict[Point, _Word]) -> None:
        """Forget the quiet point that spoke longest ago: a device may name points without end."""
        quiet = [(word.at, point) for point, word in words.items() if word.active_since is None]
        del words[min(quiet)[1]]
