"""An hour of stored history for back-tests and explanations: a small city, its readings, one alarm, four alerts."""

from typing import Any

import asyncpg
from alert_making import hazard

from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.devices.city import read_city
from firetower.devices.events import AlertClass, Event
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.rules.book.rulebook import load_texts
from firetower.storage import readings
from firetower.storage import registry as stored_registry
from firetower.storage.alerts import apply_verdicts
from firetower.storage.burning_rules import note_in_force

BEGIN: Micros = 1_763_800_020 * SECOND
"""A whole minute."""
NOW = BEGIN + 60 * MINUTE

_FIRE = """
rules:
  - id: smoke-fire
    version: {version}
    title: {{zh: 烟雾, en: Smoke}}
    advice: {{zh: 核实, en: Verify}}
    class: fire
    kinds: [smoke]
    metric: smoke
    condition:
      limit:
        side: at_or_above
        bands:
          - {{priority: 1, limit: {limit} dB/m, clear: 0.15 dB/m, on_delay: 10s, latch: true, source: "J, a test"}}
"""
_PRESSURE = """
rules:
  - id: hydrant-low
    version: {version}
    title: {{zh: 水压低, en: Low}}
    advice: {{zh: 检查, en: Look}}
    class: hazard
    kinds: [hydrant]
    metric: pressure
    condition:
      limit:
        side: below
        bands:
          - {{priority: 3, limit: {limit} MPa, clear: 0.16 MPa, on_delay: 5min, source: "J, a test"}}
"""
RULING = {
    "smoke.yaml": _FIRE.format(version=1, limit="0.20"),
    "hydrant.yaml": _PRESSURE.format(version=1, limit="0.14"),
}
"""The rules in force."""
LOOSER = {
    "smoke.yaml": _FIRE.format(version=2, limit="0.30"),
    "hydrant.yaml": _PRESSURE.format(version=2, limit="0.10"),
}
"""Rules that find less."""


def at(minutes: float) -> Micros:
    """An instant so many minutes after the beginning."""
    return BEGIN + round(minutes * MINUTE)


async def register(pool: asyncpg.Pool) -> Registry:
    """Register unit u1 with four detectors in two zones, a hydrant and a panel; return the registry."""
    floors = [{"code": "1", "zones": [{"code": "e"}, {"code": "w"}]}]
    detectors = (("smk-1", "A/1/e"), ("smk-2", "A/1/w"), ("smk-3", "A/1/w"), ("smk-4", "A/1/w"))
    city, errors = read_city(
        {
            "format": "firetower-registry/1",
            "units": [{"code": "u1", "name": "Mall", "buildings": [{"code": "A", "floors": floors}]}],
            "devices": [
                *(
                    {"unit": "u1", "device": name, "kind": "smoke", "interval_s": 10, "zone": zone}
                    for name, zone in detectors
                ),
                {"unit": "u1", "device": "hyd-1", "kind": "hydrant", "interval_s": 60},
                {"unit": "u1", "device": "panel-1", "kind": "panel"},
            ],
        }
    )
    assert errors == []
    assert (await stored_registry.import_city(pool, city)).errors == []
    registry = Registry()
    await stored_registry.load(pool, registry)
    return registry


async def store(pool: asyncpg.Pool, registry: Registry, rows: list[tuple[str, str, Micros, float]]) -> None:
    """Store readings: (device, metric, time, value), each received a second later."""
    device = [registry.number("u1", name) for name, _, _, _ in rows]
    metric = [catalogue().by_name[name].number for _, name, _, _ in rows]
    count = len(rows)
    batch = Readings.of(
        [0] * count, device, metric, [0] * count, [row[2] for row in rows],
        [row[2] + SECOND for row in rows], [row[3] for row in rows], [0] * count,
    )  # fmt: skip
    async with pool.acquire() as conn, conn.transaction():
        await readings.insert_new(conn, batch, at=NOW, retention_days=400)


async def make_history(pool: asyncpg.Pool) -> Registry:
    """Store the hour.

    smk-1 burns from 20 to 22 min (0.40 dB/m), smk-2 at 30 to 32 min (0.22 dB/m), which were real fires; smk-3 at 40 to
    41 min (0.22 dB/m), a false alarm. hyd-1 has 0.12 MPa from 10 to 30 min. The panel says fire at 50 min;
    smk-4, of the zone of smk-2 and smk-3, says nothing.
    """
    registry = await register(pool)
    rows: list[tuple[str, str, Micros, float]] = []
    burning = {"smk-1": (20, 22, 0.40), "smk-2": (30, 32, 0.22), "smk-3": (40, 41, 0.22)}
    for name, (first, last, value) in burning.items():
        rows += [
            (name, "smoke", at(tens / 6), value if first * 6 <= tens < last * 6 else 0.01) for tens in range(6 * 60)
        ]
    rows += [("hyd-1", "pressure", at(minute), 0.12 if 10 <= minute < 30 else 0.30) for minute in range(60)]
    await store(pool, registry, rows)
    said = Event(
        "u1", "panel-1", registry.number("u1", "panel-1"), "fire", True, "2-1", "3F", at(50), at(50) + SECOND, "k1"
    )
    async with pool.acquire() as conn, conn.transaction():
        await apply_verdicts(conn, [], at=at(50) + SECOND, events=[said])
    for name, minute, disposition in (("smk-1", 20, "real_fire"), ("smk-2", 30, "real_fire"), ("smk-3", 40, "false")):
        await _alert(pool, registry, name, at(minute + 1 / 6), disposition)
    await note_in_force(pool, load_texts(RULING))
    return registry


async def _alert(pool: Any, registry: Registry, device: str, began: Micros, turned_out: str) -> None:
    """Store the alert of a detector's fire, closed five minutes later with what it turned out to be."""
    verdict = hazard(
        device, began, rule="smoke-fire", component="smoke", alert_class=AlertClass.FIRE, priority=1, latch=True,
        device_number=registry.number("u1", device),
    )  # fmt: skip
    async with pool.acquire() as conn, conn.transaction():
        await apply_verdicts(conn, [verdict], at=began + SECOND)
    await pool.execute(
        "UPDATE alert SET state = 'closed', condition = 'normal', acknowledged_at = raised_at + interval '1 min',"
        " closed_at = raised_at + interval '5 min', disposition = $2 WHERE subject = $1",
        f"u1/{device}",
        "false_alarm" if turned_out == "false" else turned_out,
    )
