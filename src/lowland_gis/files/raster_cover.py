"""Where a raster file has no values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.errors import InputRefusedError


def places_without_value(path: str, ground: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the parts of some polygons where a raster has no value: cells by their centre, and what lies beyond the raster.

    Polygons and raster share one plane. The mask of the first band is held in memory, a byte a cell, and fractions of which none is declared
    as no value, since NaN is none all the same.

    Raises:
        InputRefusedError: the raster has been moved or cannot be read.
    """
    # Few projects have rasters, and the library takes a tenth of a second to load.
    import rasterio  # noqa: PLC0415
    import rasterio.features  # noqa: PLC0415

    try:
        with rasterio.open(Path(path)) as raster:
            frame, way = shapely.box(*raster.bounds), raster.transform
            inside = ~rasterio.features.geometry_mask(ground, raster.shape, way)
            empty = inside & ((raster.read_masks(1) == 0) | _not_a_number(raster))
    except rasterio.errors.RasterioIOError as error:
        raise InputRefusedError(
            f"{path}: the raster that was ingested is not there any more ({error}). Put it back, or ingest it again."
        ) from error
    cells = rasterio.features.shapes(empty.astype(np.uint8), mask=empty, transform=way)
    holes = [shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:]) for shape, _ in cells]
    beyond = shapely.get_parts(shapely.difference(ground, frame))
    places: npt.NDArray[np.object_] = np.array([*holes, *beyond], dtype=object)
    found: npt.NDArray[np.object_] = places[~shapely.is_empty(places)]
    return found


def _not_a_number(raster: Any) -> npt.NDArray[np.bool_] | bool:
    """Return the cells that are NaN, which GDAL masks only where NaN is declared."""
    floats = np.dtype(raster.dtypes[0]).kind == "f"
    return np.isnan(raster.read(1)) if floats else False
