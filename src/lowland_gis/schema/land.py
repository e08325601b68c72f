"""Tables of `land`: what was received, repaired but never edited."""

from __future__ import annotations

from lowland_gis.schema.model import AREA, LAND, PARCEL_ID, Column, Table, View, identity


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


SOURCE = Table(
    LAND,
    "source",
    "a file as it was received",
    ("source_id",),
    (
        identity("source_id", "number of the file"),
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
        identity("version_id", "number of the delivery"),
        Column("layer", "text", "layer key", indexed=True),
        Column("part", "text", "part of a layer that comes in several files, such as a year", nullable=True),
        Column(
            "rest_of",
            "bigint",
            "whole delivery of which this is what parts have left; empty for what was delivered",
            nullable=True,
        ),
        Column("source_id", "bigint", "file that it came in", references="land.source.source_id"),
        Column("as_of", "date", "state of affairs that the layer describes", nullable=True),
        Column(
            "digest", "text", "digest of file, definition and options: the same again is not loaded twice"
        ),
        Column(
            "options",
            "json",
            "what the user said of the file, with digests of mapping and datum; `absent`: fields that it does not have",
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
        identity("feature_id", "number of the feature"),
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
        Column(
            "town_code",
            "text",
            "the first 9 digits of its code: a stand-in where no town was delivered, or none holds it",
            nullable=True,
        ),
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
        identity("enterprise_id", "number of the row"),
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
        identity("issue_id", "number of the issue"),
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
        identity("finding_id", "number of the finding"),
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


def _same(table: Table, *names: str) -> tuple[Column, ...]:
    """Return columns that a view shows as they are."""
    return tuple(column for column in table.columns if column.name in names)


CURRENT_VERSION = View(
    LAND,
    "current_version",
    "a delivery in force: the newest of each layer and part; a whole delivery replaces every earlier part",
    _same(LAYER_VERSION, "version_id", "layer", "part", "as_of", "digest", "loaded_at", "rest_of"),
    """
    SELECT version_id, layer, part, as_of, digest, loaded_at, rest_of
    FROM (
        SELECT DISTINCT ON (layer, part) version_id, layer, part, as_of, digest, loaded_at, rest_of,
            max(version_id) FILTER (WHERE part IS NULL) OVER (PARTITION BY layer) AS whole,
            max(rest_of) OVER (PARTITION BY layer) AS cut
        FROM land.layer_version ORDER BY layer, part, version_id DESC
    ) AS newest
    WHERE CASE WHEN part IS NULL THEN version_id IS DISTINCT FROM cut ELSE whole IS NULL OR version_id > whole END
    """,
)

# Where parts have taken the place of pieces of a whole, what they left of it is a delivery too (`rest_of`).
_IN_FORCE = "version_id = ANY (ARRAY(SELECT version_id FROM land.current_version))"

CURRENT_PARCEL = View(
    LAND,
    "current_parcel",
    "a parcel (宗地) of the deliveries in force, for maps: one integer names it",
    (
        Column(
            "parcel_no",
            "bigint",
            "delivery and row as one number, the key for programs of maps; another delivery has others",
        ),
        *_same(
            PARCEL,
            "version_id",
            "parcel_id",
            "row_no",
            "town_code",
            "attributes",
            "area_m2",
            "planar_m2",
            "geom",
        ),
    ),
    f"""
    SELECT version_id * 1000000000 + row_no AS parcel_no, version_id, parcel_id, row_no, town_code, attributes, area_m2, planar_m2, geom
    FROM land.parcel WHERE {_IN_FORCE}
    """,  # noqa: S608 - words of this module
)

CURRENT_FEATURE = View(
    LAND,
    "current_feature",
    "a feature (图斑) of the deliveries in force; `layer` says of which layer",
    _same(FEATURE, "feature_id", "version_id", "layer", "row_no", "code", "attributes", "area_m2", "geom"),
    f"""
    SELECT feature_id, version_id, layer, row_no, code, attributes, area_m2, geom
    FROM land.feature WHERE {_IN_FORCE}
    """,  # noqa: S608
)

CURRENT_ENTERPRISE = View(
    LAND,
    "current_enterprise",
    "an enterprise on a parcel in a year, of the deliveries in force",
    ENTERPRISE.columns,
    f"""
    SELECT enterprise_id, version_id, row_no, credit_code, year, parcel_id, attributes
    FROM land.enterprise WHERE {_IN_FORCE}
    """,  # noqa: S608
)

CURRENT_ISSUE = View(
    LAND,
    "current_issue",
    "a doubt about one record of the deliveries in force, and what was done about it",
    _same(ISSUE, "issue_id", "version_id", "row_no", "key", "rule", "action", "message", "place"),
    f"""
    SELECT issue_id, version_id, row_no, key, rule, action, message, place
    FROM land.issue WHERE {_IN_FORCE}
    """,  # noqa: S608
)
