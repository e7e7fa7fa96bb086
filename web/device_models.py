"""Devices, units and readings as the API takes and writes them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.rates import Targets, must_connect
from firetower.devices.readings import Mark, Quality
from firetower.storage.device_history import Bucket, StoredReading
from firetower.storage.devices import DeviceRow, UnitRow
from firetower.storage.rates import UnitRates
from firetower.web.api_models import Answered, Asked, AsMany, Instant, Moment, instant, instant_or_none
from firetower.web.rate_json import DeviceRatesOut, device_rates

Status = Literal["online", "offline", "never_seen"]

MOST_POINTS = 5000


class DeviceQuery(Asked):
    """Which devices; several values of one parameter are written with commas between."""

    unit: str | None = Field(None, max_length=64)
    kind: Annotated[tuple[DeviceKind, ...], AsMany] = ()
    status: Annotated[tuple[Status, ...], AsMany] = ()
    q: str | None = Field(None, max_length=200, description="part of a device's name or place, or of its unit's name")
    retired: bool = Field(False, description="retired devices too")
    number: int | None = Field(None, ge=0, lt=2**31, description="the device of that slot of the map's snapshot")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class UnitQuery(Asked):
    """Which units."""

    q: str | None = Field(None, max_length=200, description="part of a unit's code, name or address")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class ReadingQuery(Asked):
    """Which readings of a device."""

    metric: str = Field(
        max_length=64, description="`cable_temperature`: every channel of it; `cable_temperature.2`: that one"
    )
    start: Moment | None = Field(None, alias="from", description="at or after; absent: a day before `to`")
    end: Moment | None = Field(None, alias="to", description="before; absent: now")
    points: int | None = Field(
        None, ge=1, le=MOST_POINTS, description="at most so many buckets a channel, instead of the readings themselves"
    )
    cursor: str | None = Field(
        None,
        max_length=200,
        description="`next_cursor` of the page before (with the same from and to); not with `points`",
    )
    limit: int = Field(MOST_POINTS, ge=1, le=MOST_POINTS, description="readings on one page; not with `points`")


class QualityOut(Answered):
    """How a device reports."""

    seq_missed: int = Field(description="messages missed by its `seq`, since it was registered")
    seq_repeated: int = Field(description="messages whose `seq` had come before")
    clock_skew_s: float | None = Field(
        description="seconds its clock is behind (positive) or ahead (negative); null while unknown"
    )


class DeviceOut(Answered):
    """A device and its file."""

    unit: str
    unit_name: str
    device: str
    kind: DeviceKind
    model: str | None
    status: Status
    place: str
    lon: float | None = Field(description="WGS-84, degrees")
    lat: float | None
    interval_s: int = Field(description="seconds between the reports it promised")
    zone: str | None = Field(description="building/floor/zone")
    main: str | None = Field(description="the water main it stands on")
    gateway: str | None = Field(description="the gateway of its unit that it reports through")
    attributes: dict[str, float]
    registered_by: str
    registered_at: Instant
    retired_at: Instant | None
    last_seen_at: Instant | None
    quality: QualityOut = Field(description="written back about once a minute")


class PointOut(Answered):
    """A point (点位) of a panel: what one component of its alarms stands for."""

    component: str
    zone: str | None = Field(description="building/floor/zone")
    place: str


class DeviceFileOut(DeviceOut):
    """A device, its file, and the points of a panel."""

    points: list[PointOut]


class DevicePage(Answered):
    """Devices by unit and name."""

    items: list[DeviceOut]
    next_cursor: str | None


class ReadingOut(Answered):
    """One reading."""

    ts: Instant
    metric: str
    value: float
    uom: str
    quality: Literal["good", "uncertain", "bad"]
    marks: list[str] = Field(description="late, clock_stuck, zone_assumed, arrival_time")
    received_at: Instant


class BucketOut(Answered):
    """The readings of one stretch of time: from `ts` on, `width_s` seconds long."""

    ts: Instant
    metric: str
    count: int
    min: float
    max: float
    mean: float
    last: float


class Readings(Answered):
    """Readings, oldest first; or with `points` buckets of them. Buckets without a reading are left out."""

    items: list[ReadingOut] | list[BucketOut]
    next_cursor: str | None
    width_s: float | None = Field(description="width of a bucket; null for plain readings")


class Latest(Answered):
    """The newest reading of each metric and channel, at most a week old."""

    items: list[ReadingOut]


class UnitOut(Answered):
    """A unit 联网单位."""

    unit: str
    name: str
    category: str
    grid: str | None
    address: str
    lon: float | None
    lat: float | None
    devices: dict[str, int] = Field(description="devices in service by status")


class UnitPage(Answered):
    """Units by code."""

    items: list[UnitOut]
    next_cursor: str | None


class ZoneOut(Answered):
    """A fire zone 防火分区."""

    code: str
    name: str


class FloorOut(Answered):
    """A floor."""

    code: str
    name: str
    level: int | None
    zones: list[ZoneOut]


class BuildingOut(Answered):
    """A building."""

    code: str
    name: str
    floors: list[FloorOut]


class UnitConnectionOut(Answered):
    """Whether a unit must be connected (接入), and whether it is."""

    must_connect: bool
    given: bool | None = Field(description="what its file says; null: its category decides")
    connected: bool = Field(description="a device of it was heard within 25 h, or three of its intervals where longer")
    since: Instant | None = Field(description="when Firetower first found it connected, since it last was not")


class UnitFileOut(UnitOut):
    """A unit with whom to call, its connection and rates, and its buildings."""

    contact_name: str | None
    contact_phone: str | None
    registered_at: Instant
    connection: UnitConnectionOut
    rates: DeviceRatesOut
    buildings: list[BuildingOut]


def device_out(row: DeviceRow) -> DeviceOut:
    """Return a device as the API writes it."""
    return DeviceOut.model_validate(
        {name: getattr(row, name) for name in DeviceOut.model_fields if name != "quality"}
        | {
            "registered_at": instant(row.registered_at),
            "retired_at": instant_or_none(row.retired_at),
            "last_seen_at": instant_or_none(row.last_seen_at),
            "quality": QualityOut(
                seq_missed=row.seq_missed,
                seq_repeated=row.seq_repeated,
                clock_skew_s=None if row.clock_skew_ms is None else row.clock_skew_ms / 1000,
            ),
        }
    )


def reading_out(row: StoredReading) -> ReadingOut:
    """Return a reading as the API writes it."""
    metric = catalogue().by_number[row.metric]
    marks = Mark(row.flags & ~Mark.QUALITY)
    return ReadingOut(
        ts=instant(row.ts),
        metric=_with_channel(metric.name, row.channel),
        value=row.value,
        uom=metric.unit,
        quality=_QUALITY[row.flags & Mark.QUALITY],
        marks=[mark.name.lower() for mark in Mark if mark is not Mark.QUALITY and mark in marks and mark.name],
        received_at=instant(row.received_at),
    )


def bucket_out(metric: str, row: Bucket) -> BucketOut:
    """Return a bucket as the API writes it."""
    return BucketOut(
        ts=instant(row.ts),
        metric=_with_channel(metric, row.channel),
        count=row.count,
        min=row.low,
        max=row.high,
        mean=row.mean,
        last=row.last,
    )


def unit_out(row: UnitRow) -> UnitOut:
    """Return a unit as the API writes it."""
    return UnitOut(
        unit=row.code,
        name=row.name,
        category=row.category,
        grid=row.grid,
        address=row.address,
        lon=row.lon,
        lat=row.lat,
        devices={"online": 0, "offline": 0, "never_seen": 0} | row.devices,
    )


def unit_rates_out(found: UnitRates, targets: Targets) -> dict[str, Any]:
    """Return a unit's connection and rates as its file has them."""
    return {
        "connection": UnitConnectionOut(
            must_connect=must_connect(found.given, found.category),
            given=found.given,
            connected=found.connected,
            since=instant_or_none(found.connected_since),
        ),
        "rates": device_rates(found.figures, targets),
    }


_QUALITY: dict[int, Literal["good", "uncertain", "bad"]] = {
    Quality.GOOD: "good",
    Quality.UNCERTAIN: "uncertain",
    Quality.BAD: "bad",
}


def _with_channel(metric: str, channel: str) -> str:
    return f"{metric}.{channel}" if channel else metric
