"""Read what a source holds, batch by batch, by the library for its form: only that one is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lowland_gis.files.batches import (
    BATCH_ROWS,
    ROW_NUMBER,
    Batch,
    Part,
    Received,
    Whole,
    deviation_in,
    row_numbers,
)
from lowland_gis.files.broken_text import whole_texts
from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.geoparquet import GeoParquet, opened_geoparquet
from lowland_gis.files.source import Source
from lowland_gis.files.spreadsheet.kinds import WORKBOOKS

if TYPE_CHECKING:
    from lowland_gis.files.plain_table import PlainTable


@contextmanager
def received(
    source: Source,
    *,
    encoding: Encoding | str | None = None,
    fields: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    consents: Consents = NONE,
) -> Iterator[Received]:
    """Open a vector layer or a table and yield it with its batches.

    `encoding` is the one that was decided on, or a name that is taken if every byte fits it. `fields` names the only attributes that are needed; a format that reads by column leaves the others alone.

    Raises:
        InputRefusedError: the layer does not exist, the text cannot be decoded, or fewer rows come than the header counts.
    """
    with _opened(source, _Asked(encoding, fields, batch_rows, consents)) as opened:
        yield opened


@dataclass(frozen=True)
class _Asked:
    """What is asked of a reader; each takes what it can use."""

    encoding: Encoding | str | None
    fields: Sequence[str] | None
    batch_rows: int
    consents: Consents


def _opened(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    """Return the layer by the reader for its form, which alone is loaded."""
    if source.driver in WORKBOOKS:
        from lowland_gis.files.plain_table import workbook

        return nullcontext(_plain(workbook(source)))
    return _READERS.get(source.driver, _by_gdal)(source, asked)


def _csv(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.plain_table import text_table
    from lowland_gis.files.shaped_table import with_shapes

    named = asked.encoding.name if isinstance(asked.encoding, Encoding) else asked.encoding
    table = text_table(source, named)
    return nullcontext(with_shapes(source, table) or _plain(table))


def _vct(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.vct.reader import vct_layer

    return vct_layer(source, asked.encoding, asked.batch_rows)


def _coordinate_text(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.coordinate_text.reader import coordinate_text

    return nullcontext(coordinate_text(source, asked.encoding, asked.batch_rows, asked.consents))


def _kml(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.kml.reader import kml_layer

    return nullcontext(kml_layer(source, asked.batch_rows, asked.consents))


def _udbx(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.udbx import udbx_layer

    return udbx_layer(source, asked.batch_rows)


def _mapgis(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.mapgis import mapgis_layer

    return nullcontext(mapgis_layer(source, asked.encoding, asked.batch_rows))


def _drawing(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.drawing.reader import drawing_layer

    return drawing_layer(source, asked.encoding, asked.batch_rows)


def _mdb(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.mdb.reader import mdb_layer

    return mdb_layer(source, asked.batch_rows)


def _geoparquet(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    return nullcontext(_parquet(source, asked.fields, asked.batch_rows))


def _by_gdal(source: Source, asked: _Asked) -> AbstractContextManager[Received]:
    from lowland_gis.files.vector import vector_layer

    return vector_layer(source, asked.encoding, asked.batch_rows)


_READERS: dict[str, Callable[[Source, _Asked], AbstractContextManager[Received]]] = {
    "CSV": _csv,
    "VCT": _vct,
    "TXT": _coordinate_text,
    "KML": _kml,
    "UDBX": _udbx,
    "MapGIS": _mapgis,
    "DXF": _drawing,
    "PGeo": _mdb,
    "Parquet": _geoparquet,
}


def read(source: Source, *, encoding: str | None = None) -> Whole:
    """Read all rows of a source into memory.

    Raises:
        InputRefusedError: as `received`.
    """
    import pandas as pd

    with received(source, encoding=encoding) as opened:
        batches = list(opened.batches)
        tables = [batch.attributes for batch in batches]
        shapes = [batch.wkb for batch in batches if batch.wkb is not None]
        whole = pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
        attributes = whole.to_pandas()
        if not tables:
            attributes = pd.DataFrame({name: pd.Series(dtype=object) for name in opened.columns})
        wkb = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
        return Whole(
            attributes,
            wkb if opened.has_geometry else None,
            opened.declared_crs,
            opened.encoding,
            opened.layer,
        )


def _plain(table: PlainTable) -> Received:
    rows = table.rows
    batches = iter([Batch(0, rows, None, doubts=table.doubts, aside=table.aside)])
    columns, has_geometry, doubts = tuple(rows.column_names), False, list(table.whole)
    opened = Received(columns, has_geometry, None, table.encoding, table.sheet, rows.num_rows, batches)
    return replace(opened, doubts=doubts, stated=table.stated)


def _parquet(source: Source, fields: Sequence[str] | None, batch_rows: int) -> Received:
    file = opened_geoparquet(source)
    names = file.fields if fields is None else tuple(name for name in file.fields if name in fields)
    columns, has_geometry = file.fields or (ROW_NUMBER,), file.geometry is not None
    batches = partial(_parquet_batches, file, names, batch_rows, deviation_in(file.crs))
    parts = tuple(
        Part(group.n_rows, partial(batches, group.number, group.first_row)) for group in file.groups()
    )
    return Received(columns, has_geometry, file.crs, None, None, file.n_rows, batches(None, 0), parts)


def _parquet_batches(
    file: GeoParquet, names: tuple[str, ...], batch_rows: int, deviation: float, group: int | None, first: int
) -> Iterator[Batch]:
    for part in file.batches(batch_rows, fields=names, group=group):
        shapes = None if file.geometry is None else part.column(file.geometry)
        columns, doubts = whole_texts({name: part.column(name) for name in names}, first, file.source.name)
        rows = pa.table(columns) if names else row_numbers(first, part.num_rows)
        yield Batch(first, rows, shapes, deviation, doubts)
        first += part.num_rows
