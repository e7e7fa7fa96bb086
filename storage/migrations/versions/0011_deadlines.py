"""Deadlines: since when somebody is awaited for an alert, and which deadlines passed since."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE alert
        ADD COLUMN alarmed_at timestamptz DEFAULT now() NOT NULL,
        ADD COLUMN missed text[] DEFAULT '{}' NOT NULL
    """,
    "UPDATE alert SET alarmed_at = raised_at",
    # of what is open, as its history says
    """
    UPDATE alert a SET alarmed_at = alarmed.at, missed = CASE WHEN EXISTS (
        SELECT FROM alert_history h
        WHERE h.alert_id = a.id AND h.seq > alarmed.seq AND h.reason = 'escalated'
            AND h.evidence ->> 'deadline' = 'acknowledgement_overdue'
    ) THEN '{acknowledgement_overdue}'::text[] ELSE '{}' END
    FROM alert o CROSS JOIN LATERAL (
        SELECT h.seq, h.at FROM alert_history h
        WHERE h.alert_id = o.id AND (
            h.reason IN ('priority_rose', 'occurred_again', 'overruled', 'test_ended')
            OR h.new = 'unacknowledged' AND h.old IS DISTINCT FROM 'unacknowledged'
        ) ORDER BY h.seq DESC LIMIT 1
    ) alarmed
    WHERE o.state <> 'closed' AND a.id = o.id
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
