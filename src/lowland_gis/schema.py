"""The data dictionary: every table and column of the database, with kind, unit and meaning.

One truth with many readers: the SQL tables (`db.tables`), the frames written by COPY (`db.frames`), the fields of
a package (`deliver.package`) and the documentation are all derived from here. This module holds data only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text", "integer", "bigint", "number", "boolean", "date", "timestamp", "json", "bytes", "geometry"
]

LAND, RESULT, REGISTRY = "land", "result", "registry"
SCHEMAS = (LAND, RESULT, REGISTRY)


@dataclass(frozen=True)
class Column:
    """One column: its kind, what it means, its unit, and how it is constrained.

    A reference that is not `enforced` is no foreign key: rows that come in bulk are written by the transaction that writes what they
    refer to, and a check of each would cost more than loading it.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    nullable: bool = False
    identity: bool = False
    references: str | None = None
    enforced: bool = True
    indexed: bool = False
    geometry_type: str = "GEOMETRY"

    @property
    def spatially_indexed(self) -> bool:
        """Return whether the column has a spatial index; received geometry is only ever looked at one by one."""
        return self.kind == "geometry" and self.name != "geom_received"


@dataclass(frozen=True)
class Table:
    """One table of one schema; `key` names the columns of its primary key.

    `partitioned_by` names the column whose every value is a table of its own below this one (see `db.parts`).
    """

    schema: str
    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    partitioned_by: str | None = None

    @property
    def full_name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(column.name for column in self.columns)


def _identity(name: str, meaning: str) -> Column:
    return Column(name, "bigint", meaning, identity=True)


def _run(*, enforced: bool = True) -> Column:
    return Column(
        "run_id", "bigint", "run that made the row", references="result.run.run_id", enforced=enforced
    )


def _version(*, enforced: bool = True) -> Column:
    return Column(
        "version_id",
        "bigint",
        "delivery that the row came with",
        references="land.layer_version.version_id",
        enforced=enforced,
    )


def _bulk_version(*, indexed: bool = True) -> Column:
    return Column(
        "version_id",
        "bigint",
        "delivery",
        references="land.layer_version.version_id",
        enforced=False,
        indexed=indexed,
    )


PARCEL_ID = Column("parcel_id", "text", "parcel code (宗地代码 ZDDM)")
AREA = Column("area_m2", "number", "ellipsoidal area by the survey formula (椭球面积)", unit="m²")
TOWN = Column("town_code", "text", "town code, 9 digits (镇街代码)", nullable=True)

SOURCE = Table(
    LAND,
    "source",
    "a file as it was received",
    ("source_id",),
    (
        _identity("source_id", "number of the file"),
        Column("path", "text", "where it was read from"),
        Column("layer_name", "text", "layer inside the file", nullable=True),
        Column("driver", "text", "format that read it"),
        Column("sha256", "text", "digest of all bytes of the file and its sidecars", indexed=True),
        Column("size_bytes", "bigint", "size of the file and its sidecars", unit="byte"),
        Column("encoding", "text", "text encoding used", nullable=True),
        Column("encoding_reason", "text", "why that encoding", nullable=True),
        Column("crs", "text", "coordinate system of the file", nullable=True),
    ),
)

LAYER_VERSION = Table(
    LAND,
    "layer_version",
    "one delivery of one layer; the newest of a layer and part is the current one",
    ("version_id",),
    (
        _identity("version_id", "number of the delivery"),
        Column("layer", "text", "layer key", indexed=True),
        Column("part", "text", "part of a layer that comes in several files, such as a year", nullable=True),
        Column("source_id", "bigint", "file that it came in", references="land.source.source_id"),
        Column("as_of", "date", "state of affairs that the layer describes", nullable=True),
        Column(
            "digest", "text", "digest of file, definition and options: the same again is not loaded twice"
        ),
        Column(
            "options",
            "json",
            "what the user said of the file, with digests of mapping and datum",
            nullable=True,
        ),
        Column("loaded_at", "timestamp", "when it was loaded"),
        Column("loaded_by", "text", "who loaded it"),
        Column("n_read", "bigint", "records read"),
        Column("n_loaded", "bigint", "records loaded"),
        Column("n_rejected", "bigint", "records set aside; read = loaded + rejected"),
    ),
)

