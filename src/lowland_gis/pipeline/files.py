"""Tabulate two plain files, with no database."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis import repair
from lowland_gis.engines import local
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files.read import bounds, read
from lowland_gis.files.source import opened
from lowland_gis.pipeline.project import Tell, silent

ALL = "all"


def tabulate_files(
    parcels: str,
    zones: str,
    *,
    id_field: str | None,
    by_field: str | None,
    threads: int = 1,
    tell: Tell = silent,
) -> pd.DataFrame:
    """Return parcel_id, code, area_m2 and share of two vector files, sorted by the first two.

    Areas are in m² on the plane of the parcels; zones in another system are brought there. Without `id_field` the parcel is
    its 0-based row number, without `by_field` there is one code `all`; a zone without a code has an empty one.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
    """
    parcel_shapes, parcel_values, plane = _polygons(parcels, None, tell)
    zone_shapes, zone_values, _ = _polygons(zones, plane, tell)
    ids = _column(parcel_values, id_field, parcels, pd.Series(np.arange(len(parcel_values))))
    codes = _column(zone_values, by_field, zones, pd.Series(ALL, index=range(len(zone_values)), dtype=object))
    _refuse_double(ids, id_field, parcels)
    kept, met = ~shapely.is_missing(parcel_shapes), ~shapely.is_missing(zone_shapes)
    return local.overlaps(
        gpd.GeoDataFrame({"parcel_id": ids[kept]}, geometry=parcel_shapes[kept], crs=plane.crs),
        gpd.GeoDataFrame({"code": codes[met]}, geometry=zone_shapes[met], crs=plane.crs),
        threads=threads,
    )


def _polygons(
    name: str, plane: reference.Reference | None, tell: Tell
) -> tuple[np.ndarray, pd.DataFrame, reference.Reference]:
    with opened(name, Path.cwd()) as source:
        received = read(source)
    if received.wkb is None:
        raise InputRefusedError(f"{name}: it holds no geometries. Name a vector file, or FILE:LAYER.")
    raw, fault = repair.decode(received.wkb)
    system = reference.resolve(received.declared_crs, None, bounds(raw), name)
    if plane is None and system.crs.is_geographic:
        raise InputRefusedError(
            f"{name}: the parcels are in degrees ({system.name}), which have no square metres."
            " Bring them to a plane first, for example EPSG:4548."
        )
    target = system if plane is None else plane
    moved = reference.transformed(raw, reference.path_between(system, target, name))
    mended = repair.repair(moved, fault, "polygon")
    _tell_faults(name, mended, tell)
    shapes = mended.geometries.copy()
    shapes[~mended.usable] = None
    return shapes, received.attributes, target


def _tell_faults(name: str, mended: repair.Repaired, tell: Tell) -> None:
    for code, text in repair.FAULTS.items():
        count = int((mended.fault == code).sum())
        if count:
            tell(f"{name}: {count:,} × {text}")


def _column(values: pd.DataFrame, field: str | None, name: str, default: pd.Series) -> np.ndarray:
    if field is None:
        return default.to_numpy()
    if field not in values.columns:
        raise InputRefusedError(
            f"{name}: there is no field {field!r}. It has: {', '.join(map(str, values.columns))}."
        )
    column = values[field]
    # Numbers stay numbers, so that they sort as numbers; a missing code is an empty one, never the text None.
    return (
        column.to_numpy()
        if column.notna().all()
        else column.astype(object).where(column.notna(), "").to_numpy()
    )


def _refuse_double(ids: np.ndarray, field: str | None, name: str) -> None:
    doubled = pd.Series(ids)[pd.Series(ids).duplicated()].unique()
    if len(doubled):
        raise InputRefusedError(
            f"{name}: {len(doubled)} values of {field} stand for several parcels, for example {doubled[0]!r}."
            " Name a field with one value a parcel, or leave --id away."
        )
