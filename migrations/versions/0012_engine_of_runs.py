"""A run says which engine computed its overlaps; earlier runs said it among their settings."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A column that goes on the way down: the settings of the runs say it too.
STANDS_ELSEWHERE = {"result.run.engine": "result.run"}


def upgrade() -> None:
    """Add the column and fill it from the settings of the runs."""
    op.add_column(
        "run",
        sa.Column(
            "engine",
            sa.Text,
            nullable=True,
            comment="what computed the overlaps; null for a stage that computes none",
        ),
        schema="result",
    )
    op.execute("UPDATE result.run SET engine = settings->>'engine'")


def downgrade() -> None:
    """Drop the column; the settings of the runs still say it."""
    op.drop_column("run", "engine", schema="result")
