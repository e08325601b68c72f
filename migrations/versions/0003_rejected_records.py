"""Keep what was received of a record that was set aside, and what the user said of a file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {
    "records that were set aside, as they came (land.issue)": "SELECT count(*) FROM land.issue WHERE received IS NOT NULL"
    " OR received_wkb IS NOT NULL",
    "deliveries of which it is known what was said of the file (land.layer_version.options)": "SELECT count(*) FROM land.layer_version WHERE options IS NOT NULL",
}


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
