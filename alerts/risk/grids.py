"""Rates grids 网格 from their units, so that one very bad unit is never averaged away (why: decision 0022)."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firetower.alerts.risk.facts import Facts
from firetower.alerts.risk.model import Band, Model
from firetower.alerts.risk.rating import PARTS, UNKNOWN, WORST, Ratings, Scores

NAMED = 5
"""Units that a grid's result names, the worst first."""


@dataclass(frozen=True, slots=True)
class GridRating:
    """``grid``: the store's number. ``score`` None: of none of its units anything is known. ``parts``: means of the
    units' parts, by PARTS. ``bands``: units by band, None those without a score. ``worst``: numbers of units.
    """

    grid: int
    score: int | None
    known: float
    parts: tuple[int | None, ...]
    held_by: str | None
    fires: int
    units: int
    bands: dict[Band | None, int]
    worst: tuple[int, ...]


def score_of(scores: Scores, model: Model) -> tuple[int | None, str | None]:
    """Return the score of a grid from those of its units, and what holds it down."""
    known = np.sort(scores[scores != UNKNOWN]).astype(np.float64)
    if not len(known):
        return None, None
    tail = known[: math.ceil(len(known) * model.grid.worst_share)].mean()
    mixed = model.grid.worst_weight * tail + (1 - model.grid.worst_weight) * known.mean()
    free = math.floor(mixed + 1e-9)
    most = model.bands.cap(int(known[0]), model.steps_above_weakest)
    return min(free, most), WORST if most < free else None


def rate_grids(
    facts: Facts, ratings: Ratings, model: Model, only: npt.NDArray[np.int32] | None = None
) -> list[GridRating]:
    """Return the ratings of the grids that units lie in, by number; ``only``: of those."""
    return [_rate(grid, facts, ratings, places, model) for grid, places in _by_grid(facts, only)]


def _by_grid(facts: Facts, only: npt.NDArray[np.int32] | None) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    grids = facts.rows["grid"]
    chosen = np.flatnonzero(grids > 0 if only is None else np.isin(grids, only[only > 0]))
    places = chosen[np.argsort(grids[chosen], kind="stable")]
    names, starts = np.unique(grids[places], return_index=True)
    yield from zip(names.tolist(), np.split(places, starts[1:]) if len(names) else [], strict=True)


def _rate(grid: int, facts: Facts, ratings: Ratings, places: npt.NDArray[np.intp], model: Model) -> GridRating:
    scores = ratings.score[places]
    score, held_by = score_of(scores, model)
    parts = ratings.parts[places]
    means = [int(column[column >= 0].mean()) if (column >= 0).any() else None for column in parts.T]
    by_score = Counter(scores.tolist())
    bands: Counter[Band | None] = Counter()
    for each, count in by_score.items():
        bands[None if each == UNKNOWN else model.bands.of(each)] += count
    order = places[np.argsort(np.where(scores == UNKNOWN, 101, scores), kind="stable")][:NAMED]
    return GridRating(
        grid=grid,
        score=score,
        known=float(ratings.known[places].mean()),
        parts=tuple(means[: len(PARTS)]),
        held_by=held_by,
        fires=int(facts.rows["fires"][places].sum()),
        units=len(places),
        bands=dict(bands),
        worst=tuple(facts.rows["id"][order[ratings.score[order] != UNKNOWN]].tolist()),
    )
