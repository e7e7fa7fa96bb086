"""The live changes and who follows them, floods, idempotency keys, the installation."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from firetower.storage.tables.base import INSTANT, metadata

follower = Table(  # how far those have read who follow the live changes
    "follower",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

flood = Table(  # 报警潮
    "flood",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("started_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("alarms", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("operators", Integer, nullable=False),
)

live_change = Table(
    "live_change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("alerts", ARRAY(BigInteger), nullable=False),
    Column("incidents", ARRAY(BigInteger), nullable=False, server_default="{}"),
    Column("windows", ARRAY(BigInteger), nullable=False, server_default="{}"),
    Index(None, "at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("account", "key"),
    Index(None, "at"),
)

installation = Table(
    "installation",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("id", Text, nullable=False),
    CheckConstraint("one", name="one"),
)
