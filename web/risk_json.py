"""Four-colour risk 四色风险 as the API takes and writes it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from firetower.alerts.risk import words
from firetower.alerts.risk.model import Band, Model, Part
from firetower.storage.risk import Change, Standing
from firetower.web.api_models import Answered, Asked, AsMany, Instant, instant

By = Literal["unit", "grid"]
BandName = Literal["extreme", "high", "medium", "low", "unknown"]
_SIDES = 4


class RiskQuery(Asked):
    """Which units or grids; several values of one parameter are written with commas between."""

    by: By = "unit"
    band: Annotated[tuple[BandName, ...], AsMany] = ()
    unit: str | None = Field(None, max_length=64, description="only this one; with `by=unit`")
    grid: str | None = Field(None, max_length=64, description="only units of this grid, or with `by=grid` that one")
    q: str | None = Field(None, max_length=200, description="part of a code or name")
    within: Annotated[tuple[float, ...], AsMany] | None = Field(
        None, description="`west,south,east,north`, WGS-84 degrees: units that stand there"
    )
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)

    @field_validator("within")
    @classmethod
    def _four(cls, given: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if given is not None and len(given) != _SIDES:
            raise ValueError(f"{len(given)} numbers; give west,south,east,north")
        return given


class ChangeQuery(Asked):
    """The changes of which unit or grid."""

    unit: str | None = Field(None, max_length=64)
    grid: str | None = Field(None, max_length=64)
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=500)


class ReasonOut(Answered):
    """Something that takes from a part."""

    code: str
    n: int | None = Field(description="how many, or metres of a distance; null: there is no figure, or none in reach")
    of: int | None = Field(description="of how many")
    takes: int = Field(description="points of the part's 100")
    zh: str
    en: str


class PartOut(Answered):
    """A part of the score."""

    part: Part
    weight: float = Field(description="of 1, where every part is known")
    score: int | None = Field(description="0 to 100, high is safe; null: nobody knows, and the others share its weight")
    reasons: list[ReasonOut] = Field(description="the heaviest first")


class HeldOut(Answered):
    """What holds the score down, whatever the parts come to."""

    by: Literal["fire", "weakest", "worst"]
    zh: str
    en: str


class WorstOut(Answered):
    """A unit of a grid."""

    unit: str
    name: str


class RiskOut(Answered):
    """How a unit or a grid stands."""

    by: By
    code: str
    name: str
    grid: str | None
    category: str | None = Field(description="of a unit")
    lon: float | None = Field(description="of a unit, WGS-84 degrees")
    lat: float | None
    score: int | None = Field(description="safety, 0 to 100: high is safe; null: nothing is known")
    band: Band | None = Field(description="extreme 重大 red, high 较大 orange, medium 一般 yellow, low 低 blue")
    since: Instant = Field(description="when it came into this band")
    share_known: float = Field(description="of the weights, how much the score rests on")
    held_by: HeldOut | None
    open_fires: int
    parts: list[PartOut] = Field(description="of a grid: means of its units' parts")
    changed_at: Instant
    units: int | None = Field(description="of a grid")
    bands: dict[BandName, int] | None = Field(description="of a grid: its units by band")
    worst: list[WorstOut] = Field(description="of a grid: its worst units, the worst first")


class ModelOut(Answered):
    """By which numbers it is reckoned."""

    version: int
    weights: dict[Part, float]
    bands: dict[str, int] = Field(description="the lowest score of each; below `high` it is extreme")
    fire_cap: int = Field(description="an open fire holds a unit there")


class RiskPage(Answered):
    """Units or grids, the worst first; those of which nothing is known last."""

    computed_at: Instant | None = Field(description="when all of it was reckoned last; null: never yet")
    every_s: int = Field(description="how often it is; what is much older is stale")
    counts: dict[BandName, int] = Field(description="by band, of all that are asked for whatever `band` says")
    items: list[RiskOut]
    next_cursor: str | None
    model: ModelOut


class PartChangeOut(Answered):
    """A part whose score changed."""

    part: Part
    old: int | None
    new: int | None
    reasons: list[ReasonOut]


class ChangeOut(Answered):
    """A change of band; null: nothing was known."""

    at: Instant
    old_band: Band | None
    new_band: Band | None
    old_score: int | None
    new_score: int | None
    held_by: HeldOut | None
    parts: list[PartChangeOut] = Field(description="the parts whose score changed with it, as they stood then")


class ChangePage(Answered):
    """Changes of band, the newest first."""

    items: list[ChangeOut]
    next_cursor: str | None


def model_out(model: Model) -> ModelOut:
    """Return the model as the API writes it."""
    bands = {"low": model.bands.low, "medium": model.bands.medium, "high": model.bands.high}
    return ModelOut(version=model.version, weights=model.weights, bands=bands, fire_cap=model.fire_cap)


def risk_out(row: Standing, by: By, model: Model) -> RiskOut:
    """Return how a unit or a grid stands as the API writes it."""
    bands = row.rest.get("bands")
    return RiskOut(
        by=by,
        code=row.code,
        name=row.name,
        grid=row.grid,
        category=row.category,
        lon=row.lon,
        lat=row.lat,
        score=row.score,
        band=None if row.band is None else Band(row.band),
        since=instant(row.since),
        share_known=row.known,
        held_by=_held(row.rest.get("held_by")),
        open_fires=row.rest.get("fires", 0),
        parts=[
            PartOut(
                part=Part(part["part"]),
                weight=model.weights[Part(part["part"])],
                score=part["score"],
                reasons=_reasons(part["reasons"], model),
            )
            for part in row.parts
        ],
        changed_at=instant(row.changed_at),
        units=row.rest.get("units"),
        bands=None if bands is None else counted(bands),
        worst=[WorstOut(unit=code, name=name) for code, name in row.worst],
    )


def change_out(row: Change, model: Model) -> ChangeOut:
    """Return a change of band as the API writes it."""
    return ChangeOut(
        at=instant(row.at),
        old_band=None if row.old_band is None else Band(row.old_band),
        new_band=None if row.new_band is None else Band(row.new_band),
        old_score=row.old_score,
        new_score=row.new_score,
        held_by=_held(row.held_by),
        parts=[
            PartChangeOut(
                part=Part(part["part"]), old=part["old"], new=part["new"], reasons=_reasons(part["reasons"], model)
            )
            for part in row.reason
        ],
    )


def counted(found: Mapping[str, int]) -> dict[BandName, int]:
    """Return counts with every band, also those that nothing is in."""
    names: tuple[BandName, ...] = ("extreme", "high", "medium", "low", "unknown")
    return {name: found.get(name, 0) for name in names}


def _reasons(stored: Sequence[Mapping[str, Any]], model: Model) -> list[ReasonOut]:
    told = []
    for each in stored:
        zh, en = words.of_reason(each, model.response.reach_m)
        told.append(ReasonOut(code=each["code"], n=each["n"], of=each.get("of"), takes=each["takes"], zh=zh, en=en))
    return told


def _held(held_by: str | None) -> HeldOut | None:
    said = words.of_held(held_by)
    return None if said is None else HeldOut.model_validate({"by": held_by, "zh": said[0], "en": said[1]})
