"""Every table of the store, as SQLAlchemy Core; the migrations create them, ``api.*`` views show them.

Long because a schema is read as one.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)


def _named(table: str, *columns: SchemaItem) -> Table:
    return Table(
        table,
        metadata,
        Column("id", Integer, Identity(always=False), primary_key=True),
        Column("code", Text, nullable=False),
        Column("name", Text, nullable=False, server_default=""),
        *columns,
    )


# What exists ------------------------------------------------------------------------------------

grid = _named("grid", Column("district", Text), UniqueConstraint("code"))

water_main = _named(
    "water_main",
    Column("diameter_mm", Integer),
    Column("grid_id", ForeignKey("grid.id")),
    UniqueConstraint("code"),
)

unit = _named(
    "unit",
    Column("category", Text, nullable=False, server_default="other"),
    Column("grid_id", ForeignKey("grid.id")),
    Column("address", Text, nullable=False, server_default=""),
    Column("contact_name", Text),
    Column("contact_phone", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("registered_by", Text, nullable=False, server_default="import"),
    Column("registered_at", INSTANT, nullable=False, server_default=text("now()")),
    UniqueConstraint("code"),
)

building = _named(
    "building",
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    UniqueConstraint("unit_id", "code"),
)

floor = _named(
    "floor",
    Column("building_id", ForeignKey("building.id"), nullable=False),
    Column("level", Integer),
    UniqueConstraint("building_id", "code"),
)

zone = _named(
    "zone",
    Column("floor_id", ForeignKey("floor.id"), nullable=False),
    UniqueConstraint("floor_id", "code"),
)

device = Table(
    "device",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("model", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("interval_s", Integer, nullable=False, server_default="60"),
    Column("zone_id", ForeignKey("zone.id")),
    Column("main_id", ForeignKey("water_main.id")),
    Column("place", Text, nullable=False, server_default=""),
    Column("gateway", Text),
    Column("attributes", JSONB, nullable=False, server_default="{}"),
    Column("registered_by", Text, nullable=False, server_default="import"),
    Column("registered_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("retired_at", INSTANT),
    Column("last_seen_at", INSTANT),
    Column("status", Text, nullable=False, server_default="never_seen"),
    Column("seq_missed", BigInteger, nullable=False, server_default="0"),
    Column("seq_repeated", BigInteger, nullable=False, server_default="0"),
    Column("clock_skew_ms", BigInteger),
    UniqueConstraint("unit_id", "name"),
    CheckConstraint("status in ('online', 'offline', 'never_seen')", name="status"),
    Index("device_main_idx", "main_id", "id", postgresql_where=text("main_id is not null")),
)

point = Table(  # 点位: what a panel's component numbers stand for
    "point",
    metadata,
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Column("component", Text, nullable=False),
    Column("zone_id", ForeignKey("zone.id")),
    Column("place", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("device_id", "component"),
)

channel = Table(
    "channel",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("name"),
)

metric = Table(
    "metric",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    UniqueConstraint("name"),
)

# What was said ----------------------------------------------------------------------------------

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

# What is wrong ----------------------------------------------------------------------------------

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rule", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("alert_class", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("latched", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold", Text, nullable=False, server_default="none"),
    Column("condition", Text, nullable=False),
    Column("disposition", Text),
    Column("cause", Text),
    Column("unit", Text),
    Column("unit_name", Text),
    Column("device", Text),
    Column("device_kind", Text),
    Column("device_id", Integer),
    Column("metric", Text),
    Column("figure", Text, nullable=False, server_default=""),
    Column("value", Double),
    Column("limit_value", Double),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("place", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("occurrences", Integer, nullable=False, server_default="1"),
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("assignee", Text),
    Column("device_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("raised_at", INSTANT, nullable=False),
    Column("condition_at", INSTANT, nullable=False),
    Column("last_event_at", INSTANT, nullable=False),
    Column("shown_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    Column("verified_at", INSTANT),
    Column("forwarded_at", INSTANT),
    Column("receipted_at", INSTANT),
    Column("closed_at", INSTANT),
    Column("closed_by", Text),
    Column("zone", Text),
    Column("main", Text),
    Column("gateway", Text),
    Column("scene", Text, nullable=False, server_default=""),
    Column("incident_id", ForeignKey("incident.id")),
    Column("hold_reason", Text),
    Column("held_until", INSTANT),
    Column("held_by", Text),
    Column("window_id", ForeignKey("announced_window.id")),
    Column("cause_id", BigInteger),
    Column("verification", Text),
    Column("verified_by", Text),
    Column("verify_method", Text),
    Column("escalation", SmallInteger, nullable=False, server_default="0"),
    CheckConstraint("state in ('unacknowledged','acknowledged','returned','closed')", name="state"),
    CheckConstraint("hold in ('none','shelved','suppressed','out_of_service')", name="hold"),
    CheckConstraint("condition in ('active','normal')", name="condition"),
    CheckConstraint("priority between 1 and 4", name="priority"),
    CheckConstraint("alert_class <> 'fire' or hold = 'none'", name="fire_never_held"),
    CheckConstraint("hold <> 'shelved' or held_until is not null", name="shelving_ends"),
    CheckConstraint("alert_class <> 'fire' or priority = 1", name="fire_is_red"),
    CheckConstraint(
        "alert_class <> 'fire' or state <> 'closed' or disposition is not null", name="fire_closes_by_verdict"
    ),
    Index(
        "alert_one_open_per_key",
        "rule",
        "subject_kind",
        "subject",
        "component",
        unique=True,
        postgresql_where=text("state <> 'closed' or condition = 'active'"),
    ),
    Index("alert_open_idx", "priority", "raised_at", postgresql_where=text("state <> 'closed'")),
    Index("alert_raised_at_idx", "raised_at"),
    Index("alert_device_idx", "unit", "device", "raised_at"),
    Index("alert_incident_idx", "incident_id"),
    Index("alert_held_until_idx", "held_until", postgresql_where=text("held_until is not null")),
    Index("alert_cause_idx", "cause_id", postgresql_where=text("cause_id is not null")),
    Index("alert_window_idx", "window_id", postgresql_where=text("window_id is not null")),
    Index("alert_closed_at_idx", "closed_at", postgresql_where=text("closed_at is not null")),
)

incident = Table(
    "incident",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("scene", Text, nullable=False),
    Column("headline_zh", Text, nullable=False),
    Column("headline_en", Text, nullable=False),
    Column("alert_class", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("unit", Text),
    Column("unit_name", Text),
    Column("place", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("members", JSONB, nullable=False, server_default="[]"),
    Column("opened_at", INSTANT, nullable=False),
    Column("last_raised_at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("incident_open_idx", "scene", postgresql_where=text("closed_at is null")),
    Index("incident_opened_at_idx", "opened_at"),
)

announced_window = Table(  # tests, drills, maintenance, impairments, permits
    "announced_window",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("zone", Text),
    Column("device", Text),
    Column("component", Text),
    Column("main", Text),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("measure", Text),
    Column("person", Text),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", INSTANT),
    Column("refused_by", Text),
    Column("refused_at", INSTANT),
    Column("refusal", Text),
    Column("ended_by", Text),
    Column("ended_at", INSTANT),
    CheckConstraint("kind in ('test','drill','maintenance','impairment','water_permit')", name="kind"),
    CheckConstraint("ends_at > starts_at", name="ends"),
    CheckConstraint("unit is not null or main is not null", name="covers_something"),
    Index("announced_window_ends_at_idx", "ends_at"),
)

alert_history = Table(
    "alert_history",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("old", Text),
    Column("new", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("alert_id", "seq"),
    Index(None, "at"),
)

history_seal = Table(  # the hash chain over alert_history, in the order of the live changes
    "history_seal",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", INSTANT, nullable=False),
    UniqueConstraint("alert_id", "seq"),
)

history_day = Table(  # the chain's hash at the end of each day, as it stands on the shift report
    "history_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("last_n", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", INSTANT, nullable=False),
)

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
    CheckConstraint("state in ('running','done','failed')", name="state"),
)

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

# Who runs ---------------------------------------------------------------------------------------

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

# Who works here ---------------------------------------------------------------------------------

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
