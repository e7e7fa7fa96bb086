"""The metric catalogue of ``metrics.yaml``: names, fixed numbers, units and believable ranges."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurable quantity; ``number`` is what is stored, ``plausible`` is (lowest, highest) in ``unit``."""

    name: str
    number: int
    unit: str
    kind: Literal["gauge", "counter"]
    plausible: tuple[float, float]
    danger: Literal["high", "low", "none"]


class Catalogue:
    """All metrics, by name and by number."""

    def __init__(self, metrics: list[Metric]) -> None:
        self.by_name: dict[str, Metric] = {metric.name: metric for metric in metrics}
        self.by_number: dict[int, Metric] = {metric.number: metric for metric in metrics}
        if len(self.by_number) != len(metrics):
            raise ValueError("metrics.yaml gives one number to two metrics; numbers are stored and never shared")


@cache
def catalogue() -> Catalogue:
    """Return the shipped catalogue; read once."""
    raw = YAML(typ="safe", pure=True).load((files(__package__) / "metrics.yaml").read_text("utf-8"))
    return Catalogue(
        [
            Metric(
                name=name,
                number=int(row["number"]),
                unit=str(row["unit"]),
                kind=row["kind"],
                plausible=(float(row["plausible"][0]), float(row["plausible"][1])),
                danger=row["danger"],
            )
            for name, row in raw.items()
        ]
    )
