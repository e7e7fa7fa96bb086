"""What an import writes of cameras: new ones created, those that differ updated, none removed."""

from collections.abc import Callable, Mapping
from typing import Any

from firetower.devices.city import City

_COLUMNS = (
    ("code", "text"), ("name", "text"), ("unit_id", "int4"), ("sees", "text"), ("lon", "float8"), ("lat", "float8"),
    ("link", "text"), ("snapshot", "text"), ("secret", "text"), ("retired_at", "bool"),
)  # fmt: skip
_OF = {
    "sees": "string_to_array(g.sees, ' ')",  # places travel with spaces between
    "retired_at": "CASE WHEN g.retired_at THEN coalesce(t.retired_at, now()) END",
}
_GIVEN = (
    f"unnest({', '.join(f'${n}::{kind}[]' for n, (_, kind) in enumerate(_COLUMNS, 1))}) WITH ORDINALITY"
    f" AS g ({', '.join(name for name, _ in _COLUMNS)}, n)"
)
_NAMES = [name for name, _ in _COLUMNS]
_VALUES = [_OF.get(name, f"g.{name}") for name in _NAMES]
_UPDATE = (
    f"UPDATE camera t SET {', '.join(f'{name} = {value}' for name, value in zip(_NAMES, _VALUES, strict=True))}"
    f" FROM {_GIVEN} WHERE t.code = g.code AND ({', '.join(f't.{name}' for name in _NAMES)})"
    f" IS DISTINCT FROM ({', '.join(_VALUES)})"
)
_CREATE = (
    f"INSERT INTO camera ({', '.join(_NAMES)}) SELECT {', '.join(_VALUES)}"
    f" FROM {_GIVEN} LEFT JOIN camera t ON t.code = g.code WHERE t.code IS NULL ORDER BY g.n"
)
_ABOVE_ZONES = """
SELECT unit_id, code AS path FROM building
UNION ALL
SELECT b.unit_id, b.code || '/' || f.code FROM floor f JOIN building b ON b.id = f.building_id
"""


async def write_cameras(
    conn: Any,
    city: City,
    units: Mapping[Any, int],
    zones: Mapping[tuple[int, str], int],
    error: Callable[[str, str, str], None],
    *,
    within_s: float,
) -> tuple[int, int, int] | None:
    """Write the cameras a file speaks of; return (created, updated, unchanged), None when it speaks of none.

    ``error``: told of each (where, code, message) that names a unit or a place neither the file nor the store has.
    """
    if not city.cameras:
        return None
    known = set(zones) | {(row["unit_id"], row["path"]) for row in await conn.fetch(_ABOVE_ZONES, timeout=within_s)}
    rows = []
    for n, each in enumerate(city.cameras):
        unit = units.get(each.unit)
        if each.unit is not None and unit is None:
            error(f"/cameras/{n}", each.code, _no("unit", each.unit, "to units"))
        elif unit is not None:
            for path in each.sees:
                if (unit, path) not in known:
                    error(f"/cameras/{n}", each.code, _no(f"place of unit {each.unit!r} that is", path, "there"))
        given = (each.lon, each.lat, each.link, each.snapshot, each.secret, each.retired)
        rows.append((each.code, each.name, unit, " ".join(each.sees), *given))
    columns = list(zip(*rows, strict=True))
    updated = _affected(await conn.execute(_UPDATE, *columns, timeout=within_s))
    created = _affected(await conn.execute(_CREATE, *columns, timeout=within_s))
    return created, updated, len(rows) - created - updated


def _no(what: str, name: str, where: str) -> str:
    return f"no {what} {name!r} is in this file or in the store; add it {where}"


def _affected(done: str) -> int:
    return int(done.rsplit(" ", 1)[1])
