"""What new alerts are raised under, looked up in one round trip a slice: place, windows in force, causes, turns.

Everything is read by keys and bounded, whatever the sizes of the tables: causes among the newest alerts of a gateway
or unit, turns among the newest of a device. What that leaves out is found by the desk soon after.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from firetower.alerts.chatter import CHATTER_WITHIN, TURNS
from firetower.alerts.circumstances import Circumstances, Follows, may_be_explained, may_explain, raised_under
from firetower.alerts.holds import POWER_RULES, explains
from firetower.alerts.model import Alert
from firetower.alerts.windows import Window
from firetower.core.clock import Micros, to_datetime
from firetower.storage import windows
from firetower.storage.alert_rows import CHUNK, chunks

_NEWEST = 5
"""Alerts of a gateway or unit among which its silence is looked for, and of a device, the one before this one."""


def _zone_words(zone: str, floor: str, building: str) -> str:
    return ", ".join(f"nullif(coalesce(nullif({each}.name, ''), {each}.code), '')" for each in (building, floor, zone))


_GIVEN = ("unit", "device", "rule", "subject_kind", "subject", "component", "alert_class")
_POWER = ", ".join(f"'{rule}'" for rule in POWER_RULES)
_TURNS = ", ".join(f"'{reason}'" for reason in TURNS)

# What a group's subject names (``unit/gateway``, ``unit/building``, ``unit/building/floor/zone``), by its codes.
_GATEWAY = "(SELECT g.id FROM device g JOIN unit o ON o.id = g.unit_id WHERE o.code = n.unit AND g.name = n.device)"
_BUILDING = "(SELECT g.id FROM building g WHERE g.unit_id = u.id AND g.code = split_part(n.subject, '/', 2))"
_ZONE = (
    "(SELECT g.id FROM building o JOIN floor p ON p.building_id = o.id JOIN zone g ON g.floor_id = p.id"
    " WHERE o.unit_id = u.id AND o.code = split_part(n.subject, '/', 2) AND p.code = split_part(n.subject, '/', 3)"
    " AND g.code = split_part(n.subject, '/', 4))"
)

_FACTS = ", ".join(
    f"each.{name}"
    for name in (
        *("n", "alert_id", "cause", "turns", "at_unit", "at_unit_name", "at_device", "at_kind", "at_zone", "at_level"),
        *("at_place", "at_elsewhere", "at_lon", "at_lat", "at_main", "at_gateway", "at_retired", "at_point"),
    )
)

# A point's zone and place stand alone where a point is registered. A look-up for each key, not a join (OFFSET 0), so
# that no plan made while a table was small can turn into a scan of it.
_FIND = f"""
WITH found AS MATERIALIZED (
    SELECT n.n, nextval('alert_id_seq') AS alert_id,
           n.rule, n.subject_kind, n.subject, n.component, n.explained, n.alert_class,
           coalesce(n.unit, u.code) AS at_unit, nullif(u.name, '') AS at_unit_name,
           coalesce(n.device, d.name) AS at_device, d.kind AS at_kind,
           CASE WHEN z.code IS NOT NULL THEN b.code || '/' || f.code || '/' || z.code
                WHEN n.subject_kind = 'zone' THEN nullif(substr(n.subject, strpos(n.subject, '/') + 1), '')
                END AS at_zone,
           f.level AS at_level,
           concat_ws(' / ', {_zone_words("z", "f", "b")},
               nullif(CASE WHEN p.place IS NULL THEN d.place ELSE p.place END, '')) AS at_place,
           coalesce(nullif(m.name, ''), nullif(u.address, '')) AS at_elsewhere,
           coalesce(d.lon, u.lon, on_main.lon) AS at_lon, coalesce(d.lat, u.lat, on_main.lat) AS at_lat,
           coalesce((SELECT code FROM water_main WHERE id = d.main_id), m.code) AS at_main, d.gateway AS at_gateway,
           d.retired_at IS NOT NULL AS at_retired, p.place IS NOT NULL AS at_point
    FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bool[]) WITH ORDINALITY
        AS n (device_id, unit, device, rule, subject_kind, subject, component, alert_class, explained, n)
    LEFT JOIN LATERAL (
        SELECT * FROM device WHERE id = CASE WHEN n.device_id IS NULL AND n.subject_kind = 'gateway' THEN {_GATEWAY}
            ELSE n.device_id END OFFSET 0
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT zone_id, place FROM point WHERE device_id = n.device_id AND component = n.component OFFSET 0
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT * FROM unit WHERE id = coalesce(d.unit_id, (SELECT o.id FROM unit o WHERE o.code = n.unit)) OFFSET 0
    ) u ON true
    LEFT JOIN LATERAL (
        SELECT * FROM zone WHERE id = CASE WHEN n.subject_kind = 'zone' THEN {_ZONE}
            WHEN p.place IS NULL THEN d.zone_id ELSE p.zone_id END OFFSET 0
    ) z ON true
    LEFT JOIN LATERAL (SELECT * FROM floor WHERE id = z.floor_id OFFSET 0) f ON true
    LEFT JOIN LATERAL (
        SELECT * FROM building WHERE id = CASE WHEN n.subject_kind = 'zone' AND f.id IS NULL THEN {_BUILDING}
            ELSE f.building_id END OFFSET 0
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT id, code, name FROM water_main WHERE n.subject_kind = 'main' AND code = n.subject OFFSET 0
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT lon, lat FROM device
        WHERE m.id IS NOT NULL AND main_id = m.id AND lon IS NOT NULL AND lat IS NOT NULL ORDER BY id LIMIT 1
    ) on_main ON true
),
in_force AS MATERIALIZED (
    SELECT {windows.COLUMNS} FROM announced_window w
    WHERE w.ends_at > $10 AND w.starts_at <= $10
    AND w.approved_at IS NOT NULL AND w.refused_at IS NULL AND w.ended_at IS NULL
    AND (w.unit IN (SELECT at_unit FROM found) OR w.main IN (SELECT at_main FROM found))
)
SELECT {_FACTS}, in_force.* FROM in_force FULL JOIN (
    SELECT found.*,
           CASE WHEN NOT explained THEN NULL WHEN alert_class = 'offline' THEN coalesce(silent.id, dead.id)
                ELSE unpowered.id END AS cause,
           (SELECT count(*) FROM (
               SELECT id, rule, subject_kind, subject, component FROM alert
               WHERE found.alert_class <> 'fire' AND unit = found.at_unit AND device = found.at_device
               ORDER BY raised_at DESC LIMIT {_NEWEST}
           ) a CROSS JOIN LATERAL (
               SELECT h.at, h.reason FROM alert_history h WHERE h.alert_id = a.id ORDER BY h.seq DESC LIMIT 4
           ) h
           WHERE a.rule = found.rule AND a.subject_kind = found.subject_kind AND a.subject = found.subject
           AND a.component = found.component AND h.at > $11 AND h.reason IN ({_TURNS})) AS turns
    FROM found
    LEFT JOIN LATERAL (
        SELECT g.id FROM (
            SELECT id, alert_class, subject_kind, state, condition FROM alert
            WHERE found.explained AND found.alert_class = 'offline' AND found.subject_kind = 'device'
            AND unit = found.at_unit AND device = found.at_gateway ORDER BY raised_at DESC LIMIT {_NEWEST}
        ) g
        WHERE g.alert_class = 'offline' AND g.subject_kind = 'gateway'
        AND g.state <> 'closed' AND g.condition = 'active' LIMIT 1
    ) silent ON true
    LEFT JOIN LATERAL (
        SELECT g.id FROM (
            SELECT id, alert_class, subject_kind, state, condition FROM alert
            WHERE found.explained AND found.alert_class = 'offline'
            AND unit = found.at_unit AND device IS NULL ORDER BY raised_at DESC LIMIT {_NEWEST}
        ) g
        WHERE g.alert_class = 'offline' AND g.subject_kind = 'unit'
        AND g.state <> 'closed' AND g.condition = 'active' LIMIT 1
    ) dead ON true
    LEFT JOIN LATERAL (
        SELECT g.id FROM (
            SELECT id, state, condition FROM alert
            WHERE found.explained AND found.alert_class = 'fault'
            AND rule IN ({_POWER}) AND subject_kind = found.subject_kind AND subject = found.subject
            AND (state <> 'closed' OR condition = 'active') OFFSET 0
        ) g
        WHERE g.state <> 'closed' AND g.condition = 'active' LIMIT 1
    ) unpowered ON true
) each ON false
ORDER BY each.n
"""


async def following(conn: Any, alerts: Sequence[Alert], devices: Sequence[int | None], at: Micros) -> list[Follows]:
    """Return, for each new alert raised at ``at``, what ``raised_under`` says; their ids are drawn.

    ``devices``: their device numbers. ``conn`` holds the transaction they are inserted in. One of the batch may be
    explained by another of it.
    """
    found: list[Circumstances] = []
    for pairs in chunks(list(zip(alerts, devices, strict=True))):
        found += await _look_up(conn, [alert for alert, _ in pairs], [number for _, number in pairs], at)
    causes = [replace(alert, id=each.alert_id) for alert, each in zip(alerts, found, strict=True) if may_explain(alert)]
    done: list[Follows] = []
    for number, (alert, each) in enumerate(zip(alerts, found, strict=True), 1):
        done.append(raised_under(alert, _explained(alert, each, causes) if causes else each))
        if number % CHUNK == 0:
            await asyncio.sleep(0)
    return done


def _explained(alert: Alert, found: Circumstances, causes: Sequence[Alert]) -> Circumstances:
    if found.cause is not None or not may_be_explained(alert):
        return found
    there = replace(alert, unit=found.unit, device=found.device, gateway=found.gateway)
    cause = next((each.id for each in causes if explains(each, there)), None)
    return found if cause is None else replace(found, cause=cause)


async def _look_up(
    conn: Any, alerts: Sequence[Alert], devices: Sequence[int | None], at: Micros
) -> list[Circumstances]:
    rows = await conn.fetch(
        _FIND,
        list(devices),
        *([getattr(alert, name) for alert in alerts] for name in _GIVEN),
        [may_be_explained(alert) for alert in alerts],
        to_datetime(at),
        to_datetime(at - CHATTER_WITHIN),
    )
    in_force = [windows.to_window(row) for row in rows if row["n"] is None]
    return [_circumstances(row, in_force) for row in rows if row["n"] is not None]


def _circumstances(row: Any, in_force: Sequence[Window]) -> Circumstances:
    return Circumstances(
        alert_id=row["alert_id"],
        unit=row["at_unit"],
        unit_name=row["at_unit_name"],
        device=row["at_device"],
        device_kind=row["at_kind"],
        zone=row["at_zone"],
        level=row["at_level"],
        place=row["at_place"],
        elsewhere=row["at_elsewhere"],
        lon=row["at_lon"],
        lat=row["at_lat"],
        main=row["at_main"],
        gateway=row["at_gateway"],
        retired=row["at_retired"],
        of_point=row["at_point"],
        windows=in_force,
        cause=row["cause"],
        turns=row["turns"],
    )
