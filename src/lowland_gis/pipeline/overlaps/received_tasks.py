"""What tasks of Spark do with files of GeoParquet where there is no database: they read row groups and prepare the rows as ingest does."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.definitions.own import Own, use
from lowland_gis.engines.sedona.beside import BOX, boxes
from lowland_gis.engines.sedona.refusal import RowsRefusedError
from lowland_gis.files.batches import Batch
from lowland_gis.pipeline.intake.rows import Preparer

# A row a portion: the file, the row group, and the number of its first row among all of the layer.
PORTIONS = pa.schema([("file", pa.string()), ("group", pa.int32()), ("first", pa.int64())])
# What every row of a layer has once it was prepared; what a kind of layer does not have is null.
PREPARED = pa.schema(
    [
        ("row", pa.int64()), ("layer", pa.string()), ("version", pa.int64()), ("parcel", pa.string()), ("code", pa.string()),
        ("town", pa.string()), ("year", pa.float64()), ("area", pa.float64()), ("planar", pa.float64()), ("attributes", pa.string()),
        ("wkb", pa.binary()), *((name, pa.float64()) for name in BOX),
    ]
)  # fmt: skip
TYPES = (
    "row long, layer string, version long, parcel string, code string, town string, year double, area double, planar double,"
    " attributes string, wkb binary, " + ", ".join(f"{name} double" for name in BOX)
)
_ROWS = 4_000


@dataclass(frozen=True)
class Received:
    """A layer as tasks read it: its deliveries' number, its geometry column, and the day on which features must be in force."""

    layer: str
    version: int
    geometry: str | None
    plane: GaussPlane
    day: dt.date
    own: Own


def prepared(batches: Iterator[pa.RecordBatch], *, received: Received) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the portions (`PORTIONS`) of a layer, standardised, repaired and measured as ingest does it (`PREPARED`).

    Raises:
        RowsRefusedError: rows would be set aside; the file, the layer and the first of them are named.
    """
    use(received.own)
    definition = layer_definition(received.layer)
    for batch in batches:
        for file, group, first in zip(*(batch[name].to_pylist() for name in PORTIONS.names), strict=True):
            with pq.ParquetFile(file) as source:
                for some in source.iter_batches(_ROWS, row_groups=[group]):
                    yield _prepared(pa.Table.from_batches([some]), file, first, definition, received)
                    first += some.num_rows  # noqa: PLW2901 - the number of the next row


def _prepared(
    table: pa.Table, file: str, first: int, definition: LayerDefinition, received: Received
) -> pa.RecordBatch:
    shapes = None if received.geometry is None else table[received.geometry].combine_chunks()
    plain = [
        field.name
        for field in table.schema
        if field.name != received.geometry and not pa.types.is_nested(field.type)
    ]
    preparer = Preparer(received.layer, definition, received.plane, _as_they_are)
    done = preparer.prepare(Batch(first, table.select(plain), shapes))
    if done.n_rejected:
        aside = done.issues[done.issues["action"] == "rejected"].iloc[0]
        named = f" ({aside['key']})" if isinstance(aside.get("key"), str) else ""
        raise RowsRefusedError(
            f"{file}: layer {received.layer}: {done.n_rejected} rows would be set aside, first row {aside['row_no']}{named}:"
            f" {aside['message']}."
        )
    return _as_rows(done.rows, definition, received)


def _as_they_are(geometries: Any) -> Any:
    return geometries


def _as_rows(rows: pd.DataFrame, definition: LayerDefinition, received: Received) -> pa.RecordBatch:
    texts = rows["attributes"].astype(object).tolist()
    attributes = [text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in texts]
    columns: dict[str, Any] = {
        "row": rows["row_no"],
        "layer": [received.layer] * len(rows),
        "version": [received.version] * len(rows),
        "attributes": attributes,
    }
    if definition.stored == "enterprise":
        columns |= {"parcel": _texts(rows["parcel_id"]), "year": pd.to_numeric(rows["year"])}
        return _batch(columns, len(rows))
    given = rows["geom"].to_numpy(dtype=object)
    geometries = np.array([_geometry(shape) for shape in given] + [None], dtype=object)[:-1]
    wkb = pa.array(shapely.to_wkb(geometries, byte_order=1, output_dimension=2), pa.binary())
    columns |= {"wkb": wkb, **dict(zip(BOX, boxes(wkb), strict=True))}
    if definition.stored == "parcel":
        names = {"parcel": "parcel_id", "town": "town_code"}
        columns |= {name: _texts(rows[column]) for name, column in names.items()}
        columns |= {"area": rows["area_m2"], "planar": rows["planar_m2"]}
        return _batch(columns, len(rows))
    columns |= {"code": _texts(rows["code"]), "area": shapely.area(geometries)}
    table = _batch(columns, len(rows))
    force = [_in_force(definition, text, received.day) for text in attributes]
    return table.filter(pa.array(force, pa.bool_()))


def _geometry(shape: Any) -> Any:
    return shapely.from_wkb(shape) if isinstance(shape, bytes) else shape


def _in_force(definition: LayerDefinition, text: str, day: dt.date) -> bool:
    """Tell whether a feature is in force on a day, as `base.land.chosen_features` asks the database."""
    if definition.valid_from is None and definition.valid_to is None:
        return True
    values = json.loads(text)
    begin, end = (
        None if name is None else values.get(name) for name in (definition.valid_from, definition.valid_to)
    )
    return (begin is None or str(begin) <= day.isoformat()) and (end is None or str(end) > day.isoformat())


def _texts(column: pd.Series[Any]) -> list[str | None]:
    return [text if isinstance(text, str) else None for text in column.tolist()]


def _batch(columns: dict[str, Any], count: int) -> pa.RecordBatch:
    arrays = []
    for field in PREPARED:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(count, field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values.cast(field.type))
        else:
            arrays.append(pa.array(values, field.type, from_pandas=True))
    return pa.RecordBatch.from_arrays(arrays, schema=PREPARED)
