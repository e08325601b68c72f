"""How evenly the zones of a layer cover each parcel; overlaps without a foreign key.

The check of a foreign key for every row took longer than computing the row. Overlaps are only written by the transaction that
makes their run; what is left of the key is its other half, which here means that they go with their run.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {"rows of result.cover": "SELECT count(*) FROM result.cover"}

GO_WITH_RUN = """
CREATE FUNCTION result.go_with_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM result.overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.cover WHERE run_id = OLD.run_id;
    RETURN NULL;
END $$
"""


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
        sa.PrimaryKeyConstraint("run_id", "layer", "parcel_id", name=op.f("pk_cover")),
        schema="result",
        comment="where a layer leaves a part of a parcel that it meets uncovered, or covers a part more than once; no row: neither",
    )
    op.drop_constraint("fk_overlap_run_id", "overlap", schema="result", type_="foreignkey")
    op.execute(GO_WITH_RUN)
    op.execute(
        "CREATE TRIGGER go_with_run AFTER DELETE ON result.run FOR EACH ROW EXECUTE FUNCTION result.go_with_run()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER go_with_run ON result.run")
    op.execute("DROP FUNCTION result.go_with_run()")
    op.create_foreign_key(
        "fk_overlap_run_id",
        "overlap",
        "run",
        ["run_id"],
        ["run_id"],
        source_schema="result",
        referent_schema="result",
    )
    op.drop_table("cover", schema="result")
