"""Compare two versions of a layer: what came, what went, which fields and which geometries are others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from psycopg import sql

from lowland_gis.analysis import lineage as difference
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import Project

LATEST = "latest"


@dataclass(frozen=True)
class Difference:
    """What changed; the frames name features by `key`, a row of the file where they have no identifier."""

    layer: str
    old_version: int
    new_version: int
    unchanged: int
    added: pd.DataFrame
    removed: pd.DataFrame
    fields: pd.DataFrame
    geometries: pd.DataFrame
    balance: difference.Balance


def layer_difference(project: Project, layer: str, old: str, new: str) -> Difference:
    """Return what changed from one version of a layer to another; a version is its number, or `latest`.

    Raises:
        UsageError: there is no such layer or version, or the layer is a raster.
    """
    definition = layer_definition(layer)
    if definition.stored == "raster":
        raise UsageError(
            f"{layer} is a raster: it has no features to compare. Compare the digests of its files."
        )
    with project.transaction() as connection:
        numbers = [_number(connection, layer, name) for name in (old, new)]
        sides = [side_of(connection, definition, number) for number in numbers]
        return compared(connection, definition, (numbers[0], sides[0]), (numbers[1], sides[1]))


def compared(
    connection: Connection,
    definition: LayerDefinition,
    old: tuple[int, difference.Side],
    new: tuple[int, difference.Side],
) -> Difference:
    """Return what changed between records of two versions: each its number with its side, which may be some records of it only."""
    numbers, (before, after) = [old[0], new[0]], (old[1], new[1])
    matched = difference.match(before, after)
    changed = difference.candidates(before, after, matched)
    fields = _field_changes(connection, definition, numbers, (before, after), changed)
    geometries = difference.geometry_changes(before, after, matched)
    touched = np.union1d(changed[0], geometries["old"].to_numpy(dtype=np.intp))
    return Difference(
        definition.key,
        numbers[0],
        numbers[1],
        len(matched.old) - len(touched),
        _named(after, matched.added),
        _named(before, matched.removed),
        fields,
        geometries.assign(key=_names(after)[geometries["new"]])[["key", "symmetric_m2", "change_m2"]],
        difference.balance(before, after, matched),
    )


def _number(connection: Connection, layer: str, name: str) -> int:
    rows = connection.execute(
        "SELECT version_id, rest_of IS NULL FROM land.layer_version WHERE layer = %s ORDER BY version_id",
        [layer],
    ).fetchall()
    known = [str(row[0]) for row in rows]
    # What parts have left of a whole was not delivered.
    delivered = [int(row[0]) for row in rows if row[1]]
    if name == LATEST and delivered:
        return delivered[-1]
    if name not in known:
        raise UsageError(
            f"{layer} has no version {name!r}. Its versions are: {', '.join(known) or 'none'} (or {LATEST})."
        )
    return int(name)


def side_of(
    connection: Connection, definition: LayerDefinition, version: int, rows: list[int] | None = None
) -> difference.Side:
    """Read a version, or some rows of it, with a digest of the fields in their place: only those that differ are read in full."""
    table = definition.stored
    place = (
        sql.SQL("NULL::float8 AS area_m2, NULL::bytea AS geom")
        if table == "enterprise"
        else sql.SQL("area_m2, ST_AsBinary(geom) AS geom")
    )
    # Of a list in a condition the server would go through all for every row.
    chosen = sql.SQL("" if rows is None else " AND row_no IN (SELECT unnest(%s::bigint[]))")
    query = sql.SQL(
        "SELECT row_no, attributes->>%s AS key, md5(attributes::text) AS digest, {place} FROM {table}"
        " WHERE version_id = %s{chosen} ORDER BY row_no"
    ).format(place=place, table=sql.Identifier("land", table), chosen=chosen)
    values = [definition.identifier or "", version, *([] if rows is None else [rows])]
    read = read_frame(connection, query, values)
    geometries = shapely.from_wkb(read.pop("geom").to_numpy(dtype=object))
    return difference.Side(read, geometries)


def _field_changes(
    connection: Connection,
    definition: LayerDefinition,
    numbers: list[int],
    sides: tuple[difference.Side, difference.Side],
    changed: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
) -> pd.DataFrame:
    before, after = (
        _attributes(connection, definition, number, side.rows["row_no"].to_numpy()[rows])
        for number, side, rows in zip(numbers, sides, changed, strict=True)
    )
    found = difference.field_changes(before, after)
    keys = _names(sides[1])[changed[1][found["row"].to_numpy(dtype=np.intp)]]
    return found.assign(key=keys)[["key", "field", "old", "new"]]


def _attributes(
    connection: Connection, definition: LayerDefinition, version: int, row_numbers: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Return the fields of some rows of a version, in the order of the row numbers that are asked for."""
    query = sql.SQL(
        "SELECT row_no, attributes FROM {table} WHERE version_id = %s AND row_no = ANY(%s)"
    ).format(table=sql.Identifier("land", definition.stored))
    rows = read_frame(connection, query, [version, row_numbers.tolist()])
    fields = pd.DataFrame(rows["attributes"].tolist(), index=rows["row_no"], dtype=object)
    return fields.reindex(row_numbers).reset_index(drop=True)


def _names(side: difference.Side) -> npt.NDArray[np.object_]:
    names: npt.NDArray[np.object_] = (
        side.rows["key"].fillna("row " + side.rows["row_no"].astype(str)).to_numpy(dtype=object)
    )
    return names


def _named(side: difference.Side, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    return pd.DataFrame(
        {"key": _names(side)[rows], "area_m2": side.rows["area_m2"].to_numpy(dtype=float)[rows]}
    )
