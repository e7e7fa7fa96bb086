"""What a scenario says should be alarmed, turned into lines of the truth: about whom, from when to when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firetower.core.clock import SECOND, Micros, to_datetime
from firetower.devices.city import City, Device
from firetower.simulator.curves import LOCAL
from firetower.simulator.script import Never, Of, Truth
from firetower.simulator.truth import FOREVER, About, Expected, Forbidden


@dataclass(frozen=True, slots=True)
class Because:
    """Why something is expected: the scenario and the step of it."""

    scenario: str
    step: str


def about(city: City, number: int, of: Of) -> About | None:
    """Return what is alarmed when it is about device ``number`` or the group it stands in; None: it stands in none."""
    device = city.devices[number]
    name = f"{device.unit}/{device.device}"
    if of == "device":
        return About("device", device.unit, device.device, name)
    if of == "unit":
        return About("unit", device.unit, None, device.unit)
    if of == "main":
        return None if device.main is None else About("main", None, None, device.main)
    if device.zone is None:
        return None
    building = device.zone.partition("/")[0]
    return About("zone", device.unit, None, f"{device.unit}/{device.zone if of == 'zone' else building}")


def expected(truth: Truth, city: City, devices: Sequence[int], why: Because, at: Micros) -> Iterator[Expected]:
    """Yield what is expected of ``devices`` from ``at`` on, once for each thing it is about."""
    most_urgent, least_urgent = min(truth.priority), max(truth.priority)
    least = truth.least if _in_season(truth, at) else 0
    if truth.season and not least:
        return  # the rule does not watch then, and an alert of it would be a mistake
    for subject, device in _subjects(city, devices, truth.of):
        allowed = truth.within + truth.intervals * device.interval_s
        yield Expected(
            scenario=why.scenario, step=why.step, about=subject, alert_class=truth.alert_class.value,
            priority=(most_urgent, least_urgent), at=at, by=at + round(allowed * SECOND) if least else FOREVER,
            component=truth.component, rule=truth.rule, least=least, most=truth.most,
            flags=truth.flags, occurrences=truth.occurrences,
        )  # fmt: skip


def forbidden(never: Never, city: City, devices: Sequence[int], scenario: str) -> Iterator[Forbidden]:
    """Yield what must not be alarmed about ``devices``."""
    of = None if never.alert_class is None else never.alert_class.value
    for subject, _ in _subjects(city, devices, never.of):
        yield Forbidden(scenario, never.name, subject, of)


def _subjects(city: City, devices: Sequence[int], of: Of) -> Iterator[tuple[About, Device]]:
    seen: set[About] = set()
    for number in devices:
        subject = about(city, number, of)
        if subject is not None and subject not in seen:
            seen.add(subject)
            yield subject, city.devices[number]


def _in_season(truth: Truth, at: Micros) -> bool:
    return not truth.season or to_datetime(at + LOCAL).month in truth.season
