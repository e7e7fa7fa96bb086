"""Whom to call: contacts, micro fire stations, calls, and self-tests."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from firetower.storage.tables.base import INSTANT, metadata

station = Table(  # 微型消防站
    "station",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("grid_id", ForeignKey("grid.id")),
    Column("unit_id", ForeignKey("unit.id")),
    UniqueConstraint("code"),
    Index("station_place_idx", "lon", "lat"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("scope", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("addresses", JSONB, nullable=False, server_default="{}"),
    Column("hours", JSONB, nullable=False, server_default="[]"),
    Column("rank", SmallInteger, nullable=False, server_default="1"),
    Column("language", Text, nullable=False, server_default="zh"),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    UniqueConstraint("scope", "owner", "role", "name"),
    CheckConstraint("scope in ('unit','grid','station','centre')", name="scope"),
    CheckConstraint("(scope = 'centre') = (owner = '')", name="owner"),
)

call = Table(  # kept when the contact is gone: whom, and under which number, stands in it
    "call",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("by", Text, nullable=False),
    Column("contact_id", BigInteger),
    Column("role", Text),
    Column("name", Text, nullable=False),
    Column("number", Text),
    Column("direction", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("said", Text),
    Column("recording", Text),
    CheckConstraint("direction in ('out','in')", name="direction"),
    CheckConstraint("purpose in ('verify','inform','call_back','119')", name="purpose"),
    CheckConstraint("result in ('answered','no_answer','busy','wrong_number','refused','unreachable')", name="result"),
    Index("call_alert_idx", "alert_id", "id"),
)

self_test = Table(
    "self_test",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("at", INSTANT, nullable=False),
    Column("by", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("note", Text),
    Column("evidence", Text),
    CheckConstraint("kind in ('link_119','clocks','unit_fire_test','power_changeover')", name="kind"),
    CheckConstraint("(kind = 'unit_fire_test') = (unit is not null)", name="unit"),
    CheckConstraint("result in ('passed','failed')", name="result"),
    Index("self_test_last_idx", "kind", "unit", text("at desc"), text("id desc")),
)
