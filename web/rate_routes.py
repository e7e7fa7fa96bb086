"""Connection, online and intact rate 接入率、在线率、完好率: now, by grid and by kind, and of days that are over."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from firetower.core.clock import to_datetime
from firetower.core.errors import InvalidInput
from firetower.devices.kinds import DeviceKind
from firetower.devices.rates import MOST_DAYS
from firetower.storage import rate_days
from firetower.storage.rates import CITY, Part
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, AsMany, Instant, instant, instant_or_none
from firetower.web.deps import hears
from firetower.web.rate_json import DeviceRatesOut, RateOut, RatesOut, connection_rate, device_rates

_USUAL_DAYS = 30
_Day = Annotated[date, Field(ge=date(1970, 1, 1), lt=date(2200, 1, 1))]


class RatesQuery(Asked):
    """What beside the city."""

    by: Annotated[tuple[Literal["grid", "kind"], ...], AsMany] = Field(
        ("grid", "kind"), description="with commas between; empty: the city alone"
    )


class GridRatesOut(RatesOut):
    """The rates of a grid's units and their devices."""

    grid: str | None = Field(description="null: of units in no grid")
    name: str


class KindRatesOut(DeviceRatesOut):
    """The rates of a kind of device."""

    kind: DeviceKind


class RatesNow(Answered):
    """The rates as they stand."""

    as_of: Instant
    hearing: bool = Field(description="false: devices are not heard now, and who is silent need not be away")
    city: RatesOut
    grids: list[GridRatesOut] = Field(description="by code, those in no grid last")
    kinds: list[KindRatesOut]


class DaysQuery(Asked):
    """Which days, of the city unless a grid or a kind is named."""

    start: _Day | None = Field(None, alias="from", description="a day; absent: 30 days before `to`")
    end: _Day | None = Field(None, alias="to", description="a day, that one too; absent: yesterday")
    grid: str | None = Field(None, max_length=64, description="of that grid; empty: of units in no grid")
    kind: DeviceKind | None = Field(None, description="of that kind of device")


class DayRatesOut(Answered):
    """The rates of a day that is over, frozen at its end; every figure null: nobody counted that day."""

    day: date
    connection: RateOut | None
    online: RateOut | None
    intact: RateOut | None
    intact_time: float | None = Field(
        description="完好率 by time: 1 - alarm duration / period, of the same devices, up to `as_of`; a share of 1"
    )
    never_reported: int | None
    in_maintenance: int | None
    as_of: Instant | None = Field(description="when it was counted last: at its end, unless something was away")
    frozen_at: Instant
    late: bool = Field(description="frozen more than ten minutes after its end")


class DaysPage(Answered):
    """Days, oldest first."""

    items: list[DayRatesOut]
    next_cursor: str | None


async def rates_now(call: Call[RatesQuery, None]) -> BaseModel:
    """Return the rates as they stand, counted at most fifteen seconds ago, or ten times as long as counting took."""
    targets, wanted = call.deps.targets, call.query.by
    counted = await call.site.rates.now()

    def parts(scope: str) -> list[str]:
        found = {code for of, code in counted.parts if of == scope} if scope in wanted else set()
        return sorted(found, key=lambda code: (not code, code))

    def written(part: Part) -> Mapping[str, object]:
        figures = counted.parts[part]
        return dict(device_rates(figures, targets)) | {"connection": connection_rate(figures, targets)}

    return RatesNow(
        as_of=instant(counted.as_of),
        hearing=hears(call.deps.health),
        city=RatesOut.model_validate(written(CITY)),
        grids=[
            GridRatesOut.model_validate(
                {**written(("grid", code)), "grid": code or None, "name": counted.names.get(code, "")}
            )
            for code in parts("grid")
        ],
        kinds=[
            KindRatesOut.model_validate({**dict(device_rates(counted.parts["kind", kind], targets)), "kind": kind})
            for kind in parts("kind")
        ],
    )


async def rates_of_days(call: Call[DaysQuery, None]) -> BaseModel:
    """Return the rates of days that are over, as they stood at each day's end."""
    query, targets = call.query, call.deps.targets
    if query.grid is not None and query.kind is not None:
        raise InvalidInput(f"grid {query.grid!r} and kind {query.kind!r}: days are kept of one or the other; ask twice")
    yesterday = to_datetime(call.deps.clock.now()).astimezone(call.deps.roster.zone).date() - timedelta(days=1)
    last = query.end or yesterday
    first = query.start or last - timedelta(days=_USUAL_DAYS - 1)
    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise InvalidInput(
            f"from {first} to {last}: `to` must not lie before `from`, nor over {MOST_DAYS} days after it"
        )
    part: Part = CITY
    if query.grid is not None:
        part = ("grid", query.grid)
    elif query.kind is not None:
        part = ("kind", query.kind)
    found = await rate_days.frozen(call.deps.pool, part, first, last)
    items = []
    for each in found:
        figures = each.figures
        of_devices = None if figures is None else device_rates(figures, targets)
        items.append(
            DayRatesOut(
                day=each.day,
                connection=None if figures is None or query.kind is not None else connection_rate(figures, targets),
                online=None if of_devices is None else of_devices.online,
                intact=None if of_devices is None else of_devices.intact,
                intact_time=each.intact_time,
                never_reported=None if figures is None else figures.never_reported,
                in_maintenance=None if figures is None else figures.in_maintenance,
                as_of=instant_or_none(each.as_of),
                frozen_at=instant(each.frozen_at),
                late=each.late,
            )
        )
    return DaysPage(items=items, next_cursor=None)


ROUTES = (
    Route("GET", "/api/v1/rates", rates_now, "The rates as they stand", "rates", query=RatesQuery, answer=RatesNow),
    Route(
        "GET",
        "/api/v1/rates/days",
        rates_of_days,
        "The rates of days that are over",
        "rates",
        query=DaysQuery,
        answer=DaysPage,
    ),
)
