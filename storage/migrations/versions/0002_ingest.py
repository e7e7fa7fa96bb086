"""Ingest that loses nothing: leases, the canary, data quality per device, rejects to be replayed."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE lease (
        partition integer NOT NULL,
        owner text NOT NULL,
        epoch bigint NOT NULL,
        renewed_at timestamptz NOT NULL,
        CONSTRAINT lease_pkey PRIMARY KEY (partition)
    )
    """,
    """
    CREATE TABLE canary (
        one boolean DEFAULT true NOT NULL,
        sent_at timestamptz NOT NULL,
        committed_at timestamptz NOT NULL,
        CONSTRAINT canary_pkey PRIMARY KEY (one),
        CONSTRAINT canary_one_check CHECK (one)
    )
    """,
    """
    ALTER TABLE device
        ADD COLUMN seq_missed bigint DEFAULT 0 NOT NULL,
        ADD COLUMN seq_repeated bigint DEFAULT 0 NOT NULL,
        ADD COLUMN clock_skew_ms bigint
    """,
    "ALTER TABLE reject ADD COLUMN replay_asked_at timestamptz",
    "CREATE INDEX reject_replay_asked_at_idx ON reject (replay_asked_at) WHERE replay_asked_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
