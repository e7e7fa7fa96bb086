"""The steps of importing a registry file: references resolved in memory, each part written in two statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.devices.city import City, Device, ItemError
from firetower.devices.kinds import DeviceKind
from firetower.storage.city_cameras import write_cameras
from firetower.storage.city_contacts import write_contacts
from firetower.storage.city_fire import changed_under_fire, changes_under_fire
from firetower.storage.city_tables import (
    BUILDING,
    DEVICE,
    FLOOR,
    GRID,
    MAIN,
    POINT,
    STATION,
    UNIT,
    ZONE,
    Shape,
    create,
    relation,
    same_key,
    update,
)
from firetower.storage.plan_positions import forget, write_imported

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the items of one part."""

    created: int
    updated: int
    unchanged: int


_NO_UNIT = "unit {!r} is neither in this file nor in the store; add it to units"


class CityImport:
    """One import, on the caller's transaction; after ``run``, ``errors`` and ``tallies`` by part.

    With errors the caller undoes the transaction.
    """

    def __init__(self, conn: Any, city: City, by: str, *, timeout: float) -> None:
        self.errors: list[ItemError] = []
        self.tallies: dict[str, Tally] = {}
        self._conn = conn
        self._city = city
        self._by = by
        self._timeout = timeout

    async def run(self) -> None:
        """Write every part in the order of its references."""
        drawn = [None if g.boundary is None else json.dumps(g.boundary) for g in self._city.grids]
        rows = [(g.code, g.name, g.district, ring) for g, ring in zip(self._city.grids, drawn, strict=True)]
        await self._put("grids", GRID, rows)
        grids = await self._ids("SELECT code, id FROM grid")
        await self._put("mains", MAIN, self._mains(grids))
        mains = await self._ids("SELECT code, id FROM water_main")
        await self._put("units", UNIT, self._units(grids))
        units = await self._ids("SELECT code, id FROM unit")
        if self._city.stations:
            await self._put("stations", STATION, self._stations(grids, units))
        told = await write_contacts(self._conn, self._city, self._by, within_s=self._timeout)
        if told is not None:
            self.tallies["contacts"] = Tally(*told)
        zones = await self._places(units)
        seen = await write_cameras(self._conn, self._city, units, zones, self._error, within_s=self._timeout)
        if seen is not None:
            self.tallies["cameras"] = Tally(*seen)
        devices = await self._devices(units, zones, mains)
        self.errors += await changes_under_fire(self._conn, self._city.devices, zones, mains)
        if not self.errors:  # numbers of devices are dense: none is given to what will be undone
            known = await self._conn.fetchval("SELECT coalesce(max(id), 0) FROM device")
            await self._put("devices", DEVICE, devices)
            gone = await self._points(units, zones)
            placed, errors = await write_imported(self._conn, self._city, self._by)
            if placed is not None:
                self.tallies["positions"] = Tally(*placed)
            self.errors += errors
            self.errors += await changed_under_fire(self._conn, known, gone)

    def _error(self, where: str, item: str, message: str) -> None:
        self.errors.append(ItemError(where=where, item=item, message=message))

    def _grid(self, grids: dict[Any, int], code: str | None, where: str, item: str) -> int | None:
        if code is None:
            return None
        if code not in grids:
            self._error(where, item, f"grid {code!r} is neither in this file nor in the store; add it to grids")
        return grids.get(code)

    def _mains(self, grids: dict[Any, int]) -> list[Row]:
        return [
            (m.code, m.name, m.diameter_mm, self._grid(grids, m.grid, f"/mains/{n}", m.code))
            for n, m in enumerate(self._city.mains)
        ]

    def _units(self, grids: dict[Any, int]) -> list[Row]:
        return [
            (
                u.code,
                u.name,
                u.category,
                self._grid(grids, u.grid, f"/units/{n}", u.code),
                u.address,
                u.lon,
                u.lat,
                u.must_connect,
            )
            for n, u in enumerate(self._city.units)
        ]

    def _stations(self, grids: dict[Any, int], units: dict[Any, int]) -> list[Row]:
        rows: list[Row] = []
        for n, s in enumerate(self._city.stations):
            if s.unit is not None and s.unit not in units:
                self._error(f"/stations/{n}", s.code, _NO_UNIT.format(s.unit))
            grid = self._grid(grids, s.grid, f"/stations/{n}", s.code)
            rows.append((s.code, s.name, s.lon, s.lat, grid, units.get(s.unit)))
        return rows

    async def _places(self, units: dict[Any, int]) -> dict[tuple[int, str], int]:
        """Write buildings, floors and zones; return the ids of all zones by (unit id, ``building/floor/zone``)."""
        each = [(units.get(u.code, 0), b) for u in self._city.units for b in u.buildings]
        await self._put("buildings", BUILDING, [(unit, b.code, b.name) for unit, b in each])
        buildings = await self._ids("SELECT unit_id, code, id FROM building")
        floors = [(buildings.get((unit, b.code), 0), f) for unit, b in each for f in b.floors]
        await self._put("floors", FLOOR, [(building, f.code, f.name, f.level) for building, f in floors])
        stored = await self._ids("SELECT building_id, code, id FROM floor")
        zones = [(stored.get((building, f.code), 0), z) for building, f in floors for z in f.zones]
        await self._put("zones", ZONE, [(floor, z.code, z.name) for floor, z in zones])
        return await self._ids(
            "SELECT b.unit_id, b.code || '/' || f.code || '/' || z.code, z.id"
            " FROM zone z JOIN floor f ON f.id = z.floor_id JOIN building b ON b.id = f.building_id"
        )

    async def _devices(
        self, units: dict[Any, int], zones: dict[tuple[int, str], int], mains: dict[Any, int]
    ) -> list[Row]:
        rows: list[Row] = []
        gateways = {(units.get(d.unit), d.device) for d in self._city.devices if d.kind is DeviceKind.GATEWAY}
        if any(d.gateway is not None for d in self._city.devices):
            gateways |= set(await self._ids("SELECT unit_id, name, id FROM device WHERE kind = 'gateway'"))
        for n, d in enumerate(self._city.devices):
            where, item = f"/devices/{n}", f"{d.unit}/{d.device}"
            unit = units.get(d.unit)
            if unit is None:
                self._error(where, item, _NO_UNIT.format(d.unit))
                continue
            zone = self._zone(zones, unit, d, d.zone, n)
            for point in d.points:
                self._zone(zones, unit, d, point.zone, n)
            if d.gateway is not None and (unit, d.gateway) not in gateways:
                self._error(
                    where,
                    item,
                    f"gateway {d.gateway!r} is no device of kind gateway in unit {d.unit!r}, neither in this file nor"
                    " in the store; add it there",
                )
            main = None if d.main is None else mains.get(d.main)
            if d.main is not None and main is None:
                self._error(
                    where, item, f"water main {d.main!r} is neither in this file nor in the store; add it to mains"
                )
            attributes = json.dumps(d.attributes)
            rows.append(
                (
                    unit,
                    d.device,
                    d.kind.value,
                    d.model,
                    d.lon,
                    d.lat,
                    d.interval_s,
                    zone,
                    main,
                    d.place,
                    attributes,
                    d.gateway,
                    d.retired,
                )
            )
        return rows

    def _zone(self, zones: dict[tuple[int, str], int], unit: int, of: Device, path: str | None, n: int) -> int | None:
        zone = None if path is None else zones.get((unit, path))
        if path is not None and zone is None:
            self._error(
                f"/devices/{n}",
                f"{of.unit}/{of.device}",
                f"zone {path!r} is not in unit {of.unit!r}, neither in this file nor in the store; add it there",
            )
        return zone

    async def _points(self, units: dict[Any, int], zones: dict[tuple[int, str], int]) -> list[int]:
        """Write the points of this file's panels, forget those that a panel has no more, and return those panels."""
        panels = [d for d in self._city.devices if d.points or d.kind is DeviceKind.PANEL]
        if not panels:
            return []
        names = [units[d.unit] for d in panels], [d.device for d in panels]
        numbers = await self._ids(
            "SELECT d.unit_id, d.name, d.id FROM unnest($1::int4[], $2::text[]) AS g (unit_id, name)"
            " JOIN device d ON (d.unit_id, d.name) = (g.unit_id, g.name)",
            *names,
        )
        rows: list[Row] = [
            (
                numbers[units[d.unit], d.device],
                point.component,
                None if point.zone is None else zones[units[d.unit], point.zone],
                point.place,
            )
            for d in panels
            for point in d.points
        ]
        await self._put("points", POINT, rows)
        gone = await self._conn.fetch(
            "DELETE FROM point p WHERE p.device_id = ANY($1::int4[]) AND NOT EXISTS (SELECT FROM"
            " unnest($2::int4[], $3::text[]) AS g (device_id, component)"
            "  WHERE (g.device_id, g.component) = (p.device_id, p.component))"
            " RETURNING p.device_id, p.component",
            list(numbers.values()),
            [row[0] for row in rows],
            [row[1] for row in rows],
            timeout=self._timeout,
        )
        await forget(self._conn, [(row["device_id"], row["component"]) for row in gone])
        return [row["device_id"] for row in gone]

    async def _ids(self, query: str, *given: Sequence[Any]) -> dict[Any, int]:
        """Return the ids of ``query``'s last column by its other columns (one: itself, several: a tuple)."""
        rows = await self._conn.fetch(query, *given, timeout=self._timeout)
        return {(row[0] if len(row) == 2 else tuple(row)[:-1]): row[-1] for row in rows}

    async def _put(self, part: str, shape: Shape, rows: Sequence[Row]) -> None:
        rows = self._once(part, shape, rows)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(shape.columns)
        updated = await self._conn.execute(update(shape), *columns, timeout=self._timeout)
        created = await self._conn.execute(create(shape), *columns, timeout=self._timeout)
        self.tallies[part] = Tally(
            _affected(created), _affected(updated), len(rows) - _affected(created) - _affected(updated)
        )
        if shape.registered and rows:
            await self._claim(shape, columns)

    async def _claim(self, shape: Shape, columns: Sequence[Sequence[Any]]) -> None:
        """Write who registered what is new or had registered itself."""
        await self._conn.execute(
            f"UPDATE {shape.table} t SET registered_by = ${len(columns) + 1} FROM {relation(shape)}"
            f" WHERE {same_key(shape)} AND t.registered_by IN ('auto', '')",
            *columns,
            self._by,
            timeout=self._timeout,
        )

    def _once(self, part: str, shape: Shape, rows: Sequence[Row]) -> list[Row]:
        kept: dict[Row, Row] = {}
        for row in rows:
            key = row[: shape.key]
            if key in kept:
                self._error(f"/{part}", str(key[-1]), f"{part} holds code {key[-1]!r} twice under one parent; keep one")
            kept[key] = row
        return list(kept.values())


def _affected(done: str) -> int:
    return int(done.rsplit(" ", 1)[1])
