"""Who runs and who works here: leases, the canary, accounts, sessions, seats."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from firetower.storage.tables.base import INSTANT, metadata

lease = Table(
    "lease",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("renewed_at", INSTANT, nullable=False),
)

canary = Table(
    "canary",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("sent_at", INSTANT, nullable=False),
    Column("committed_at", INSTANT, nullable=False),
    CheckConstraint("one", name="one"),
)

account = Table(
    "account",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("username", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("disabled_at", INSTANT),
    Column("unit", Text),
    UniqueConstraint("username"),
    CheckConstraint("role in ('admin','operator','viewer','unit')", name="role"),
    CheckConstraint("(role = 'unit') = (unit is not null)", name="unit_has_one"),
)

session = Table(
    "session",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("client", Text, nullable=False, server_default=""),
    Column("shows_until", INSTANT),
    Index(None, "expires_at"),
)

seat = Table(  # consoles that are connected now
    "seat",
    metadata,
    Column("token_digest", LargeBinary, nullable=False),
    Column("node", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("armed", Boolean, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("token_digest", "node"),
)
