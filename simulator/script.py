"""Scenario files: who plays in them and what happens to whom, when. Times in seconds from the start."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from firetower.core.errors import InvalidInput
from firetower.devices.city import UnitCategory
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind

SHIPPED = ("demo", "quiet")

Seconds = Annotated[float, Field(ge=0, le=366 * 86_400)]
Pause = Annotated[float, Field(ge=0.1, le=366 * 86_400)]


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Role(_Item):
    """A part in the scenario: the first device that fits and has no part yet; ``any``: another one each time."""

    kind: DeviceKind
    category: UnitCategory | None = None
    same_zone: str | None = None
    any: bool = False


class Truth(_Item):
    """What should be alarmed because of a step: class, priority, and within how many seconds of it."""

    alert_class: Annotated[AlertClass, Field(alias="class")]
    priority: Annotated[int, Field(ge=1, le=4)]
    within: Seconds


class OfLimit(_Item):
    """A value relative to a number of the device's own file, for example 0.8 × ``level_low``."""

    attribute: str
    times: float = 1.0


class _Step(_Item):
    name: str
    role: str
    at: Seconds
    truth: Truth | None = None


class Ramp(_Step):
    """A metric goes from what it is to ``to`` over ``over`` seconds; ``until``: and back again.

    ``square``: it grows with the square of time, as a fire does. ``report_every``: seconds, while it lasts.
    """

    effect: Literal["ramp"]
    metric: str
    to: float | OfLimit
    over: Pause
    square: bool = False
    until: Seconds | None = None
    report_every: Pause | None = None


class Backlog(_Step):
    """The device's first message is what it stored for ``span`` s each ``step`` s, with ``metric`` at ``to``."""

    effect: Literal["backlog"]
    metric: str
    to: float
    span: Seconds
    step: Pause
    until: Seconds | None = None


class Silence(_Step):
    """The device reports once, at ``at``, and then no more."""

    effect: Literal["silence"]


class Say(_Step):
    """The device sends events on its alarm topic, the first at ``at``, then one of ``events`` each ``every`` seconds.

    ``clears_after``: seconds until it takes the event back (``active: false``).
    """

    effect: Literal["say"]
    events: Annotated[tuple[str, ...], Field(min_length=1)]
    component: str = ""
    every: Pause | None = None
    clears_after: Seconds | None = None


class Garble(_Step):
    """The device sends payloads nobody can use, one each ``every`` seconds: text, or bytes as ``hex:…``."""

    effect: Literal["garble"]
    payloads: Annotated[tuple[str, ...], Field(min_length=1)]
    every: Pause | None = None


Step = Annotated[Ramp | Backlog | Silence | Say | Garble, Field(discriminator="effect")]


class Script(_Item):
    """A scenario file."""

    name: str
    cast: dict[str, Role] = Field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _roles_are_cast(self) -> "Script":
        for step in self.steps:
            role = self.cast.get(step.role)
            if role is None:
                raise ValueError(f"step {step.name!r} names the role {step.role!r}, which is not in the cast")
            if role.any and not isinstance(step, Say | Garble):
                raise ValueError(
                    f"step {step.name!r}: only say and garble can play the role {step.role!r} with any: true"
                )
        return self


def load_script(name: str | Path) -> Script:
    """Return a shipped scenario by name, or a file by its path. InvalidInput says which field is wrong and why."""
    try:
        if name in SHIPPED:
            text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
        else:
            text = Path(name).read_text("utf-8")
    except OSError as err:
        raise InvalidInput(
            f"scenario {str(name)!r} is neither shipped ({', '.join(SHIPPED)}) nor a readable file: {err.strerror}"
        ) from err
    try:
        return Script.model_validate(YAML(typ="safe", pure=True).load(text))
    except YAMLError as err:
        raise InvalidInput(f"scenario {name} is not valid YAML: {err}") from err
    except ValidationError as err:
        lines = [f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in err.errors(include_url=False)]
        raise InvalidInput(f"scenario {name} is not usable:\n" + "\n".join(lines)) from err
