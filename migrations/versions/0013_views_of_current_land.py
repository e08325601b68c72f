"""Views of the deliveries in force, with comments and a key of one integer each, for readers and for programs of maps."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Views that go on the way down, and where all that they show stands.
STANDS_ELSEWHERE = {
    "land.current_version": "land.layer_version",
    "land.current_parcel": "land.parcel",
    "land.current_feature": "land.feature",
    "land.current_enterprise": "land.enterprise",
    "land.current_issue": "land.issue",
}

IN_FORCE = "version_id = ANY (ARRAY(SELECT version_id FROM land.current_version))"
# The words are of this file.
# ruff: noqa: S608
VIEWS = {
    "current_version": """
    SELECT version_id, layer, part, as_of, digest, loaded_at, rest_of
    FROM (
        SELECT DISTINCT ON (layer, part) version_id, layer, part, as_of, digest, loaded_at, rest_of,
            max(version_id) FILTER (WHERE part IS NULL) OVER (PARTITION BY layer) AS whole,
            max(rest_of) OVER (PARTITION BY layer) AS cut
        FROM land.layer_version ORDER BY layer, part, version_id DESC
    ) AS newest
    WHERE CASE WHEN part IS NULL THEN version_id IS DISTINCT FROM cut ELSE whole IS NULL OR version_id > whole END
""",
    "current_parcel": f"""
    SELECT version_id * 1000000000 + row_no AS parcel_no, version_id, parcel_id, row_no, town_code, attributes, area_m2, planar_m2, geom
    FROM land.parcel WHERE {IN_FORCE}
""",
    "current_feature": f"""
    SELECT feature_id, version_id, layer, row_no, code, attributes, area_m2, geom
    FROM land.feature WHERE {IN_FORCE}
""",
    "current_enterprise": f"""
    SELECT enterprise_id, version_id, row_no, credit_code, year, parcel_id, attributes
    FROM land.enterprise WHERE {IN_FORCE}
""",
    "current_issue": f"""
    SELECT issue_id, version_id, row_no, key, rule, action, message, place
    FROM land.issue WHERE {IN_FORCE}
""",
}
MEANINGS = {
    "current_version": "a delivery in force: the newest of each layer and part; a whole delivery replaces every earlier part",
    "current_parcel": "a parcel (宗地) of the deliveries in force, for maps: one integer names it",
    "current_feature": "a feature (图斑) of the deliveries in force; `layer` says of which layer",
    "current_enterprise": "an enterprise on a parcel in a year, of the deliveries in force",
    "current_issue": "a doubt about one record of the deliveries in force, and what was done about it",
}
COLUMNS = {
    "current_version": {
        "version_id": "number of the delivery",
        "layer": "layer key",
        "part": "part of a layer that comes in several files, such as a year",
        "rest_of": "whole delivery of which this is what parts have left; empty for what was delivered",
        "as_of": "state of affairs that the layer describes",
        "digest": "digest of file, definition and options: the same again is not loaded twice",
        "loaded_at": "when it was loaded",
    },
    "current_parcel": {
        "parcel_no": "delivery and row as one number, the key for programs of maps; another delivery has others",
        "version_id": "delivery that the row came with",
        "parcel_id": "parcel code (宗地代码 ZDDM)",
        "row_no": "0-based row in the file",
        "town_code": "the first 9 digits of its code: a stand-in where no town was delivered, or none holds it",
        "attributes": "all fields as received, under their standard names",
        "area_m2": "ellipsoidal area by the survey formula (椭球面积)",
        "planar_m2": "area on the project's plane",
        "geom": "geometry in the project's plane",
    },
    "current_feature": {
        "feature_id": "number of the feature",
        "version_id": "delivery",
        "layer": "layer key",
        "row_no": "0-based row in the file",
        "code": "class code that overlaps are summed by",
        "attributes": "all fields as received, under their standard names",
        "area_m2": "ellipsoidal area by the survey formula (椭球面积)",
        "geom": "geometry in the project's plane, repaired where needed",
    },
    "current_enterprise": {
        "enterprise_id": "number of the row",
        "version_id": "delivery",
        "row_no": "0-based row in the file",
        "credit_code": "unified social credit code (统一社会信用代码)",
        "year": "year of the figures",
        "parcel_id": "parcel that it stands on",
        "attributes": "all columns as received, under their standard names",
    },
    "current_issue": {
        "issue_id": "number of the issue",
        "version_id": "delivery",
        "row_no": "0-based row in the file",
        "key": "key of the record where it has one",
        "rule": "what is wrong, as a code",
        "action": "repaired, rejected or kept",
        "message": "what is wrong, in words",
        "place": "a point to zoom to",
    },
}


def upgrade() -> None:
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW land.{name} AS {query}")
        _comment(f"VIEW land.{name}", MEANINGS[name])
        for column, meaning in COLUMNS[name].items():
            _comment(f"COLUMN land.{name}.{column}", meaning)


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW land.{name}")


def _comment(what: str, meaning: str) -> None:
    words = meaning.replace("'", "''")
    op.execute(f"COMMENT ON {what} IS '{words}'")
