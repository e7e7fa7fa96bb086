"""Floor plans 平面图: images, on which floor each stood and when, and where devices and points are on them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from firetower.storage.tables.base import INSTANT, metadata

plan_image = Table(  # kept for ever, each once: the picture of an old alert can still be explained
    "plan_image",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("media", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("image", LargeBinary, nullable=False),
    CheckConstraint("media in ('image/png','image/jpeg','image/webp')", name="media"),
)

floor_plan = Table(  # one without an end on each floor; those before it are its history
    "floor_plan",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("floor_id", ForeignKey("floor.id"), nullable=False),
    Column("sha256", ForeignKey("plan_image.sha256"), nullable=False),
    Column("put_at", INSTANT, nullable=False),
    Column("put_by", Text, nullable=False),
    Column("ended_at", INSTANT),
    Column("ended_by", Text),
    Index("floor_plan_floor_id_idx", "floor_id", "id"),
    Index("floor_plan_one_stands", "floor_id", unique=True, postgresql_where=text("ended_at is null")),
)

plan_position = Table(  # fractions of the plan from its left and upper edge; on another floor it counts no more
    "plan_position",
    metadata,
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Column("component", Text, nullable=False, server_default=""),
    Column("floor_id", ForeignKey("floor.id"), nullable=False),
    Column("x", Double, nullable=False),
    Column("y", Double, nullable=False),
    Column("placed_at", INSTANT, nullable=False),
    Column("placed_by", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "component"),
    CheckConstraint("x between 0 and 1 and y between 0 and 1", name="inside"),
    Index("plan_position_floor_id_idx", "floor_id"),
)
