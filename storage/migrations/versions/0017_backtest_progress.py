"""How far a back-test has come, and that somebody called it off."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE backtest ADD COLUMN progress double precision",
    "ALTER TABLE backtest DROP CONSTRAINT backtest_state_check",
    """
    ALTER TABLE backtest ADD CONSTRAINT backtest_state_check
    CHECK (state in ('running','done','failed','cancelled'))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
