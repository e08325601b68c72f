"""Keep what was received of a record that was set aside, and what the user said of a file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "issue",
        sa.Column(
            "received",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="all fields of a record that was set aside",
        ),
        schema="land",
    )
    op.add_column(
        "issue",
        sa.Column(
            "received_wkb",
            postgresql.BYTEA(),
            nullable=True,
            comment="geometry of a record that was set aside, as it came",
        ),
        schema="land",
    )
    op.add_column(
        "layer_version",
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what the user said of the file, with digests of mapping and datum",
        ),
        schema="land",
    )


def downgrade() -> None:
    op.drop_column("layer_version", "options", schema="land")
    op.drop_column("issue", "received_wkb", schema="land")
    op.drop_column("issue", "received", schema="land")
