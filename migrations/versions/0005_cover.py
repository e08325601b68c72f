"""How evenly the zones of a layer cover each parcel."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cover",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("layer", sa.Text(), nullable=False, comment="layer key"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column(
            "rest_m2", sa.Double(), nullable=False, comment="part of the parcel that no zone covers [m²]"
        ),
        sa.Column(
            "excess_m2",
            sa.Double(),
            nullable=False,
            comment="what zones cover beyond once: twice counts once, thrice twice [m²]",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_cover_run_id")),
        sa.PrimaryKeyConstraint("run_id", "layer", "parcel_id", name=op.f("pk_cover")),
        schema="result",
        comment="where a layer leaves a part of a parcel that it meets uncovered, or covers a part more than once; no row: neither",
    )


def downgrade() -> None:
    op.drop_table("cover", schema="result")
