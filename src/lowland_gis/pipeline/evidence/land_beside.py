"""The land of a run as files beside that tasks of Spark read: rows go from the database to Parquet batch by batch, and none is held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.own import in_use
from lowland_gis.engines.sedona.beside import BOX, with_boxes, write
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.absent import absent_fields
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.evidence.cell_rows import CheckedRaster
from lowland_gis.pipeline.evidence.cell_tasks import Known
from lowland_gis.pipeline.evidence.on_spark import ENTERPRISE, Land, by_feature, drifting, overlaps_read
from lowland_gis.pipeline.evidence.rasters import delivered_rasters
from lowland_gis.pipeline.overlaps.on_spark import Codes, write_zones
from lowland_gis.pipeline.overlaps.table_files import tables
from lowland_gis.pipeline.overlaps.tabulate import stored_zones

_KINDS = {
    "row": pa.int64(), "version": pa.int64(), "layer": pa.string(), "parcel": pa.string(), "code": pa.string(), "town": pa.string(),
    "year": pa.float64(), "area": pa.float64(), "planar": pa.float64(), "share": pa.float64(), "attributes": pa.string(),
    "wkb": pa.binary(),
}  # fmt: skip
_PARCELS = ("version", "parcel", "town", "area", "planar", "attributes", "wkb")
_RECORDS = ("layer", "row", "version", "code", "attributes", "area")
_OVERLAPS = ("layer", "parcel", "code", "area", "share")
_FIRMS = ("row", "version", "parcel", "year", "attributes")


def written(
    connection: Connection,
    project: Project,
    versions: Versions,
    tabulate_run: int,
    documents: pd.DataFrame,
    beside: Path,
) -> tuple[Land, Known]:
    """Write all that measures look at to a folder beside, and return it with what every task must know.

    Raises:
        InputRefusedError: there is no room, or a raster is not the one that was delivered.
    """
    defined = define.measures()
    drift = drifting(defined, versions)
    codes = Codes(drift)
    zones = None
    if drift:
        zones = beside / "zones"
        write_zones([stored_zones(connection, project, versions, layer) for layer in drift], codes, zones)
    held = Land(
        beside / "parcels", zones, beside / "overlaps", beside / "records", beside / "firms",
        _firms(connection, versions, beside / "firms"),
    )  # fmt: skip
    _parcels(connection, versions, held.parcels)
    _overlaps(connection, tabulate_run, overlaps_read(defined), held.overlaps)
    features = _records(connection, project, versions, held.records)
    known = Known(
        in_use(),
        defined,
        project.settings,
        versions,
        absent_fields(connection, [version for layer in versions.values() for version in layer]),
        documents,
        codes,
        features,
        checked_rasters(connection, project, versions),
        {},
    )
    return held, known


def checked_rasters(
    connection: Connection, project: Project, versions: Versions
) -> dict[str, list[CheckedRaster]]:
    """Return the rasters, each held against its delivery once, before the tasks begin."""
    found: dict[str, list[CheckedRaster]] = {}
    for raster in delivered_rasters(connection, versions.get("raster", [])):
        found.setdefault(raster.layer, []).append(CheckedRaster(raster.file(project.settings.folder)))
    return found


def numbers(versions: Versions, layer: str) -> list[int]:
    """Return the numbers of the deliveries of a layer."""
    return [version.version_id for version in versions.get(layer, [])]


def _parcels(connection: Connection, versions: Versions, folder: Path) -> None:
    statement = (
        "SELECT version_id, parcel_id, town_code, area_m2, planar_m2, attributes::text, ST_AsBinary(geom)"
        " FROM land.parcel WHERE version_id = ANY(%s)"
    )
    rows = tables(connection, statement, [numbers(versions, "parcel")], schema_of(_PARCELS))
    schema = pa.schema([*schema_of(_PARCELS), *((name, pa.float64()) for name in BOX)])
    write(folder / "all.parquet", schema, map(with_boxes, rows))


def _firms(connection: Connection, versions: Versions, folder: Path) -> int:
    statement = (
        "SELECT enterprise_id, version_id, parcel_id, year::float8, attributes::text FROM land.enterprise"
        " WHERE version_id = ANY(%s) AND parcel_id IS NOT NULL"
    )
    rows = tables(connection, statement, [numbers(versions, ENTERPRISE)], schema_of(_FIRMS))
    return write(folder / "all.parquet", schema_of(_FIRMS), rows)


def _overlaps(connection: Connection, run_id: int, layers: Sequence[str], folder: Path) -> None:
    statement = "SELECT layer, parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = ANY(%s)"
    rows = tables(connection, statement, [run_id, list(layers)], schema_of(_OVERLAPS))
    write(folder / "all.parquet", schema_of(_OVERLAPS), rows)


def _records(
    connection: Connection, project: Project, versions: Versions, folder: Path
) -> dict[str, pa.Table]:
    """Write the features that lie on parcels, layer by layer; return those of layers that are read whole."""
    day, whole = project.settings.project.as_of, {}
    for layer in define.features_read():
        chosen, values = land.chosen_features(layer_definition(layer), versions.get(layer, []), day)
        statement = sql.SQL(
            "SELECT feature_id, version_id, code, attributes::text, ST_AsBinary(geom) {} ORDER BY feature_id"
        ).format(chosen)
        columns = ("row", "version", "code", "attributes", "wkb")
        found = tables(connection, statement, values, schema_of(columns))
        records = (_as_record(layer, table) for table in found)
        if layer in by_feature():
            write(folder / f"{layer}.parquet", schema_of(_RECORDS), records)
        else:
            whole[layer] = held_columns(pa.concat_tables([schema_of(_RECORDS).empty_table(), *records]))
    return whole


def held_columns(rows: pa.Table) -> pa.Table:
    """Return records with the columns that rows of a cell have."""
    for name in ("parcel", "year"):
        rows = rows.append_column(name, pa.nulls(rows.num_rows, _KINDS[name]))
    return rows


def _as_record(layer: str, table: pa.Table) -> pa.Table:
    """Return features with their areas in place of their outlines."""
    areas = shapely.area(shapely.from_wkb(np.array([*table["wkb"].to_pylist(), None], dtype=object)[:-1]))
    table = table.append_column("area", pa.array(areas, pa.float64()))
    return table.append_column("layer", pa.array([layer] * len(table), pa.string())).select(list(_RECORDS))


def schema_of(columns: Sequence[str]) -> pa.Schema:
    """Return the types of some columns."""
    return pa.schema([(name, _KINDS[name]) for name in columns])
