"""Write a layer as a shapefile in GBK, or a table as its .dbf."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.dbf_table import CODE_PAGE, Cell, DbfField
from lowland_gis.files.exported.dbf_columns import dbf_columns
from lowland_gis.files.exported.layer import NONE, Layer, Written, family
from lowland_gis.files.write import columns_for, write_shapefile, write_table

_SHOWN = 3


def write_shp(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the one layer as a shapefile.

    Raises:
        InputRefusedError: there are several layers, it has no geometries, several kinds of them, or texts that a DBF cannot hold.
    """
    layer = _one(layers, path)
    if layer.geometries is None:
        raise InputRefusedError(
            f"{layer.name}: is a table without geometries. Name a .dbf, .gpkg, .gdb or .parquet."
        )
    kind = family(layer, "shapefile")
    written = Written(CODE_PAGE)
    fields, columns = _fitted(layer, written)
    shapes = layer.geometries
    if kind == "Point" and (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT).any():
        kind = "MultiPoint"
    if shapely.has_z(shapes).any():
        written.notes.append("heights (Z) are left out: a shapefile of plane shapes is written")
    kind = "Polygon" if kind == NONE else kind
    write_shapefile(
        path, fields, columns, _without_empty(shapes), crs=layer.crs or "", dated=dated, kind=kind
    )
    return [written]


def write_dbf(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the one table as a .dbf.

    Raises:
        InputRefusedError: there are several, it has geometries, or texts that a DBF cannot hold.
    """
    layer = _one(layers, path)
    if layer.geometries is not None:
        raise InputRefusedError(
            f"{layer.name}: has geometries, which a .dbf cannot hold. Name a .shp, .gpkg, .gdb or .parquet."
        )
    written = Written(CODE_PAGE)
    fields, columns = _fitted(layer, written)
    write_table(path, fields, columns, dated=dated)
    return [written]


def _one(layers: Sequence[Layer], path: Path) -> Layer:
    if len(layers) != 1:
        names = ", ".join(layer.name for layer in layers)
        raise InputRefusedError(
            f"{path.name}: holds one layer, and these are {len(layers)}: {names}. Name one, FILE:LAYER, or write a .gpkg or .gdb."
        )
    return layers[0]


def _fitted(layer: Layer, written: Written) -> tuple[list[DbfField], dict[str, list[Cell]]]:
    fields, values = dbf_columns(layer.attributes, written)
    if not fields:
        # A DBF has one field at least.
        raise InputRefusedError(
            f"{layer.name}: has no field, and a .dbf needs one. Write a .gpkg, .gdb or .parquet."
        )
    columns, misfits = columns_for(values, fields, [str(row + 1) for row in range(layer.n_rows)])
    if misfits:
        shown = "; ".join(str(misfit) for misfit in misfits[:_SHOWN])
        more = f" and {len(misfits) - _SHOWN:,} more" if len(misfits) > _SHOWN else ""
        raise InputRefusedError(
            f"{layer.name}: {len(misfits):,} values cannot stand in a .dbf: {shown}{more}. Nothing was written; a .gpkg, .gdb or"
            " .parquet holds them."
        )
    return fields, columns


def _without_empty(shapes: npt.NDArray[np.object_]) -> list[Any]:
    """Return the shapes, with none where one is empty: the format knows only that."""
    return [None if empty else shape for shape, empty in zip(shapes, shapely.is_empty(shapes), strict=True)]
