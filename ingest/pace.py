"""How a lane cuts its batches: large enough for the processor, and of alarms short enough for the next fire."""

MOST_IN_A_BATCH = 250
"""Alarms in one transaction: larger ones raise no more a second and make the next alarm wait."""
LEAST = 50
TAKES_S = 0.05
"""A batch of alarms without a fire is cut so that its commit takes about so long, but never below LEAST of them."""
GATHERS_S = 0.02
"""Under load a batch of alarms begins no sooner after the one before, but for a fire."""
_PAUSE_S, _BUSY_S = 0.05, 0.5
"""A lane is under load whose batches have followed each other within the first for as long as the second."""


class Pace:
    """Batches of ``most`` messages at most, each gathering for ``gathers_s`` since the one before began.

    Instants are the loop's, s. ``others``: most messages in the next batch that are no fires.
    """

    def __init__(self, most: int, gathers_s: float) -> None:
        self.most = self.others = most
        self._gathers_s = gathers_s
        self._began = float("-inf")

    def gathers_until(self, now: float) -> float:
        """Return until when the next batch waits for more, unless it is full or a fire comes."""
        return max(now, self._began + self._gathers_s)

    def begins(self, now: float) -> None:
        """Note that a batch begins."""
        self._began = now

    def committed(self, messages: int, seconds: float) -> None:
        """Note how long the commit of so many messages took, without what it waited for before."""


class AlarmPace(Pace):
    """Batches of alarms: one alarm, or a few, are committed at once; under load they gather, and are cut short."""

    def __init__(self, most: int) -> None:
        super().__init__(min(most, MOST_IN_A_BATCH), GATHERS_S)
        self._least = min(LEAST, self.most)
        self._busy_since = float("-inf")

    def gathers_until(self, now: float) -> float:
        """Return until when the next batch waits for more; ``now`` where batches do not follow one another."""
        under_load = now - self._began <= _PAUSE_S and self._began - self._busy_since >= _BUSY_S
        return super().gathers_until(now) if under_load else now

    def begins(self, now: float) -> None:
        """Note that a batch begins."""
        if now - self._began > _PAUSE_S:
            self._busy_since = now
        super().begins(now)

    def committed(self, messages: int, seconds: float) -> None:
        """Take fewer where the last commit took too long, and more where it did not."""
        if seconds <= TAKES_S:
            self.others = min(self.others + self.others // 4, self.most)
        elif 2 * messages >= self.others:  # else it was not their number
            self.others = max(int(self.others * max(TAKES_S / seconds, 0.5)), self._least)
