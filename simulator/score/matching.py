"""Pairs as many as can be paired: a largest matching between two sides."""

from collections import deque
from collections.abc import Sequence


def paired(edges: Sequence[Sequence[int]], taken: dict[int, int] | None = None) -> dict[int, int]:
    """Return left → right for as many of the left as possible, each right at most once.

    ``edges``: for each left those of the right it may have, the most wanted first. ``taken``: pairs that stand already;
    whoever is in them stays paired, perhaps with another.
    """
    right_of = dict(taken or {})
    left_of = {right: left for left, right in right_of.items()}
    for left in range(len(edges)):
        if left not in right_of:
            _pair(left, edges, right_of, left_of)
    return right_of


def _pair(left: int, edges: Sequence[Sequence[int]], right_of: dict[int, int], left_of: dict[int, int]) -> None:
    """Pair ``left``, moving others along a shortest path where that is needed; nothing changes where there is none."""
    came_from: dict[int, int] = {}  # right → the left that reached it
    waiting = deque([left])
    while waiting:
        at = waiting.popleft()
        for right in edges[at]:
            if right in came_from:
                continue
            came_from[right] = at
            if right in left_of:
                waiting.append(left_of[right])
                continue
            step: int | None = right
            while step is not None:  # back along the path: each takes what the next one had
                mover = came_from[step]
                had = right_of.get(mover)
                right_of[mover], left_of[step] = step, mover
                step = had
            return
