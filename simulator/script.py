"""Scenario files: who plays in them, what happens to whom, when, and what is done. Times in seconds from the start."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from firetower.devices.city import UnitCategory
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.simulator.physics.effects import EffectKind
from firetower.simulator.scenario_faults import check

LONGEST = 366 * 86_400
Seconds = Annotated[float, Field(ge=0, le=LONGEST)]
Pause = Annotated[float, Field(ge=0.1, le=LONGEST)]
Urgency = Annotated[int, Field(ge=1, le=4)]
Of = Literal["device", "zone", "building", "unit", "main"]
"""What an alert is about, seen from the device of the role: itself, or the group it stands in."""


def _as_list(given: Any) -> Any:
    return given if given is None or isinstance(given, list | tuple) else [given]


class Item(BaseModel):
    """Of a file: unknown fields are refused, and nothing is changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Role(Item):
    """A part in the scenario: the first device that fits and has no part yet.

    ``any``: another one each time. ``count``: so many at once. ``all``: every one of a ``zone``, ``unit``, ``main`` or
    ``district``, of any kind where none is given, water companies left out of a district, and ``least`` of them.
    ``same_zone``, ``same_unit``: that of another role; ``other_zone``: the unit of another role, elsewhere in it.
    ``alone``: nobody else plays in its unit, but roles that look at this one. ``new``: a device that stands in no
    registry, in a unit of its own.
    """

    kind: DeviceKind | None = None
    category: UnitCategory | None = None
    same_zone: str | None = None
    same_unit: str | None = None
    other_zone: str | None = None
    any: bool = False
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    all: Literal["zone", "unit", "main", "district"] | None = None
    least: Annotated[int, Field(ge=1)] = 1
    alone: bool = False
    new: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Role":
        if self.kind is None and self.all is None:
            raise ValueError("says no kind; give one, or all: unit")
        if sum((self.any, self.count > 1, self.all is not None)) > 1:
            raise ValueError("any, count and all exclude one another; keep one of them")
        if self.new and (self.all or self.any or self.category or self.same_zone or self.same_unit or self.other_zone):
            raise ValueError("a device that is new has a unit of its own: give kind and count only")
        return self

    @property
    def others(self) -> tuple[str, ...]:
        """The roles it looks at."""
        return tuple(name for name in (self.same_zone, self.same_unit, self.other_zone) if name is not None)


class Truth(Item):
    """What should be alarmed because of a step, once for each ``of`` its devices, or of ``role``'s.

    ``within``: seconds, and ``intervals``: reporting intervals of the device on top of it. ``least``, ``most``: how
    many alerts it may be; ``least: 0``: it may be there, and explains an alert that is. ``priority``: one, or the most
    and the least urgent. ``component``, ``rule``: these ones; absent: whichever. ``flags``, ``occurrences``: what the
    alert has to say, too, and how often it occurred at least. ``season``: due in these months only, in no others.
    """

    alert_class: Annotated[AlertClass, Field(alias="class")]
    priority: Annotated[tuple[Urgency, ...], BeforeValidator(_as_list), Field(min_length=1, max_length=2)]
    within: Seconds = 0.0
    intervals: Annotated[float, Field(ge=0, le=1000)] = 0.0
    of: Of = "device"
    role: str | None = None
    component: str | None = None
    rule: str | None = None
    least: Annotated[int, Field(ge=0)] = 1
    most: Annotated[int, Field(ge=1)] = 1
    flags: tuple[str, ...] = ()
    occurrences: Annotated[int, Field(ge=1)] = 1
    season: Annotated[tuple[int, ...], Field(max_length=12)] = ()


class Never(Item):
    """What must not be alarmed about the devices of ``role``, or the group they stand in, at any time."""

    name: str
    role: str
    of: Of = "device"
    alert_class: Annotated[AlertClass | None, Field(alias="class")] = None


class OfLimit(Item):
    """A value relative to a number of the device's own file, for example 0.8 × ``level_low``."""

    attribute: str
    times: float = 1.0


class _Cue(Item):
    """When: ``at`` seconds from the start, or after the act named ``after`` was done."""

    name: str
    at: Seconds = 0.0
    after: str | None = None


class _Step(_Cue):
    role: str
    truth: Annotated[tuple[Truth, ...], BeforeValidator(_as_list)] = ()


class Ramp(_Step):
    """A metric goes from what it is to ``to`` over ``over`` seconds; ``until``: and back again.

    ``square``: it grows with the square of time, as a fire does. ``report_every``: seconds, while it lasts.
    ``stagger``: seconds by which each further device of the role is later.
    """

    effect: Literal["ramp"]
    metric: str
    to: float | OfLimit
    over: Pause
    square: bool = False
    until: Seconds | None = None
    report_every: Pause | None = None
    stagger: Seconds = 0.0


