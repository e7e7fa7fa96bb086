"""The registry file (``city.json``): grids, water mains, units with buildings, floors and zones, stations, devices.

Codes are the names used everywhere else: topics, the API, alerts. The file is read item by item, so that one
bad row is an error of its own and does not hide the others; see ``read_city``.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from firetower.devices.boundary import Boundary
from firetower.devices.contacts import GridContacts, Phone, StationContacts, UnitContacts
from firetower.devices.kinds import DeviceKind
from firetower.devices.topics import OWN_UNIT

TWICE = "stands twice in this file; keep one"

FORMAT: Literal["firetower-registry/1"] = "firetower-registry/1"

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]

UnitCategory = Literal[
    "hospital", "mall", "school", "high_rise", "chemical", "sanheyi", "jiuxiao", "homes", "water_company",
    "office", "hotel", "factory", "warehouse", "government", "other",
]  # fmt: skip
"""``sanheyi`` 三合一 (living, storing and making under one roof), ``jiuxiao`` 九小场所 (small public places)."""


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Grid(_Item):
    """A grid 网格 of the city's fire-safety management.

    ``contacts`` None: those that stand stay. ``boundary`` None: the one that stands stays; empty: none any more.
    """

    code: Code
    name: Name = ""
    district: Name | None = None
    boundary: Boundary | None = None
    contacts: GridContacts | None = None


class WaterMain(_Item):
    """A water main 市政管网 that hydrants stand on."""

    code: Code
    name: Name = ""
    diameter_mm: Annotated[int, Field(gt=0, le=5000)] | None = None
    grid: Code | None = None


class Zone(_Item):
    """A zone 防火分区 of a floor."""

    code: Code
    name: Name = ""


class Floor(_Item):
    """A floor; ``level`` is 1 for the ground floor, negative below ground."""

    code: Code
    name: Name = ""
    level: Annotated[int, Field(ge=-20, le=300)] | None = None
    zones: tuple[Zone, ...] = ()


class Building(_Item):
    """A building of a unit."""

    code: Code
    name: Name = ""
    floors: tuple[Floor, ...] = ()


def _not_ours(code: str) -> str:
    if code == OWN_UNIT:
        raise ValueError(f"{OWN_UNIT} is reserved for Firetower's own probes; give the unit another code")
    return code


class Unit(_Item):
    """A networked unit 联网单位; ``code`` is the ``{unit}`` of its topics.

    ``contacts``: all of them, None where those that stand stay. ``contact_name``, ``contact_phone``: one of role
    ``control_room``, beside them.
    """

    code: Annotated[Code, AfterValidator(_not_ours)]
    name: Name = ""
    category: UnitCategory = "other"
    grid: Code | None = None
    address: Name = ""
    contact_name: Name | None = None
    contact_phone: Phone | None = None
    contacts: UnitContacts | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    buildings: tuple[Building, ...] = ()


ZonePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){2}$")]


class Point(_Item):
    """A point 点位 of a panel: what one ``component`` of its alarms stands for, and where that is."""

    component: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    zone: ZonePath | None = None
    place: Name = ""


def _each_once(points: tuple[Point, ...]) -> tuple[Point, ...]:
    seen: set[str] = set()
    for point in points:
        if point.component in seen:
            raise ValueError(f"component {point.component!r} {TWICE}")
        seen.add(point.component)
    return points


class Device(_Item):
    """A device; ``device`` is the ``{device}`` of its topics.

    Place in WGS-84 degrees. ``interval_s``: seconds between reports it promises. ``zone``:
    ``building/floor/zone`` within its unit. ``gateway``: the gateway of its unit that it reports through, whose silence
    explains its own. ``attributes``: numbers of its own file used as limits, for a tank ``level_low``, ``level_90``,
    ``level_overflow`` in m. ``points``: of a panel. ``retired``: taken out of use; what it still says is shown.
    """

    unit: Code
    device: Code
    kind: DeviceKind
    model: Name | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    interval_s: Annotated[int, Field(ge=1, le=31 * 86_400)] = 60
    zone: ZonePath | None = None
    main: Code | None = None
    gateway: Code | None = None
    place: Name = ""
    attributes: dict[Code, float] = Field(default_factory=dict)
    points: Annotated[tuple[Point, ...], AfterValidator(_each_once)] = ()
    retired: bool = False


class Station(_Item):
    """A micro fire station 微型消防站: who can be there before the fire brigade. ``unit``: whose it is, if a unit's."""

    code: Code
    name: Name = ""
    lon: Lon
    lat: Lat
    grid: Code | None = None
    unit: Code | None = None
    contacts: StationContacts | None = None


class City(_Item):
    """A whole registry file."""

    format: Literal["firetower-registry/1"] = FORMAT
    name: Name = ""
    grids: tuple[Grid, ...] = ()
    mains: tuple[WaterMain, ...] = ()
    units: tuple[Unit, ...] = ()
    stations: tuple[Station, ...] = ()
    devices: tuple[Device, ...] = ()


class ItemError(BaseModel):
    """What is wrong with one item: where it stands in the file, its name, and what to do about it."""

    where: str
    item: str
    message: str


_PARTS: tuple[tuple[str, type[_Item]], ...] = (
    ("grids", Grid),
    ("mains", WaterMain),
    ("units", Unit),
    ("stations", Station),
    ("devices", Device),
)

_NAMES = ", ".join(part for part, _ in _PARTS)


def read_city(raw: Any) -> tuple[City, list[ItemError]]:
    """Return the usable items of a decoded registry file and an error for each of the others.

    Doubled codes are errors too. References (a device's unit, zone and main; the grid of a unit) are checked by the
    importer, which knows what the store already holds.
    """
    if not isinstance(raw, dict):
        return City(), [ItemError(where="/", item="", message="the file must hold one JSON object; see docs")]
    errors: list[ItemError] = []
    if raw.get("format") != FORMAT:
        errors.append(ItemError(where="/format", item="", message=f"format is {raw.get('format')!r}; write {FORMAT!r}"))
    errors.extend(
        ItemError(where=f"/{key}", item="", message=f"unknown part; accepted: {_NAMES}")
        for key in raw.keys() - {"format", "name"} - {part for part, _ in _PARTS}
    )
    kept: dict[str, Any] = {}
    for part, model in _PARTS:
        kept[part] = []
        rows = raw.get(part, [])
        if not isinstance(rows, list):
            errors.append(ItemError(where=f"/{part}", item="", message="must be a list"))
            continue
        taken: set[tuple[str, ...]] = set()
        for index, row in enumerate(rows):
            where = f"/{part}/{index}"
            try:
                item = model.model_validate(row)
            except ValidationError as err:
                errors.append(ItemError(where=where, item=_label(row), message="; ".join(_lines(err))))
                continue
            name = (item.unit, item.device) if isinstance(item, Device) else (item.code,)  # type: ignore[attr-defined]  # every other item has a code
            if name in taken:
                errors.append(ItemError(where=where, item="/".join(name), message=TWICE))
                continue
            taken.add(name)
            kept[part].append(item)
    name = raw.get("name", "")
    return City(name=name if isinstance(name, str) else "", **kept), errors


def _label(row: Any) -> str:
    if not isinstance(row, dict):
        return ""
    return "/".join(str(row[key]) for key in ("unit", "device", "code") if key in row)[:200]


def _lines(err: ValidationError) -> Iterator[str]:
    for item in err.errors(include_url=False):
        shown = repr(item["input"])
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        yield f"{'.'.join(map(str, item['loc']))}: {item['msg']} (given: {shown})"