FEATURE = Table(
    LAND,
    "feature",
    "a feature (图斑) of any vector layer except parcels",
    ("version_id", "feature_id"),
    (
        _identity("feature_id", "number of the feature"),
        _bulk_version(indexed=False),
        Column("layer", "text", "layer key"),
        Column("row_no", "bigint", "0-based row in the file"),
        Column("code", "text", "class code that overlaps are summed by", nullable=True),
        Column("attributes", "json", "all fields as received, under their standard names"),
        AREA,
        Column("geom", "geometry", "geometry in the project's plane, repaired where needed"),
        Column(
            "geom_received", "geometry", "geometry before repair; null where none was needed", nullable=True
        ),
    ),
    partitioned_by="version_id",
)

PARCEL = Table(
    LAND,
    "parcel",
    "a cadastral parcel (宗地)",
    ("version_id", "parcel_id"),
    (
        _version(enforced=False),
        PARCEL_ID,
        Column("row_no", "bigint", "0-based row in the file"),
        TOWN,
        Column("attributes", "json", "all fields as received, under their standard names"),
        AREA,
        Column("planar_m2", "number", "area on the project's plane", unit="m²"),
        Column("geom", "geometry", "geometry in the project's plane", geometry_type="MULTIPOLYGON"),
        Column(
            "geom_received", "geometry", "geometry before repair; null where none was needed", nullable=True
        ),
    ),
    partitioned_by="version_id",
)

ENTERPRISE = Table(
    LAND,
    "enterprise",
    "an enterprise on a parcel in a year",
    ("enterprise_id",),
    (
        _identity("enterprise_id", "number of the row"),
        _bulk_version(),
        Column("row_no", "bigint", "0-based row in the file"),
        Column("credit_code", "text", "unified social credit code (统一社会信用代码)", nullable=True),
        Column("year", "integer", "year of the figures", nullable=True),
        Column("parcel_id", "text", "parcel that it stands on", nullable=True),
        Column("attributes", "json", "all columns as received, under their standard names"),
    ),
)

RASTER = Table(
    LAND,
    "raster",
    "a raster that stays a file; the digest says which",
    ("version_id",),
    (
        _version(),
        Column("path", "text", "absolute path of the file"),
        Column("band", "integer", "1-based band"),
    ),
)

ISSUE = Table(
    LAND,
    "issue",
    "a doubt about one record, and what was done about it",
    ("issue_id",),
    (
        _identity("issue_id", "number of the issue"),
        _bulk_version(),
        Column("row_no", "bigint", "0-based row in the file"),
        Column("key", "text", "key of the record where it has one", nullable=True),
        Column("rule", "text", "what is wrong, as a code"),
        Column("action", "text", "repaired, rejected or kept"),
        Column("message", "text", "what is wrong, in words"),
        Column("place", "geometry", "a point to zoom to", nullable=True, geometry_type="POINT"),
        Column("received", "json", "all fields of a record that was set aside", nullable=True),
        Column("received_wkb", "bytes", "geometry of a record that was set aside, as it came", nullable=True),
    ),
)

FINDING = Table(
    LAND,
    "finding",
    "a finding (质检) of a check; it stays while it is open, fixed or accepted, over every rerun",
    ("finding_id",),
    (
        _identity("finding_id", "number of the finding"),
        Column("digest", "text", "identity: layer, rule, subject, keys of the features and rounded place"),
        Column(
            "version_id",
            "bigint",
            "delivery that it was last found in",
            references="land.layer_version.version_id",
        ),
        Column("layer", "text", "layer key", indexed=True),
        Column("rule", "text", "name of the check", indexed=True),
        Column("official", "text", "system and number of the rule where it has one", nullable=True),
        Column("severity", "text", "error or warning"),
        Column("subject", "text", "field or other layer that it is about", nullable=True),
        Column("keys", "json", "identifiers of the features; rows of the file where they have none"),
        Column("value", "number", "what was measured", nullable=True),
        Column("limit_value", "number", "what it was held against", nullable=True),
        Column("unit", "text", "unit of value and limit", nullable=True),
        Column("message", "text", "what is wrong, in words"),
        Column("place", "geometry", "a geometry to zoom to", nullable=True),
        Column("status", "text", "open, fixed (no longer found) or accepted (by a person)"),
        Column("found_at", "timestamp", "when it was found first"),
        Column("changed_at", "timestamp", "when its status changed last"),
        Column("accepted_by", "text", "who accepted it", nullable=True),
        Column("accepted_why", "text", "why it was accepted", nullable=True),
    ),
    unique=(("digest",),),
)

