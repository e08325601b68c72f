"""Layers that the settings name as GeoParquet, for a run on Spark without a database: their files, and what cannot be asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.engines.sedona import folders
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.overlaps.received_tasks import PORTIONS
from lowland_gis.settings import Settings

PARCEL = "parcel"


def named_layers(settings: Settings) -> dict[str, str]:
    """Return the layers that the settings name, with their paths as they stand there.

    Raises:
        UsageError: no parcels are named, or a layer is unknown.
    """
    layers = dict(settings.sedona.layers)
    unknown = [layer for layer in layers if layer not in layer_keys()]
    if unknown:
        raise UsageError(
            f"[sedona.layers] of lowland.toml: there is no layer {', '.join(unknown)}. The layers are listed by: lowland layers list"
        )
    if PARCEL not in layers:
        raise UsageError(
            '[sedona.layers] of lowland.toml names no parcels, so there is nothing to compute. Add for example: parcel = "land/parcel"'
        )
    return layers


def refuse_unfit(layers: Mapping[str, str]) -> None:
    """Refuse by name the measures that no part of the land is enough for, before anything is read.

    Raises:
        UsageError: a measure rests on all parcels, or on strips that take ground of polygons.
    """
    defined = define.measures()
    define.refuse_beyond_parts(defined)
    strips = {strip: layer for layer in layers if (strip := layer_definition(layer).strips) in layers}
    unfit = {
        name: f"{strip} takes ground of {strips[strip]}"
        for name, item in defined.items()
        for strip in item.may_use
        if strip in strips
    }
    if unfit:
        said = "; ".join(f"{name} ({why})" for name, why in unfit.items())
        raise UsageError(
            f"{len(unfit)} measure(s) rest on ground that lines take, which no part of the land can tell by itself: {said}. Nothing was computed. Leave the"
            " lines away in [sedona.layers], or ingest the layers, where it is told: lowland run --engine sedona"
        )


@dataclass(frozen=True)
class Files:
    """The files of a layer: a row a row group (`PORTIONS`), the geometry column, how many rows, which columns; or rasters."""

    portions: pa.Table
    geometry: str | None = None
    n_rows: int = 0
    fields: frozenset[str] = frozenset()
    rasters: tuple[str, ...] = ()


def files_of(settings: Settings, layer: str, named: str) -> Files:
    """Return the files of a layer, after the foot of each was read.

    Raises:
        InputRefusedError: there is none, one is cut or on another plane than the project.
    """
    definition, path = layer_definition(layer), settings.path(named)
    if definition.stored == "raster":
        return Files(PORTIONS.empty_table(), rasters=(str(path),))
    geometry, names = None, _tables(path)
    if definition.geometry != "table":
        found = folders.folder(path, None)
        ours = pyproj.CRS.from_user_input(settings.project.crs)
        if not found.crs.equals(ours, ignore_axis_order=True):
            raise InputRefusedError(
                f"{path} is in {found.crs.name}, the project in {ours.name}: the tasks move nothing. Convert it first: lowland convert {path} …"
            )
        geometry, names = found.geometry, [str(file) for file in found.files]
    rows, first, fields = list[tuple[str, int, int]](), 0, set[str]()
    for name in names:
        with _opened(name) as file:
            fields |= set(file.schema_arrow.names)
            for group in range(file.num_row_groups):
                rows.append((name, group, first))
                first += file.metadata.row_group(group).num_rows
    portions = pa.Table.from_pylist(
        [dict(zip(PORTIONS.names, row, strict=True)) for row in rows], schema=PORTIONS
    )
    return Files(portions, geometry, first, frozenset(fields))


def _tables(path: Path) -> list[str]:
    return [str(file) for file in (sorted(path.rglob("*.parquet")) if path.is_dir() else [path])]


def _opened(name: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(name)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputRefusedError(
            f"{name}: cannot be read, it is missing, cut or no Parquet file ({str(error).splitlines()[0][:120]}), so nothing was computed."
        ) from error
