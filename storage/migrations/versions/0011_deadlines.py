"""Deadlines and policies: since when somebody is awaited for an alert, what passed since, and what was told of it."""

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
    """
    CREATE TABLE told_step (
        alert_id bigint NOT NULL,
        policy text NOT NULL,
        step smallint NOT NULL,
        since timestamptz NOT NULL,
        times integer NOT NULL,
        told_at timestamptz NOT NULL,
        CONSTRAINT told_step_pkey PRIMARY KEY (alert_id, policy, step),
        CONSTRAINT told_step_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert (id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
