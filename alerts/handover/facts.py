"""What is known of an alert when 119 is told of it: where it is, what says so, whom to call, where there is water."""

from dataclasses import dataclass

from firetower.alerts.flags import MANUAL
from firetower.alerts.handover.model import Kind
from firetower.alerts.model import Alert
from firetower.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Premises:
    """The unit and the place within it, by the registry's names; "" and None where it knows none.

    ``lon``, ``lat``: the unit's, in degrees, WGS-84. ``level``: of the floor, 1 the ground floor, negative
    below it.
    """

    category: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    building: str = ""
    floor: str = ""
    level: int | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """Another open fire or prealarm of the unit. ``is_near``: of the same zone."""

    alert_id: int
    alert_class: str
    title_zh: str
    title_en: str
    device: str | None
    device_kind: str | None
    component: str
    place: str | None
    raised_at: Micros
    is_near: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to call. ``role``: a word of ``alerts.contacts.Role``; ``is_reachable``: by their hours, now."""

    role: str
    name: str
    phone: str
    is_reachable: bool = True
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Water:
    """Where there is water: a hydrant, a water crane, a water point. ``bearing``: as seen from the alert.

    ``faulty``: something open says that it may give none, or nobody knows.
    """

    kind: str
    name: str
    place: str
    lon: float
    lat: float
    distance_m: float
    bearing: str
    faulty: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. ``persons`` in the order to call them, ``water`` the nearest first."""

    alert: Alert
    premises: Premises
    signals: tuple[Signal, ...] = ()
    persons: tuple[Person, ...] = ()
    water: tuple[Water, ...] = ()

    @property
    def coordinates(self) -> tuple[float, float] | None:
        """Longitude and latitude of the alert, else of its unit; None where neither is known."""
        for lon, lat in ((self.alert.lon, self.alert.lat), (self.premises.lon, self.premises.lat)):
            if lon is not None and lat is not None:
                return lon, lat
        return None


def point(alert: Alert) -> str:
    """Return the point 部位 as people are told it; "" of what a person reported, whose component names nothing."""
    return "" if MANUAL in alert.flags else alert.component


@dataclass(frozen=True, slots=True)
class Told:
    """One message with the facts. ``report_key``: of its report, its own of a report; ``earlier_key``: of the report
    that the alert had before this one, None without. ``sender``: our code there.
    """

    key: str
    report_key: str
    earlier_key: str | None
    kind: Kind
    text: str
    actor: str
    created_at: Micros
    sender: str
    facts: Facts
