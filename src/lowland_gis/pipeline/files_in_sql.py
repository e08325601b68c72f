"""Tabulate two plain files in a database: the cross-check of the local engine, through temporary tables that leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis import repair
from lowland_gis.db import cluster
from lowland_gis.db.connect import transaction
from lowland_gis.engines import postgis
from lowland_gis.errors import DatabaseError, InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files.read import bounds, received
from lowland_gis.files.source import opened
from lowland_gis.pipeline.project import Tell, silent


def tabulate_files_in_sql(
    parcels: str,
    zones: str,
    *,
    id_field: str | None,
    by_field: str | None,
    dsn: str,
    tell: Tell = silent,
) -> pa.Table:
    """Return parcel_id, code, area_m2 and share of two vector files, as `pipeline.files.tabulate_files` does, by PostGIS.

    Both files are read whole. `dsn` leads to a database with PostGIS; nothing of it is changed.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
        DatabaseError: the server cannot be reached, or has no PostGIS.
    """
    shapes, ids, plane = _read(parcels, id_field, None, tell)
    cover, codes, _ = _read(zones, by_field, plane, tell)
    _refuse_double(ids, id_field, parcels)
    names = pa.array(np.arange(len(shapes))) if ids is None else ids
    classes = pa.repeat(postgis.ONE_CODE, len(cover)) if codes is None else _without_gaps(codes)
    order = _order(names)
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
    name: str, field: str | None, plane: reference.Reference | None, tell: Tell
) -> tuple[npt.NDArray[np.object_], pa.Array | None, reference.Reference]:
    """Return the polygons of a file on the plane, its own where none is given, the values of a field, and the plane."""
    with opened(name, Path.cwd()) as source, received(source) as arrived:
        if not arrived.has_geometry:
            raise InputRefusedError(f"{name}: it holds no geometries. Name a vector file, or FILE:LAYER.")
        if field is not None and field not in arrived.columns:
            raise InputRefusedError(
                f"{name}: there is no field {field!r}. It has: {', '.join(arrived.columns)}."
            )
        batches = list(arrived.batches)
        declared = arrived.declared_crs
    wkb = np.concatenate(
        [np.empty(0, dtype=object), *(batch.wkb for batch in batches if batch.wkb is not None)]
    )
    raw, fault = repair.decode(wkb)
    system = reference.resolve(declared, None, bounds(raw), name)
    if plane is None and system.crs.is_geographic:
        raise InputRefusedError(
            f"{name}: the parcels are in degrees ({system.name}), which have no square metres."
            " Bring them to a plane first, for example EPSG:4548."
        )
    target = plane or system
    mended = repair.repair(
        reference.transformed(raw, reference.path_between(system, target, name)), fault, "polygon"
    )
    for code, text in repair.FAULTS.items():
        if count := int((mended.fault == code).sum()):
            tell(f"{name}: {count:,} × {text}")
    shapes = mended.geometries.copy()
    shapes[~mended.usable] = None
    return shapes, _values(batches, field), target


def _values(batches: list[Any], field: str | None) -> pa.Array | None:
    if field is None:
        return None
    chunks = [chunk for batch in batches for chunk in batch.attributes.column(field).chunks]
    return pa.chunked_array(chunks).combine_chunks() if chunks else pa.array([], pa.string())


def _refuse_double(ids: pa.Array | None, field: str | None, name: str) -> None:
    if ids is None:
        return
    counts = ids.value_counts()
    doubled = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if len(doubled):
        raise InputRefusedError(
            f"{name}: {len(doubled)} values of {field} stand for several parcels, for example {doubled[0].as_py()!r}."
            " Name a field with one value a parcel, or leave --id away."
        )


def _without_gaps(codes: pa.Array) -> pa.Array:
    """Return codes in which a missing one is an empty text; numbers stay numbers where none is missing."""
    return codes.cast(pa.string()).fill_null(postgis.NO_CODE) if codes.null_count else codes


def _order(names: pa.Array) -> npt.NDArray[np.intp]:
    return np.asarray(pc.sort_indices(names), dtype=np.intp)


def _objects(values: pa.Array) -> npt.NDArray[np.object_]:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values.to_pylist()
    return objects
