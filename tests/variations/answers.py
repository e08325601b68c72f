"""What the flow answered about a district, level by level: land, overlaps, evidence, verdicts, units, package."""

# ruff: noqa: S608 - every name in a query is one of this file

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import psycopg
import pyogrio
import shapely

from lowland_gis.definitions.layer import layer_definition, layer_keys


@dataclass(frozen=True)
class Level:
    """One table of answers: the query, its key (the parcel first), columns of numbers and of texts.

    `absent` is what a number counts as where the row is missing; None: a missing row is a difference.
    `reach` says how far a moved boundary may change a number: an area, a share of the parcel, or a unit's figure.
    Where vertices moved, `unsure` numbers are left out – a sliver at a border makes a layer meet a parcel, and gives
    its share a band – and so is a level that does not hold, because its figures are printed rounded.
    """

    name: str
    query: str
    key: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    absent: float | None = None
    reach: str = "area"
    unsure: tuple[str, ...] = ()
    holds_when_moved: bool = True


def _run(stage: str) -> str:
    return f"(SELECT max(run_id) FROM result.run WHERE stage = '{stage}')"


# The deliveries of parcels that the newest run read.
_CURRENT = (
    "(SELECT jsonb_array_elements_text(inputs::jsonb->'parcel_versions')::bigint FROM result.run"
    f" WHERE run_id = {_run('measure')})"
)
# Features that are kept apart are known by a number of the database; people know them by a field.
_KEPT_APART = [layer for layer in map(layer_definition, layer_keys()) if layer.tabulate == "feature"]
_APART = "ARRAY[" + ", ".join(f"'{layer.key}'" for layer in _KEPT_APART) + "]"
_IDENTIFIERS = ", ".join(f"f.attributes->>'{layer.identifier}'" for layer in _KEPT_APART)
# Units of the flow, by the smallest parcel code in each: a number that is given may change, who belongs together not.
_NAMED = (
    "WITH m AS (SELECT parcel_id, unit_id, min(parcel_id) OVER (PARTITION BY unit_id) AS first FROM result.member"
    f" WHERE run_id = {_run('delineate')} AND unit_id IS NOT NULL)"
)
# An entry that fell away stays in the history, in another state.
_HOLDS = "state = 'draft'"
# In the order in which one follows from the other: the first one that differs is the cause of the others.
LEVELS = (
    Level(
        "land",
        f"SELECT parcel_id, town_code, area_m2, planar_m2 FROM land.parcel WHERE version_id IN {_CURRENT}",
        ("parcel_id",),
        numbers=("area_m2", "planar_m2"),
        texts=("town_code",),
    ),
    Level(
        "overlap",
        f"SELECT parcel_id, o.layer, coalesce({_IDENTIFIERS}, o.code) AS code, sum(o.area_m2) AS area_m2"
        " FROM result.overlap o LEFT JOIN land.feature f ON f.layer = o.layer AND f.feature_id::text = o.code"
        f" AND f.layer = ANY({_APART}) WHERE run_id = {_run('tabulate')} GROUP BY 1, 2, 3",
        ("parcel_id", "layer", "code"),
        numbers=("area_m2",),
        absent=0.0,
    ),
    Level(
        "cover",
        f"SELECT parcel_id, layer, rest_m2, excess_m2 FROM result.cover WHERE run_id = {_run('tabulate')}",
        ("parcel_id", "layer"),
        numbers=("rest_m2", "excess_m2"),
        absent=0.0,
        unsure=("rest_m2",),
    ),
    Level(
        "evidence",
        f"SELECT parcel_id, measure, value, low, high FROM result.evidence WHERE run_id = {_run('measure')}",
        ("parcel_id", "measure"),
        numbers=("value", "low", "high"),
        reach="share",
        unsure=("low", "high"),
    ),
    Level(
        "verdict",
        "SELECT parcel_id, question, answer, settled, rule, trace FROM result.verdict"
        f" WHERE run_id = {_run('classify')}",
        ("parcel_id", "question"),
        texts=("answer", "settled", "rule", "trace"),
    ),
    Level(
        "member",
        _NAMED + " SELECT parcel_id, first AS unit FROM m",
        ("parcel_id",),
        texts=("unit",),
    ),
    Level(
        "unit",
        _NAMED
        + " SELECT DISTINCT m.first AS parcel_id, u.n_parcels, u.area_m2, u.low_share, u.public_share, u.compactness,"
        " u.value_m2, ST_Area(u.geom) AS outline_m2 FROM m JOIN result.unit u USING (unit_id)"
        f" WHERE u.run_id = {_run('delineate')}",
        ("parcel_id",),
        numbers=(
            "n_parcels",
            "area_m2",
            "low_share",
            "public_share",
            "compactness",
            "value_m2",
            "outline_m2",
        ),
        reach="unit",
    ),
    Level(
        "registry",
        "SELECT * FROM (SELECT DISTINCT ON (parcel_id) parcel_id, kind, rule, state, area_m2"
        f" FROM registry.low_efficiency ORDER BY parcel_id, entry_id DESC) newest WHERE {_HOLDS}",
        ("parcel_id",),
        numbers=("area_m2",),
        texts=("kind", "rule", "state"),
    ),
    Level(
        "legacy",
        "SELECT * FROM (SELECT DISTINCT ON (parcel_id) parcel_id, retention, state, clauses::text AS clauses"
        f" FROM registry.legacy ORDER BY parcel_id, entry_id DESC) newest WHERE {_HOLDS}",
        ("parcel_id",),
        texts=("retention", "state", "clauses"),
    ),
    Level("package", "", ("parcel_id", "file", "field"), texts=("value",), holds_when_moved=False),
    Level("package area", "", ("parcel_id", "file"), numbers=("shape_m2", "stated_m2")),
)
_FRONTIERS = (
    "SELECT DISTINCT ON (parcel_id) parcel_id, ST_Perimeter(geom) AS frontier_m FROM land.parcel"
    f" WHERE version_id IN {_CURRENT}"
)
_SET_ASIDE = (
    "SELECT key AS parcel_id, string_agg(rule || ': ' || message, '; ') AS message FROM land.issue i"
    " JOIN land.layer_version v USING (version_id) WHERE v.layer = 'parcel' AND action = 'rejected' AND key IS NOT NULL"
    " GROUP BY key"
)


