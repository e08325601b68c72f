"""Write a plain table to a file, under its name only when it is whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial as partial_call
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.columns import missing
from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, whole

if TYPE_CHECKING:
    import pandas as pd

WRITERS = (".csv", ".parquet")
# A spreadsheet takes a text that begins so for a formula and computes it.
LIVE = ("=", "+", "-", "@", "\t", "\r")
_CSV_ROWS = 200_000

Write = Callable[["pd.DataFrame | pa.Table"], None]


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
    return _csv_to(file, live=True)


@contextmanager
def _csv_form(partial: Path, *, encoding: str) -> Iterator[Write]:
    with partial.open("w", encoding=encoding, newline="") as file, _csv_to(file, live=False) as write:
        yield write


@contextmanager
def _csv_to(file: IO[str], *, live: bool) -> Iterator[Write]:
    """Yield what writes rows, so many at a time that memory does not grow with a table in Arrow, the first ones with a heading.

    `live` leaves texts as they are that a spreadsheet would take for formulas.
    """
    heading = True

    def write(rows: pd.DataFrame | pa.Table) -> None:
        nonlocal heading
        for some in _pieces(rows):
            if isinstance(some, pa.Table):
                _write_arrow(file, some, heading=heading, live=live)
            else:
                made = some if live else _without_formulas(some)
                made.to_csv(file, index=False, header=heading)
            heading = False

    yield write


def _pieces(rows: pd.DataFrame | pa.Table) -> Iterator[pd.DataFrame | pa.Table]:
    """Yield rows some at a time; a table in Arrow stays one where its columns are such that they are written as pandas writes them."""
    if not isinstance(rows, pa.Table):
        yield rows
        return
    plain = all(map(_is_plain, rows.schema.types))
    for start in range(0, max(1, rows.num_rows), _CSV_ROWS):
        some = rows.slice(start, _CSV_ROWS)
        yield some if plain else some.to_pandas()


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_float64(kind)
    )


def _write_arrow(file: IO[str], rows: pa.Table, *, heading: bool, live: bool) -> None:
    """Write rows of texts and numbers; what is missing has no sign, and NaN is missing."""
    writer = csv.writer(file, lineterminator=os.linesep)
    if heading:
        writer.writerow(rows.column_names if live else map(_plain_text, rows.column_names))
    columns = [_values(column, live=live) for column in rows.columns]
    writer.writerows(zip(*columns, strict=True))


def _values(column: pa.ChunkedArray, *, live: bool) -> list[Any]:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), missing(column.type), column)
    values: list[Any] = column.to_pylist()
    if live or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return values
    return list(map(_plain_text, values))


@contextmanager
def _parquet_form(partial: Path) -> Iterator[Write]:
    import pyarrow.parquet as pq  # drags the library of cloud storage along

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


def _without_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would take for a formula, and before names of columns too."""
    import pandas as pd

    texts = {
        str(name): column.astype(object).map(_plain_text, na_action="ignore")
        for name, column in rows.items()
        if not pd.api.types.is_numeric_dtype(column.dtype)
    }
    return rows.assign(**texts).rename(columns=_plain_text)


def _plain_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(LIVE) else value
