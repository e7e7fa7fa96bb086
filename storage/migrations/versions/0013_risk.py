"""The boundary of a grid."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = ("ALTER TABLE grid ADD COLUMN boundary jsonb",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
