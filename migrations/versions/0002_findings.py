"""Findings of `lowland check`: what is wrong with the land, and what became of it."""

import sqlalchemy as sa
from alembic import context, op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {"findings (land.finding)": "SELECT count(*) FROM land.finding"}


def upgrade() -> None:
    srid = context.config.attributes["srid"]
    op.create_table(
        "finding",
        sa.Column(
            "finding_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the finding",
        ),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="identity: layer, rule, subject, keys of the features and rounded place",
        ),
        sa.Column(
            "version_id", sa.BigInteger(), nullable=False, comment="delivery that it was last found in"
        ),
        sa.Column("layer", sa.Text(), nullable=False, comment="layer key"),
        sa.Column("rule", sa.Text(), nullable=False, comment="name of the check"),
        sa.Column(
            "official", sa.Text(), nullable=True, comment="system and number of the rule where it has one"
        ),
        sa.Column("severity", sa.Text(), nullable=False, comment="error or warning"),
        sa.Column("subject", sa.Text(), nullable=True, comment="field or other layer that it is about"),
        sa.Column(
            "keys",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="identifiers of the features; rows of the file where they have none",
        ),
        sa.Column("value", sa.Double(), nullable=True, comment="what was measured"),
        sa.Column("limit_value", sa.Double(), nullable=True, comment="what it was held against"),
        sa.Column("unit", sa.Text(), nullable=True, comment="unit of value and limit"),
        sa.Column("message", sa.Text(), nullable=False, comment="what is wrong, in words"),
        sa.Column(
            "place",
            Geometry(srid=srid, spatial_index=False),
            nullable=True,
            comment="a geometry to zoom to",
        ),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="open, fixed (no longer found) or accepted (by a person)",
        ),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, comment="when it was found first"),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), nullable=False, comment="when its status changed last"
        ),
        sa.Column("accepted_by", sa.Text(), nullable=True, comment="who accepted it"),
        sa.Column("accepted_why", sa.Text(), nullable=True, comment="why it was accepted"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_finding_version_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_finding")),
        sa.UniqueConstraint("digest", name=op.f("uq_finding_digest")),
        schema="land",
        comment="a finding (质检) of a check; it stays while it is open, fixed or accepted, over every rerun",
    )
    op.create_index(
        "idx_finding_place", "finding", ["place"], unique=False, schema="land", postgresql_using="gist"
    )
    op.create_index(op.f("ix_finding_layer"), "finding", ["layer"], unique=False, schema="land")
    op.create_index(op.f("ix_finding_rule"), "finding", ["rule"], unique=False, schema="land")


def downgrade() -> None:
    op.drop_index(op.f("ix_finding_rule"), table_name="finding", schema="land")
    op.drop_index(op.f("ix_finding_layer"), table_name="finding", schema="land")
    op.drop_index("idx_finding_place", table_name="finding", schema="land", postgresql_using="gist")
    op.drop_table("finding", schema="land")
