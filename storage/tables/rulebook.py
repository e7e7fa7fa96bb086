"""The rules in force, the engine's checkpoint, rules on trial, back-tests."""

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
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from firetower.storage.tables.base import INSTANT, metadata

rule_in_force = Table(  # as written, so that one with an open fire outlives its removal from the rulebook
    "rule_in_force",
    metadata,
    Column("id", Text, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("place", Text),
    Column("written", JSONB, nullable=False),
)

rulebook_in_force = Table(  # what a rulebook holds beside its rules, as written
    "rulebook_in_force",
    metadata,
    Column("id", Integer, primary_key=True),  # of the partition
    Column("overrides", JSONB, nullable=False),
    Column("calendar", JSONB),
)

rule_checkpoint = (
    Table(  # the engine's state, a cache: readings stored since, and those from replay_from on, are replayed
        "rule_checkpoint",
        metadata,
        Column("id", Integer, primary_key=True),  # of the partition
        Column("taken_at", INSTANT, nullable=False),
        Column("replay_from", INSTANT, nullable=False),  # sinks with each commit of an older reading
        Column("rulebook", Text, nullable=False),  # digest of the rules it is the state of
        Column("header", JSONB, nullable=False),
    )
)

rule_checkpoint_piece = Table(
    "rule_checkpoint_piece",
    metadata,
    Column("checkpoint_id", ForeignKey("rule_checkpoint.id", ondelete="CASCADE"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("checkpoint_id", "n"),
)

shadow_alert = Table(  # what rules on trial would have raised
    "shadow_alert",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("component", Text, nullable=False, server_default=""),
    Column("alert_class", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("value", Double),
    Column("limit_value", Double),
    Column("raised_at", INSTANT, nullable=False),
    Column("last_at", INSTANT, nullable=False),
    Column("cleared_at", INSTANT),
    Column("occurrences", Integer, nullable=False, server_default="1"),
    Index("shadow_alert_rule_idx", "rule", "raised_at"),
    Index("shadow_alert_cleared_at_idx", "cleared_at", postgresql_where=text("cleared_at is not null")),
)

Index(
    "shadow_alert_open_key",
    shadow_alert.c.rule,
    shadow_alert.c.subject_kind,
    shadow_alert.c.subject,
    shadow_alert.c.component,
    unique=True,
    postgresql_where=shadow_alert.c.cleared_at.is_(None),
)

backtest = Table(  # a rulebook tried on stored history
    "backtest",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asked_at", INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT, nullable=False),
    Column("rulebook", JSONB, nullable=False),  # text by file name
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    Column("result", JSONB),
    Column("error", Text),
    Column("finished_at", INSTANT),
    Column("progress", Double),  # share of the range that is done
    CheckConstraint("state in ('running','done','failed','cancelled')", name="state"),
)
