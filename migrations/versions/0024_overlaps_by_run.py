"""Overlaps stand in the database once: a run names the runs that computed what stands for it, and a view shows it under the old name.

A run copied what the one before it had found of parcels that are the same, which is nearly all of them after a correction. And verdicts and
members lose their foreign key to the run, as other rows that come in bulk have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None

# Tables that go on the way down, and where all that they hold stands then.
STANDS_ELSEWHERE = {
    "result.computed_overlap": "result.overlap",
    "result.computed_cover": "result.cover",
    "result.overlap_run": "result.overlap",
    "result.other_parcel": "result.overlap",
}

# The words are of this file.
# ruff: noqa: S608
OVERLAP = "how many square metres of a parcel lie in a class of a layer"
COVER = "where a layer leaves a part of a parcel that it meets uncovered, or covers a part more than once; no row: neither"
MEANINGS = {
    "overlap": (
        OVERLAP,
        f"{OVERLAP}, by the run that computed it; result.overlap shows what stands for a run",
    ),
    "cover": (COVER, f"{COVER}; by the run that computed it, result.cover shows what stands for a run"),
}
RUN = "run that made the row"
LAYER, PARCEL = "layer key", "parcel code (宗地代码 ZDDM)"
COLUMNS = {
    "overlap": {
        "run_id": RUN,
        "layer": LAYER,
        "parcel_id": PARCEL,
        "code": "class code",
        "area_m2": "overlap on the plane [m²]",
        "share": "part of the parcel''s planar area [[0, 1]]",
    },
    "cover": {
        "run_id": RUN,
        "layer": LAYER,
        "parcel_id": PARCEL,
        "rest_m2": "part of the parcel that no zone covers [m²]",
        "excess_m2": "what zones cover beyond once: twice counts once, thrice twice [m²]",
    },
}
VIEW = """
CREATE VIEW result.{name} AS
    SELECT s.run_id, {columns}
    FROM result.overlap_run s JOIN result.computed_{name} c ON c.run_id = s.computed_by AND c.layer = s.layer
    WHERE NOT EXISTS (
        SELECT FROM result.other_parcel o WHERE o.run_id = s.run_id AND o.parcel_id = c.parcel_id AND o.since_run > c.run_id
    )
"""
# A view of somebody's own would go on reading the table, under whatever name, and so only a part of what stands for a run.
REFUSE_VIEWS = """
DO $$
DECLARE
    views text := (
        SELECT string_agg(DISTINCT ev_class::regclass::text, ', ') FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
        WHERE classid = 'pg_rewrite'::regclass AND refobjid IN ('result.overlap'::regclass, 'result.cover'::regclass)
            AND ev_class NOT IN ('result.overlap'::regclass, 'result.cover'::regclass)
    );
BEGIN
    IF views IS NOT NULL THEN
        RAISE EXCEPTION 'views of your own read result.overlap or result.cover, which become views themselves: %. Keep their text, drop them,'
            ' migrate, and make them again', views;
    END IF;
END $$
"""
BEFORE = """
    DELETE FROM result.overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.cover WHERE run_id = OLD.run_id;"""
MOVED = """
    UPDATE result.computed_{} c SET run_id = heir WHERE run_id = OLD.run_id
        AND layer IN (SELECT layer FROM result.overlap_run WHERE run_id = heir AND computed_by = OLD.run_id)
        AND NOT EXISTS (SELECT FROM result.other_parcel o WHERE o.run_id = heir AND o.parcel_id = c.parcel_id AND o.since_run > OLD.run_id);"""
AFTER = f"""{MOVED.format("overlap")}{MOVED.format("cover")}
    DELETE FROM result.computed_overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.computed_cover WHERE run_id = OLD.run_id;
    DELETE FROM result.overlap_run WHERE OLD.run_id IN (run_id, computed_by);
    DELETE FROM result.other_parcel WHERE run_id = OLD.run_id;"""
HEIR = """
DECLARE
    heir bigint := (SELECT min(run_id) FROM result.overlap_run WHERE computed_by = OLD.run_id AND run_id <> OLD.run_id);"""
GO_WITH_RUN = """
CREATE OR REPLACE FUNCTION result.go_with_run() RETURNS trigger LANGUAGE plpgsql AS $${declared}
BEGIN{overlaps}
    DELETE FROM result.parcel_evidence WHERE run_id = OLD.run_id;{bulk}
    RETURN NULL;
