"""What a comparison found, as lists for people: changes with cause and evidence, sums by kind, the balance; and as a file for QGIS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from xlsxwriter.exceptions import XlsxWriterException

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.definitions.update import update_definition
from lowland_gis.errors import UsageError
from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_target
from lowland_gis.files.table import write_rows
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.update.doubts import doubts_of
from lowland_gis.pipeline.update.opening import Update, bases
from lowland_gis.pipeline.update.surveyed import increment_in_force
from lowland_gis.products.tables.workbook import Column, SheetContent, write_workbook

MAP, SHEET = ".gpkg", ".xlsx"
SUFFIXES = (".csv", SHEET, MAP, ".parquet")
_LISTED = (
    "change_no", "kind", "kind_title", "cause", "cause_title", "basis", "town_code", "town", "old_parcels", "new_parcels", "old_m2",
    "added_m2", "removed_m2", "drift_m2", "new_m2", "evidence",
)  # fmt: skip
_HEADINGS = {
    "change_no": "序号", "kind_title": "变化", "cause_title": "原因", "basis": "数据或规则", "town": "镇街", "old_parcels": "变化前宗地",
    "new_parcels": "变化后宗地", "old_m2": "变化前面积 m²", "added_m2": "新增 m²", "removed_m2": "减少 m²", "drift_m2": "界线漂移 m²",
    "new_m2": "变化后面积 m²", "evidence": "依据",
}  # fmt: skip
_BALANCE = (
    "town_code", "town", "old_m2", "added_m2", "removed_m2", "drift_m2", "moved_in_m2", "moved_out_m2", "new_m2", "residual_m2",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a comparison found: changes (one row each), the balance (one row a town, the whole last), and doubts."""

    update: Update
    run_id: int
    changes: pd.DataFrame
    balance: pd.DataFrame
    doubts: pd.DataFrame

    @property
    def residual_m2(self) -> float:
        """Return what the balance of the whole does not explain, or that of a town where it is greater."""
        return float(self.balance["residual_m2"].abs().max()) if len(self.balance) else 0.0


def found_changes(connection: Connection, update: Update, run_id: int) -> Found:
    """Return what a comparison found, in the words of people."""
    before, after = bases(connection, update)
    names = {
        **town_names(connection, before.versions.get("town", [])),
        **town_names(connection, after.versions.get("town", [])),
    }
    definition = update_definition()
    changes = read_frame(
        connection,
        "SELECT change_no, kind, cause, basis, town_code, old_parcels, new_parcels, old_m2, added_m2, removed_m2, drift_m2, new_m2, evidence"
        " FROM result.change WHERE run_id = %s ORDER BY change_no",
        [run_id],
    )
    changes = changes.assign(
        kind_title=changes["kind"].map(definition.title),
        cause_title=changes["cause"].map(lambda cause: definition.cause_title.get(cause, cause)),
        town=changes["town_code"].map(names),
        old_parcels=["、".join(codes) for codes in changes["old_parcels"]],
        new_parcels=["、".join(codes) for codes in changes["new_parcels"]],
        evidence=[said(content) for content in changes["evidence"]],
    )[list(_LISTED)]
    lines = read_frame(
        connection,
        "SELECT town_code, old_m2, added_m2, removed_m2, drift_m2, moved_in_m2, moved_out_m2, new_m2, residual_m2"
        " FROM result.change_balance WHERE run_id = %s ORDER BY line_no",
        [run_id],
    )
    towns = [names.get(code, code) if code else "（未知）" for code in lines["town_code"].iloc[:-1]]
    lines = lines.assign(town=[*towns, "合计"])[list(_BALANCE)]
    versions = [*before.parcels, *after.parcels, *increment_in_force(connection).pieces]
    return Found(update, run_id, _without_nan(changes), _without_nan(lines), doubts_of(connection, versions))


def _without_nan(rows: pd.DataFrame) -> pd.DataFrame:
    texts = [name for name in rows.columns if rows[name].dtype == object or str(rows[name].dtype) == "str"]
    return rows.assign(**{name: rows[name].astype(object).where(rows[name].notna(), None) for name in texts})


def by_kind(changes: pd.DataFrame) -> pd.DataFrame:
    """Return how many changes of each kind and cause there are, and their areas: kind, title, cause, changes, added_m2, removed_m2, drift_m2."""
    groups = changes.groupby(["kind", "kind_title", "cause_title"], sort=False)
    sums = {name: (name, "sum") for name in ("added_m2", "removed_m2", "drift_m2")}
    return groups.agg(changes=("change_no", "count"), **sums).reset_index()


def said(evidence: Mapping[str, Any]) -> str:
    """Return evidence in one line.

    >>> said({"fields": {"YT": ["0601", "0501"]}})
    'YT: 0601 → 0501'
    """
    return "; ".join(_pieces(evidence))


