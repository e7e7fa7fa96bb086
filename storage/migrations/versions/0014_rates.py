"""Rates: which units must connect and since when they are, and the figures of each day as they stood at its end."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE unit ADD COLUMN must_connect boolean, ADD COLUMN connected_since timestamptz",
    """
    CREATE TABLE rate_day (
        day date NOT NULL,
        scope text NOT NULL,
        code text DEFAULT '' NOT NULL,
        units_due integer,
        units_connected integer,
        devices integer,
        online integer,
        intact integer,
        never_reported integer,
        in_maintenance integer,
        intact_time double precision,
        as_of timestamptz,
        frozen_at timestamptz,
        late boolean DEFAULT false NOT NULL,
        CONSTRAINT rate_day_pkey PRIMARY KEY (day, scope, code),
        CONSTRAINT rate_day_scope_check CHECK (scope in ('city','grid','kind'))
    )
    """,
    """
    CREATE VIEW api.rates AS
    SELECT day, scope, code, units_due, units_connected, devices, online, intact, never_reported, in_maintenance,
           units_connected::float8 / nullif(units_due, 0) AS connection_rate,
           online::float8 / nullif(devices, 0) AS online_rate,
           intact::float8 / nullif(devices, 0) AS intact_rate,
           intact_time, as_of, frozen_at, late
    FROM rate_day WHERE frozen_at IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
