"""Records with an issue: listed, and exported as they came so that they can go back to the sender."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.files.table import write_features, write_rows
from lowland_gis.pipeline.project import Project
from lowland_gis.pipeline.runs import current_versions

_MAP_SUFFIX = ".gpkg"


def issues_of(project: Project, layer: str) -> pd.DataFrame:
    """Return every issue of the current deliveries of a layer."""
    layer_definition(layer)
    with project.transaction() as connection:
        return read_frame(
            connection,
            "SELECT version_id, row_no, key, rule, action, message FROM land.issue WHERE version_id = ANY(%s)"
            " ORDER BY version_id, row_no, issue_id",
            [_versions(connection, layer)],
        )


def export_rejects(project: Project, layer: str, target: Path) -> int:
    """Write the records of a layer that were set aside, with the reason, and return how many there are.

    A .gpkg holds the geometries that can be read, in the system of the file; a geometry that cannot be read stands as
    hexadecimal WKB in a column, and so do all in a .csv or .parquet.

    Raises:
        UsageError: there is no such layer, or the suffix is another one.
        InputRefusedError: the target cannot be written.
    """
    layer_definition(layer)
    with project.transaction() as connection:
        aside = read_frame(
            connection,
            "SELECT i.version_id, i.row_no, i.key, i.rule, i.message, i.received, i.received_wkb, s.crs FROM land.issue i"
            " JOIN land.layer_version USING (version_id) JOIN land.source s USING (source_id)"
            " WHERE version_id = ANY(%s) AND action = 'rejected' ORDER BY version_id, row_no, issue_id",
            [_versions(connection, layer)],
        )
    received = pd.DataFrame([values or {} for values in aside["received"]], index=aside.index, dtype=object)
    reasons = aside[["version_id", "row_no", "rule", "message"]].add_prefix("lowland_")
    rows = pd.concat([reasons, received], axis=1)
    shapes = shapely.from_wkb(aside["received_wkb"].to_numpy(dtype=object), on_invalid="ignore")
    if target.suffix.lower() != _MAP_SUFFIX:
        write_rows(
            rows.assign(wkb=_hexadecimal(aside["received_wkb"], np.ones(len(aside), dtype=bool))), target
        )
        return len(rows)
    unreadable = shapely.is_missing(shapes)
    frame = gpd.GeoDataFrame(
        rows, geometry=shapes, crs=next(iter(aside["crs"].dropna()), project.settings.project.crs)
    )
    write_features(frame.assign(wkb=_hexadecimal(aside["received_wkb"], unreadable)), target)
    return len(rows)


def _hexadecimal(wkb: pd.Series[Any], wanted: npt.NDArray[np.bool_]) -> pd.Series[Any]:
    texts = [item.hex() if item and write else None for item, write in zip(wkb, wanted, strict=True)]
    return pd.Series(texts, index=wkb.index, dtype=object)


def _versions(connection: Connection, layer: str) -> list[int]:
    return [version.version_id for version in current_versions(connection).get(layer, [])]
