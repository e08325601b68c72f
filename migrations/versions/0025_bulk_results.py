"""Verdicts and members go with their run, as overlaps do, and the server counts nothing inside the arrays of evidence.

The foreign key looked for the run once for each of the rows that a stage writes in bulk, in the transaction that makes the run: that
was a third of what the server did to classify. Counting what is usual in the arrays took it as long as counting all other columns, and no
statement asks for a parcel by what is in them.
"""

from alembic import op

revision = "0025"
down_revision = "0021"
branch_labels = None
depends_on = None

BULK = ("verdict", "member")
ARRAYS = ("value", "banded", "low", "high", "noted", "detail")
GO_WITH_RUN = """
CREATE OR REPLACE FUNCTION result.go_with_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM result.overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.cover WHERE run_id = OLD.run_id;
    DELETE FROM result.parcel_evidence WHERE run_id = OLD.run_id;{more}
    RETURN NULL;
END $$
"""
ALL = "".join(f"\n    DELETE FROM result.{table} WHERE run_id = OLD.run_id;" for table in BULK)


def upgrade() -> None:
    """Let bulk rows go with their run."""
    for table in BULK:
        op.drop_constraint(f"fk_{table}_run_id", table, schema="result", type_="foreignkey")
    op.execute(GO_WITH_RUN.format(more=ALL))
    _count(0)


def downgrade() -> None:
    """Hold every row to its run again."""
    _count(-1)
    op.execute(GO_WITH_RUN.format(more=""))
    for table in BULK:
        op.create_foreign_key(
            f"fk_{table}_run_id",
            table,
            "run",
            ["run_id"],
            ["run_id"],
            source_schema="result",
            referent_schema="result",
        )


def _count(target: int) -> None:
    for column in ARRAYS:
        op.execute(f"ALTER TABLE result.parcel_evidence ALTER {column} SET STATISTICS {target}")
