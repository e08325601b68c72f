"""The first schema: what was received (land), what was computed (result), what people decided (registry)."""

import sqlalchemy as sa
from alembic import context, op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("land", "result", "registry")
TABLES = (
    *(
        f"land.{name}"
        for name in ("source", "layer_version", "feature", "parcel", "enterprise", "raster", "issue")
    ),
    *(f"result.{name}" for name in ("run", "overlap", "evidence", "verdict", "unit", "member")),
    *(f"registry.{name}" for name in ("low_efficiency", "legacy", "problem")),
)
LOST_GOING_DOWN = {f"rows of {table}": f"SELECT count(*) FROM {table}" for table in TABLES}  # noqa: S608 - fixed names

# What people decided is history: it grows and is never rewritten, not even by a mistaken UPDATE in QGIS.
REFUSE_CHANGE = """
CREATE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a new row instead', TG_TABLE_NAME;
END $$
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.{table}
FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change()
"""


def upgrade() -> None:
    srid = context.config.attributes["srid"]
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    op.create_table(
        "source",
        sa.Column(
            "source_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the file",
        ),
        sa.Column("path", sa.Text(), nullable=False, comment="where it was read from"),
        sa.Column("layer_name", sa.Text(), nullable=True, comment="layer inside the file"),
        sa.Column("driver", sa.Text(), nullable=False, comment="format that read it"),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="digest of all bytes of the file and its sidecars"
        ),
        sa.Column(
            "size_bytes", sa.BigInteger(), nullable=False, comment="size of the file and its sidecars [byte]"
        ),
        sa.Column("encoding", sa.Text(), nullable=True, comment="text encoding used"),
        sa.Column("encoding_reason", sa.Text(), nullable=True, comment="why that encoding"),
        sa.Column("crs", sa.Text(), nullable=True, comment="coordinate system of the file"),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source")),
        schema="land",
        comment="a file as it was received",
    )
    op.create_index(op.f("ix_source_sha256"), "source", ["sha256"], unique=False, schema="land")
    op.create_table(
        "legacy",
        sa.Column(
            "entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column(
            "retention", sa.Text(), nullable=False, comment="whether the parcel may be kept: yes, no or open"
        ),
        sa.Column(
            "clauses",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="each clause of the test with its outcome",
        ),
        sa.Column(
            "area_m2",
            sa.Double(),
            nullable=False,
            comment="ellipsoidal area by the survey formula (椭球面积) [m²]",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="state of the entry, for example draft (草案)"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="classification that it rests on"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when this row was added"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="who added it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_legacy")),
        schema="registry",
        comment="historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
    )
    op.create_index(op.f("ix_legacy_parcel_id"), "legacy", ["parcel_id"], unique=False, schema="registry")
    op.create_table(
        "low_efficiency",
        sa.Column(
            "entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of low-efficiency land"),
        sa.Column("rule", sa.Text(), nullable=False, comment="rule that decided"),
        sa.Column(
            "area_m2",
            sa.Double(),
            nullable=False,
            comment="ellipsoidal area by the survey formula (椭球面积) [m²]",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="state of the entry, for example draft (草案)"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="classification that it rests on"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when this row was added"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="who added it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_low_efficiency")),
        schema="registry",
        comment="low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
    )
    op.create_index(
        op.f("ix_low_efficiency_parcel_id"), "low_efficiency", ["parcel_id"], unique=False, schema="registry"
    )
    op.create_table(
        "problem",
        sa.Column(
            "entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column("question", sa.Text(), nullable=False, comment="question that is open"),
        sa.Column("clause", sa.Text(), nullable=False, comment="clause that is unknown"),
        sa.Column("needed", sa.Text(), nullable=False, comment="what would settle it"),
        sa.Column("office", sa.Text(), nullable=False, comment="office that can say"),
        sa.Column("state", sa.Text(), nullable=False, comment="state of the entry, for example draft (草案)"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="classification that it rests on"),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when this row was added"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="who added it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_problem")),
        schema="registry",
        comment="problem list (问题清单): what is unknown and which paper would settle it; append-only",
    )
    op.create_index(op.f("ix_problem_parcel_id"), "problem", ["parcel_id"], unique=False, schema="registry")
    op.create_table(
        "run",
        sa.Column(
            "run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the run"
        ),
        sa.Column("stage", sa.Text(), nullable=False, comment="stage that ran"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when it began"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False, comment="when it ended"),
        sa.Column("code_version", sa.Text(), nullable=False, comment="version of lowland_gis"),
        sa.Column(
            "inputs",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="versions and runs that it read",
        ),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="settings that it used, with the digest of every definition",
        ),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="digest of inputs, settings and code version: the same again is not run twice",
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        schema="result",
        comment="one execution of one stage",
    )
    op.create_index(op.f("ix_run_stage"), "run", ["stage"], unique=False, schema="result")
    op.create_table(
        "layer_version",
        sa.Column(
            "version_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the delivery",
        ),
        sa.Column("layer", sa.Text(), nullable=False, comment="layer key"),
        sa.Column(
            "part",
            sa.Text(),
            nullable=True,
            comment="part of a layer that comes in several files, such as a year",
        ),
        sa.Column("source_id", sa.BigInteger(), nullable=False, comment="file that it came in"),
        sa.Column("as_of", sa.Date(), nullable=True, comment="state of affairs that the layer describes"),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="digest of file, definition and options: the same again is not loaded twice",
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False, comment="when it was loaded"),
        sa.Column("loaded_by", sa.Text(), nullable=False, comment="who loaded it"),
        sa.Column("n_read", sa.BigInteger(), nullable=False, comment="records read"),
        sa.Column("n_loaded", sa.BigInteger(), nullable=False, comment="records loaded"),
        sa.Column(
            "n_rejected",
            sa.BigInteger(),
            nullable=False,
            comment="records set aside; read = loaded + rejected",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["land.source.source_id"], name=op.f("fk_layer_version_source_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_layer_version")),
        schema="land",
        comment="one delivery of one layer; the newest of a layer and part is the current one",
    )
    op.create_index(op.f("ix_layer_version_layer"), "layer_version", ["layer"], unique=False, schema="land")
    op.create_table(
        "evidence",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column("measure", sa.Text(), nullable=False, comment="name of the measure"),
        sa.Column("value", sa.Double(), nullable=False, comment="the value; true is 1 and false is 0"),
        sa.Column("source", sa.Text(), nullable=False, comment="layers and dates that it came from"),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_evidence_run_id")),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", "measure", name=op.f("pk_evidence")),
        schema="result",
        comment="one measured value of one parcel; a missing row means that nothing is known",
    )
    op.create_table(
        "member",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column("unit_id", sa.Text(), nullable=True, comment="unit; null when left out"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was left out"),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_member_run_id")),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", name=op.f("pk_member")),
        schema="result",
        comment="which low-efficiency parcel is in which unit, or why it is in none",
    )
    op.create_table(
        "overlap",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("layer", sa.Text(), nullable=False, comment="layer key"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column("code", sa.Text(), nullable=False, comment="class code"),
        sa.Column("area_m2", sa.Double(), nullable=False, comment="overlap on the plane [m²]"),
        sa.Column("share", sa.Double(), nullable=False, comment="part of the parcel's planar area [[0, 1]]"),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_overlap_run_id")),
        sa.PrimaryKeyConstraint("run_id", "layer", "parcel_id", "code", name=op.f("pk_overlap")),
        schema="result",
        comment="how many square metres of a parcel lie in a class of a layer",
    )
    op.create_table(
        "unit",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("unit_id", sa.Text(), nullable=False, comment="number of the unit"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column("n_parcels", sa.BigInteger(), nullable=False, comment="parcels in it"),
        sa.Column("area_m2", sa.Double(), nullable=False, comment="ellipsoidal area of its parcels [m²]"),
        sa.Column("low_share", sa.Double(), nullable=False, comment="share of low-efficiency land [[0, 1]]"),
        sa.Column("compactness", sa.Double(), nullable=False, comment="Polsby-Popper 4πA/P² [[0, 1]]"),
        sa.Column(
            "geom",
            Geometry(geometry_type="MULTIPOLYGON", srid=srid, nullable=False, spatial_index=False),
            nullable=False,
            comment="outline",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_unit_run_id")),
        sa.PrimaryKeyConstraint("run_id", "unit_id", name=op.f("pk_unit")),
        schema="result",
        comment="a proposed redevelopment unit (再开发单元)",
    )
    op.create_index("idx_unit_geom", "unit", ["geom"], unique=False, schema="result", postgresql_using="gist")
    op.create_table(
        "verdict",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("question", sa.Text(), nullable=False, comment="question of the rule pack"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column("answer", sa.Text(), nullable=False, comment="class given"),
        sa.Column(
            "settled",
            sa.Boolean(),
            nullable=False,
            comment="false where an unknown clause could still change the answer",
        ),
        sa.Column("rule", sa.Text(), nullable=True, comment="rule that decided"),
        sa.Column(
            "candidate", sa.Text(), nullable=True, comment="class that the first undecided rule would give"
        ),
        sa.Column(
            "trace",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="per rule: outcome and clauses with value, limit and outcome",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=op.f("fk_verdict_run_id")),
        sa.PrimaryKeyConstraint("run_id", "question", "parcel_id", name=op.f("pk_verdict")),
        schema="result",
        comment="the answer to one question for one parcel, with the trace of every clause",
    )
    op.create_table(
        "enterprise",
        sa.Column(
            "enterprise_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the row",
        ),
        sa.Column("version_id", sa.BigInteger(), nullable=False, comment="delivery"),
        sa.Column("row_no", sa.BigInteger(), nullable=False, comment="0-based row in the file"),
        sa.Column(
            "credit_code", sa.Text(), nullable=True, comment="unified social credit code (统一社会信用代码)"
        ),
        sa.Column("year", sa.Integer(), nullable=True, comment="year of the figures"),
        sa.Column("parcel_id", sa.Text(), nullable=True, comment="parcel that it stands on"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="all columns as received, under their standard names",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_enterprise_version_id")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_enterprise")),
        schema="land",
        comment="an enterprise on a parcel in a year",
    )
    op.create_index(
        op.f("ix_enterprise_version_id"), "enterprise", ["version_id"], unique=False, schema="land"
    )
    op.create_table(
        "feature",
        sa.Column(
            "feature_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the feature",
        ),
        sa.Column("version_id", sa.BigInteger(), nullable=False, comment="delivery"),
        sa.Column("layer", sa.Text(), nullable=False, comment="layer key"),
        sa.Column("row_no", sa.BigInteger(), nullable=False, comment="0-based row in the file"),
        sa.Column("code", sa.Text(), nullable=True, comment="class code that overlaps are summed by"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="all fields as received, under their standard names",
        ),
        sa.Column(
            "area_m2",
            sa.Double(),
            nullable=False,
            comment="ellipsoidal area by the survey formula (椭球面积) [m²]",
        ),
        sa.Column(
            "geom",
            Geometry(srid=srid, nullable=False, spatial_index=False),
            nullable=False,
            comment="geometry in the project's plane, repaired where needed",
        ),
        sa.Column(
            "geom_received",
            Geometry(srid=srid, spatial_index=False),
            nullable=True,
            comment="geometry before repair; null where none was needed",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_feature_version_id")
        ),
        sa.PrimaryKeyConstraint("feature_id", name=op.f("pk_feature")),
        schema="land",
        comment="a feature (图斑) of any vector layer except parcels",
    )
    op.create_index(
        "idx_feature_geom", "feature", ["geom"], unique=False, schema="land", postgresql_using="gist"
    )
    op.create_index(op.f("ix_feature_version_id"), "feature", ["version_id"], unique=False, schema="land")
    op.create_table(
        "issue",
        sa.Column(
            "issue_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the issue",
        ),
        sa.Column("version_id", sa.BigInteger(), nullable=False, comment="delivery"),
        sa.Column("row_no", sa.BigInteger(), nullable=False, comment="0-based row in the file"),
        sa.Column("key", sa.Text(), nullable=True, comment="key of the record where it has one"),
        sa.Column("rule", sa.Text(), nullable=False, comment="what is wrong, as a code"),
        sa.Column("action", sa.Text(), nullable=False, comment="repaired, rejected or kept"),
        sa.Column("message", sa.Text(), nullable=False, comment="what is wrong, in words"),
        sa.Column(
            "place",
            Geometry(geometry_type="POINT", srid=srid, spatial_index=False),
            nullable=True,
            comment="a point to zoom to",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_issue_version_id")
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue")),
        schema="land",
        comment="a doubt about one record, and what was done about it",
    )
    op.create_index(
        "idx_issue_place", "issue", ["place"], unique=False, schema="land", postgresql_using="gist"
    )
    op.create_index(op.f("ix_issue_version_id"), "issue", ["version_id"], unique=False, schema="land")
    op.create_table(
        "parcel",
        sa.Column("version_id", sa.BigInteger(), nullable=False, comment="delivery that the row came with"),
        sa.Column("parcel_id", sa.Text(), nullable=False, comment="parcel code (宗地代码 ZDDM)"),
        sa.Column("row_no", sa.BigInteger(), nullable=False, comment="0-based row in the file"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town code, 9 digits (镇街代码)"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="all fields as received, under their standard names",
        ),
        sa.Column(
            "area_m2",
            sa.Double(),
            nullable=False,
            comment="ellipsoidal area by the survey formula (椭球面积) [m²]",
        ),
        sa.Column("planar_m2", sa.Double(), nullable=False, comment="area on the project's plane [m²]"),
        sa.Column(
            "geom",
            Geometry(geometry_type="MULTIPOLYGON", srid=srid, nullable=False, spatial_index=False),
            nullable=False,
            comment="geometry in the project's plane",
        ),
        sa.Column(
            "geom_received",
            Geometry(srid=srid, spatial_index=False),
            nullable=True,
            comment="geometry before repair; null where none was needed",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_parcel_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "parcel_id", name=op.f("pk_parcel")),
        schema="land",
        comment="a cadastral parcel (宗地)",
    )
    op.create_index(
        "idx_parcel_geom", "parcel", ["geom"], unique=False, schema="land", postgresql_using="gist"
    )
    op.create_table(
        "raster",
        sa.Column("version_id", sa.BigInteger(), nullable=False, comment="delivery that the row came with"),
        sa.Column("path", sa.Text(), nullable=False, comment="absolute path of the file"),
        sa.Column("band", sa.Integer(), nullable=False, comment="1-based band"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["land.layer_version.version_id"], name=op.f("fk_raster_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_raster")),
        schema="land",
        comment="a raster that stays a file; the digest says which",
    )
    op.execute(REFUSE_CHANGE)
    for table in ("low_efficiency", "legacy", "problem"):
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    op.drop_table("raster", schema="land")
    op.drop_index("idx_parcel_geom", table_name="parcel", schema="land", postgresql_using="gist")
    op.drop_table("parcel", schema="land")
    op.drop_index(op.f("ix_issue_version_id"), table_name="issue", schema="land")
    op.drop_index("idx_issue_place", table_name="issue", schema="land", postgresql_using="gist")
    op.drop_table("issue", schema="land")
    op.drop_index(op.f("ix_feature_version_id"), table_name="feature", schema="land")
    op.drop_index("idx_feature_geom", table_name="feature", schema="land", postgresql_using="gist")
    op.drop_table("feature", schema="land")
    op.drop_index(op.f("ix_enterprise_version_id"), table_name="enterprise", schema="land")
    op.drop_table("enterprise", schema="land")
    op.drop_table("verdict", schema="result")
    op.drop_index("idx_unit_geom", table_name="unit", schema="result", postgresql_using="gist")
    op.drop_table("unit", schema="result")
    op.drop_table("overlap", schema="result")
    op.drop_table("member", schema="result")
    op.drop_table("evidence", schema="result")
    op.drop_index(op.f("ix_layer_version_layer"), table_name="layer_version", schema="land")
    op.drop_table("layer_version", schema="land")
    op.drop_index(op.f("ix_run_stage"), table_name="run", schema="result")
    op.drop_table("run", schema="result")
    op.drop_index(op.f("ix_problem_parcel_id"), table_name="problem", schema="registry")
    op.drop_table("problem", schema="registry")
    op.drop_index(op.f("ix_low_efficiency_parcel_id"), table_name="low_efficiency", schema="registry")
    op.drop_table("low_efficiency", schema="registry")
    op.drop_index(op.f("ix_legacy_parcel_id"), table_name="legacy", schema="registry")
    op.drop_table("legacy", schema="registry")
    op.drop_index(op.f("ix_source_sha256"), table_name="source", schema="land")
    op.drop_table("source", schema="land")
    op.execute("DROP FUNCTION registry.refuse_change()")
    for schema in SCHEMAS:
        # RESTRICT is the default: a schema that holds somebody else's table stays and says so.
        op.execute(f"DROP SCHEMA {schema}")
