"""Why a frozen unit was withdrawn, what it replaced and what its parcels were; what parts have left of a whole delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {
    "frozen units with what their parcels were, what they replaced or why they were withdrawn (registry.unit)": "SELECT count(*)"
    " FROM registry.unit WHERE members IS NOT NULL OR replaces IS NOT NULL OR reason IS NOT NULL",
    "deliveries that are the rest of a whole (land.layer_version)": "SELECT count(*) FROM land.layer_version WHERE rest_of IS NOT NULL",
}


def upgrade() -> None:
    op.add_column(
        "unit",
        sa.Column(
            "members",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="its parcels as they were: delivery of the outline, area in m², answer and whether it was low-efficiency; empty where"
            " an older program froze it",
        ),
        schema="registry",
    )
    op.add_column(
        "unit",
        sa.Column(
            "replaces",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="numbers of the frozen units that it took the place of",
        ),
        schema="registry",
    )
    op.add_column(
        "unit",
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="why it was withdrawn; empty while it is frozen"
        ),
        schema="registry",
    )
    op.add_column(
        "layer_version",
        sa.Column(
            "rest_of",
            sa.BigInteger(),
            nullable=True,
            comment="whole delivery of which this is what parts have left; empty for what was delivered",
        ),
        schema="land",
    )


def downgrade() -> None:
    op.drop_column("layer_version", "rest_of", schema="land")
    op.drop_column("unit", "reason", schema="registry")
    op.drop_column("unit", "replaces", schema="registry")
    op.drop_column("unit", "members", schema="registry")
