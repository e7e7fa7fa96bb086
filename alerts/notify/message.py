"""A message: what a letter says to one person, in that person's language, and the facts it is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from firetower.alerts.model import Alert
from firetower.alerts.notify.letters import Letter
from firetower.core.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Water:
    """A source of water near an alert: its kind (``hydrant`` …), name, and metres as the crow flies.

    ``faulty``: something open says that it may give none.
    """

    kind: str
    name: str
    distance_m: int
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter is written from. ``address``: of the unit; ``advice``: of the rule, by language; ``zone``: whose
    clock its times go by; ``uom``: unit of measure of value and limit.
    """

    alert: Alert
    zone: tzinfo
    address: str = ""
    uom: str = ""
    advice: Mapping[str, str] | None = None
    water: tuple[Water, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A letter as it is sent. ``reference``: what the receiver knows it, and a repeat of it, by; ``link``: to say that
    it was read. ``title``, ``short``, ``long``: plain text, ``short``'s only line of at most 70 characters.
    """

    letter: Letter
    facts: Facts
    reference: str
    title: str
    short: str
    long: str
    link: str | None = None

    def text(self, form: str) -> str:
        """Return it in the form a channel takes."""
        return self.long if form == "long" else self.short

    def as_json(self) -> dict[str, Any]:
        """Return all of it for a receiver that is a program."""
        alert, new = self.facts.alert, self.letter.new
        return {
            "key": self.reference,
            "reason": new.reason,
            "level": new.level,
            "policy": new.policy,
            "to": {"name": new.name, "role": new.role, "address": new.address},
            "language": new.language,
            "title": self.title,
            "text": self.long,
            "short": self.short,
            "link": self.link,
            "alert": {
                "id": str(alert.id),
                "class": alert.alert_class.value,
                "priority": alert.priority,
                "state": alert.state.value,
                "title_zh": alert.title_zh,
                "title_en": alert.title_en,
                "unit": alert.unit,
                "unit_name": alert.unit_name,
                "address": self.facts.address or None,
                "device": alert.device,
                "component": alert.component,
                "place": alert.place,
                "text": alert.text,
                "value": alert.value,
                "limit": alert.limit_value,
                "uom": self.facts.uom or None,
                "lon": alert.lon,
                "lat": alert.lat,
                "coordinates": "WGS-84",
                "flags": list(alert.flags),
                "raised_at": rfc3339(alert.raised_at),
                "condition_at": rfc3339(alert.condition_at),
            },
            "water": [
                {"kind": each.kind, "name": each.name, "distance_m": each.distance_m, "faulty": each.faulty}
                for each in self.facts.water
            ],
        }
