"""Alerts that are a nuisance: chattering 频繁跳变, fleeting, stale 滞留报警. Told by their times, without I/O.

Chattering is a mark, and one entry when it begins; notification may damp what bears it. A fire bears it too, and
nothing else about it changes: it sounds, is shown and is told of as if it did not.
"""

from collections.abc import Hashable, Sequence

from firetower.core.clock import DAY, MINUTE, SECOND, Micros

CHATTER_TRANSITIONS = 3
"""So many turns (raised, returned, raised …) …"""
CHATTER_WITHIN: Micros = 60 * SECOND
"""… within this make an alert chattering (ISA-18.2: three or more a minute)."""
SETTLED_AFTER: Micros = 10 * MINUTE
"""Without a turn for so long it chatters no more."""
FLEETING: Micros = 30 * SECOND
"""Normal again within this of being raised: over before anybody could act. This project's judgement."""
STALE: Micros = DAY
"""Open for longer than this (ISA-18.2)."""

TURNS = ("raised", "occurred_again", "returned")
"""Reasons of history entries at which a condition began or ended."""


def chatters(turns: Sequence[Micros]) -> bool:
    """Say whether among ``turns``, ascending, CHATTER_TRANSITIONS lie within CHATTER_WITHIN."""
    last = CHATTER_TRANSITIONS - 1
    return any(turns[n + last] - turns[n] <= CHATTER_WITHIN for n in range(len(turns) - last))


def is_settled(last_turn: Micros, now: Micros) -> bool:
    """Say whether what chattered has been quiet for long enough."""
    return now - last_turn >= SETTLED_AFTER


class RecentTurns:
    """The newest turns of each key, over the alerts that follow each other under it.

    Kept for CHATTER_WITHIN; when full (``most`` keys), the key heard of longest ago is forgotten: it is then noticed
    later, if it goes on.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._turns: dict[Hashable, dict[tuple[int, int], Micros]] = {}

    def add(self, key: Hashable, alert_id: int, seq: int, at: Micros) -> None:
        """Note the history entry ``seq`` of an alert, at ``at``; said again, it counts once."""
        known = self._turns.pop(key, {})
        known[(alert_id, seq)] = at
        newest = max(known.values())
        self._turns[key] = {turn: when for turn, when in known.items() if newest - when <= CHATTER_WITHIN}
        if len(self._turns) > self._most:
            del self._turns[next(iter(self._turns))]

    def chatters(self, key: Hashable) -> bool:
        """Say whether the key's turns make it chatter."""
        return chatters(sorted(self._turns.get(key, {}).values()))

    def forget(self, now: Micros) -> None:
        """Drop keys without a turn in CHATTER_WITHIN."""
        while self._turns:
            oldest = next(iter(self._turns))
            if now - max(self._turns[oldest].values()) <= CHATTER_WITHIN:
                return
            del self._turns[oldest]
