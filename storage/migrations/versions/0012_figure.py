"""What an alert's value is of the metric where it is derived; the column may be there from a state after 0.4.0."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE alert ADD COLUMN IF NOT EXISTS figure text DEFAULT '' NOT NULL",
    """
    CREATE OR REPLACE VIEW api.alerts AS
    SELECT id, unit, device, component, alert_class AS class, priority, state, hold, condition, disposition, rule,
           rule_version, value, limit_value, place, text, device_at, received_at, raised_at, shown_at,
           acknowledged_at, verified_at, forwarded_at, receipted_at, closed_at,
           verification, hold_reason, held_until, zone, incident_id, metric, figure
    FROM alert
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
