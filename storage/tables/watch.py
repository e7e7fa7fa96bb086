"""The watch: duty, handovers, the shift log, presence checks, scopes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from firetower.storage.tables.base import INSTANT, metadata

duty_roster = Table(  # 排班
    "duty_roster",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("plan", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
    CheckConstraint("one", name="one"),
)

watch_duty = Table(  # who is on duty now
    "watch_duty",
    metadata,
    Column("account", ForeignKey("account.username", ondelete="CASCADE"), primary_key=True),
    Column("since", INSTANT, nullable=False),
    Column("present_at", INSTANT, nullable=False),
    Column("asked_at", INSTANT),
    Column("missed_at", INSTANT),
)

watch_state = Table(
    "watch_state",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("unattended_since", INSTANT),
    Column("left_at", INSTANT),
    Column("uncovered_since", INSTANT),
    Column("uncovered", JSONB),
    CheckConstraint("one", name="one"),
)

watch_handover = Table(  # 交接班
    "watch_handover",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("outgoing", Text, nullable=False),
    Column("incoming", Text),
    Column("begun_by", Text, nullable=False),
    Column("begun_at", INSTANT, nullable=False),
    Column("notes", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="open"),
    Column("ended_at", INSTANT),
    Column("ended_by", Text),
    CheckConstraint("state in ('open','completed','cancelled')", name="state"),
    Index("watch_handover_one_open", "state", unique=True, postgresql_where=text("state = 'open'")),
)

watch_accepted = Table(  # which open alarms the one who comes has taken on, by name
    "watch_accepted",
    metadata,
    Column("handover_id", ForeignKey("watch_handover.id"), nullable=False),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("handover_id", "alert_id"),
)

shift_log = Table(  # 值班日志; a trigger refuses to change or delete what stands there
    "shift_log",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("refers_to", ForeignKey("shift_log.id")),
    Column("alert_id", ForeignKey("alert.id")),
    Column("evidence", JSONB, nullable=False, server_default="{}"),
    Index(None, "at", "id"),
)

account_scope = Table(  # what an account answers for; no row: everything
    "account_scope",
    metadata,
    Column("account", ForeignKey("account.username", ondelete="CASCADE"), primary_key=True),
    Column("units", ARRAY(Text), nullable=False, server_default="{}"),
    Column("grids", ARRAY(Text), nullable=False, server_default="{}"),
    Column("districts", ARRAY(Text), nullable=False, server_default="{}"),
    Column("changed_at", INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
)
