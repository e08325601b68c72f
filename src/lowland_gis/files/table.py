"""Write a plain table to a file, under its name only when it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pandas as pd

from lowland_gis.errors import InputRefusedError, UsageError

WRITERS = (".csv", ".parquet")


def check_suffix(target: Path) -> None:
    """Refuse a target of another kind, before the work is done.

    Raises:
        UsageError: tables are not written in this form.
    """
    if target.suffix.lower() not in WRITERS:
        raise UsageError(
            f"{target}: tables are written as {' or '.join(WRITERS)}. Give the file one of these suffixes."
        )


def write_rows(rows: pd.DataFrame, target: Path) -> None:
    """Write rows as CSV or Parquet, by the suffix of the target.

    Raises:
        UsageError: the suffix is another one.
        InputRefusedError: the target cannot be written.
    """
    check_suffix(target)
    with _whole(target) as partial:
        if target.suffix.lower() == ".csv":
            rows.to_csv(partial, index=False)
        else:
            rows.to_parquet(partial, index=False)


def write_features(rows: gpd.GeoDataFrame, target: Path) -> None:
    """Write rows with geometries as a GeoPackage.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    with _whole(target) as partial:
        partial.unlink()
        rows.to_file(partial, driver="GPKG", layer=target.stem)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a file beside the target that takes its name when all went well."""
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
