"""Write a layer as GeoParquet 1.1, or a table as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.exported.layer import Layer, Written

_SHAPES = ("geometry", "geometry_1", "lowland_geometry")


def write_parquet(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the one layer.

    Raises:
        InputRefusedError: there are several layers.
    """
    del dated
    if len(layers) != 1:
        names = ", ".join(layer.name for layer in layers)
        raise InputRefusedError(
            f"{path.name}: holds one layer, and these are {len(layers)}: {names}. Name one, FILE:LAYER, or write a .gpkg or .gdb."
        )
    layer = layers[0]
    written = Written("UTF-8", {name: name for name in layer.attributes.column_names})
    if layer.geometries is None:
        pq.write_table(layer.attributes, path, compression="zstd", store_schema=False)
        return [written]
    name = next(each for each in _SHAPES if each not in layer.attributes.column_names)
    columns = {
        each: pd.Series(pd.arrays.ArrowExtensionArray(layer.attributes.column(each)))
        for each in written.names
    }
    # Readers of a part of the land skip what lies elsewhere by these boxes; a field of that name is the layer's own.
    boxes = "bbox" not in columns
    frame = gpd.GeoDataFrame(
        pd.DataFrame(columns, index=pd.RangeIndex(layer.n_rows)),
        geometry=gpd.GeoSeries(layer.geometries, crs=layer.crs).rename(name),
    )
    frame.to_parquet(path, index=False, compression="zstd", write_covering_bbox=boxes, schema_version="1.1.0")
    return [written]
