"""Keep what a draft was searched from, component by component, so that the next one searches only what has changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# A table that goes on the way down: what was found stands in the draft, and a search that finds no such row finds the same again.
STANDS_ELSEWHERE = {"result.searched": "result.member"}


def upgrade() -> None:
    """Create the table; earlier drafts have no rows in it, so the next one searches all."""
    op.create_table(
        "searched",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="digest of all that the search of a component, or the outline of a unit, rests on",
        ),
        sa.Column(
            "found",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="units (places among the parcels of the component) and bound_m2, or the unit_id that has the outline",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name="fk_searched_run_id"),
        sa.PrimaryKeyConstraint("run_id", "digest", name="pk_searched"),
        schema="result",
        comment="what a draft rests on piece by piece: the next one takes over what rests on the same",
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("searched", schema="result")
