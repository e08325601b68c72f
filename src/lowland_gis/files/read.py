"""Read what a source holds: attributes as received, geometries as WKB, counts checked against the headers."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import Encoding, dbf_header, shapefile_encoding
from lowland_gis.files.source import Source, sidecar

_GDAL_ERRORS = (CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError)
_DELETED = ord("*")


@dataclass(frozen=True)
class Received:
    """Rows as they came: `attributes` (columns as spelt in the file), `wkb` (None for a table), declared system."""

    attributes: pd.DataFrame
    wkb: npt.NDArray[np.object_] | None
    declared_crs: str | None
    encoding: Encoding | None
    layer: str | None


def read(source: Source, *, encoding: str | None = None) -> Received:
    """Read a vector layer or a table.

    Raises:
        InputRefusedError: the layer does not exist, the text cannot be decoded, or fewer rows come than the header counts.
    """
    if source.driver == "XLSX":
        return _read_workbook(source)
    if source.driver == "Parquet":
        return _read_parquet(source)
    return _read_vector(source, encoding)


def _read_vector(source: Source, encoding: str | None) -> Received:
    layer = _layer(source)
    how = _encoding(source, encoding)
    try:
        meta, _, wkb, columns = pyogrio.raw.read(
            source.path,
            layer=layer,
            encoding=how.name if how else None,
            force_2d=True,
            datetime_as_string=True,
        )
    except (*_GDAL_ERRORS, UnicodeDecodeError, ValueError) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read ({error}). Ask the sender for it again."
        ) from error
    names = _unique(list(meta["fields"]))
    attributes = pd.DataFrame(dict(zip(names, columns, strict=True)))
    rows = len(wkb) if wkb is not None else len(attributes)
    if not names:
        attributes = pd.DataFrame(index=range(rows))
    _check_count(source, rows)
    return Received(attributes, wkb, meta["crs"], how, layer)


def _layer(source: Source) -> str | None:
    """Return the layer to read, naming what there is when the choice is wrong or open."""
    try:
        names = [str(name) for name in pyogrio.list_layers(source.path)[:, 0]]
    except _GDAL_ERRORS as error:
        raise InputRefusedError(
            f"{source.name}: cannot be opened ({error}). Ask the sender for it again."
        ) from error
    if source.layer is None and len(names) == 1:
        return names[0]
    if source.layer in names:
        return source.layer
    what = f"there is no layer {source.layer!r} in it" if source.layer else "it holds several layers"
    raise InputRefusedError(f"{source.name}: {what}. Name one of: {', '.join(names)} – as FILE:LAYER.")


def _encoding(source: Source, forced: str | None) -> Encoding | None:
    if source.driver != "ESRI Shapefile":
        return None
    dbf = sidecar(source.path, ".dbf")
    if dbf is None:
        raise InputRefusedError(f"{source.name}: its .dbf is missing. Ask the sender for all parts.")
    return shapefile_encoding(dbf, sidecar(source.path, ".cpg"), forced)


def _check_count(source: Source, rows: int) -> None:
    """Compare with the headers: GDAL reads a cut .shp without a word."""
    if source.driver != "ESRI Shapefile":
        return
    dbf, shx = sidecar(source.path, ".dbf"), sidecar(source.path, ".shx")
    expected = dbf_header(dbf).records if dbf else rows
    in_index = (shx.stat().st_size - 100) // 8 if shx else rows
    with source.path.open("rb") as shp:
        length = int.from_bytes(shp.read(28)[24:], "big") * 2
    deleted = _deleted(dbf) if dbf else 0
    if rows != expected - deleted or in_index != expected or source.path.stat().st_size < length:
        raise InputRefusedError(
            f"{source.name}: .dbf counts {expected} records, .shx {in_index}, and the .shp"
            f" {'is cut off' if source.path.stat().st_size < length else f'gives {rows}'};"
            " nothing was loaded. Ask the sender for the file again."
        )


def _deleted(dbf: Path) -> int:
    """Count the records that are marked as deleted; a file may carry them until it is packed, and GDAL leaves them out."""
    header = dbf_header(dbf)
    if header.records == 0:
        return 0
    shape = (header.records, header.record_bytes)
    marks = np.memmap(dbf, dtype=np.uint8, mode="r", offset=header.header_bytes, shape=shape)[:, 0]
    return int((marks == _DELETED).sum())


def _unique(names: list[str]) -> list[str]:
    """Keep fields of the same name apart."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _read_parquet(source: Source) -> Received:
    try:
        frame = gpd.read_parquet(source.path)
    except (ValueError, OSError, KeyError) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as GeoParquet ({error}). Ask the sender for it again."
        ) from error
    attributes = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    crs = None if frame.crs is None else frame.crs.to_wkt()
    return Received(attributes, shapely.to_wkb(shapely.force_2d(frame.geometry.to_numpy())), crs, None, None)


def _read_workbook(source: Source) -> Received:
    """Read one sheet with a heading row; cells come as they are, so codes stay text."""
    try:
        sheets = pd.read_excel(source.path, sheet_name=None, dtype=object, engine="openpyxl")
    except (ValueError, KeyError, OSError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error) as error:
        raise InputRefusedError(
            f"{source.name}: cannot be read as a workbook ({error}). Ask the sender for it again."
        ) from error
    sheet = _sheet(source, {str(name): rows for name, rows in sheets.items()})
    rows = sheets[sheet].rename(columns=lambda name: str(name).strip())
    return Received(rows, None, None, None, sheet)


def _sheet(source: Source, sheets: dict[str, pd.DataFrame]) -> str:
    filled = [name for name, rows in sheets.items() if len(rows.columns)]
    if source.layer in sheets:
        return source.layer or ""
    if source.layer is None and len(filled) == 1:
        return filled[0]
    raise InputRefusedError(f"{source.name}: name one of its sheets: {', '.join(sheets)} – as FILE:SHEET.")


def bounds(geometries: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Return west, south, east, north of all geometries; NaN when there are none."""
    if len(geometries) == 0:
        return np.full(4, np.nan)
    total: npt.NDArray[np.float64] = shapely.total_bounds(geometries)
    return total
