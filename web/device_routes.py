"""Devices, their readings, and the units they stand in."""

from pydantic import BaseModel

from firetower.core.clock import DAY, SECOND, Micros, rfc3339
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.metrics import Metric, catalogue
from firetower.storage import device_history as history
from firetower.storage import devices as stored
from firetower.storage import rates
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Nothing, cursor_of, instant, parts_of
from firetower.web.device_models import (
    DeviceFileOut,
    DevicePage,
    DeviceQuery,
    Latest,
    PointOut,
    ReadingQuery,
    Readings,
    UnitFileOut,
    UnitPage,
    UnitQuery,
    bucket_out,
    device_out,
    reading_out,
    unit_out,
    unit_rates_out,
)

DEVICE = "/api/v1/devices/{unit}/{device}"
LONGEST: Micros = 3700 * DAY


async def list_devices(call: Call[DeviceQuery, None]) -> BaseModel:
    """List devices by unit and name."""
    query = call.query
    after = None
    if query.cursor is not None:
        unit, device = parts_of(query.cursor, 2)
        after = (unit, device)
    which = stored.DeviceFilter(
        call.unit_shown(query.unit), query.kind, query.status, query.q, query.retired, query.number
    )
    rows = await stored.list_devices(call.deps.pool, which, limit=query.limit + 1, after=after)
    kept = rows[: query.limit]
    more = cursor_of(kept[-1].unit, kept[-1].device) if len(rows) > query.limit else None
    return DevicePage(items=[device_out(row) for row in kept], next_cursor=more)


async def get_device(call: Call[Nothing, None]) -> BaseModel:
    """Return one device with its file."""
    number, row = await _device(call)
    points = await stored.points(call.deps.pool, number)
    return DeviceFileOut.model_validate(
        device_out(row).model_dump()
        | {"points": [PointOut(component=each.component, zone=each.zone, place=each.place) for each in points]}
    )


async def get_latest(call: Call[Nothing, None]) -> BaseModel:
    """Return what a device last said, metric by metric."""
    number, row = await _device(call)
    rows = await history.latest(call.deps.pool, number, row, call.deps.clock.now())
    return Latest(items=[reading_out(reading) for reading in rows if reading.metric in catalogue().by_number])


async def get_readings(call: Call[ReadingQuery, None]) -> BaseModel:
    """Return a device's readings over time, or with `points` what a chart needs of them."""
    query = call.query
    number, _ = await _device(call)
    metric, channel = _metric(query.metric)
    of = history.Series(number, metric.number, channel)
    end = call.deps.clock.now() + SECOND if query.end is None else query.end
    start = end - DAY if query.start is None else query.start
    if not start < end <= start + LONGEST:
        raise InvalidInput(
            f"from {rfc3339(start)} to {rfc3339(end)}: `to` must lie after `from`, at most {LONGEST // DAY} days"
        )
    if query.points is not None:
        width = max(-(-(end - start) // query.points), 1)
        found = await history.buckets(call.deps.pool, of, start, end, width=width)
        items = [bucket_out(metric.name, bucket) for bucket in found]
        return Readings(items=items, next_cursor=None, width_s=width / SECOND)
    after = None if query.cursor is None else _after(query.cursor)
    rows = await history.readings(call.deps.pool, of, start, end, limit=query.limit + 1, after=after)
    kept = rows[: query.limit]
    more = cursor_of(str(kept[-1].ts), str(kept[-1].channel_number)) if len(rows) > query.limit else None
    return Readings(items=[reading_out(row) for row in kept], next_cursor=more, width_s=None)


def _after(cursor: str) -> tuple[Micros, int]:
    ts, channel = parts_of(cursor, 2)
    if not (ts.isascii() and ts.isdigit() and len(ts) <= 16 and channel.isascii() and channel.isdigit()):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    return int(ts), min(int(channel[:6]), 2**15 - 1)


async def list_units(call: Call[UnitQuery, None]) -> BaseModel:
    """List units by code."""
    query = call.query
    after = None if query.cursor is None else parts_of(query.cursor, 1)[0]
    rows = await stored.list_units(call.deps.pool, q=query.q, limit=query.limit + 1, after=after)
    kept = rows[: query.limit]
    more = cursor_of(kept[-1].code) if len(rows) > query.limit else None
    return UnitPage(items=[unit_out(row) for row in kept], next_cursor=more)


async def get_unit(call: Call[Nothing, None]) -> BaseModel:
    """Return one unit: whom to call, its connection and rates, its buildings, floors and zones."""
    code = call.path("unit")
    found = await stored.get_unit(call.deps.pool, code) if call.may_see(code) else None
    counted = None if found is None else await rates.of_unit(call.deps.pool, code, call.deps.clock.now())
    if found is None or counted is None:
        raise NotFound(f"there is no unit {code!r}")
    return UnitFileOut.model_validate(
        unit_out(found.unit).model_dump()
        | {
            "contact_name": found.contact_name,
            "contact_phone": found.contact_phone,
            "registered_at": instant(found.registered_at),
            **unit_rates_out(counted, call.deps.targets),
            "buildings": found.buildings,
        }
    )


async def _device(call: Call[object, None]) -> tuple[int, stored.DeviceRow]:
    unit, device = call.path("unit"), call.path("device")
    found = await stored.get_device(call.deps.pool, unit, device) if call.may_see(unit) else None
    if found is None:
        raise NotFound(f"there is no device {unit}/{device}; GET /api/v1/devices?unit={unit} lists the unit's")
    return found


def _metric(name: str) -> tuple[Metric, str | None]:
    known = catalogue().by_name
    base, dot, channel = name.partition(".")
    if base not in known:
        raise InvalidInput(f"metric {name!r} is unknown; known: {', '.join(known)}")
    return known[base], channel if dot else None


ROUTES = (
    Route(
        "GET",
        "/api/v1/devices",
        list_devices,
        "List devices",
        "devices",
        access=Access.EVERYBODY,
        query=DeviceQuery,
        answer=DevicePage,
    ),
    Route("GET", DEVICE, get_device, "One device", "devices", access=Access.EVERYBODY, answer=DeviceFileOut),
    Route(
        "GET",
        DEVICE + "/readings",
        get_readings,
        "A device's readings",
        "devices",
        access=Access.EVERYBODY,
        query=ReadingQuery,
        answer=Readings,
    ),
    Route(
        "GET",
        DEVICE + "/latest",
        get_latest,
        "What a device last said",
        "devices",
        access=Access.EVERYBODY,
        answer=Latest,
    ),
    Route("GET", "/api/v1/units", list_units, "List units", "units", query=UnitQuery, answer=UnitPage),
    Route("GET", "/api/v1/units/{unit}", get_unit, "One unit", "units", access=Access.EVERYBODY, answer=UnitFileOut),
)
