"""Write a plain table to a file, under its name only when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial as partial_call
from pathlib import Path
from typing import IO, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from lowland_gis.errors import UsageError
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_target
from lowland_gis.files.whole import refused, whole

WRITERS = (".csv", ".parquet")
# A spreadsheet takes a text that begins so for a formula and computes it.
LIVE = ("=", "+", "-", "@", "\t", "\r")
_CSV_ROWS = 200_000

Write = Callable[[pd.DataFrame | pa.Table], None]


def check_suffix(target: Path) -> None:
    """Refuse a target of another kind, before the work is done.

    Raises:
        UsageError: tables are not written in this form.
    """
    if target.suffix.lower() not in WRITERS:
        raise UsageError(
            f"{target}: tables are written as {' or '.join(WRITERS)}. Give the file one of these suffixes."
        )


def write_rows(rows: pd.DataFrame | pa.Table, target: Path, *, bom: bool = False) -> None:
    """Write rows as CSV or Parquet, by the suffix of the target; in a CSV an apostrophe stands before what would be a formula.

    With `bom` a CSV begins with a byte order mark, without which Excel in China takes UTF-8 for GBK: for lists that people open.

    Raises:
        UsageError: the suffix is another one.
        InputRefusedError: the target cannot be written.
    """
    with row_writer(target, bom=bom) as write:
        write(rows)


@contextmanager
def row_writer(target: Path, *, bom: bool = False) -> Iterator[Write]:
    """Yield what writes rows of the same columns one after the other as `write_rows` does; call it at least once.

    Raises:
        UsageError: the suffix is another one.
        InputRefusedError: the target cannot be written; where its folder is no place for it, that is said at once.
    """
    check_suffix(target)
    csv_form = partial_call(_csv_form, encoding="utf-8-sig" if bom else "utf-8")
    form = csv_form if target.suffix.lower() == ".csv" else _parquet_form
    with whole(target) as partial, ExitStack() as opened:
        with refused(target):
            write = opened.enter_context(form(partial))

        def guarded(rows: pd.DataFrame | pa.Table) -> None:
            with refused(target):
                write(rows)

        yield guarded
        with refused(target):
            opened.close()


def csv_writer(file: IO[str]) -> AbstractContextManager[Write]:
    """Return what writes rows of the same columns one after the other as CSV, texts as they are, for the next program."""
    return _csv_to(file, _as_they_are)


@contextmanager
def _csv_form(partial: Path, *, encoding: str) -> Iterator[Write]:
    with partial.open("w", encoding=encoding, newline="") as file, _csv_to(file, _without_formulas) as write:
        yield write


@contextmanager
def _csv_to(file: IO[str], made: Callable[[pd.DataFrame], pd.DataFrame]) -> Iterator[Write]:
    """Yield what writes rows, so many at a time that memory does not grow with a table in Arrow, the first ones with a heading."""
    heading = True

    def write(rows: pd.DataFrame | pa.Table) -> None:
        nonlocal heading
        for some in _pieces(rows):
            made(some).to_csv(file, index=False, header=heading)
            heading = False

    yield write


def _pieces(rows: pd.DataFrame | pa.Table) -> Iterator[pd.DataFrame]:
    if isinstance(rows, pd.DataFrame):
        yield rows
        return
    for start in range(0, max(1, rows.num_rows), _CSV_ROWS):
        yield rows.slice(start, _CSV_ROWS).to_pandas()


@contextmanager
def _parquet_form(partial: Path) -> Iterator[Write]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - drags the library of cloud storage along

    with ExitStack() as stack:
        writer = None

        def write(rows: pd.DataFrame | pa.Table) -> None:
            nonlocal writer
            table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
            if writer is None:
                # Numbers that are all different gain nothing from a dictionary; how columns lay in memory is nobody's business.
                few = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
                writer = stack.enter_context(
                    pq.ParquetWriter(partial, table.schema, use_dictionary=few, store_schema=False)
                )
            writer.write_table(table)

        yield write


def _as_they_are(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def _without_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would take for a formula, and before names of columns too."""
    texts = {
        str(name): column.astype(object).map(_plain_text, na_action="ignore")
        for name, column in rows.items()
        if not pd.api.types.is_numeric_dtype(column.dtype)
    }
    return rows.assign(**texts).rename(columns=_plain_text)


def _plain_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(LIVE) else value


def write_features(rows: gpd.GeoDataFrame, target: Path) -> None:
    """Write rows with geometries as a GeoPackage.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    with whole(target) as partial, gdal_target(partial) as path, refused(target, *GDAL_ERRORS):
        partial.unlink()
        rows.to_file(path, driver="GPKG", layer=target.stem)
