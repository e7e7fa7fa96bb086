"""Cameras 视频 and the pictures that are kept of them."""

from sqlalchemy import (
    ARRAY,
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
    UniqueConstraint,
    text,
)

from firetower.storage.tables.base import INSTANT, metadata

camera = Table(
    "camera",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("unit_id", ForeignKey("unit.id")),
    Column("sees", ARRAY(Text), nullable=False, server_default="{}"),  # places within its unit; none: outdoors
    Column("lon", Double),
    Column("lat", Double),
    Column("link", Text),
    Column("snapshot", Text),
    Column("secret", Text),  # the name of an entry of the duty plan, never what is secret
    Column("retired_at", INSTANT),
    UniqueConstraint("code"),
    Index("camera_unit_idx", "unit_id", postgresql_where=text("retired_at is null")),
    Index("camera_place_idx", "lon", "lat", postgresql_where=text("retired_at is null and lon is not null")),
)

snapshot = Table(  # one asking of one camera, for every alert that wants it within five seconds
    "snapshot",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("camera_id", ForeignKey("camera.id"), nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("due_at", INSTANT, nullable=False),
    Column("next_try_at", INSTANT),  # null: not tried any more
    Column("asked_at", INSTANT),  # of the newest try
    Column("taken_at", INSTANT),  # when the whole picture was here
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("trouble", Text),
    Column("trouble_status", SmallInteger),
    Column("media", Text),
    Column("sha256", LargeBinary),
    Column("bytes", Integer),
    Column("picture", LargeBinary),
    CheckConstraint("state in ('waiting', 'taken', 'failed')", name="state"),
    CheckConstraint("(state = 'taken') = (picture is not null)", name="picture"),
    CheckConstraint("(state = 'waiting') = (next_try_at is not null)", name="next_try"),
    Index("snapshot_camera_idx", "camera_id", "due_at"),
    Index("snapshot_next_try_idx", "next_try_at", postgresql_where=text("next_try_at is not null")),
    Index("snapshot_due_idx", "due_at"),
)

alert_snapshot = Table(
    "alert_snapshot",
    metadata,
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("snapshot_id", ForeignKey("snapshot.id", ondelete="CASCADE"), nullable=False),
    Column("moment", Text, nullable=False),
    Column("since", INSTANT, nullable=False),  # of which alarm of the alert, or when it was asked for by hand
    Column("by", Text, nullable=False),
    PrimaryKeyConstraint("alert_id", "snapshot_id", "moment"),
    CheckConstraint("moment in ('raised', 'after', 'by_hand')", name="moment"),
    Index("alert_snapshot_snapshot_idx", "snapshot_id"),
)
