"""How often the store is read for the consoles: at once after a quiet moment, seldom enough in a storm."""

import math

FRAME_S = 0.02
"""Changes within this time travel in one frame, while there are many frames."""
STORM_FRAME_S = 0.05
"""The same in a storm: each frame costs its makers and its readers something, whatever it holds."""
STORM_ALERTS = 100
"""So many changed alerts a second are a storm."""
AT_ONCE = 4
"""Frames that do not wait after a quiet moment: an alarm, and what the desk says of the last one."""


class Cadence:
    """``begin`` and ``pause`` around each reading; times are seconds of the loop."""

    def __init__(self) -> None:
        self._due = -math.inf
        self._storm = 0.0
        self._at = -math.inf

    def begin(self, now: float) -> None:
        """Note that a reading begins."""
        frame = self._frame_s(now)
        self._due = max(self._due, now - AT_ONCE * frame) + frame

    def pause(self, now: float, alerts: int) -> float:
        """Return how long to wait, s, before the next reading may begin, where the last one found so many alerts."""
        self._storm, self._at = self._fading(now) + alerts, now
        return max(0.0, self._due - now)

    def _frame_s(self, now: float) -> float:
        return STORM_FRAME_S if self._fading(now) > STORM_ALERTS else FRAME_S

    def _fading(self, now: float) -> float:
        """Return about how many alerts changed in the last second."""
        return self._storm * math.exp(self._at - now)
