"""Zonal values of a raster file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.raster import RasterioRasterSource
from exactextract.writer import Writer
from rasterio.errors import RasterioIOError

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.raster_header import north_up

# Where at most so many cells lie around all zones, they are read once; else the cells of each zone are read by themselves.
CELLS_AT_ONCE = 30_000_000
# So many cells more on each side than the zones reach: what lies on the edge of a cell may ask for the next one.
_MARGIN = 2


def raster_statistic(path: str, zones: gpd.GeoDataFrame, statistic: str) -> npt.NDArray[np.float64]:
    """Return a statistic (mean, min, max, median or stdev) of the cells under each zone, weighted by the part of the cell that it covers.

    NaN where a zone meets only cells without a value; nothing for no zones. Zones and raster share one plane.

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
            shapes = zones.geometry.to_numpy()
            if len(shapes) == 0:
                return np.empty(0)
            around = _around(raster, shapely.total_bounds(shapes))
            at_once = around.n_rows * around.n_columns <= CELLS_AT_ONCE
            # "raster-sequential" forgets the mask of a raster for all zones but the first (findings/exactextract_mask.sh), but one that is
            # read at once has none, and there it asks for the cells once, not for every zone: a third less, to the same bits.
            found = exact_extract(
                _ReadOnce(raster, around) if at_once else RasterioRasterSource(raster),
                _Zones(shapely.to_wkb(shapes).tolist()),
                statistic,
                strategy="raster-sequential" if at_once else "feature-sequential",
                output=_Values(),
            )
    except RasterioIOError as error:
        raise InputRefusedError(
            f"{path}: the raster that was ingested is not there any more ({error}). Put it back, or ingest it again."
        ) from error
    return np.array(found, dtype=np.float64)


class _Window(NamedTuple):
    """Cells of a raster: the first row and column, and how many there are."""

    row: int
    column: int
    n_rows: int
    n_columns: int


def _around(raster: rasterio.DatasetReader, bounds: npt.NDArray[np.float64]) -> _Window:
    """Return the cells around zones, none where these are empty or lie elsewhere."""
    if not np.isfinite(bounds).all():
        return _Window(0, 0, 0, 0)
    west, south, east, north = bounds
    first, last = ~raster.transform * (west, north), ~raster.transform * (east, south)
    sizes = np.array([raster.width, raster.height])
    low = np.clip(np.floor(first) - _MARGIN, 0, sizes).astype(int).tolist()
    high = np.clip(np.ceil(last) + _MARGIN, 0, sizes).astype(int).tolist()
    return _Window(low[1], low[0], max(0, high[1] - low[1]), max(0, high[0] - low[0]))


# exactextract has no types.
class _ReadOnce(RasterioRasterSource):  # type: ignore[misc]
    """Cells of a raster in memory, so that no zone reads the file again; what has no value by number or mask is NaN.

    A masked array would say the same, but to cut one for each of many zones takes half as long as all the rest.
    """

    def __init__(self, raster: rasterio.DatasetReader, held: _Window) -> None:
        super().__init__(raster)
        self._held = held
        # Of all windows alike, also of one without cells.
        self._kind = np.result_type(np.ma.asarray(super().read_window(0, 0, 1, 1)).dtype, np.float32)
        self._cells = self._exact(held.column, held.row, held.n_columns, held.n_rows)

    def _exact(self, x0: int, y0: int, nx: int, ny: int) -> npt.NDArray[Any]:
        if nx == 0 or ny == 0:
            return np.empty((ny, nx), dtype=self._kind)
        cells = np.ma.asarray(super().read_window(x0, y0, nx, ny))
        exact: npt.NDArray[Any] = np.ma.asarray(cells.astype(self._kind)).filled(np.nan)
        return exact

    def nodata_value(self) -> float:
        """Return NaN, whatever number the file has for no value."""
        return float("nan")

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> npt.NDArray[Any]:
        row, column = y0 - self._held.row, x0 - self._held.column
        inside = (
            min(row, column) >= 0 and row + ny <= self._held.n_rows and column + nx <= self._held.n_columns
        )
        if not inside:
            return self._exact(x0, y0, nx, ny)
        cells: npt.NDArray[Any] = self._cells[row : row + ny, column : column + nx]
        return cells


class _Zones(FeatureSource):  # type: ignore[misc]
    """Zones as WKB: exactextract's own source of frames writes and reads each as GeoJSON, which takes longer than all the rest."""

    def __init__(self, wkb: Sequence[bytes]) -> None:
        super().__init__()
        self._wkb = wkb

    def count(self) -> int:
        return len(self._wkb)

    def __iter__(self) -> Iterator[Feature]:
        return map(_Zone, self._wkb)

    def srs_wkt(self) -> None:
        """Say nothing of a plane: it is that of the raster."""


class _Zone(Feature):  # type: ignore[misc]
    """One zone, without attributes."""

    def __init__(self, wkb: bytes) -> None:
        Feature.__init__(self)
        self._wkb = wkb

    def geometry(self) -> bytes:
        return self._wkb

    def fields(self) -> list[str]:
        return []


class _Values(Writer):  # type: ignore[misc]
    """Takes the value of each zone in their order; exactextract's own writer of frames keeps a record of each."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[float | None] = []

    def write(self, feature: Feature) -> None:
        row = _Row()
        feature.copy_to(row)
        self._found.append(row.value)

    def features(self) -> list[float | None]:
        return self._found


class _Row(_Zone):
    """What the value of a zone is copied to; nothing is copied where there is none."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.value: float | None = None

    def set(self, _name: str, value: float | None) -> None:
        self.value = value

    def set_geometry(self, wkb: bytes) -> None:
        """Take no geometry."""

    def set_geometry_format(self) -> str:
        return "wkb"
