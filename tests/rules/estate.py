"""Devices with zone, main and gateway on a rulebook of a test's own: what they say, and what that makes of rules."""

from typing import Any

from scenario import World, at

from firetower.core.clock import SECOND
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry
from firetower.rules.book.checks import check
from firetower.rules.book.model import Calendar, Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict

WORDS = {"zh": "规则", "en": "rule"}
SOURCE = "J, a test"


def rule(name: str, form: str, condition: dict[str, Any], **fields: Any) -> Rule:
    """A rule the validator accepts; ``fields``: class (hazard), kinds (any), what else a rule has."""
    if form in {"event", "combination", "quality"}:
        condition = {"priority": 3, "source": SOURCE, **condition}
    words = {"version": 1, "title": {"zh": "规则", "en": name}, "advice": WORDS, "class": "hazard", "kinds": "any"}
    made = Rule.model_validate({"id": name, **words, **fields, "condition": {form: condition}})
    wrong = [words for _, words in check(made)]
    assert not wrong, wrong
    return made


def low(name: str = "low", *, shadow: bool = False, **fields: Any) -> Rule:
    """Pressure below 0.14 MPa yellow, below 0.10 MPa orange, at once."""
    bands = [
        {"priority": 3, "limit": "0.14 MPa", "clear": "0.16 MPa", "source": SOURCE},
        {"priority": 2, "limit": "0.10 MPa", "clear": "0.12 MPa", "source": SOURCE},
    ]
    return rule(name, "limit", {"side": "below", "bands": bands}, metric="pressure", shadow=shadow, **fields)


class Estate(World):
    """A world of these rules; times are seconds after START."""

    def __init__(self, *rules: Rule, calendar: Calendar | None = None) -> None:
        super().__init__(Rulebook(rules, calendar=calendar or Calendar()))

    def put(self, kind: DeviceKind = DeviceKind.HYDRANT, *, unit: str = "unit", **labels: Any) -> int:
        """Register a device, at START; ``labels``: zone, main, gateway, retired; an old ``number`` is changed."""
        number = labels.pop("number", self.count + 1)
        self.count = max(self.count, number)
        labels = {"registered_at": at(0)} | labels
        self.registry.add(DeviceEntry(number, unit, f"d{number}", kind, 60 * SECOND, **labels))
        return number

    def event(self, device: int, event: str, seconds: float, *, active: bool = True, component: str = "") -> Event:
        unit, name = self.registry.name(device)
        return Event(unit, name, device, event, active, component, "", at(seconds), at(seconds), None)

    def says(self, device: int, event: str, seconds: float, **more: Any) -> list[Verdict]:
        """What follows from an event, without the event's own verdict."""
        return others(
            self.engine.evaluate(Batch(self.readings(), at(seconds), [self.event(device, event, seconds, **more)]))
        )

    def measures(self, device: int, value: float, seconds: float) -> list[Verdict]:
        """What follows from a pressure, without the verdict of a limit."""
        return [each for each in self.report((device, "pressure", seconds, value)) if each.metric is None]


def others(verdicts: list[Verdict]) -> list[Verdict]:
    """All but the events' own verdicts."""
    return [each for each in verdicts if each.event is None]


def turns(verdicts: list[Verdict]) -> list[tuple[str, str, float]]:
    """(kind, rule, seconds after START) of each."""
    return [(each.kind.value, each.rule, (each.at - at(0)) / SECOND) for each in verdicts]
