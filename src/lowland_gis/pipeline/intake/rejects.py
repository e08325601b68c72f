"""Records with an issue: listed, and exported as they came so that they can go back to the sender."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from xlsxwriter.exceptions import XlsxWriterException

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import UsageError
from lowland_gis.files.features import write_features
from lowland_gis.files.table import write_rows
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.products.tables.sheet_rows import Value
from lowland_gis.products.tables.workbook import Column, SheetContent, write_workbook

_MAP_SUFFIX, _SHEET_SUFFIX = ".gpkg", ".xlsx"
_SUFFIXES = (_MAP_SUFFIX, _SHEET_SUFFIX, ".csv", ".parquet")
_REASONS = {"version_id": "交付版本", "row_no": "行号（自0起）", "rule": "原因代码", "message": "原因"}
# Beyond these digits a cell of a spreadsheet rounds a number.
_EXACT_BELOW = 10**15


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


def export_rejects(project: Project, layer: str, target: Path, *, overwrite: bool = False) -> int:
    """Write the records of a layer that were set aside, with the reason, and return how many there are.

    A .gpkg holds the geometries that can be read, in the system of the file; a geometry that cannot be read stands as
    hexadecimal WKB in a column, and so do all in a .csv or .parquet. A .xlsx is for people: the reason and the fields, without
    geometry. No text of a .xlsx or .csv is taken for a formula: in a .csv an apostrophe stands before such a text.

    Raises:
        UsageError: there is no such layer; the suffix is another one; or the file is there, is not as lowland wrote it, and
            `overwrite` is not set.
        InputRefusedError: the target cannot be written.
    """
    definition = layer_definition(layer)
    suffix = target.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(
            f"{target}: what was set aside is written as {', '.join(_SUFFIXES)}. Give the file one of these suffixes."
        )
    with project.outputs.writing(target, overwrite=overwrite):
        return _export(project, definition, target)


def _export(project: Project, definition: LayerDefinition, target: Path) -> int:
    suffix = target.suffix.lower()
    with project.transaction() as connection:
        aside = read_frame(
            connection,
            "SELECT i.version_id, i.row_no, i.key, i.rule, i.message, i.received, i.received_wkb, s.crs FROM land.issue i"
            " JOIN land.layer_version USING (version_id) JOIN land.source s USING (source_id)"
            " WHERE version_id = ANY(%s) AND action = 'rejected' ORDER BY version_id, row_no, issue_id",
            [_versions(connection, definition.key)],
        )
    received = pd.DataFrame([values or {} for values in aside["received"]], index=aside.index, dtype=object)
    reasons = aside[["version_id", "row_no", "rule", "message"]].add_prefix("lowland_")
    if suffix == _SHEET_SUFFIX:
        _write_sheet(target, definition, reasons, received, project)
        return len(aside)
    rows = pd.concat([reasons, received], axis=1)
    shapes = shapely.from_wkb(aside["received_wkb"].to_numpy(dtype=object), on_invalid="ignore")
    if suffix != _MAP_SUFFIX:
        rows = rows.assign(wkb=_hexadecimal(aside["received_wkb"], np.ones(len(aside), dtype=bool)))
        write_rows(rows, target, bom=True)
        return len(rows)
    unreadable = shapely.is_missing(shapes)
    frame = gpd.GeoDataFrame(
        rows, geometry=shapes, crs=next(iter(aside["crs"].dropna()), project.settings.project.crs)
    )
    write_features(frame.assign(wkb=_hexadecimal(aside["received_wkb"], unreadable)), target)
    return len(rows)


def _write_sheet(
    target: Path, definition: LayerDefinition, reasons: pd.DataFrame, received: pd.DataFrame, project: Project
) -> None:
    titles = {field.name: f"{field.name} {field.title}" for field in definition.field}
    headings = [*_REASONS.values(), *(titles.get(str(name), str(name)) for name in received)]
    cells = pd.concat([reasons, received], axis=1).to_numpy(dtype=object)
    rows = tuple(tuple(_cell(value) for value in row) for row in cells)
    sheet = SheetContent("搁置记录", tuple(Column(heading) for heading in headings), rows)
    about = project.settings.project
    note = "入库时整条搁置的记录及原因；图形请用 .gpkg 导出。" + ("合成数据。" if about.synthetic else "")
    with whole(target) as partial, refused(target, XlsxWriterException):
        write_workbook(
            partial, [sheet], title=f"{about.name} {definition.title} 搁置记录", note=note, dated=about.as_of
        )


def _cell(value: object) -> Value:
    """Return a received value as a cell holds it without loss."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _EXACT_BELOW):
        return value
    return str(value)


def _hexadecimal(wkb: pd.Series[Any], wanted: npt.NDArray[np.bool_]) -> pd.Series[Any]:
    texts = [item.hex() if item and write else None for item, write in zip(wkb, wanted, strict=True)]
    return pd.Series(texts, index=wkb.index, dtype=object)


def _versions(connection: Connection, layer: str) -> list[int]:
    return [version.version_id for version in current_versions(connection).get(layer, [])]
