"""Four-colour risk 四色风险: how units and grids stand, each change of band, and when all of it was reckoned last."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from firetower.storage.tables.base import INSTANT, metadata

_SCOPE = "scope in ('unit','grid')"
_BANDS = "('extreme','high','medium','low')"

risk = Table(  # score, band null: nothing is known; the id is of unit or grid
    "risk",
    metadata,
    Column("scope", Text, nullable=False),
    Column("id", Integer, nullable=False),
    Column("score", SmallInteger),
    Column("band", Text),
    Column("known", Double, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("rest", JSONB, nullable=False, server_default="{}"),
    Column("since", INSTANT, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("scope", "id"),
    CheckConstraint(_SCOPE, name="scope"),
    CheckConstraint(f"band in {_BANDS}", name="band"),
    CheckConstraint("(score is null) = (band is null)", name="scored"),
    Index("risk_worst_idx", "scope", text("coalesce(score, 101)"), "id"),
)

risk_change = Table(  # each change of band; only ever appended to
    "risk_change",
    metadata,
    Column("n", BigInteger, Identity(), primary_key=True),
    Column("scope", Text, nullable=False),
    Column("id", Integer, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("old_band", Text),
    Column("new_band", Text),
    Column("old_score", SmallInteger),
    Column("new_score", SmallInteger),
    Column("held_by", Text),
    Column("reason", JSONB, nullable=False, server_default="[]"),
    CheckConstraint(_SCOPE, name="scope"),
    Index("risk_change_of_idx", "scope", "id", text("n desc")),
)

risk_round = Table(  # when everything was reckoned last, by which version of the model
    "risk_round",
    metadata,
    Column("one", Boolean, primary_key=True, server_default="true"),
    Column("computed_at", INSTANT, nullable=False),
    Column("model", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    Column("took_ms", Integer, nullable=False),
    CheckConstraint("one", name="one"),
)
