"""Who was told: letters waiting, sent, delivered, read and acted on."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
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

letter = Table(
    "letter",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key", Text, nullable=False),
    Column("reference", Text, nullable=False),  # what receivers know it by; it cannot be guessed
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("contact_id", Integer),  # of a contact that may be gone by now
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("next_try_at", INSTANT, nullable=False),
    Column("claimed_at", INSTANT),  # since when its channel has it in hand
    Column("tried_at", INSTANT),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("trouble", Text),
    Column("sent_at", INSTANT),
    Column("delivered_at", INSTANT),
    Column("read_at", INSTANT),
    Column("acted_at", INSTANT),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    CheckConstraint("state in ('waiting','sent','failed','cancelled')", name="state"),
    UniqueConstraint("key"),
    UniqueConstraint("reference"),
    Index("letter_alert_idx", "alert_id", "id"),
    Index("letter_waiting_idx", "channel", "next_try_at", postgresql_where=text("state = 'waiting'")),
    Index("letter_channel_idx", "channel", "created_at"),
)
