"""The pictures of cameras on an incident record 警情处置单: listed with time and sha256, and those that are printed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from firetower.core.clock import Micros

MOST_PRINTED = 12
"""Pictures that are printed, the oldest of each camera first; the list has all of them."""
_MOMENTS = {"raised": ("报警时", "at the alarm"), "after": ("30 秒后", "30 s later"), "by_hand": ("手动", "by hand")}


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A picture asked for because of the alert. ``trouble``: why there is none, in (zh, en), None where there is one
    or it is still waited for. ``at``: taken, or else asked for or due, µs. ``unit``: the camera's.
    """

    id: int
    camera: str
    camera_name: str
    unit: str | None
    moment: str
    by: str
    at: Micros
    sha256: str | None
    trouble: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Printed:
    """A picture that is printed, by its id, with its caption."""

    id: int
    caption: str


def rows(
    lines: Sequence[PictureLine], language: Literal["zh", "en"], written: Callable[[Micros], str]
) -> tuple[tuple[str, ...], ...]:
    """Return the rows of their table: time, camera, when, by whom, sha256 or why there is none."""
    return tuple(
        (written(each.at), _name(each), _moment(each, language), each.by, _result(each, language)) for each in lines
    )


def printed(
    lines: Sequence[PictureLine], language: Literal["zh", "en"], written: Callable[[Micros], str]
) -> tuple[Printed, ...]:
    """Return the pictures that are printed, each once, in order of time."""
    taken = {each.id: each for each in lines if each.sha256 is not None}
    return tuple(
        Printed(each.id, f"{_name(each)} {_moment(each, language)} {written(each.at)}")
        for each in list(taken.values())[:MOST_PRINTED]
    )


def _name(each: PictureLine) -> str:
    return f"{each.camera_name} ({each.camera})" if each.camera_name else each.camera


def _moment(each: PictureLine, language: Literal["zh", "en"]) -> str:
    return _MOMENTS[each.moment][language == "en"]


def _result(each: PictureLine, language: Literal["zh", "en"]) -> str:
    if each.sha256 is not None:
        return each.sha256
    waiting = ("尚未取到", "not there yet")
    return (each.trouble or waiting)[language == "en"]
