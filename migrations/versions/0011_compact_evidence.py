"""Evidence as one row a parcel; `result.evidence` stays, as a view that shows a row for every value.

A row for each value repeated its run, its parcel, its measure and its source, twice with the index. What was measured before is
carried over on the way up and on the way down, so that runs stay explained and can be made again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Tables that go on the way down, and where all that they hold stands then.
STANDS_ELSEWHERE = {
    f"result.{table}": "result.evidence"
    for table in ("evidence_measure", "parcel_evidence", "evidence_apart")
}

RUN = "run that made the row"
PARCEL = "parcel code (宗地代码 ZDDM)"
MEASURE = "name of the measure"
MEANING = "one measured value of one parcel; a missing row means that nothing is known"
WORDS = {
    "run_id": RUN,
    "parcel_id": PARCEL,
    "measure": MEASURE,
    "value": "the value; true is 1 and false is 0",
    "low": "least value that drift of the boundaries allows",
    "high": "greatest value that drift of the boundaries allows",
    "source": "layers and dates that it came from",
    "detail": "classes or shares that the value is made of",
}

VIEW = """
CREATE VIEW result.evidence AS
    SELECT run_id, p.parcel_id, m.measure, p.value[m.number] AS value,
        p.low[array_position(p.banded, m.number)] AS low, p.high[array_position(p.banded, m.number)] AS high,
        m.source, p.detail[array_position(p.noted, m.number)] AS detail
    FROM result.parcel_evidence p JOIN result.evidence_measure m USING (run_id)
    WHERE p.value[m.number] <> 'NaN'::double precision
    UNION ALL
    SELECT run_id, parcel_id, measure, value, low, high, source, detail FROM result.evidence_apart
"""
GO_WITH_RUN = """
CREATE OR REPLACE FUNCTION result.go_with_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM result.overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.cover WHERE run_id = OLD.run_id;{more}
    RETURN NULL;
END $$
"""
WITH_EVIDENCE = "\n    DELETE FROM result.parcel_evidence WHERE run_id = OLD.run_id;"

# What papers say of a condition has a source of its own each time, so it stays a row by itself; the commonest source of a measure is
# written once, and values with another one stay rows too.
MEASURES = """
INSERT INTO result.evidence_measure (run_id, number, measure, source)
SELECT run_id, row_number() OVER (PARTITION BY run_id ORDER BY measure COLLATE "C"), measure, mode() WITHIN GROUP (ORDER BY source)
FROM result.evidence_before WHERE measure NOT LIKE 'paper: %' AND value <> 'NaN' GROUP BY run_id, measure
"""
# A table whose size the server knows: taken for a handful of rows, it was gone through once for every value of every parcel.
KEPT = """
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT run_id, number, parcel_id, value, low, high, detail
FROM result.evidence_before JOIN result.evidence_measure USING (run_id, measure, source) WHERE value <> 'NaN'
"""
COUNTED = "ANALYZE kept, result.evidence_measure"
VALUES = """
INSERT INTO result.parcel_evidence (run_id, parcel_id, value, banded, low, high, noted, detail)
SELECT run_id, parcel_id, array_agg(coalesce(value, 'NaN') ORDER BY number),
    array_agg(number ORDER BY number) FILTER (WHERE low IS NOT NULL OR high IS NOT NULL),
    array_agg(low ORDER BY number) FILTER (WHERE low IS NOT NULL OR high IS NOT NULL),
    array_agg(high ORDER BY number) FILTER (WHERE low IS NOT NULL OR high IS NOT NULL),
    array_agg(number ORDER BY number) FILTER (WHERE detail IS NOT NULL),
    array_agg(detail ORDER BY number) FILTER (WHERE detail IS NOT NULL)
FROM (SELECT DISTINCT run_id, parcel_id FROM kept) AS parcels JOIN result.evidence_measure USING (run_id)
    LEFT JOIN kept USING (run_id, parcel_id, number)
