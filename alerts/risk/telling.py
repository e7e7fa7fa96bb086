"""What is stored and told of a rating: its parts, each with its reasons and figures, the heaviest first."""

from typing import Any

from firetower.alerts.risk.facts import COUNTED, NONE_NEAR, Facts
from firetower.alerts.risk.grids import GridRating
from firetower.alerts.risk.model import CATEGORIES, Band, Model, Part
from firetower.alerts.risk.rating import PARTS, REASONS, UNKNOWN, Ratings, held_by


def band_of(score: int | None, model: Model) -> Band | None:
    """Return the band of a score, None where nothing is known."""
    return None if score is None else model.bands.of(score)


def of_unit(facts: Facts, ratings: Ratings, n: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return (parts, the rest) of the unit at ``n`` as JSON values.

    A part: ``part``, ``score`` (None: nobody knows), ``reasons``: ``code``, figures ``n`` and ``of``, ``takes``.
    """
    told: dict[Part, list[dict[str, Any]]] = {part: [] for part in PARTS}
    for k, takes in enumerate(ratings.takes[n].tolist()):
        if takes > 0:
            part, code = REASONS[k]
            told[part].append({"code": code, **_figures(facts, code, n), "takes": takes})
    scores = ratings.parts[n].tolist()
    parts: list[dict[str, Any]] = [
        {
            "part": part.value,
            "score": None if score == UNKNOWN else score,
            "reasons": sorted(told[part], key=lambda reason: -reason["takes"]) if score != UNKNOWN else [],
        }
        for part, score in zip(PARTS, scores, strict=True)
    ]
    return parts, {"held_by": held_by(facts, ratings, n), "fires": int(facts.rows["fires"][n])}


def of_grid(grid: GridRating) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return (parts, the rest) of a grid as JSON values; its reasons are its worst units."""
    parts: list[dict[str, Any]] = [
        {"part": part.value, "score": score, "reasons": []} for part, score in zip(PARTS, grid.parts, strict=True)
    ]
    bands = {"unknown" if band is None else band.value: count for band, count in grid.bands.items()}
    rest = {"held_by": grid.held_by, "fires": grid.fires, "units": grid.units, "bands": bands, "worst": grid.worst}
    return parts, rest


def _figures(facts: Facts, code: str, n: int) -> dict[str, Any]:
    rows = facts.rows
    if code in COUNTED:
        figures = {"n": int(rows[code][n])}
        return figures | {"of": int(rows["devices"][n])} if code == "not_working" else figures
    if code in {"water", "station"}:
        metres = int((facts.water_m if code == "water" else facts.station_m)[n])
        return {"n": None if metres == NONE_NEAR else metres}
    if code == "category":
        return {"n": None, "category": CATEGORIES[rows["category"][n]]}
    return {"n": None}


def why(before: list[dict[str, Any]] | None, now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what changed between stored parts, the parts whose score is another: ``part``, ``old``, ``new``, reasons.

    ``before`` None: there was no rating; then every part that is known.
    """
    old = {part["part"]: part["score"] for part in before or ()}
    return [
        {"part": part["part"], "old": old.get(part["part"]), "new": part["score"], "reasons": part["reasons"]}
        for part in now
        if old.get(part["part"]) != part["score"]
    ]
