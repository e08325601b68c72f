"""The reports that left the house (简报、报告), with the figures that stood in them.

Functions and triggers stand in the SQL file of the same name.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {"reports that were made (registry.report)": "SELECT count(*) FROM registry.report"}


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column(
            "row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("report", sa.Text(), nullable=False, comment="report by its name in reports.toml"),
        sa.Column("period", sa.Text(), nullable=False, comment="period that it is of, such as 2026-11"),
        sa.Column("on_date", sa.Date(), nullable=False, comment="day that its figures are of"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="classification that it rests on"),
        sa.Column(
            "figures",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="its figures, which the next report of the kind is held against",
        ),
        sa.Column("file_name", sa.Text(), nullable=False, comment="name of the document"),
        sa.Column(
            "document_sha256",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the document as it was made",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was recorded, by the clock of the database",
        ),
        sa.Column(
            "recorded_by",
            sa.Text(),
            server_default=sa.text("session_user"),
            nullable=False,
            comment="role of the database that recorded it",
        ),
        sa.PrimaryKeyConstraint("row_id", name="pk_report"),
        schema="registry",
        comment="reports that were made (简报、报告) with the figures in them; append-only, the newest row of a report and period holds",
    )
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(text)


def downgrade() -> None:
    op.drop_table("report", schema="registry")
    op.execute("DROP FUNCTION registry.link_report()")
