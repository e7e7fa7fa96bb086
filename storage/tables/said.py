"""What was said: readings, events, rejects, and alarms that wait their turn."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from firetower.storage.tables.base import INSTANT, metadata

reading = Table(  # partitioned by ts (or a hypertable); see the first migration
    "reading",
    metadata,
    Column("ts", INSTANT, nullable=False),
    Column("device", Integer, nullable=False),
    Column("metric", SmallInteger, nullable=False),
    Column("channel", SmallInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("ts", "device", "metric", "channel"),
    postgresql_partition_by="RANGE (ts)",
)

seen_message = Table(
    "seen_message",
    metadata,
    Column("device", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("device", "seq", "digest"),
    Index(None, "at"),
)

device_event = Table(
    "device_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("unit", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("component", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("key", Text),
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("payload", LargeBinary),
    UniqueConstraint("unit", "device", "key"),
    Index(None, "received_at"),
)

reject = Table(
    "reject",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("lane", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("replay_asked_at", INSTANT),
    Index(None, "at"),
    Index(None, "replay_asked_at", postgresql_where=text("replay_asked_at is not null")),
)

alarm_backlog = Table(
    "alarm_backlog",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("sender", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("topic", Text, nullable=False),
    Column("retain", Boolean, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index(None, "sender", "id"),
)
