"""Zonal values of a raster file."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from rasterio.errors import RasterioIOError

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.raster_header import north_up


def raster_statistic(path: str, zones: gpd.GeoDataFrame, statistic: str) -> npt.NDArray[np.float64]:
    """Return a statistic (mean, min, max, median or stdev) of the cells under each zone, weighted by the part of the cell that it covers.

    NaN where a zone meets only cells without a value. Zones and raster share one plane.

    Raises:
        InputRefusedError: the raster has been moved, cannot be read, or is turned or upside down.
    """
    try:
        with rasterio.open(Path(path)) as raster:
            if not north_up(raster.transform):
                raise InputRefusedError(
                    f"{path}: the raster is turned or upside down, and nothing can be measured on it. Type: gdalwarp IN OUT – and"
                    " ingest OUT"
                )
            found = exact_extract(
                RasterioRasterSource(raster), zones[[zones.geometry.name]], statistic, output="pandas"
            )
    except RasterioIOError as error:
        raise InputRefusedError(
            f"{path}: the raster that was ingested is not there any more ({error}). Put it back, or ingest it again."
        ) from error
    values: npt.NDArray[np.float64] = found[statistic].to_numpy(dtype=np.float64)
    return values
