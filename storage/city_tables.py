"""The tables that an import of a registry file writes, and the statements that write them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as the import writes it: its columns with their types, of which the first ``key`` are its key.

    ``registered``: whether it says who registered a row.
    """

    table: str
    key: int
    columns: tuple[tuple[str, str], ...]
    registered: bool = False


_PLACE = (("lon", "float8"), ("lat", "float8"))
GRID = Shape("grid", 1, (("code", "text"), ("name", "text"), ("district", "text"), ("boundary", "text")))
MAIN = Shape("water_main", 1, (("code", "text"), ("name", "text"), ("diameter_mm", "int4"), ("grid_id", "int4")))
UNIT = Shape(
    "unit",
    1,
    (
        ("code", "text"),
        ("name", "text"),
        ("category", "text"),
        ("grid_id", "int4"),
        ("address", "text"),
        *_PLACE,
        ("must_connect", "bool"),
    ),
    registered=True,
)
STATION = Shape("station", 1, (("code", "text"), ("name", "text"), *_PLACE, ("grid_id", "int4"), ("unit_id", "int4")))
BUILDING = Shape("building", 2, (("unit_id", "int4"), ("code", "text"), ("name", "text")))
FLOOR = Shape("floor", 2, (("building_id", "int4"), ("code", "text"), ("name", "text"), ("level", "int4")))
ZONE = Shape("zone", 2, (("floor_id", "int4"), ("code", "text"), ("name", "text")))
DEVICE = Shape(
    "device",
    2,
    (
        ("unit_id", "int4"),
        ("name", "text"),
        ("kind", "text"),
        ("model", "text"),
        *_PLACE,
        ("interval_s", "int4"),
        ("zone_id", "int4"),
        ("main_id", "int4"),
        ("place", "text"),
        ("attributes", "text"),
        ("gateway", "text"),
        ("retired_at", "bool"),
    ),
    registered=True,
)
POINT = Shape("point", 2, (("device_id", "int4"), ("component", "text"), ("zone_id", "int4"), ("place", "text")))


def relation(shape: Shape) -> str:
    """Return the rows as a relation ``g``: one array parameter a column, and ``n``, their order in the file."""
    arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(shape.columns, 1))
    return f"unnest({arrays}) WITH ORDINALITY AS g ({', '.join(name for name, _ in shape.columns)}, n)"


def same_key(shape: Shape) -> str:
    """Return the condition that row ``t`` of the table is row ``g`` of the file."""
    return " AND ".join(f"t.{name} = g.{name}" for name, _ in shape.columns[: shape.key])


def _values(shape: Shape, standing: str) -> list[tuple[str, str]]:
    """Return each column with the expression of its value; ``standing`` names the row that stands, "" where none."""
    kept = {"retired_at": "now()", "boundary": "NULL"}
    if standing:
        kept = {name: f"coalesce({standing}.{name}, {new})" for name, new in kept.items()}
    of = {
        "attributes": "g.attributes::jsonb",  # they travel as JSON text
        "boundary": f"nullif(coalesce(g.boundary::jsonb, {kept['boundary']}), '[]')",
        "retired_at": f"CASE WHEN g.retired_at THEN {kept['retired_at']} END",
    }
    return [(name, of.get(name, f"g.{name}")) for name, _ in shape.columns]


def update(shape: Shape) -> str:
    """Return the statement that brings rows up to date, only those that differ."""
    values = _values(shape, "t")[shape.key :]
    return (
        f"UPDATE {shape.table} t SET {', '.join(f'{name} = {value}' for name, value in values)} FROM {relation(shape)}"
        f" WHERE {same_key(shape)} AND ({', '.join(f't.{name}' for name, _ in values)})"
        f" IS DISTINCT FROM ({', '.join(value for _, value in values)})"
    )


def create(shape: Shape) -> str:
    """Return the statement that inserts what is not there; no ON CONFLICT, which would burn a number for each."""
    values = _values(shape, "")
    names = [name for name, _ in values] + (["registered_by"] if shape.registered else [])
    given = [value for _, value in values] + (["''"] if shape.registered else [])
    return (
        f"INSERT INTO {shape.table} ({', '.join(names)}) SELECT {', '.join(given)} FROM {relation(shape)}"
        f" WHERE NOT EXISTS (SELECT FROM {shape.table} t WHERE {same_key(shape)}) ORDER BY g.n"
    )
