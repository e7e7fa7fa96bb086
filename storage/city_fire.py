"""What an import may not touch: a device, or a panel's points, under an open fire alert stays what it was."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from firetower.devices.city import Device, ItemError

_BURNING = """
SELECT DISTINCT ON (d.id) a.id AS alert, u.id AS unit_id, u.code AS unit, d.name, d.kind, d.model, d.lon, d.lat,
       d.interval_s, d.zone_id, d.main_id, d.place, d.attributes::text AS attributes, d.gateway,
       d.retired_at IS NOT NULL AS retired,
       (SELECT coalesce(json_agg(json_build_array(p.component, p.zone_id, p.place) ORDER BY p.component COLLATE "C"),
                        '[]')::text FROM point p WHERE p.device_id = d.id) AS points
FROM alert a JOIN unit u ON u.code = a.unit JOIN device d ON d.unit_id = u.id AND d.name = a.device
WHERE a.alert_class = 'fire' AND a.state <> 'closed'
ORDER BY d.id, a.id
"""


async def changes_under_fire(
    conn: Any, devices: Sequence[Device], zones: Mapping[tuple[int, str], int], mains: Mapping[str, int]
) -> list[ItemError]:
    """Return an error for each device whose row would change while a fire alert of it is open.

    What an operator works by (where it is, what it is, that it is in use) must not change under an alarm; the same row
    again is no change. ``zones``: ids by (unit id, path); ``mains``: ids by code.
    """
    burning = {(row["unit"], row["name"]): row for row in await conn.fetch(_BURNING)}
    if not burning:
        return []
    errors: list[ItemError] = []
    for n, device in enumerate(devices):
        row = burning.get((device.unit, device.device))
        if row is None:
            continue
        given = _given(device, row["unit_id"], zones, mains)
        changed = [name for name, value in _standing(row).items() if value != given[name]]
        if changed:
            errors.append(
                ItemError(
                    where=f"/devices/{n}",
                    item=f"{device.unit}/{device.device}",
                    message=f"{', '.join(changed)} may not change while fire alert {row['alert']} of this device is"
                    " open; close the alert first, then import again",
                )
            )
    return errors


async def changed_under_fire(conn: Any, known: int, gone: Sequence[int]) -> list[ItemError]:
    """Return an error for each device of which a fire was raised while this transaction changed its row.

    An import may take minutes. ``known``: the highest number of a device before it; what it registers anew is no
    change. ``gone``: devices that lost a point.
    """
    rows = await conn.fetch(
        "SELECT DISTINCT ON (d.id) a.id AS alert, u.code AS unit, d.name FROM alert a"
        " JOIN unit u ON u.code = a.unit JOIN device d ON d.unit_id = u.id AND d.name = a.device"
        " WHERE a.alert_class = 'fire' AND a.state <> 'closed' AND d.id <= $1 AND (d.id = ANY($2::int4[])"
        " OR d.xmin = pg_current_xact_id()::xid"
        " OR EXISTS (SELECT FROM point p WHERE p.device_id = d.id AND p.xmin = pg_current_xact_id()::xid))"
        " ORDER BY d.id, a.id",
        known,
        gone,
    )
    return [
        ItemError(
            where="/devices",
            item=f"{row['unit']}/{row['name']}",
            message=f"fire alert {row['alert']} of this device was raised while the file was read in; close the alert"
            " first, then import again",
        )
        for row in rows
    ]


def _standing(row: Any) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "model": row["model"],
        "lon": row["lon"],
        "lat": row["lat"],
        "interval_s": row["interval_s"],
        "zone": row["zone_id"],
        "main": row["main_id"],
        "gateway": row["gateway"],
        "place": row["place"],
        "attributes": msgspec.json.decode(row["attributes"]),
        "retired": row["retired"],
        "points": msgspec.json.decode(row["points"]),
    }


def _given(device: Device, unit: int, zones: Mapping[tuple[int, str], int], mains: Mapping[str, int]) -> dict[str, Any]:
    points = sorted(device.points, key=lambda point: point.component)
    return {
        "kind": device.kind.value,
        "model": device.model,
        "lon": device.lon,
        "lat": device.lat,
        "interval_s": device.interval_s,
        "zone": None if device.zone is None else zones.get((unit, device.zone)),
        "main": None if device.main is None else mains.get(device.main),
        "gateway": device.gateway,
        "place": device.place,
        "attributes": device.attributes,
        "retired": device.retired,
        "points": [
            [point.component, None if point.zone is None else zones.get((unit, point.zone)), point.place]
            for point in points
        ],
    }
