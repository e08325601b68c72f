"""The annual plans of the towns (年度实施计划): rows of plans, and what was reported of their projects.

Functions and triggers stand in the SQL file of the same name.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {
    "rows of plans (registry.plan_row)": "SELECT count(*) FROM registry.plan_row",
    "reports of projects (registry.progress)": "SELECT count(*) FROM registry.progress",
}


def upgrade() -> None:
    op.create_table(
        "plan_row",
        sa.Column(
            "row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("plan_entry", sa.BigInteger(), nullable=False, comment="entry of the plan: town and year"),
        sa.Column(
            "plan_version",
            sa.Integer(),
            nullable=False,
            comment="version of that entry with which it was drafted",
        ),
        sa.Column("project_entry", sa.BigInteger(), nullable=False, comment="entry of the project"),
        sa.Column("year", sa.Integer(), nullable=False, comment="year of the plan"),
        sa.Column("town_code", sa.Text(), nullable=False, comment="town (镇街代码) that planned it"),
        sa.Column("number", sa.Text(), nullable=False, comment="number of the project (项目编号)"),
        sa.Column("title", sa.Text(), nullable=False, comment="name of the project"),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of the project (项目类型)"),
        sa.Column("unit", sa.Text(), nullable=True, comment="frozen unit that it lies in (单元编号)"),
        sa.Column("developer", sa.Text(), nullable=False, comment="who carries it out (开发主体)"),
        sa.Column("content", sa.Text(), nullable=False, comment="what is to be done (实施内容)"),
        sa.Column("phase", sa.Text(), nullable=False, comment="phase (再开发时序)"),
        sa.Column("start_on", sa.Date(), nullable=False, comment="day on which it is to begin"),
        sa.Column("end_on", sa.Date(), nullable=False, comment="day on which it is to be finished"),
        sa.Column(
            "goal", sa.Text(), nullable=False, comment="step that is to be reached by the end of the year"
        ),
        sa.Column("area_m2", sa.Double(), nullable=False, comment="area of the project [m²]"),
        sa.Column("investment_wan", sa.Double(), nullable=False, comment="investment [万元]"),
        sa.Column(
            "reclaimed_m2",
            sa.Double(),
            nullable=True,
            comment="of exchanged land (增减挂钩): area demolished and reclaimed [m²]",
        ),
        sa.Column(
            "built_m2",
            sa.Double(),
            nullable=True,
            comment="of exchanged land (增减挂钩): area newly built on [m²]",
        ),
        sa.Column(
            "quota_no", sa.Text(), nullable=True, comment="of exchanged land: number of the approval (批文号)"
        ),
        sa.Column("quota_on", sa.Date(), nullable=True, comment="of exchanged land: day of the approval"),
        sa.Column(
            "document_sha256",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the workbook that it was read from, a paper of the registry",
        ),
        sa.Column("sheet_row", sa.Integer(), nullable=False, comment="row of its sheet in that workbook"),
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
        sa.ForeignKeyConstraint(["plan_entry"], ["registry.entry.entry_id"], name="fk_plan_row_plan_entry"),
        sa.ForeignKeyConstraint(
            ["project_entry"], ["registry.entry.entry_id"], name="fk_plan_row_project_entry"
        ),
        sa.PrimaryKeyConstraint("row_id", name="pk_plan_row"),
        schema="registry",
        comment="rows of the towns' annual plans (年度实施计划), a project each; append-only, those of the newest version of a plan hold",
    )
    op.create_index("ix_plan_row_plan_entry", "plan_row", ["plan_entry"], unique=False, schema="registry")
    op.create_index(
        "ix_plan_row_project_entry", "plan_row", ["project_entry"], unique=False, schema="registry"
    )
    op.create_table(
        "progress",
        sa.Column(
            "row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("project_entry", sa.BigInteger(), nullable=False, comment="entry of the project"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town (镇街代码) of the project"),
        sa.Column("number", sa.Text(), nullable=False, comment="number of the project (项目编号)"),
        sa.Column("as_of", sa.Date(), nullable=False, comment="day that it is reported for"),
        sa.Column(
            "status",
            sa.Integer(),
            nullable=False,
            comment="0 not begun (未实施), 1 going on (正在实施), 2 finished (已完成)",
        ),
        sa.Column(
            "reason", sa.Integer(), nullable=True, comment="why not: 1 未到时序, 2 企业原因, 3 政府原因"
        ),
        sa.Column("why", sa.Text(), nullable=True, comment="the reason in words"),
        sa.Column("step", sa.Text(), nullable=True, comment="last step that is done"),
        sa.Column("started_on", sa.Date(), nullable=True, comment="day on which it began"),
        sa.Column("finished_on", sa.Date(), nullable=True, comment="day on which it was finished"),
        sa.Column("area_m2", sa.Double(), nullable=True, comment="area carried out so far [m²]"),
        sa.Column("investment_wan", sa.Double(), nullable=True, comment="investment so far [万元]"),
        sa.Column(
            "reclaimed_m2",
            sa.Double(),
            nullable=True,
            comment="of exchanged land (增减挂钩): area demolished and reclaimed [m²]",
        ),
        sa.Column(
            "built_m2",
            sa.Double(),
            nullable=True,
            comment="of exchanged land (增减挂钩): area newly built on [m²]",
        ),
        sa.Column(
            "document_sha256",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the workbook that it was read from, a paper of the registry",
        ),
        sa.Column("sheet_row", sa.Integer(), nullable=False, comment="row of its sheet in that workbook"),
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
        sa.ForeignKeyConstraint(
            ["project_entry"], ["registry.entry.entry_id"], name="fk_progress_project_entry"
        ),
        sa.PrimaryKeyConstraint("row_id", name="pk_progress"),
        schema="registry",
        comment="what towns reported of their projects (实施进度); append-only, the newest row of a project holds",
    )
    op.create_index(
        "ix_progress_project_entry", "progress", ["project_entry"], unique=False, schema="registry"
    )
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(text)


def downgrade() -> None:
    for table in ("progress", "plan_row"):
        op.drop_table(table, schema="registry")
        op.execute(f"DROP FUNCTION registry.link_{table}()")
