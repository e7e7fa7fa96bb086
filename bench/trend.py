"""What grows: lines through samples, by the hour and by what happened, and how much that is in a day at most."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Sample = Mapping[str, float]
FIGURES = ("heap_mb", "nodes", "listeners", "pss_mib")
OBJECTS = "objects_mb"
"""The heap without compiled code: looked at more seldom than the rest."""
SHARES = ("nodes", "listeners")
"""Figures whose growth is judged in per cent of what there was at first."""
LEAST = 8
"""Samples that a bound takes: of fewer, two standard errors are no 95 %."""
SURE = 2.0
"""Standard errors above a slope: 95 % to one side of eight samples (Student's t, 6 degrees of freedom, 1.94)."""
HOUR = "hours"


def fit(samples: Sequence[Sample], name: str, by: str) -> dict[str, float]:
    """Fit ``name`` over ``by``, least squares: the slope and its standard error; {} of fewer than 3 or without spread.

    Samples that follow one another waver together (the heap of a page breathes): the error is widened by their
    correlation with the next, as of so many fewer samples.
    """
    if len(samples) < 3:
        return {}
    at = np.array([one[by] for one in samples], float)
    values = np.array([one[name] for one in samples], float)
    away = at - at.mean()
    spread = float((away**2).sum())
    if spread == 0:
        return {}
    slope = float((away * values).sum() / spread)
    rest = values - values.mean() - slope * away
    varies = float((rest**2).sum())
    together = float((rest[1:] * rest[:-1]).sum() / varies) if varies > 0 else 0.0
    together = min(max(together, 0.0), 0.95)
    error = (varies / (len(samples) - 2) / spread * (1 + together) / (1 - together)) ** 0.5
    return {"slope": slope, "error": error, "n": len(samples)}


def most(line: Mapping[str, float]) -> float:
    """What a slope is at most, at 95 %; never below nothing: what shrinks for a while does not pay for what grows."""
    return max(0.0, line["slope"] + SURE * line["error"])


def growth(
    working: Sequence[Sample], resting: Sequence[Sample], day: Mapping[str, float], figures: Sequence[str] = FIGURES
) -> dict[str, Any]:
    """Return what each of the figures grows in 24 h, and at most; of the samples that have it.

    ``working``: samples of the shift with ``hours`` and a count of each kind of event so far, ``day``: as many of each
    are in 24 h. Without ``resting`` the shift is taken at its own pace: 24 times its growth an hour. Else it is
    hurried: what a day's events bring, all growth laid to each kind in turn and the most of it taken, and 24 times what
    the clock alone brings an hour.
    """
    fitted, result = {}, {}
    for name in figures:
        at_work, at_rest = ([one for one in of if name in one] for of in (working, resting))
        lines = {by: line for by in (HOUR, *day) if (line := fit(at_work, name, by))}
        rest = fit(at_rest, name, HOUR)
        if not lines:
            continue
        first, last = float(at_work[0][name]), float(at_work[-1][name])
        fitted[name] = {"first": first, "last": last, "over": lines, "at_rest": rest}
        if at_rest:
            kinds = [(lines[by], count) for by, count in day.items() if by in lines]
            if not kinds or not rest:
                continue
            value = max(line["slope"] * count for line, count in kinds) + 24 * rest["slope"]
            bound = max(most(line) * count for line, count in kinds) + 24 * most(rest)
            fewest = min(len(at_work), len(at_rest))
        else:
            value, bound, fewest = 24 * lines[HOUR]["slope"], 24 * most(lines[HOUR]), len(at_work)
        unit, part = (f"{name}_percent", 100 / first) if name in SHARES else (name, 1.0)
        result[f"{unit}_in_24h"] = value * part
        if fewest >= LEAST:
            result[f"{unit}_in_24h_at_most"] = bound * part
    return {"fitted": fitted, **result}
