"""Rates as the API writes them: the share, what of what, and the target it is held against."""

from pydantic import Field

from firetower.devices.rates import Figures, Targets, reaches, share
from firetower.web.api_models import Answered


class RateOut(Answered):
    """One rate."""

    rate: float | None = Field(description="a share of 1; null of nothing, which is neither 0 nor 1")
    count: int
    of: int
    target: float
    reached: bool | None


class DeviceRatesOut(Answered):
    """Online and intact rate of what is watched, and what is not watched beside it."""

    online: RateOut = Field(description="在线率: online, of devices in service that ever reported, none in maintenance")
    intact: RateOut = Field(
        description="完好率: of the same; online, no fault or data-quality alert standing, in no impairment; of "
        "hydrants, water cranes and water points no hazard either"
    )
    never_reported: int = Field(description="in service, never heard of, and so in neither rate")
    in_maintenance: int = Field(description="in an announced maintenance window, and so in neither rate")


class RatesOut(DeviceRatesOut):
    """All three rates."""

    connection: RateOut = Field(description="接入率: connected units, of units that must connect")


def device_rates(figures: Figures, targets: Targets) -> DeviceRatesOut:
    """Return the two rates of devices."""
    return DeviceRatesOut(
        online=_rate(figures.online, figures.devices, targets.online),
        intact=_rate(figures.intact, figures.devices, targets.intact),
        never_reported=figures.never_reported,
        in_maintenance=figures.in_maintenance,
    )


def connection_rate(figures: Figures, targets: Targets) -> RateOut:
    """Return the rate of units."""
    return _rate(figures.units_connected, figures.units_due, targets.connection)


def _rate(count: int, of: int, target: float) -> RateOut:
    rate = share(count, of)
    return RateOut(rate=rate, count=count, of=of, target=target, reached=reaches(rate, target))
