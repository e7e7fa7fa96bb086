"""Scenarios on a running service in a test's time: a city that reports often, and scenarios that go as much faster."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from service import PASSWORD, Service

from firetower.core.clock import SECOND, SystemClock
from firetower.simulator.casting import cast
from firetower.simulator.city import SimCity
from firetower.simulator.run import run
from firetower.simulator.score.conductor import Conductor, Hook
from firetower.simulator.score.report import Limits, Report
from firetower.simulator.score.scored import scored
from firetower.simulator.score.service import signed_in
from firetower.simulator.script import Script
from firetower.simulator.script_file import Part

GRACE = 30 * SECOND
"""No test passes or fails by how busy the machine is."""
_TIMES = {
    "at", "until", "within", "over", "every", "clears_after", "report_every", "span", "step", "stagger", "lasts",
    "spread",
}  # fmt: skip


def often(city: SimCity, seconds: int) -> SimCity:
    """Return the city with devices that promise a report each ``seconds``."""
    devices = tuple(device.model_copy(update={"interval_s": seconds}) for device in city.city.devices)
    return dataclasses.replace(city, city=city.city.model_copy(update={"devices": devices}))


def cast_only(city: SimCity, parts: Sequence[Part]) -> SimCity:
    """Return the city with no devices but those that play, each by itself."""
    playing = {number for devices in cast(parts, city.city).roles.values() for number in devices}
    devices = tuple(city.city.devices[number].model_copy(update={"gateway": None}) for number in sorted(playing))
    return dataclasses.replace(city, city=city.city.model_copy(update={"devices": devices}))


def faster(part: Part, times: float) -> Part:
    """Return a scenario all of whose times are so many times as short."""
    body = _scaled(part.script.model_dump(by_alias=True, exclude_unset=True), times)
    return dataclasses.replace(part, script=Script.model_validate(body), at=part.at / times)


def at_any_hour(part: Part) -> Part:
    """Return a scenario that begins at no time of the day of its own."""
    return dataclasses.replace(part, script=part.script.model_copy(update={"begins": None}))


def _scaled(value: Any, times: float) -> Any:
    if isinstance(value, dict):
        return {
            name: each / times if name in _TIMES and isinstance(each, int | float) else _scaled(each, times)
            for name, each in value.items()
        }
    return [_scaled(each, times) for each in value] if isinstance(value, list | tuple) else value


async def bring_in(service: Service, city: SimCity, folder: Path) -> None:
    """Have the service know the city."""
    city.write(folder / "city")
    status, said = await service.command("devices", "import", str(folder / "city" / "city.json"))
    assert status == 0, said


async def played(
    service: Service, broker: str, city: SimCity, parts: Sequence[Part], *, seconds: float | None = None,
    speed: float = 1.0, hooks: Mapping[str, Hook] | None = None, settle: float = 40,
) -> Report:  # fmt: skip
    """Play on a service that knows the city; return the score."""
    clock = SystemClock()
    async with signed_in(service.url, "admin", PASSWORD) as seen:
        return await scored(
            seen,
            lambda collect: run(
                city, broker_url=broker, scenario=parts, seconds=seconds, clock=clock, on_truth=collect, speed=speed,
                conduct=Conductor(seen, hooks or {}, clock),
            ),
            clock=clock, limits=Limits(), grace=GRACE, settle=settle,
        )  # fmt: skip


def check(report: Report, *, undecided: Collection[str] = ()) -> None:
    """Nothing missed, nothing twice, nothing invented, nothing lost, everything done that was to be done.

    ``undecided``: steps that take longer than the test waits.
    """
    assert {each.step for each in report.score.undecided} <= set(undecided), "\n".join(report.text())
    wrong = {name: count for name, (count, _) in report.counts.items() if count and name != "late"}
    assert not wrong, "\n".join(report.text())
    assert report.score.found, "nothing was expected"
