"""Write a plain table to a file, under its name only when it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from lowland_gis.errors import InputRefusedError, UsageError

WRITERS = (".csv", ".parquet")
# A spreadsheet takes a text that begins so for a formula and computes it.
LIVE = ("=", "+", "-", "@", "\t", "\r")
_CSV_ROWS = 200_000


def check_suffix(target: Path) -> None:
    """Refuse a target of another kind, before the work is done.

    Raises:
        UsageError: tables are not written in this form.
    """
    if target.suffix.lower() not in WRITERS:
        raise UsageError(
            f"{target}: tables are written as {' or '.join(WRITERS)}. Give the file one of these suffixes."
        )


def write_rows(rows: pd.DataFrame | pa.Table, target: Path) -> None:
    """Write rows as CSV or Parquet, by the suffix of the target; in a CSV an apostrophe stands before what would be a formula.

    Raises:
        UsageError: the suffix is another one.
        InputRefusedError: the target cannot be written.
    """
    check_suffix(target)
    with whole(target) as partial:
        if target.suffix.lower() == ".csv":
            with partial.open("w", encoding="utf-8", newline="") as file:
                write_csv(rows, file, without_formulas=True)
        else:
            import pyarrow.parquet as pq  # noqa: PLC0415 - drags the library of cloud storage along

            table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
            # Numbers that are all different gain nothing from a dictionary; how columns lay in memory is nobody's business.
            few = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
            pq.write_table(table, partial, use_dictionary=few, store_schema=False)


def write_csv(rows: pd.DataFrame | pa.Table, file: IO[str], *, without_formulas: bool = False) -> None:
    """Write rows as CSV with a heading, so many at a time that memory does not grow with a table in Arrow.

    Texts are written as they are, for the next program; `without_formulas` makes them harmless to a spreadsheet.
    """
    made = _without_formulas if without_formulas else _as_they_are
    if isinstance(rows, pd.DataFrame):
        made(rows).to_csv(file, index=False)
        return
    for start in range(0, max(1, rows.num_rows), _CSV_ROWS):
        made(rows.slice(start, _CSV_ROWS).to_pandas()).to_csv(file, index=False, header=start == 0)


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
    with whole(target) as partial:
        partial.unlink()
        rows.to_file(partial, driver="GPKG", layer=target.stem)


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a file beside the target that takes its name when all went well.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".lowland-", suffix=target.suffix.lower())
        os.close(handle)
        partial = Path(name)
        try:
            yield partial
            partial.chmod(0o644)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputRefusedError(
            f"{target}: cannot be written ({error.strerror}). Check the folder and the disk."
        ) from error
