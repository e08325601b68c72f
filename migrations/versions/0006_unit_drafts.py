"""Keep drafts of units side by side with their ledgers, and frozen units with their numbers."""

import sqlalchemy as sa
from alembic import context, op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {
    "frozen units (registry.unit)": "SELECT count(*), string_agg(DISTINCT number, ', ') FROM registry.unit",
    "drafts of units (result.draft)": "SELECT count(*), string_agg('run ' || run_id, ', ' ORDER BY run_id) FROM result.draft",
    "units with a ledger (result.unit)": "SELECT count(*) FROM result.unit WHERE ledger IS NOT NULL",
}

JSONB = postgresql.JSONB(astext_type=sa.Text())
NUMBER = sa.Double()
UNIT_COLUMNS = (
    ("public_share", NUMBER, "share of planned public-benefit land [[0, 1]]"),
    ("value_m2", NUMBER, "value of the unit: gains less costs [m²]"),
    ("ledger", JSONB, "every term of the value, in m²"),
    ("limited_by", sa.Text(), "rule that forbids the best further move"),
    ("alternative", sa.Text(), "best change of one parcel and what it gains"),
)
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.unit
FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change()
"""


def upgrade() -> None:
    srid = context.config.attributes["srid"]
    for name, kind, comment in UNIT_COLUMNS:
        op.add_column("unit", sa.Column(name, kind, nullable=True, comment=comment), schema="result")
    op.create_table_comment(
        "member",
        "which parcel is in which unit, or why it is in none",
        existing_comment="which low-efficiency parcel is in which unit, or why it is in none",
        schema="result",
    )
    op.create_table(
        "draft",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("name", sa.Text(), nullable=False, comment="name of the draft"),
        sa.Column("origin", sa.Text(), nullable=False, comment="search, edit or import"),
        sa.Column("base_run_id", sa.BigInteger(), nullable=True, comment="draft that it was made from"),
        sa.Column("n_units", sa.BigInteger(), nullable=False, comment="units in it"),
        sa.Column("value_m2", NUMBER, nullable=False, comment="value of all units [m²]"),
        sa.Column(
            "bound_m2", NUMBER, nullable=False, comment="no draft under these limits is worth more [m²]"
        ),
        sa.Column(
            "gap", NUMBER, nullable=False, comment="how far the value may be below the optimum [[0, 1]]"
        ),
        sa.Column(
            "coverage",
            NUMBER,
            nullable=False,
            comment="share of all low-efficiency land that is in units [[0, 1]]",
        ),
        sa.Column(
            "findings",
            JSONB,
            nullable=False,
            comment="rules that it breaks: unit, rule, value, limit, parcels, message",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_draft_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_draft")),
        schema="result",
        comment="a division into units (方案), kept beside the others; the units of the flow are one too",
    )
    op.create_table(
        "unit",
        sa.Column(
            "entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("number", sa.Text(), nullable=False, comment="number by the town's scheme"),
        sa.Column("unit_id", sa.Text(), nullable=False, comment="number of the unit in its draft"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column("parcels", JSONB, nullable=False, comment="codes of its parcels"),
        sa.Column("area_m2", NUMBER, nullable=False, comment="ellipsoidal area of its parcels [m²]"),
        sa.Column("low_share", NUMBER, nullable=False, comment="share of low-efficiency land [[0, 1]]"),
        sa.Column("value_m2", NUMBER, nullable=False, comment="value of the unit [m²]"),
        sa.Column("ledger", JSONB, nullable=False, comment="every term of the value, in m²"),
        sa.Column(
            "geom",
            Geometry(geometry_type="MULTIPOLYGON", srid=srid, nullable=False, spatial_index=False),
            nullable=False,
            comment="outline",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="frozen or withdrawn"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="draft that it was frozen from"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when this row was added"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="who added it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_unit")),
        schema="registry",
        comment="frozen redevelopment units with their numbers; append-only, the newest row of a number holds",
    )
    op.create_index(op.f("ix_unit_number"), "unit", ["number"], unique=False, schema="registry")
    op.create_index(
        "idx_unit_geom", "unit", ["geom"], unique=False, schema="registry", postgresql_using="gist"
    )
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_index("idx_unit_geom", table_name="unit", schema="registry", postgresql_using="gist")
    op.drop_index(op.f("ix_unit_number"), table_name="unit", schema="registry")
    op.drop_table("unit", schema="registry")
    op.drop_table("draft", schema="result")
    op.create_table_comment(
        "member",
        "which low-efficiency parcel is in which unit, or why it is in none",
        existing_comment="which parcel is in which unit, or why it is in none",
        schema="result",
    )
    for name, _, _ in reversed(UNIT_COLUMNS):
        op.drop_column("unit", name, schema="result")