class Happen(_Step):
    """Something happens in the physics of the devices, until ``until``: one of ``physics.effects.EFFECTS`` by name.

    ``size``: in its own unit, the usual one where absent. ``reach_m``: metres within the zone in which other detectors
    feel it. ``report_every``: seconds between the reports of the devices from then on.
    """

    effect: Literal["happen"]
    what: EffectKind
    size: float | None = None
    reach_m: Annotated[float, Field(ge=0, le=1000)] = 0.0
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
    """The devices report once, at ``at``, and then no more."""

    effect: Literal["silence"]


class Fault(_Step):
    """A fault of the field befalls the devices from ``at`` to ``until``: one of ``scenario_faults.FAULTS`` by name.

    ``given``: what else it is told, times in seconds.
    """

    effect: Literal["fault"]
    fault: str
    until: Seconds | None = None
    given: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_known(self) -> "Fault":
        check(self.fault, self.given, ends=self.until is not None)
        return self


class Say(_Step):
    """The devices send events on their alarm topic, the first at ``at``, then one of ``events`` each ``every`` seconds.

    ``clears_after``: seconds until it is taken back (``active: false``). ``component``: the point; ``text``: the
    device's own words, its place where absent. ``times``: how often it is said; absent: without end.
    """

    effect: Literal["say"]
    events: Annotated[tuple[str, ...], Field(min_length=1)]
    component: str = ""
    text: str | None = None
    every: Pause | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    clears_after: Seconds | None = None


class Storm(_Step):
    """``points`` of one device alarm within ``over`` seconds, event by event in turn, each said ``said`` times.

    ``truth`` says within which time; class and priority are those of the event, the component is the point's.
    """

    effect: Literal["storm"]
    events: Annotated[tuple[str, ...], Field(min_length=1)]
    points: Annotated[int, Field(ge=1, le=100_000)]
    over: Pause
    said: Annotated[int, Field(ge=1, le=100)] = 1
    within: Seconds


class Garble(_Step):
    """The device sends payloads nobody can use, one each ``every`` seconds: text, or bytes as ``hex:…``."""

    effect: Literal["garble"]
    payloads: Annotated[tuple[str, ...], Field(min_length=1)]
    every: Pause | None = None


class Appear(_Step):
    """Devices that are new begin to report, one after the other over ``over`` seconds."""

    effect: Literal["appear"]
    over: Pause


Step = Annotated[
    Ramp | Happen | Backlog | Silence | Fault | Say | Storm | Garble | Appear, Field(discriminator="effect")
]


class Act(_Cue):
    """Something done to the service: ``do`` to the newest open alert of ``alert_class`` about the role's device, a
    ``window`` announced, or a ``hook``: a command of the tester's. ``body``: of the request; ``{unit}``, ``{device}``,
    ``{zone}``, ``{user}``, ``{account}``, ``{password}`` and ``{in 600}`` (so many seconds from now) are filled in."""

    role: str
    do: Literal[
        "acknowledge", "verify", "forward", "receipt", "assign", "shelve", "unshelve", "note", "close", "reopen",
        "window", "hook",
    ]  # fmt: skip
    alert_class: Annotated[AlertClass | None, Field(alias="class")] = None
    body: dict[str, Any] = Field(default_factory=dict)
    hook: str | None = None
    patience: Seconds = 30.0

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> "Act":
        if (self.do == "hook") != (self.hook is not None):
            raise ValueError("hook names the command of do: hook, and of nothing else")
        if self.do not in {"window", "hook"} and self.alert_class is None:
            raise ValueError(f"do: {self.do} is done to an alert; say of which class")
        return self


class Included(Item):
    """Another scenario that runs beside this one, with a cast of its own, from ``at`` on."""

    scenario: str
    at: Seconds = 0.0


class Script(Item):
    """A scenario file. ``lasts``: seconds after which all it promises is due; None: it goes on until it is stopped.

    ``begins``: the time of day in the city at which it begins when it runs faster than time; ``realtime``: it may not,
    since it waits for silence, or acts on the service.
    """

    name: str
    title: str = ""
    lasts: Pause | None = None
    begins: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    realtime: bool = False
    include: tuple[Included, ...] = ()
    cast: dict[str, Role] = Field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    acts: tuple[Act, ...] = ()
    may: tuple[Truth, ...] = ()
    never: tuple[Never, ...] = ()
