"""Lineage may name a later entry (a merged parcel that kept its older number), and goes in no circle; `reanswered` is a kind of change."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Nothing is lost going down: rows that name a later entry stay, and new ones are refused again.
_KINDS = "added, removed, split, merged, regrouped, renumbered, reshaped, boundary_drifted, attribute_changed, reclassified"
_COMMENTS = (
    ("result", "change", "kind", f"{_KINDS} or disposed", f"{_KINDS}, reanswered or disposed"),
    (
        "registry",
        "lineage",
        "part_of",
        "an earlier entry that it was part of",
        "an entry that it was part of before",
    ),
)
_EARLIER_ONLY = """
CREATE OR REPLACE FUNCTION registry.check_lineage()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE part_of >= entry_id) THEN
        RAISE EXCEPTION 'an entry was part of earlier entries only' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$
"""
_NO_CIRCLE = """
CREATE OR REPLACE FUNCTION registry.check_lineage()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE walked AS (
            SELECT entry_id AS start, part_of AS reached FROM fresh
            UNION SELECT walked.start, lineage.part_of FROM walked JOIN registry.lineage ON lineage.entry_id = walked.reached
        )
        SELECT FROM walked WHERE start = reached
    ) THEN
        RAISE EXCEPTION 'an entry came from itself, by way of others: lineage goes in no circle' USING ERRCODE = 'LR008';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Look for circles instead of numbers."""
    op.execute(_NO_CIRCLE)
    for schema, table, column, former, comment in _COMMENTS:
        op.alter_column(table, column, schema=schema, existing_comment=former, comment=comment)


def downgrade() -> None:
    """Look at the numbers again."""
    for schema, table, column, former, comment in _COMMENTS:
        op.alter_column(table, column, schema=schema, existing_comment=comment, comment=former)
    op.execute(_EARLIER_ONLY)
