"""The numbers of the risk model, read from ``risk.yaml`` and checked: bands, weights, what each finding takes."""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML

from firetower.core.errors import ConfigError
from firetower.devices.city import UnitCategory

CATEGORIES: tuple[str, ...] = get_args(UnitCategory)

Points = Annotated[int, Field(ge=0, le=100)]


class Band(StrEnum):
    """How large the risk is, the worst first; colours 红 橙 黄 蓝."""

    EXTREME = "extreme"  # 重大, red
    HIGH = "high"  # 较大, orange
    MEDIUM = "medium"  # 一般, yellow
    LOW = "low"  # 低, blue


class Part(StrEnum):
    """What a unit's score is made of."""

    IGNITION = "ignition"  # 火灾危险源
    BUILDING = "building"  # 建筑特性
    FACILITIES = "facilities"  # 消防设施
    MANAGEMENT = "management"  # 消防管理
    RESPONSE = "response"  # 救援力量


TAKES: dict[Part, tuple[str, ...]] = {
    Part.IGNITION: (
        "open_gas", "open_cable", "open_electrical", "recent_gas", "recent_cable", "recent_electrical",
    ),
    Part.FACILITIES: ("not_working", "key_down", "water_limits", "shielded_points", "impaired"),
    Part.MANAGEMENT: ("overdue", "unacknowledged", "repeated", "test_failed", "test_overdue", "unmeasured"),
}  # fmt: skip
"""The findings of each part that are counted."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Take(_Section):
    """What one finding takes from its part, and the most that all of its kind take."""

    each: Points
    most: Points


class Distance(_Section):
    """What distance takes: from ``steps[i][0]`` metres on ``steps[i][1]`` points; ``none``: nothing within reach."""

    steps: tuple[tuple[Annotated[int, Field(gt=0)], Points], ...] = Field(min_length=1)
    none: Points

    @model_validator(mode="after")
    def _rises(self) -> Self:
        rows = (*self.steps, (self.steps[-1][0] + 1, self.none))
        if any(near >= far or less > more for (near, less), (far, more) in pairwise(rows)):
            raise ValueError("steps must go outward, and what is further away may not take less")
        return self


class Bands(_Section):
    """The lowest score of each band; below ``high`` it is extreme."""

    low: Points
    medium: Points
    high: Points

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 < self.high < self.medium < self.low:
            raise ValueError(f"bands must rise: 0 < high {self.high} < medium {self.medium} < low {self.low}")
        return self

    @property
    def starts(self) -> tuple[int, int, int, int]:
        """The lowest score of each band, the worst first."""
        return (0, self.high, self.medium, self.low)

    def of(self, score: int) -> Band:
        """Return the band of a score."""
        return list(Band)[sum(score >= start for start in self.starts) - 1]

    def cap(self, score: int, steps: int) -> int:
        """Return the highest score that lies at most ``steps`` bands above that of ``score``."""
        above = sum(score >= start for start in self.starts) + steps
        return self.starts[above] - 1 if above < len(self.starts) else 100


class _Weighted(_Section):
    weight: float = Field(gt=0, lt=1)


class _Counted(_Weighted):
    takes: dict[str, Take]


class Ignition(_Counted):
    """Ignition sources 火灾危险源."""

    recent_days: int = Field(ge=1, le=90)


class Building(_Weighted):
    """The building as such 建筑特性: safety by category of unit, None where nobody knows."""

    categories: dict[str, Points | None]


class Facilities(_Counted):
    """Fire-protection facilities 消防设施."""


class Management(_Counted):
    """How things are kept 消防管理."""

    overdue_minutes: int = Field(ge=1, le=1440)
    repeated_days: int = Field(ge=1, le=90)
    repeated_times: int = Field(ge=2, le=100)


class Response(_Weighted):
    """Who and what is there when it burns 救援力量."""

    water: Distance
    station: Distance
    reach_m: int = Field(ge=100, le=20_000)
    nobody: Points
    nobody_now: Points


class OfGrid(_Section):
    """How a grid's score is made: ``worst_weight`` of it from the ``worst_share`` of its units."""

    worst_share: float = Field(gt=0, le=1)
    worst_weight: float = Field(ge=0, le=1)


class Model(_Section):
    """The whole model."""

    version: int = Field(ge=1)
    bands: Bands
    fire_cap: Points
    steps_above_weakest: int = Field(ge=1, le=3)
    grid: OfGrid
    ignition: Ignition
    building: Building
    facilities: Facilities
    management: Management
    response: Response

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = sum(self.weights.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the weights of the five parts come to {total:.3f}; they must come to 1")
        if self.bands.of(self.fire_cap) is not Band.EXTREME:
            raise ValueError(f"fire_cap {self.fire_cap} is not under {self.bands.high}, where extreme ends")
        for part, codes in TAKES.items():
            if set(self.takes(part)) != set(codes):
                raise ValueError(f"{part}.takes must name exactly {', '.join(codes)}")
        if set(self.building.categories) != set(CATEGORIES):
            raise ValueError(f"building.categories must name exactly {', '.join(CATEGORIES)}")
        if self.response.nobody < self.response.nobody_now:
            raise ValueError("response.nobody_now may not take more than response.nobody")
        return self

    @property
    def weights(self) -> dict[Part, float]:
        """How much each part counts; together 1."""
        return {part: getattr(self, part).weight for part in Part}

    def takes(self, part: Part) -> dict[str, Take]:
        """Return what the counted findings of a part take."""
        takes: dict[str, Take] = getattr(self, part).takes
        return takes


def read(text: str) -> Model:
    """Return the model that ``text`` (YAML) describes. Raises ConfigError naming every field that is wrong."""
    try:
        return Model.model_validate(YAML(typ="safe", pure=True).load(text))
    except ValidationError as err:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in err.errors())
        raise ConfigError(f"the risk model (alerts/risk/risk.yaml) cannot be used: {wrong}") from err


@cache
def shipped() -> Model:
    """Return the model in force; read once."""
    return read((files(__package__) / "risk.yaml").read_text("utf-8"))
