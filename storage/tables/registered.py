"""What exists: grids, mains, units with their places, devices, points, metrics."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from firetower.storage.tables.base import INSTANT, metadata


def _named(table: str, *columns: SchemaItem) -> Table:
    return Table(
        table,
        metadata,
        Column("id", Integer, Identity(always=False), primary_key=True),
        Column("code", Text, nullable=False),
        Column("name", Text, nullable=False, server_default=""),
        *columns,
    )


grid = _named("grid", Column("district", Text), Column("boundary", JSONB), UniqueConstraint("code"))

water_main = _named(
    "water_main",
    Column("diameter_mm", Integer),
    Column("grid_id", ForeignKey("grid.id")),
    UniqueConstraint("code"),
)

unit = _named(
    "unit",
    Column("category", Text, nullable=False, server_default="other"),
    Column("grid_id", ForeignKey("grid.id")),
    Column("address", Text, nullable=False, server_default=""),
    Column("lon", Double),
    Column("lat", Double),
    Column("registered_by", Text, nullable=False, server_default="import"),
    Column("registered_at", INSTANT, nullable=False, server_default=text("now()")),
    UniqueConstraint("code"),
)

building = _named(
    "building",
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    UniqueConstraint("unit_id", "code"),
)

floor = _named(
    "floor",
    Column("building_id", ForeignKey("building.id"), nullable=False),
    Column("level", Integer),
    UniqueConstraint("building_id", "code"),
)

zone = _named(
    "zone",
    Column("floor_id", ForeignKey("floor.id"), nullable=False),
    UniqueConstraint("floor_id", "code"),
)

device = Table(
    "device",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("model", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("interval_s", Integer, nullable=False, server_default="60"),
    Column("zone_id", ForeignKey("zone.id")),
    Column("main_id", ForeignKey("water_main.id")),
    Column("place", Text, nullable=False, server_default=""),
    Column("gateway", Text),
    Column("attributes", JSONB, nullable=False, server_default="{}"),
    Column("registered_by", Text, nullable=False, server_default="import"),
    Column("registered_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("retired_at", INSTANT),
    Column("last_seen_at", INSTANT),
    Column("status", Text, nullable=False, server_default="never_seen"),
    Column("seq_missed", BigInteger, nullable=False, server_default="0"),
    Column("seq_repeated", BigInteger, nullable=False, server_default="0"),
    Column("clock_skew_ms", BigInteger),
    UniqueConstraint("unit_id", "name"),
    CheckConstraint("status in ('online', 'offline', 'never_seen')", name="status"),
    Index("device_main_idx", "main_id", "id", postgresql_where=text("main_id is not null")),
    Index(
        "device_water_idx",
        "lon",
        "lat",
        postgresql_where=text(
            "kind in ('hydrant', 'water_crane', 'water_point') and retired_at is null and lon is not null"
        ),
    ),
    Index("device_panel_idx", "unit_id", postgresql_where=text("kind = 'panel' and retired_at is null")),
)

point = Table(  # 点位: what a panel's component numbers stand for
    "point",
    metadata,
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Column("component", Text, nullable=False),
    Column("zone_id", ForeignKey("zone.id")),
    Column("place", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("device_id", "component"),
)

channel = Table(
    "channel",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("name"),
)

metric = Table(
    "metric",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    UniqueConstraint("name"),
)