END $$
"""

# To look the run of each row up took most of what writing verdicts took; they go with their run as the other rows do that come in bulk.
BULK = ("verdict", "member")
WITH_BULK = "".join(f"\n    DELETE FROM result.{table} WHERE run_id = OLD.run_id;" for table in BULK)


def _column(name: str, kind: sa.types.TypeEngine, meaning: str) -> sa.Column:
    return sa.Column(name, kind, nullable=False, comment=meaning)


def upgrade() -> None:
    """Rows stay where they are, under another name of the table; every run that has some has computed them itself."""
    op.execute(REFUSE_VIEWS)
    for name, (before, now) in MEANINGS.items():
        op.rename_table(name, f"computed_{name}", schema="result")
        op.execute(f"ALTER TABLE result.computed_{name} RENAME CONSTRAINT pk_{name} TO pk_computed_{name}")
        op.create_table_comment(f"computed_{name}", now, existing_comment=before, schema="result")
    op.create_table(
        "overlap_run",
        _column("run_id", sa.BigInteger(), RUN),
        _column("layer", sa.Text(), LAYER),
        _column("computed_by", sa.BigInteger(), "run that computed"),
        sa.PrimaryKeyConstraint("run_id", "layer", "computed_by", name="pk_overlap_run"),
        schema="result",
        comment="by which runs that was computed which stands for a run in a layer: by itself, and by those before with the same zones",
    )
    op.create_index("ix_overlap_run_computed_by", "overlap_run", ["computed_by"], schema="result")
    op.create_table(
        "other_parcel",
        _column("run_id", sa.BigInteger(), RUN),
        _column("parcel_id", sa.Text(), PARCEL),
        _column("since_run", sa.BigInteger(), "run from which on it is another"),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", name="pk_other_parcel"),
        schema="result",
        comment="a parcel that has another outline, or is gone, since runs that a run rests on: what these computed of it does not stand",
    )
    op.execute(
        "INSERT INTO result.overlap_run (run_id, layer, computed_by) SELECT run_id, layer, run_id FROM result.computed_overlap"
        " UNION SELECT run_id, layer, run_id FROM result.computed_cover"
    )
    for name, meanings in COLUMNS.items():
        columns = ", ".join(f"c.{column}" for column in meanings if column != "run_id")
        op.execute(VIEW.format(name=name, columns=columns))
        op.execute(f"COMMENT ON VIEW result.{name} IS '{MEANINGS[name][0]}'")
        for column, meaning in meanings.items():
            op.execute(f"COMMENT ON COLUMN result.{name}.{column} IS '{meaning}'")
    op.execute(GO_WITH_RUN.format(declared=HEIR, overlaps=AFTER, bulk=WITH_BULK))
    for table in BULK:
        op.drop_constraint(f"fk_{table}_run_id", table, schema="result", type_="foreignkey")


def downgrade() -> None:
    """Write under every run what stands for it."""
    op.execute(REFUSE_VIEWS)
    for name, meanings in COLUMNS.items():
        columns = ", ".join(meanings)
        op.execute(
            f"CREATE TEMPORARY TABLE standing_{name} ON COMMIT DROP AS SELECT {columns} FROM result.{name}"
        )
        op.execute(f"DROP VIEW result.{name}")
        op.execute(f"DELETE FROM result.computed_{name}")
        op.execute(f"INSERT INTO result.computed_{name} ({columns}) SELECT {columns} FROM standing_{name}")
        op.execute(f"DROP TABLE standing_{name}")
        op.rename_table(f"computed_{name}", name, schema="result")
        op.execute(f"ALTER TABLE result.{name} RENAME CONSTRAINT pk_computed_{name} TO pk_{name}")
        before, now = MEANINGS[name]
        op.create_table_comment(name, before, existing_comment=now, schema="result")
    op.drop_table("other_parcel", schema="result")
    op.drop_table("overlap_run", schema="result")
    op.execute(GO_WITH_RUN.format(declared="", overlaps=BEFORE, bulk=""))
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
