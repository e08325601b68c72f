"""Bands and classes beside evidence, one letter a clause in a trace, and registered papers.

Results can be thrown away: what was measured and classified before is removed, and made again by `lowland run`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON_TRACE = "per rule: outcome and clauses with value, limit and outcome"
LETTERS = "outcome of every clause of the question in the order of its rules: t true, f false, u unknown"
# Stages whose runs rest on what is removed.
STAGES = ("measure", "classify")
# What is asked before it goes: a label, and a query for how many there are and which.
LOST_GOING_UP = {
    "runs of measuring and classifying (result.run)": "SELECT count(*), string_agg(format('run %s %s of %s', run_id, stage,"
    " started_at::date), ', ' ORDER BY run_id) FROM result.run WHERE stage IN ('measure', 'classify')",
    "values that were measured (result.evidence)": "SELECT count(*) FROM result.evidence",
    "verdicts (result.verdict)": "SELECT count(*) FROM result.verdict",
    "drafts of units that stay, but can neither be edited nor exported without their verdicts": "SELECT count(*),"
    " string_agg('run ' || run_id, ', ' ORDER BY run_id) FROM result.run WHERE stage IN ('delineate', 'draft')",
}
LOST_GOING_DOWN = LOST_GOING_UP | {
    "registered papers (registry.document)": "SELECT count(*) FROM registry.document"
}


def _without_results() -> None:
    for table in ("verdict", "evidence"):
        op.execute(f"DELETE FROM result.{table}")  # noqa: S608 - fixed names
    op.execute(f"DELETE FROM result.run WHERE stage IN {STAGES}")  # noqa: S608 - fixed names


def upgrade() -> None:
    _without_results()
    op.add_column(
        "evidence",
        sa.Column(
            "low", sa.Double(), nullable=True, comment="least value that drift of the boundaries allows"
        ),
        schema="result",
    )
    op.add_column(
        "evidence",
        sa.Column(
            "high", sa.Double(), nullable=True, comment="greatest value that drift of the boundaries allows"
        ),
        schema="result",
    )
    op.add_column(
        "evidence",
        sa.Column("detail", sa.Text(), nullable=True, comment="classes or shares that the value is made of"),
        schema="result",
    )
    op.alter_column(
        "verdict", "trace", type_=sa.Text(), postgresql_using="trace::text", comment=LETTERS, schema="result"
    )
    op.create_table(
        "document",
        sa.Column(
            "entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code"),
        sa.Column(
            "condition",
            sa.Text(),
            nullable=False,
            comment="measure that the paper states, or the condition of a clause that it settles",
        ),
        sa.Column(
            "says",
            sa.Boolean(),
            nullable=True,
            comment="what the paper says of it; empty when it was withdrawn",
        ),
        sa.Column("file_name", sa.Text(), nullable=False, comment="name of the file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="digest of the file"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="size of the file [byte]"),
        sa.Column("state", sa.Text(), nullable=False, comment="registered or withdrawn"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when this row was added"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="who added it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_document")),
        schema="registry",
        comment="registered papers (登记材料): what a paper says of one clause of one parcel; append-only, the newest row of both holds",
    )
    op.create_index(op.f("ix_document_parcel_id"), "document", ["parcel_id"], unique=False, schema="registry")


def downgrade() -> None:
    _without_results()
    op.drop_index(op.f("ix_document_parcel_id"), table_name="document", schema="registry")
    op.drop_table("document", schema="registry")
    op.alter_column(
        "verdict",
        "trace",
        type_=postgresql.JSONB(astext_type=sa.Text()),
        postgresql_using="trace::jsonb",
        comment=JSON_TRACE,
        schema="result",
    )
    for name in ("detail", "high", "low"):
        op.drop_column("evidence", name, schema="result")
