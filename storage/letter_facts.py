"""What a letter is written from, read when it is sent: the alert's place, its rule's advice, the nearest water."""

from collections.abc import Callable
from datetime import tzinfo

import asyncpg

from firetower.alerts.model import Alert
from firetower.alerts.notify.message import Facts, Water
from firetower.alerts.notify.wanted import Candidate
from firetower.devices.metrics import catalogue
from firetower.rules.book.model import Rule
from firetower.storage import nearest
from firetower.storage.pool import store_errors


class LetterFacts:
    """Reads them. ``zone``: whose clock the letters' times go by. ``rule``: gives the one in force of an id, if any."""

    def __init__(self, pool: asyncpg.Pool, zone: tzinfo, rule: Callable[[str], Rule | None]) -> None:
        self._pool = pool
        self._zone = zone
        self._rule = rule

    async def of(self, candidate: Candidate) -> Facts:
        """Return what a letter about the alert is written from. Raises StoreUnavailable."""
        alert = candidate.alert
        address = ""
        water: tuple[Water, ...] = ()
        rule = self._rule(alert.rule)
        advice = None if rule is None else {"zh": rule.advice.zh, "en": rule.advice.en}
        with store_errors():
            if alert.unit is not None:
                address = await self._pool.fetchval("SELECT address FROM unit WHERE code = $1", alert.unit) or ""
            if alert.lon is not None and alert.lat is not None:
                found = await nearest.water(self._pool, alert.lon, alert.lat)
                water = tuple(_water(each) for each in found)
        return Facts(alert, self._zone, address, _uom(alert), advice, water)


def _water(found: nearest.Water) -> Water:
    name = found.place or found.device
    return Water(found.kind.value, name, round(found.distance_m), faulty=found.faulty)


def _uom(alert: Alert) -> str:
    """Return the unit of measure of an alert's value: of its figure where that is derived, else the metric's."""
    if alert.figure:
        return alert.figure.split(" ")[-1]
    known = None if alert.metric is None else catalogue().by_name.get(alert.metric.partition(".")[0])
    return "" if known is None else known.unit
