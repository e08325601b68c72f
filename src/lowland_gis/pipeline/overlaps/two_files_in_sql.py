"""Tabulate two plain files in a database: the cross-check of the local engine, through temporary tables that leave nothing behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.db.connect import transaction
from lowland_gis.db.private import cluster
from lowland_gis.engines import postgis
from lowland_gis.errors import DatabaseError
from lowland_gis.files import crs as reference
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.given_crs import NONE_GIVEN, GivenCrs
from lowland_gis.pipeline.overlaps.vector_file import (
    VectorFile,
    column,
    order_of_names,
    tell_faults,
    tell_plane,
    vector_file,
)


def tabulate_files_in_sql(
    parcels: str,
    zones: str,
    *,
    id_field: str | None,
    by_field: str | None,
    dsn: str,
    given: GivenCrs = NONE_GIVEN,
    tell: Tell = silent,
) -> pa.Table:
    """Return parcel_id, code, area_m2 and share of two vector files, as `pipeline.overlaps.two_files.tabulate_files` does, by PostGIS.

    Both files are read whole. `dsn` leads to a database with PostGIS; nothing of it is changed.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
        DatabaseError: the server cannot be reached, or has no PostGIS.
    """
    shapes, ids, ours = _read(parcels, id_field, None, given, tell)
    cover, codes, theirs = _read(zones, by_field, ours.plane, given, tell)
    given.refuse_unused([ours.declared, theirs.declared])
    plane = ours.plane
    tell_plane(ours, shapely.bounds(shapes), tell)
    names = pa.array(np.arange(len(shapes))) if ids is None else ids
    order = order_of_names(names, id_field, parcels)
    classes = pa.repeat(postgis.ONE_CODE, len(cover)) if codes is None else _without_gaps(codes)
    with transaction(dsn, dry_run=True) as connection:
        # Parcels go by their place in the order of their names, so the rows come back in it, whatever the names are.
        rows = postgis.frame_overlaps(
            connection,
            gpd.GeoDataFrame({"parcel_id": np.arange(len(order))}, geometry=shapes[order], crs=plane.crs),
            gpd.GeoDataFrame({"code": _objects(classes)}, geometry=cover, crs=plane.crs),
        )
    position = order[rows["parcel_id"].to_numpy(dtype=np.intp)]
    return pa.table(
        {
            "parcel_id": names.take(pa.array(position)),
            "code": pa.array(rows["code"].tolist(), classes.type),
            "area_m2": rows["area_m2"].to_numpy(),
            "share": rows["share"].to_numpy(),
        }
    )


def database_for(project_dir: Path, dsn: str | None) -> str:
    """Return where there is a database to compute in: the given server, or the project's running one.

    Raises:
        DatabaseError: there is neither.
    """
    try:
        return cluster.connect_string(project_dir, dsn)
    except DatabaseError as error:
        raise DatabaseError(
            "The engine postgis computes in a database, and none is there: LOWLAND_DSN is not set, and the project's own is not"
            " running. Type: lowland db up – or set LOWLAND_DSN – or leave --engine away, which needs no database."
        ) from error


def _read(
    name: str, field: str | None, plane: reference.Reference | None, given: GivenCrs, tell: Tell
) -> tuple[npt.NDArray[np.object_], pa.Array | None, VectorFile]:
    """Return the polygons of a file on the plane, its own where none is given, the values of a field, and the file, closed."""
    with vector_file(name, [field] if field else [], plane, given) as file:
        batches = list(file.batches)
        read = [file.geometries(batch, "polygon") for batch in batches]
    tell_faults(file, sum((faults for _, faults in read), Counter[str]()), tell)
    shapes = np.concatenate([np.empty(0, dtype=object), *(some for some, _ in read)])
    return shapes, column(batches, field, file.name), file


def _without_gaps(codes: pa.Array) -> pa.Array:
    """Return codes in which a missing one is an empty text; numbers stay numbers where none is missing."""
    return codes.cast(pa.string()).fill_null(postgis.NO_CODE) if codes.null_count else codes


def _objects(values: pa.Array) -> npt.NDArray[np.object_]:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values.to_pylist()
    return objects
