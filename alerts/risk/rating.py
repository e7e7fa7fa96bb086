"""Rates units: what each finding takes, the score of each part, the whole, and what holds it down.

Every figure can only take away, and a part that nothing watches and that has trouble all the same is 0, so that nothing
that gets worse ever raises a score.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.alerts.risk.facts import NONE_NEAR, Facts
from firetower.alerts.risk.model import CATEGORIES, TAKES, Distance, Model, Part

UNKNOWN = -1
"""A score that nobody knows."""

PARTS = tuple(Part)
REASONS: tuple[tuple[Part, str], ...] = (
    *((Part.IGNITION, code) for code in TAKES[Part.IGNITION]),
    (Part.BUILDING, "category"),
    *((Part.FACILITIES, code) for code in TAKES[Part.FACILITIES]),
    *((Part.MANAGEMENT, code) for code in TAKES[Part.MANAGEMENT]),
    (Part.RESPONSE, "water"),
    (Part.RESPONSE, "station"),
    (Part.RESPONSE, "nobody"),
    (Part.RESPONSE, "nobody_now"),
)
"""Every reason there is, by part, in the order in which they are told."""

FIRE, WEAKEST, WORST = "fire", "weakest", "worst"
"""What holds a score down: an open fire, the weakest part; of a grid its worst unit."""

Scores = npt.NDArray[np.int16]
_FIELDS = ("score", "known", "parts", "takes", "free")


@dataclass(frozen=True, slots=True)
class Ratings:
    """``score`` of each unit, UNKNOWN where nothing is known; ``known``: the share of the weights it rests on.

    ``parts``: score of each of PARTS, shape (n, 5); ``takes``: points of each of REASONS, shape (n, reasons).
    ``free``: what the score would be with nothing to hold it down.
    """

    score: Scores
    known: npt.NDArray[np.float64]
    parts: Scores
    takes: Scores
    free: Scores

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def joined(cls, pieces: "list[Ratings]") -> "Ratings":
        """Return ratings one after another."""
        return cls(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in _FIELDS))

    def with_rows(self, places: npt.NDArray[Any], other: "Ratings") -> "Ratings":
        """Return these ratings, the rows at ``places`` being those of ``other``."""
        columns = []
        for name in _FIELDS:
            column = getattr(self, name).copy()
            column[places] = getattr(other, name)
            columns.append(column)
        return Ratings(*columns)


def rate(facts: Facts, model: Model) -> Ratings:
    """Return the ratings of units."""
    takes = _takes(facts, model)
    parts = np.full((len(facts), len(PARTS)), UNKNOWN, np.int16)
    for n, part in enumerate(PARTS):
        of_part = takes[:, [k for k, (its, _) in enumerate(REASONS) if its is part]].sum(axis=1, dtype=np.int32)
        score = np.maximum(100 - of_part, 0)
        if part is Part.BUILDING:
            parts[:, n] = np.where(_category(facts, model) >= 0, score, UNKNOWN)
        else:
            in_trouble = np.where(of_part > 0, 0, UNKNOWN)  # only its trouble is known: nothing speaks for it
            parts[:, n] = np.where(facts.known(part), score, in_trouble)
    weights = np.array([model.weights[part] for part in PARTS])
    has = parts >= 0
    known = has @ weights
    weighed = np.where(has, parts, 0) @ weights
    # a hair more: 100 of every part must come to 100, whatever the fractions are
    free = np.where(known > 0, np.floor(weighed / np.maximum(known, 1e-9) + 1e-9), UNKNOWN).astype(np.int16)
    score = np.minimum(free, _most(parts, model))
    burning = facts.rows["fires"] > 0
    score = np.where(burning, np.where(score >= 0, np.minimum(score, model.fire_cap), model.fire_cap), score)
    return Ratings(score.astype(np.int16), np.minimum(known, 1.0), parts, takes, free)


def held_by(facts: Facts, ratings: Ratings, n: int) -> str | None:
    """Return what holds the score of the unit at ``n`` down, None where nothing does."""
    if facts.rows["fires"][n] > 0:
        return FIRE
    return WEAKEST if ratings.score[n] < ratings.free[n] else None


def _most(parts: Scores, model: Model) -> Scores:
    """Return the highest score that a unit with such parts may have."""
    mendable = np.delete(parts, PARTS.index(Part.BUILDING), axis=1)
    weakest = np.where(mendable >= 0, mendable, 100).min(axis=1)
    caps = np.array([model.bands.cap(score, model.steps_above_weakest) for score in range(101)], np.int16)
    most: Scores = caps[weakest]
    return most


def _category(facts: Facts, model: Model) -> Scores:
    """Return the safety of each unit's category, UNKNOWN where nobody knows."""
    safety = [model.building.categories[name] for name in CATEGORIES]
    table = np.array([UNKNOWN if each is None else each for each in safety] + [UNKNOWN], np.int16)
    found: Scores = table[facts.rows["category"]]  # -1, the last: a category that this release does not know
    return found


def _takes(facts: Facts, model: Model) -> Scores:
    rows = facts.rows
    counts = {code: rows[code].astype(np.int64) for codes in TAKES.values() for code in codes}
    for code in ("not_working", "key_down"):  # where none ever reported, nobody knows whether they work
        counts[code][rows["seen"] == 0] = 0
    # each per cent, begun ones too: of a thousand devices one that does not work is seen
    counts["not_working"] = -(-100 * counts["not_working"] // np.maximum(rows["devices"], 1))
    category = _category(facts, model)
    takes = {
        (part, code): np.minimum(counts[code] * take.each, take.most)
        for part in TAKES
        for code, take in model.takes(part).items()
    }
    nobody, off_hours = rows["contacts"] == 0, (rows["contacts"] > 0) & (rows["reachable"] == 0)
    response = model.response
    takes |= {
        (Part.BUILDING, "category"): np.where(category >= 0, 100 - category, 0),
        (Part.RESPONSE, "water"): _far(facts.water_m, response.water),
        (Part.RESPONSE, "station"): _far(facts.station_m, response.station),
        (Part.RESPONSE, "nobody"): np.where(nobody, response.nobody, 0),
        (Part.RESPONSE, "nobody_now"): np.where(off_hours, response.nobody_now, 0),
    }
    table = np.stack([takes[reason] for reason in REASONS], axis=1).astype(np.int16)
    of_response = np.array([part is Part.RESPONSE for part, _ in REASONS])
    table[np.ix_(~facts.placed, of_response)] = 0  # from a place nobody knows nothing is near or far
    return table


def _far(metres: npt.NDArray[np.int32], distance: Distance) -> npt.NDArray[np.int64]:
    points = np.array([0, *(points for _, points in distance.steps)])
    by_steps = points[np.searchsorted([step for step, _ in distance.steps], metres, side="right")]
    return np.where(metres == NONE_NEAR, distance.none, by_steps)
