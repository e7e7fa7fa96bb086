"""How far the policies of the duty plan have come for open alerts."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text

from firetower.storage.tables.base import INSTANT, metadata

told_step = Table(
    "told_step",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("since", INSTANT, nullable=False),  # of which period
    Column("times", Integer, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("alert_id", "policy", "step"),
)