@dataclass(frozen=True)
class Answers:
    """Every level by name, its rows under their keys; the length of each parcel's boundary; who was set aside, and why."""

    levels: Mapping[str, pd.DataFrame]
    frontiers: pd.Series
    set_aside: Mapping[str, str]


def answers_of(dsn: str, package: Path) -> Answers:
    """Read what the newest runs answered, and what the package hands on."""
    with psycopg.connect(dsn) as connection:
        levels = {level.name: _rows(connection, level) for level in LEVELS if level.query}
        frontiers = connection.execute(_FRONTIERS).fetchall()
        set_aside = {str(key): str(text) for key, text in connection.execute(_SET_ASIDE).fetchall()}
    with tempfile.TemporaryDirectory() as plain:
        # GDAL takes what stands behind an exclamation mark for a file inside an archive.
        copied = shutil.copytree(package, Path(plain) / "package")
        levels["package"], levels["package area"] = _package(copied)
    lengths = pd.Series(dict(frontiers), dtype=float)
    return Answers(levels, lengths, set_aside)


def _rows(connection: psycopg.Connection, level: Level) -> pd.DataFrame:
    cursor = connection.execute(level.query)  # type: ignore[arg-type]
    columns = [column.name for column in cursor.description or ()]
    rows = pd.DataFrame(cursor.fetchall(), columns=columns)
    return rows.set_index(list(level.key)).sort_index()


def _package(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fields of every record of a package by parcel (or the first column), and its areas."""
    texts: list[pd.DataFrame] = []
    areas: list[pd.DataFrame] = []
    for file in sorted(folder.rglob("*.shp")):
        frame = pyogrio.read_dataframe(file)
        keys = _keys(frame)
        shapes = pd.Series(shapely.area(frame.geometry.to_numpy()), dtype=float)
        stated = [name for name in frame.columns if name.endswith("MJ")]
        found = {"shape_m2": shapes, "stated_m2": frame[stated].astype(float).sum(axis=1)}
        areas.append(pd.DataFrame({"parcel_id": keys, "file": file.stem, **found}))
        numbers = set(frame.select_dtypes("number").columns)
        kept = [name for name in frame.columns if name not in numbers | {"geometry"}]
        texts.append(_long(frame[kept], keys, file.stem))
    for file in sorted(folder.rglob("*.xlsx")):
        rows = openpyxl.load_workbook(file, data_only=True).worksheets[0]
        cells = pd.DataFrame([[_cell(value) for value in row] for row in rows.iter_rows(values_only=True)])
        texts.append(_long(cells, pd.Series([f"row {number}" for number in range(len(cells))]), file.stem))
    fields = pd.concat(texts, ignore_index=True).set_index(["parcel_id", "file", "field"]).sort_index()
    return fields, pd.concat(areas, ignore_index=True).set_index(["parcel_id", "file"]).sort_index()


def _keys(frame: pd.DataFrame) -> pd.Series:
    """Return parcel codes; records that have none, such as units, have their place in the file."""
    if "ZDDM" in frame.columns:
        return frame["ZDDM"].astype(str)
    return pd.Series([f"record {number}" for number in range(len(frame))])


def _long(frame: pd.DataFrame, keys: pd.Series, file: str) -> pd.DataFrame:
    frame = frame.astype(object).where(frame.notna(), None)
    columns = [
        pd.DataFrame({"parcel_id": keys, "file": file, "field": str(name), "value": frame[name].map(str)})
        for name in frame.columns
    ]
    return pd.concat(columns, ignore_index=True)


def _cell(value: object) -> object:
    """Return a figure of a table as it is printed: rounding to a hundredth is the table's own."""
    return float(np.round(value, 2)) if isinstance(value, float) else value
