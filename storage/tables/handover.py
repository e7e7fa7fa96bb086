"""The hand-over to 119 转警: what was sent, to whom, and its receipt."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from firetower.storage.tables.base import INSTANT, metadata

command_centre = Table(  # one row while the desk's duty plan names a command centre: messages are written for it
    "command_centre",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("sender", Text, nullable=False),
    Column("receipt_within_ms", Integer, nullable=False),
    Column("since", INSTANT, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

handover = Table(  # messages to 119, in the order in which they are sent
    "handover",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key", Text, nullable=False),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("report_id", ForeignKey("handover.id")),  # of a follow-up or a cancellation
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("actor", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("body", LargeBinary),  # as it was first sent; the same at every try
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("refused", SmallInteger, nullable=False, server_default="0"),  # addresses that refused it, one bit each
    Column("trouble", Text),
    Column("first_sent_at", INSTANT),
    Column("last_sent_at", INSTANT),
    Column("next_try_at", INSTANT),  # null: not tried any more
    Column("missed_at", INSTANT),
    Column("received_at", INSTANT),
    Column("receipt_number", Text),
    Column("receipt_person", Text),
    Column("receipt_at", INSTANT),  # by their clock
    UniqueConstraint("key"),
    CheckConstraint("kind in ('report','follow_up','cancel')", name="kind"),
    CheckConstraint("state in ('waiting','received','failed')", name="state"),
    CheckConstraint("(kind = 'report') = (report_id is null)", name="belongs"),
    CheckConstraint("(state = 'received') = (received_at is not null)", name="receipt"),
    Index("handover_alert_idx", "alert_id", "id"),
    Index("handover_report_idx", "report_id", postgresql_where=text("report_id is not null")),
    Index("handover_next_try_idx", "next_try_at", postgresql_where=text("next_try_at is not null")),
    Index("handover_unmissed_idx", "due_at", postgresql_where=text("received_at is null and missed_at is null")),
    Index("handover_one_cancel", "report_id", unique=True, postgresql_where=text("kind = 'cancel'")),
)
