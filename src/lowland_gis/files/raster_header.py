"""What the header of a raster says: where it lies and in which coordinate system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lowland_gis.errors import InputRefusedError


@dataclass(frozen=True)
class RasterHeader:
    """The declared system as WKT, the number of bands, and west, south, east, north in the unit of the system."""

    declared_crs: str | None
    n_bands: int
    bounds: npt.NDArray[np.float64]


def raster_header(path: Path, name: str) -> RasterHeader:
    """Return the header of a raster file that is called `name` in messages.

    Raises:
        InputRefusedError: it cannot be read as a raster.
    """
    # Few deliveries are rasters, and the library takes a tenth of a second to load.
    import rasterio  # noqa: PLC0415

    try:
        with rasterio.open(path) as raster:
            declared = None if raster.crs is None else raster.crs.to_wkt()
            return RasterHeader(declared, int(raster.count), np.array(raster.bounds))
    except rasterio.errors.RasterioIOError as error:
        raise InputRefusedError(f"{name}: cannot be read as a raster ({error}). Ask for it again.") from error
