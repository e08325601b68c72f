"""What a raster file says of itself: where and how it lies, in which coordinate system, and what may be no value of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lowland_gis.errors import InputRefusedError

# Numbers that programs write where there is no value, and that no height, share or count has.
IMPOSSIBLE = (
    -9999.0,
    -99999.0,
    -32768.0,
    -32767.0,
    float(np.finfo(np.float32).min),
    float(np.finfo(np.float32).max),
)
_CELLS_AT_A_TIME = 1 << 20
# The largest number of bytes and of words: full, or no value.
_FULL = {"uint8": 255.0, "uint16": 65535.0}


@dataclass(frozen=True)
class RasterHeader:
    """The declared system as WKT, the number of bands, and west, south, east, north in the unit of the system.

    `placed` is whether it says where it lies, `north_up` whether its rows go from north to south and its columns from west to east.
    """

    declared_crs: str | None
    n_bands: int
    bounds: npt.NDArray[np.float64]
    placed: bool
    north_up: bool


@dataclass(frozen=True)
class Suspect:
    """A number that is the value of some cells, and looks like what stands for no value; `sure` where it can be nothing else."""

    value: float
    cells: int
    share: float
    sure: bool


def raster_header(path: Path, name: str) -> RasterHeader:
    """Return the header of a raster file that is called `name` in messages.

    Raises:
        InputRefusedError: it cannot be read as a raster.
    """
    # Few deliveries are rasters, and the library takes a tenth of a second to load.
    import rasterio  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # That it does not say where it lies is told in words.
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(path) as raster:
                declared = None if raster.crs is None else raster.crs.to_wkt()
                way = raster.transform
                return RasterHeader(
                    declared, int(raster.count), _bounds(raster), not way.is_identity, north_up(way)
                )
    except rasterio.errors.RasterioIOError as error:
        raise InputRefusedError(f"{name}: cannot be read as a raster ({error}). Ask for it again.") from error


def north_up(way: Any) -> bool:
    """Tell whether the rows of an affine transformation go from north to south and its columns from west to east, neither turned."""
    return bool(way.b == 0 and way.d == 0 and way.a > 0 and way.e < 0)


def suspects(path: Path, name: str) -> list[Suspect]:
    """Return the values of the first band that look like no value and are not declared as such; it is read whole, block by block.

    Raises:
        InputRefusedError: a block cannot be read.
    """
    import rasterio  # noqa: PLC0415

    try:
        with rasterio.open(path) as raster:
            kind = raster.dtypes[0]
            sought = [*([_FULL[kind]] if kind in _FULL else []), *(v for v in IMPOSSIBLE if _fits(v, kind))]
            counts, cells = dict.fromkeys(sought, 0), 0
            for window in _strips(raster) if sought else ():
                block = raster.read(1, window=window, masked=True).compressed()
                cells += block.size
                for value in _within(sought, block):
                    counts[value] += int(np.count_nonzero(block == np.array(value, dtype=kind)))
    except rasterio.errors.RasterioIOError as error:
        raise InputRefusedError(f"{name}: cannot be read as a raster ({error}). Ask for it again.") from error
    return [
        Suspect(value, number, number / cells, value not in _FULL.values())
        for value, number in counts.items()
        if number
    ]


def _strips(raster: Any) -> Iterator[Any]:
    """Yield windows of whole blocks over the whole width, so large that what each costs does not count."""
    from rasterio.windows import Window  # noqa: PLC0415

    blocks = max(1, _CELLS_AT_A_TIME // (raster.block_shapes[0][0] * raster.width))
    height = blocks * raster.block_shapes[0][0]
    for row in range(0, raster.height, height):
        yield Window(0, row, raster.width, min(height, raster.height - row))


def _within(values: list[float], block: npt.NDArray[Any]) -> list[float]:
    """Return the values that may be in a block: none is beyond its least and its greatest number; beside NaN all may be."""
    if not block.size:
        return []
    low, high = block.min(), block.max()
    return [value for value in values if not (value < low or value > high)]


def _fits(value: float, kind: str) -> bool:
    """Tell whether a band of a type can hold a number."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return True
    if dtype.kind not in "iu":
        return False
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max)


def _bounds(raster: Any) -> npt.NDArray[np.float64]:
    """Return the box around the four corners, however the raster is turned."""
    corners = [(0, 0), (raster.width, 0), (0, raster.height), (raster.width, raster.height)]
    way = raster.transform
    places = np.array(
        [(way.a * x + way.b * y + way.c, way.d * x + way.e * y + way.f) for x, y in corners], dtype=np.float64
    )
    return np.concatenate([places.min(axis=0), places.max(axis=0)])