def _pieces(evidence: Mapping[str, Any]) -> Iterator[str]:
    for name, (old, new) in evidence.get("fields", {}).items():
        yield f"{name}: {_value(old)} → {_value(new)}"
    if "answer" in evidence:
        yield f"{evidence['question']}: {evidence['answer'][0]} → {evidence['answer'][1]}"
    for clause in evidence.get("tipped", []):
        yield _clause(clause)
    for one, other, area in evidence.get("shared_m2", []):
        yield f"{one} → {other} {area:,.2f} m²"
    if "buildings" in evidence:
        yield "建筑 {} → {}".format(*evidence["buildings"])
    if "displaced_m" in evidence:
        yield f"界线平均位移 {evidence['displaced_m']:.3f} m（限差 {evidence['bound_m']:g} m）"
    if "entry" in evidence:
        number = f" {evidence['document_no']}" if evidence.get("document_no") else ""
        yield f"{evidence['register']} {evidence['on']}{number}"


def _clause(clause: Mapping[str, Any]) -> str:
    words = f"{clause['clause']} {clause['outcome'][0]} → {clause['outcome'][1]}"
    for name, (old, new) in clause.get("measures", {}).items():
        words += f" [{name} {_value(old)} → {_value(new)}]"
    limits = clause.get("limit")
    if limits is not None:
        words += (
            f" [界限 {_value(limits[0])}]"
            if limits[0] == limits[1]
            else f" [界限 {_value(limits[0])} → {_value(limits[1])}]"
        )
    return words


def _value(value: Any) -> str:
    if value is None:
        return "空"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def write_changes(project: Project, found: Found, target: Path, *, overwrite: bool = False) -> int:
    """Write the changes as a list (.csv, .xlsx, .parquet), or for QGIS (.gpkg: new outlines, and old ones of what is gone or was another).

    Returns how many changes there are.

    Raises:
        UsageError: the suffix is another one; or the file is there, is not as lowland wrote it, and `overwrite` is not set.
        InputRefusedError: the target cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{target}: changes are written as {', '.join(SUFFIXES)}. Give the file one of these suffixes."
        )
    with project.outputs.writing(target, overwrite=overwrite):
        if suffix == MAP:
            _write_map(project, found, target)
        elif suffix == SHEET:
            _write_sheet(project, found, target)
        else:
            write_rows(found.changes, target, bom=True)
    return len(found.changes)


def _write_sheet(project: Project, found: Found, target: Path) -> None:
    about = project.settings.project
    sheets = [
        _sheet("变化清单", found.changes[list(_HEADINGS)], list(_HEADINGS.values())),
        _sheet("面积平衡", found.balance, [name.replace("_m2", " m²") for name in found.balance.columns]),
        _sheet("存疑", found.doubts, list(found.doubts.columns)),
    ]
    note = "面积为椭球面积；原面积 + 新增 - 减少 + 漂移 + 转入 - 转出 = 现面积。" + (
        "合成数据。" if about.synthetic else ""
    )
    with whole(target) as partial, refused(target, XlsxWriterException):
        write_workbook(
            partial, sheets, title=f"{about.name} {found.update.year} 年度更新", note=note, dated=about.as_of
        )


def _sheet(name: str, rows: pd.DataFrame, headings: list[str]) -> SheetContent:
    cells = rows.astype(object).where(rows.notna(), None).to_numpy(dtype=object)
    columns = tuple(Column(heading, "0.00" if "m²" in heading else "General") for heading in headings)
    return SheetContent(name, columns, tuple(tuple(row) for row in cells))


def _write_map(project: Project, found: Found, target: Path) -> None:
    with project.snapshot() as connection:
        before, after = bases(connection, found.update)
        layers = {
            "new": _outlines(connection, found, after.parcels, "new_parcels", project.srid),
            "old": _outlines(connection, found, before.parcels, "old_parcels", project.srid),
        }
    with whole(target) as partial, gdal_target(partial) as path, refused(target, *GDAL_ERRORS):
        partial.unlink()
        for name, frame in layers.items():
            frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio")


def _outlines(
    connection: Connection, found: Found, versions: list[int], side: str, srid: int
) -> gpd.GeoDataFrame:
    """Return one row for each parcel of each change on one side, with its outline."""
    column = {"new_parcels": "new_parcels", "old_parcels": "old_parcels"}[side]
    shapes = read_geoframe(
        connection,
        f"SELECT change_no, parcel_id, ST_AsBinary(geom) AS geom FROM result.change, unnest({column}) AS code"  # noqa: S608 - a constant
        " JOIN land.parcel ON parcel_id = code AND version_id = ANY(%s) WHERE run_id = %s ORDER BY change_no, parcel_id",
        [versions, found.run_id],
        srid=srid,
    )
    texts = found.changes.astype({"change_no": "int64"})
    joined = shapes.merge(texts, on="change_no", how="left")
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=shapes.crs)


def as_records(found: Found) -> str:
    """Return what was found as JSON."""
    content = {
        "year": found.update.year,
        "run": found.run_id,
        "changes": found.changes.to_dict("records"),
        "balance": found.balance.to_dict("records"),
        "doubts": found.doubts.to_dict("records"),
    }
    return json.dumps(content, ensure_ascii=False, default=str, indent=1)
