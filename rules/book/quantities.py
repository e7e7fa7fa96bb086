"""Quantities as a fire engineer writes them: ``15min``, ``0.14 MPa``, ``30 %``, ``{attribute: level_low, unit: m}``."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros

_UNITS: dict[str, Micros] = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d)")
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) ?([^\s\d.]\S*)")
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST = 400 * DAY


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit; ``0.14 MPa``."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class FromFile:
    """A limit taken from the device's own file: its attribute of that name, in ``unit``."""

    attribute: str
    unit: str

    def __str__(self) -> str:
        return f"{self.attribute} of the device's own file, in {self.unit}"


@dataclass(frozen=True, slots=True)
class Between:
    """A range; its ends belong to it."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}"


def parse_duration(given: Any) -> Micros:
    """Return a duration in µs; ValueError says what is accepted."""
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("is not a duration; accepted: a number with s, min, h or d, for example 10s, 15min, 25h")
    micros = round(float(found[1]) * _UNITS[found[2]])
    if micros > _LONGEST:
        raise ValueError("is longer than 400 days; accepted: 0s to 400d")
    return micros


def duration_text(micros: Micros) -> str:
    """Return a duration as a rulebook writes it, in the largest unit that divides it."""
    for unit in ("d", "h", "min"):
        if micros and micros % _UNITS[unit] == 0 and not (unit == "d" and micros < 3 * DAY):
            return f"{micros // _UNITS[unit]}{unit}"
    return f"{micros / SECOND:g}s"


def parse_quantity(given: Any) -> Quantity:
    """Return a number with its unit; ValueError says what is accepted."""
    found = _QUANTITY.fullmatch(given) if isinstance(given, str) else None
    if found is None or not math.isfinite(float(found[1])):
        raise ValueError("is not a number with its unit; accepted: for example 0.14 MPa")
    return Quantity(float(found[1]), found[2])


def parse_ratio(given: Any) -> float:
    """Return a share from 0 (exclusive) to 1; ValueError says what is accepted."""
    found = _QUANTITY.fullmatch(given) if isinstance(given, str) else None
    if found is None or found[2] != "%" or not 0 < float(found[1]) <= 100:
        raise ValueError("is not a share; accepted: more than 0 % up to 100 %, for example 30 %")
    return float(found[1]) / 100


def parse_limit(given: Any) -> Quantity | FromFile | Between:
    """Return a limit: a quantity, a range, or the name of a number in the device's own file."""
    if not isinstance(given, dict):
        return parse_quantity(given)
    if given.keys() == {"low", "high"}:
        low, high = parse_quantity(given["low"]), parse_quantity(given["high"])
        if low.unit != high.unit or low.value >= high.value:
            raise ValueError("is not a range; accepted: {low: 198 V, high: 242 V}, low below high, in one unit")
        return Between(low.value, high.value, low.unit)
    attribute, unit = given.get("attribute"), given.get("unit")
    if (
        given.keys() != {"attribute", "unit"}
        or not isinstance(unit, str)
        or not isinstance(attribute, str)
        or not _ATTRIBUTE.fullmatch(attribute)
    ):
        raise ValueError(
            "is not a limit; accepted: a number with its unit (0.14 MPa), a range {low: 198 V, high: 242 V}, or"
            " {attribute: level_low, unit: m}"
        )
    return FromFile(attribute, unit)


Duration = Annotated[int, BeforeValidator(parse_duration)]
"""µs, written ``10s``, ``15min``, ``25h``, ``8d``."""
Amount = Annotated[Quantity, BeforeValidator(parse_quantity)]
"""A number with its unit."""
Limit = Annotated[Quantity | FromFile | Between, BeforeValidator(parse_limit)]
"""A number with its unit, a range of them, or an attribute of the device's own file."""
Ratio = Annotated[float, BeforeValidator(parse_ratio)]
"""A share, written ``30 %``."""
