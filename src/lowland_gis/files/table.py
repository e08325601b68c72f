"""Write a plain table to a file, under its name only when it is whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd

from lowland_gis.errors import InputRefusedError, UsageError

WRITERS = (".csv", ".parquet")


def write_rows(rows: pd.DataFrame, target: Path) -> None:
    """Write rows as CSV or Parquet, by the suffix of the target.

    Raises:
        UsageError: the suffix is another one.
        InputRefusedError: the target cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(
            f"{target}: tables are written as {' or '.join(WRITERS)}. Give the file one of these suffixes."
        )
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".lowland-", suffix=suffix)
        os.close(handle)
        partial = Path(name)
        try:
            if suffix == ".csv":
                rows.to_csv(partial, index=False)
            else:
                rows.to_parquet(partial, index=False)
            partial.chmod(0o644)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputRefusedError(
            f"{target}: cannot be written ({error.strerror}). Check the folder and the disk."
        ) from error
