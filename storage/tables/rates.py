"""The connection, online and intact rate of each day that is over, and of the one that runs."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Double, Integer, PrimaryKeyConstraint, Table, Text

from firetower.storage.tables.base import INSTANT, metadata

rate_day = Table(  # frozen_at null: of the day that runs; figures null: nobody counted that day
    "rate_day",
    metadata,
    Column("day", Date, nullable=False),
    Column("scope", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("units_due", Integer),
    Column("units_connected", Integer),
    Column("devices", Integer),
    Column("online", Integer),
    Column("intact", Integer),
    Column("never_reported", Integer),
    Column("in_maintenance", Integer),
    Column("intact_time", Double),
    Column("as_of", INSTANT),
    Column("frozen_at", INSTANT),
    Column("late", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("day", "scope", "code"),
    CheckConstraint("scope in ('city','grid','kind')", name="scope"),
)