RUN = Table(
    RESULT,
    "run",
    "one execution of one stage",
    ("run_id",),
    (
        _identity("run_id", "number of the run"),
        Column("stage", "text", "stage that ran", indexed=True),
        Column("started_at", "timestamp", "when it began"),
        Column("finished_at", "timestamp", "when it ended"),
        Column("code_version", "text", "version of lowland_gis"),
        Column("inputs", "json", "versions and runs that it read"),
        Column("settings", "json", "settings that it used, with the digest of every definition"),
        Column(
            "digest", "text", "digest of inputs, settings and code version: the same again is not run twice"
        ),
    ),
)

OVERLAP = Table(
    RESULT,
    "overlap",
    "how many square metres of a parcel lie in a class of a layer",
    ("run_id", "layer", "parcel_id", "code"),
    (
        _run(enforced=False),
        Column("layer", "text", "layer key"),
        PARCEL_ID,
        Column("code", "text", "class code"),
        Column("area_m2", "number", "overlap on the plane", unit="m²"),
        Column("share", "number", "part of the parcel's planar area", unit="[0, 1]"),
    ),
)

COVER = Table(
    RESULT,
    "cover",
    "where a layer leaves a part of a parcel that it meets uncovered, or covers a part more than once; no row: neither",
    ("run_id", "layer", "parcel_id"),
    (
        _run(enforced=False),
        Column("layer", "text", "layer key"),
        PARCEL_ID,
        Column("rest_m2", "number", "part of the parcel that no zone covers", unit="m²"),
        Column(
            "excess_m2", "number", "what zones cover beyond once: twice counts once, thrice twice", unit="m²"
        ),
    ),
)

EVIDENCE = Table(
    RESULT,
    "evidence",
    "one measured value of one parcel; a missing row means that nothing is known",
    ("run_id", "parcel_id", "measure"),
    (
        _run(),
        PARCEL_ID,
        Column("measure", "text", "name of the measure"),
        Column("value", "number", "the value; true is 1 and false is 0"),
        Column("low", "number", "least value that drift of the boundaries allows", nullable=True),
        Column("high", "number", "greatest value that drift of the boundaries allows", nullable=True),
        Column("source", "text", "layers and dates that it came from"),
        Column("detail", "text", "classes or shares that the value is made of", nullable=True),
    ),
)

VERDICT = Table(
    RESULT,
    "verdict",
    "the answer to one question for one parcel, with the trace of every clause",
    ("run_id", "question", "parcel_id"),
    (
        _run(),
        Column("question", "text", "question of the rule pack"),
        PARCEL_ID,
        Column("answer", "text", "class given"),
        Column("settled", "boolean", "false where an unknown clause could still change the answer"),
        Column("rule", "text", "rule that decided", nullable=True),
        Column("candidate", "text", "class that the first undecided rule would give", nullable=True),
        Column(
            "trace",
            "text",
            "outcome of every clause of the question in the order of its rules: t true, f false, u unknown",
        ),
    ),
)

UNIT = Table(
    RESULT,
    "unit",
    "a proposed redevelopment unit (再开发单元)",
    ("run_id", "unit_id"),
    (
        _run(),
        Column("unit_id", "text", "number of the unit"),
        TOWN,
        Column("n_parcels", "bigint", "parcels in it"),
        Column("area_m2", "number", "ellipsoidal area of its parcels", unit="m²"),
        Column("low_share", "number", "share of low-efficiency land", unit="[0, 1]"),
        Column("compactness", "number", "Polsby-Popper 4πA/P²", unit="[0, 1]"),
        Column("geom", "geometry", "outline", geometry_type="MULTIPOLYGON"),
        Column(
            "public_share", "number", "share of planned public-benefit land", unit="[0, 1]", nullable=True
        ),
        Column("value_m2", "number", "value of the unit: gains less costs", unit="m²", nullable=True),
        Column("ledger", "json", "every term of the value, in m²", nullable=True),
        Column("limited_by", "text", "rule that forbids the best further move", nullable=True),
        Column("alternative", "text", "best change of one parcel and what it gains", nullable=True),
    ),
)

MEMBER = Table(
    RESULT,
    "member",
    "which parcel is in which unit, or why it is in none",
    ("run_id", "parcel_id"),
    (
        _run(),
        PARCEL_ID,
        Column("unit_id", "text", "unit; null when left out", nullable=True),
        Column("reason", "text", "why it was left out", nullable=True),
    ),
)

