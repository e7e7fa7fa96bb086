"""How fast letters go to one channel, and whether it lives. Seconds of a clock that never steps are handed in.

A channel that fails is tried on as its letters fall due. When every try has failed for ``dead_after``, or it refuses
us altogether, it is dead: then one letter at a time is tried, every PROBED_EVERY_S, whatever waits. The first that is
taken ends that, and the rest follows at the channel's rate: what has gathered in an hour is no storm.
"""

from dataclasses import dataclass, field

PROBED_EVERY_S = 30.0
_AT_REST_S = 10.0
"""A channel that was idle takes at once what its rate gives in so long: a fire's first letters wait for no others."""
RESTS_S = 300.0
"""For so long after its last failure a dead channel is passed over where there is another; then it is tried again."""
_WAITED_FOR_S = 10.0
"""One that asks to be let be for longer is passed over too."""


@dataclass(slots=True)
class Pace:
    """One channel's. ``rate``: letters a minute; ``at_once``: most in hand; ``dead_after``: seconds."""

    rate: int
    at_once: int
    dead_after: float
    is_dead: bool = False
    in_hand: int = 0
    trouble: str | None = None
    _failing_since: float | None = None
    _last_end: float = 0.0
    _rests_until: float = 0.0
    _tokens: float = field(default=0.0, init=False)
    _filled_at: float | None = field(default=None, init=False)

    def room(self, now: float) -> int:
        """Return how many letters may be handed over now."""
        self._fill(now)
        if now < self._rests_until:
            return 0
        if self.is_dead:
            return int(self.in_hand == 0 and now >= self._last_end + PROBED_EVERY_S)
        return max(0, min(self.at_once - self.in_hand, int(self._tokens)))

    def begins(self) -> None:
        """Note that a letter was handed over."""
        self.in_hand += 1
        self._tokens -= 1.0

    def given_back(self) -> None:
        """Note that a letter which was handed over never reached the channel."""
        self.in_hand -= 1

    def taken(self) -> None:
        """Note that it took a letter."""
        self.in_hand -= 1
        if self.is_dead:
            self._tokens = min(self._tokens, 1.0)
        self.is_dead, self.trouble, self._failing_since = False, None, None

    def failed(self, now: float, why: str, *, refuses: bool = False, rests: float | None = None) -> None:
        """Note that it did not. ``refuses``: us, not the letter; ``rests``: seconds that it wants to be let be."""
        self.in_hand -= 1
        self.trouble, self._last_end = why, now
        if self._failing_since is None:
            self._failing_since = now
        if refuses or now - self._failing_since >= self.dead_after:
            self.is_dead = True
        if rests is not None:
            self._rests_until = max(self._rests_until, now + rests)

    def passed_over(self, now: float) -> bool:
        """Say whether a letter had better take another channel."""
        return now + _WAITED_FOR_S < self._rests_until or (self.is_dead and now - self._last_end < RESTS_S)

    def _fill(self, now: float) -> None:
        most = max(1.0, self.rate * _AT_REST_S / 60.0)
        since = 0.0 if self._filled_at is None else now - self._filled_at
        self._tokens = most if self._filled_at is None else min(most, self._tokens + since * self.rate / 60.0)
        self._filled_at = now