GROUP BY run_id, parcel_id ORDER BY run_id, parcel_id
"""
APART = """
INSERT INTO result.evidence_apart (run_id, parcel_id, measure, value, low, high, source, detail)
SELECT run_id, parcel_id, measure, value, low, high, source, detail FROM result.evidence_before
WHERE value = 'NaN' OR (run_id, measure, source) NOT IN (SELECT run_id, measure, source FROM result.evidence_measure)
"""


def _column(name: str, kind: sa.types.TypeEngine, meaning: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=nullable, comment=meaning)


def _value_columns() -> list[sa.Column]:
    kinds = {
        "value": sa.Double(),
        "low": sa.Double(),
        "high": sa.Double(),
        "source": sa.Text(),
        "detail": sa.Text(),
    }
    empty = ("low", "high", "detail")
    return [_column(name, kind, WORDS[name], nullable=name in empty) for name, kind in kinds.items()]


def _long_table(name: str, meaning: str) -> None:
    op.create_table(
        name,
        _column("run_id", sa.BigInteger(), RUN),
        _column("parcel_id", sa.Text(), PARCEL),
        _column("measure", sa.Text(), MEASURE),
        *_value_columns(),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name=f"fk_{name}_run_id"),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", "measure", name=f"pk_{name}"),
        schema="result",
        comment=meaning,
    )


def upgrade() -> None:
    op.rename_table("evidence", "evidence_before", schema="result")
    op.create_table(
        "evidence_measure",
        _column("run_id", sa.BigInteger(), RUN),
        _column("number", sa.Integer(), "place of the measure in the values of a parcel, from 1"),
        _column("measure", sa.Text(), MEASURE),
        _column("source", sa.Text(), "layers and dates that its values came from"),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name="fk_evidence_measure_run_id"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_evidence_measure"),
        sa.UniqueConstraint("run_id", "measure", name="uq_evidence_measure_run_id"),
        schema="result",
        comment="the measures of a run, by the number under which parcel_evidence holds their values",
    )
    numbers, integers = postgresql.ARRAY(sa.Double()), postgresql.ARRAY(sa.Integer())
    op.create_table(
        "parcel_evidence",
        _column("run_id", sa.BigInteger(), RUN),
        _column("parcel_id", sa.Text(), PARCEL),
        _column("value", numbers, "value of each measure of the run; NaN where nothing is known"),
        _column("banded", integers, "numbers of the measures that have a band", nullable=True),
        _column(
            "low", numbers, "least value of each of these that drift of the boundaries allows", nullable=True
        ),
        _column(
            "high",
            numbers,
            "greatest value of each of these that drift of the boundaries allows",
            nullable=True,
        ),
        _column("noted", integers, "numbers of the measures that have a detail", nullable=True),
        _column(
            "detail",
            postgresql.ARRAY(sa.Text()),
            "classes or shares that the value of each of these is made of",
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", name="pk_parcel_evidence"),
        schema="result",
        comment="what was measured of one parcel, measure by measure; result.evidence shows it row by row",
    )
    _long_table(
        "evidence_apart",
        "one value of one parcel that has a source of its own, as what a registered paper says has",
    )
    for statement in (
        MEASURES,
        KEPT,
        COUNTED,
        VALUES,
        "DROP TABLE kept",
        APART,
        "DROP TABLE result.evidence_before",
        VIEW,
    ):
        op.execute(statement)
    op.execute(f"COMMENT ON VIEW result.evidence IS '{MEANING}'")
    for name, meaning in WORDS.items():
        op.execute(f"COMMENT ON COLUMN result.evidence.{name} IS '{meaning}'")
    op.execute(GO_WITH_RUN.format(more=WITH_EVIDENCE))


def downgrade() -> None:
    op.execute("ALTER VIEW result.evidence RENAME TO evidence_after")
    _long_table("evidence", MEANING)
    columns = ", ".join(WORDS)
    op.execute(f"INSERT INTO result.evidence ({columns}) SELECT {columns} FROM result.evidence_after")  # noqa: S608 - fixed names
    op.execute("DROP VIEW result.evidence_after")
    for table in ("evidence_apart", "parcel_evidence", "evidence_measure"):
        op.drop_table(table, schema="result")
    op.execute(GO_WITH_RUN.format(more=""))