DRAFT = Table(
    RESULT,
    "draft",
    "a division into units (方案), kept beside the others; the units of the flow are one too",
    ("run_id",),
    (
        _run(),
        Column("name", "text", "name of the draft"),
        Column("origin", "text", "search, edit or import"),
        # No foreign key: a draft outlives the one that it was made from.
        Column("base_run_id", "bigint", "draft that it was made from", nullable=True),
        Column("n_units", "bigint", "units in it"),
        Column("value_m2", "number", "value of all units", unit="m²"),
        Column("bound_m2", "number", "no draft under these limits is worth more", unit="m²"),
        Column("gap", "number", "how far the value may be below the optimum", unit="[0, 1]"),
        Column("coverage", "number", "share of all low-efficiency land that is in units", unit="[0, 1]"),
        Column("findings", "json", "rules that it breaks: unit, rule, value, limit, parcels, message"),
    ),
)


def _history() -> tuple[Column, ...]:
    return (
        Column("state", "text", "state of the entry, for example draft (草案)"),
        # No foreign key: results may be thrown away, the registry may not.
        Column("run_id", "bigint", "classification that it rests on"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    )


LOW_EFFICIENCY = Table(
    REGISTRY,
    "low_efficiency",
    "low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
    ("entry_id",),
    (
        _identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("kind", "text", "kind of low-efficiency land"),
        Column("rule", "text", "rule that decided"),
        AREA,
        *_history(),
    ),
)

LEGACY = Table(
    REGISTRY,
    "legacy",
    "historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
    ("entry_id",),
    (
        _identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("retention", "text", "whether the parcel may be kept: yes, no or open"),
        Column("clauses", "json", "each clause of the test with its outcome"),
        AREA,
        *_history(),
    ),
)

PROBLEM = Table(
    REGISTRY,
    "problem",
    "problem list (问题清单): what is unknown and which paper would settle it; append-only",
    ("entry_id",),
    (
        _identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("question", "text", "question that is open"),
        Column("clause", "text", "clause that is unknown"),
        Column("needed", "text", "what would settle it"),
        Column("office", "text", "office that can say"),
        *_history(),
    ),
)

UNIT_FROZEN = Table(
    REGISTRY,
    "unit",
    "frozen redevelopment units with their numbers; append-only, the newest row of a number holds",
    ("entry_id",),
    (
        _identity("entry_id", "number of the row"),
        Column("number", "text", "number by the town's scheme", indexed=True),
        Column("unit_id", "text", "number of the unit in its draft"),
        TOWN,
        Column("parcels", "json", "codes of its parcels"),
        Column("area_m2", "number", "ellipsoidal area of its parcels", unit="m²"),
        Column("low_share", "number", "share of low-efficiency land", unit="[0, 1]"),
        Column("value_m2", "number", "value of the unit", unit="m²"),
        Column("ledger", "json", "every term of the value, in m²"),
        Column("geom", "geometry", "outline", geometry_type="MULTIPOLYGON"),
        Column("state", "text", "frozen or withdrawn"),
        Column("run_id", "bigint", "draft that it was frozen from"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    ),
)

DOCUMENT = Table(
    REGISTRY,
    "document",
    "registered papers (登记材料): what a paper says of one clause of one parcel; append-only, the newest row of both holds",
    ("entry_id",),
    (
        _identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        Column(
            "condition", "text", "measure that the paper states, or the condition of a clause that it settles"
        ),
        Column("says", "boolean", "what the paper says of it; empty when it was withdrawn", nullable=True),
        Column("file_name", "text", "name of the file"),
        Column("sha256", "text", "digest of the file"),
        Column("size_bytes", "bigint", "size of the file", unit="byte"),
        Column("state", "text", "registered or withdrawn"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    ),
)

TABLES = (
    SOURCE,
    LAYER_VERSION,
    FEATURE,
    PARCEL,
    ENTERPRISE,
    RASTER,
    ISSUE,
    FINDING,
    RUN,
    OVERLAP,
    COVER,
    EVIDENCE,
    VERDICT,
    UNIT,
    MEMBER,
    DRAFT,
    LOW_EFFICIENCY,
    LEGACY,
    PROBLEM,
    UNIT_FROZEN,
    DOCUMENT,
)
