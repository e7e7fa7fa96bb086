"""Where an alarm's unit is and whom it is called by, kept in memory: known also while the store is away."""

import asyncio
import math
from dataclasses import dataclass

from firetower.alerts.contacts import to_call
from firetower.alerts.provisional import ProvisionalAlarm
from firetower.core.clock import MINUTE, Micros
from firetower.devices.kinds import DeviceKind
from firetower.storage.phone_book import UnitCard, unit_cards
from firetower.web.deps import Deps
from firetower.web.store_rounds import StoreRounds

EVERY_S = 300.0
"""How old the book may be while the store answers."""
RETRY_S = 5.0
READ_S = 20.0
MOST = 4
"""People of a unit that are named; whom else it has stands in its file."""

_REMEMBERED = 5000
"""Units and minutes whose people are kept worked out."""
_NOTHING = UnitCard()
_KINDS = [kind.value for kind in DeviceKind]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the unit with a telephone. ``reachable``: whether their hours hold."""

    name: str
    role: str
    phone: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an alarm's place without the store; empty or None where it is not."""

    unit_name: str = ""
    address: str = ""
    kind: str | None = None
    lon: float | None = None
    lat: float | None = None
    people: tuple[Person, ...] = ()


class PhoneBook:
    """The units as last read. ``run`` until cancelled; what was read stands while the store is away."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._rounds = StoreRounds("the units' telephone numbers")
        self._cards: dict[str, UnitCard] = {}
        self._people: dict[tuple[str, int], tuple[Person, ...]] = {}

    async def run(self) -> None:
        """Read now and again every five minutes; sooner while nothing was read."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S if self._cards else RETRY_S)

    async def look(self) -> None:
        """Read once; without an answer what was read stands."""
        found = await self._rounds.ask(unit_cards(self._deps.pool), READ_S)
        if found is not None:
            self._cards = found
            self._people.clear()

    def of(self, alarm: ProvisionalAlarm) -> Known:
        """Return what is known of the place of an alarm, and whom to call there when it came in."""
        registry = self._deps.registry
        unit, device = alarm.unit or "", alarm.device or ""
        card = self._cards.get(unit, _NOTHING)
        number = registry.number(unit, device)
        lon, lat = (math.nan, math.nan) if number is None else (registry.lon[number], registry.lat[number])
        on_map = not (math.isnan(lon) or math.isnan(lat))
        return Known(
            unit_name=card.name,
            address=card.address,
            kind=None if number is None or registry.kind[number] < 0 else _KINDS[registry.kind[number]],
            lon=float(lon) if on_map else None,
            lat=float(lat) if on_map else None,
            people=self._to_call(unit, card, alarm.received_at),
        )

    def _to_call(self, unit: str, card: UnitCard, at: Micros) -> tuple[Person, ...]:
        """Return whom to call at a place, the same within a minute: two hundred points of a mall are asked for once."""
        key = unit, at // MINUTE
        known = self._people.get(key)
        if known is None:
            if len(self._people) >= _REMEMBERED:
                self._people.clear()
            known = self._people[key] = tuple(
                Person(each.name, each.role.value, each.phone, reach.now)
                for each, reach in to_call(card.contacts, at, self._deps.roster.zone)
                if each.phone is not None
            )[:MOST]
        return known
