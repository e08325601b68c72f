"""The increment of the yearly survey as files, without a database: base of the year before + increment = base of the year (增量自检).

The files are read as `ingest` reads them, in any form: geodatabase, VCT, shapefiles, UDBX. One number (标识码 BSM) stands for two states of
a polygon, so lineage goes by number and year.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.analysis.increment import (
    AREA,
    COMPARED,
    PROCESS,
    Balance,
    Polygons,
    check_increment,
    lineage,
)
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.exported.geodatabase import write_gpkg
from lowland_gis.files.exported.layer import Layer as Exported
from lowland_gis.files.gdal_path import GDAL_ERRORS
from lowland_gis.files.inspect import layer_names
from lowland_gis.files.source import opened
from lowland_gis.files.table import check_suffix, write_rows
from lowland_gis.files.whole import refused, whole_set
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.intake.in_memory import Came, How, came_in
from lowland_gis.pipeline.quality.in_memory import OthersInMemory, checked_layer
from lowland_gis.pipeline.quality.increment import (
    BASE,
    CHANGED,
    PIECES,
    TOWN_PIECES,
    town_increment_findings,
)
from lowland_gis.pipeline.quality.layers import Layer

_TOWN, _TOWN_CHANGE = "town", "town_change"
# A base is delivered under the name of the layer, with or without its year.
_BASE_NAMES = ("DLTB", "DLTB_ANNUAL")
_TOWN_NAMES = ("XZQ", "XZQXZ", "XZ")
_DAY = "GXSJ"
_PAIRS = tuple(f"{side}{name}" for name in COMPARED for side in ("BGQ", "BGH"))
_PLACES = ".gpkg"
_ISSUES = ("layer", "rule", "bsm", "message", "value", "limit")


@dataclass(frozen=True)
class Files:
    """Where both bases and the increment are: files, `FILE:LAYER`, or folders of files."""

    before: Path
    increment: Path
    now: Path


@dataclass(frozen=True)
class FileIncrement:
    """What an increment in files comes to.

    `breaks` has layer, rule, bsm, message, value and limit (m², or none) with the place; `lineage` has before, year_before, after, year_after,
    behaviour (BGXW) and area_m2; `towns` says whether the towns were held against their increment too.
    """

    breaks: gpd.GeoDataFrame
    lineage: pd.DataFrame
    balance: Balance
    year: int
    towns: bool


def increment_of_files(files: Files, how: How, *, tell: Tell) -> FileIncrement:
    """Check base + increment = base of the year to 0.01 m², polygon by polygon, and towns where all three files have them.

    Raises:
        InputRefusedError: a file cannot be read, a layer is missing, or the increment is of several years.
    """
    increment = _Container(files.increment, how, tell)
    changed, process = increment.layer(CHANGED), increment.layer(PIECES)
    before, now = (
        _Container(place, how, tell).layer(BASE, _BASE_NAMES) for place in (files.before, files.now)
    )
    year = _year(process, files.increment)
    fields = ["BSM", AREA, *COMPARED]
    texts = process.texts([*PROCESS, *_PAIRS])
    tell("holds both bases against the increment")
    bases = [_polygons(checked_layer(one, fields)) for one in (before, now, changed)]
    checked = check_increment(bases[0], bases[1], bases[2], texts)
    found = checked.issues.assign(layer=CHANGED)
    towns = _towns(files, increment, how, tell)
    if towns is not None:
        found = pd.concat([found, towns], ignore_index=True)
    places = [
        None if place is None else shapely.point_on_surface(place) if place.geom_type != "Point" else place
        for place in found["place"]
    ]
    breaks = gpd.GeoDataFrame(found[list(_ISSUES)], geometry=places, crs=how.plane)
    return FileIncrement(breaks, _by_year(lineage(texts), year), checked.balance, year, towns is not None)


def _by_year(pairs: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return lineage whose keys are number and year: what has no number on a side has no year there."""
    for side, of_year in (("before", year - 1), ("after", year)):
        there = (pairs[side] != "").to_numpy(dtype=bool)
        pairs[f"year_{side}"] = pd.array(np.where(there, of_year, 0), dtype="Int64")
        pairs.loc[~there, f"year_{side}"] = pd.NA
    return pairs[["before", "year_before", "after", "year_after", "behaviour", "area_m2"]]


def _polygons(layer: Layer) -> Polygons:
    return Polygons(layer.texts, layer.geometries)


def _year(process: Came, place: Path) -> int:
    """Return the year of an increment, which each row of the process layer says (GXSJ, the last day of it)."""
    days = process.texts([_DAY])[_DAY].dropna().astype(str)
    years = sorted(set(days.str[:4]))
    if len(years) != 1 or not years[0].isdigit():
        said = (
            "the process layer (DLTBGXGC) does not say its year (GXSJ)"
            if not years
            else f"is of several years (GXSJ: {', '.join(years)})"
        )
        raise InputRefusedError(
            f"{place}: {said}. Name the increment of one year: numbers (BSM) are of one year only."
        )
    return int(years[0])


def _towns(files: Files, increment: _Container, how: How, tell: Tell) -> pd.DataFrame | None:
    """Return what does not match between the towns of both bases and those of the increment; None where one of them is not there."""
    places = (files.before, files.now)
    before, now = (_Container(place, how, tell).find(_TOWN, _TOWN_NAMES) for place in places)
    changed = None if before is None or now is None else increment.find(_TOWN_CHANGE)
    if before is None or now is None or changed is None:
        return None
    process = increment.find(TOWN_PIECES)
    there = {_TOWN: now} | ({} if process is None else {TOWN_PIECES: process})
    others = OthersInMemory(there, {_TOWN: before})
    code = str(layer_definition(_TOWN_CHANGE).identifier)
    found = town_increment_findings(checked_layer(changed, [code]), others, _TOWN)
    return pd.DataFrame(
        {
            "layer": _TOWN_CHANGE,
            "rule": found["subject"],
            "bsm": [names[0] for names in found["names"]],
            "message": found["detail"],
            "value": found["value"],
            "limit": found["limit"],
            "place": found["place"],
        }
    )


@dataclass
class _Container:
    """A file or folder that holds layers under the names of the standard."""

    place: Path
    how: How
    tell: Tell

    def layer(self, key: str, names: Sequence[str] = ()) -> Came:
        """Return a layer.

        Raises:
            InputRefusedError: it is not there.
        """
        found = self.find(key, names)
        if found is None:
            definition = layer_definition(key)
            wanted = " or ".join(dict.fromkeys((*definition.names, *names)))
            there = ", ".join(name for _, name in self._layers) or "no layer"
            raise InputRefusedError(
                f"{self.place}: holds no layer {wanted} ({definition.title}), but {there}. Name the file, or FILE:LAYER for a base under another name."
            )
        return found

    def find(self, key: str, names: Sequence[str] = ()) -> Came | None:
        """Return a layer where it is there, under one of its names; a base that is named by FILE:LAYER is that one."""
        definition = layer_definition(key)
        wanted = {name.upper() for name in (*definition.names, *names)}
        hits = [source for source, name in self._layers if _plain(name) in wanted]
        if not hits and self._is_named and key == BASE:
            hits = [source for source, _ in self._layers]
        if not hits:
            return None
        if len(hits) > 1:
            raise UsageError(
                f"{self.place}: {len(hits)} layers could be {definition.title}: {', '.join(hits)}. Name one: FILE:LAYER"
            )
        self.tell(f"reads {hits[0]}")
        return _read(hits[0], definition, self.how, self.tell)

    @property
    def _is_named(self) -> bool:
        return not self.place.exists()

    @property
    def _layers(self) -> list[tuple[str, str]]:
        """Return what can be named as a source, and the name of the layer."""
        places = sorted(_inside(self.place)) if _is_folder(self.place) else [self.place]
        return [found for place in places for found in _of_file(place)]


def _read(source: str, definition: LayerDefinition, how: How, tell: Tell) -> Came:
    return came_in(source, definition, how, tell)


def _plain(name: str) -> str:
    """Return the name of a layer in capital letters without a year behind it (DLTB2024, DLTB_2024)."""
    text = name.upper()
    return text[:-4].rstrip("_") if len(text) > 4 and text[-4:].isdigit() else text  # noqa: PLR2004 - the digits of a year


def _is_folder(place: Path) -> bool:
    return place.is_dir() and place.suffix.lower() != ".gdb"


def _inside(folder: Path) -> Iterator[Path]:
    for place in folder.iterdir():
        if _is_folder(place):
            yield from _inside(place)
        elif place.suffix.lower() in _READ:
            yield place


_READ = (".shp", ".gdb", ".vct", ".gpkg", ".udbx", ".parquet", ".zip")


def _of_file(place: Path) -> list[tuple[str, str]]:
    with opened(str(place), Path.cwd()) as source:
        names: Mapping[str | None, str] = {
            name: name or source.path.stem
            for name in (layer_names(source) if source.layer is None else (source.layer,))
        }
    several = len(names) > 1 or place.suffix.lower() in (".gdb", ".gpkg", ".vct", ".udbx")
    return [
        (f"{place}:{name}" if name and several and place.exists() else str(place), title)
        for name, title in names.items()
    ]


def check_targets(breaks: Path | None, lineage: Path | None) -> None:
    """Refuse other kinds of files, before the work is done.

    Raises:
        UsageError: there is no such form.
    """
    for target in (breaks, lineage):
        if target is not None and not (target is breaks and target.suffix.lower() == _PLACES):
            check_suffix(target)


def write_breaks(found: FileIncrement, target: Path) -> None:
    """Write what does not match: with its places as a GeoPackage, else as a table with east_m and north_m.

    Raises:
        InputRefusedError: it cannot be written.
    """
    breaks = found.breaks
    table = breaks.drop(columns="geometry")
    if target.suffix.lower() != _PLACES:
        write_rows(table.assign(east_m=breaks.geometry.x, north_m=breaks.geometry.y), target, bom=True)
        return
    rows = pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False)
    layer = Exported("breaks", rows, breaks.geometry.to_numpy(), str(breaks.crs), title="增量不符")
    with whole_set(target) as path, refused(target, *GDAL_ERRORS, pa.ArrowException):
        write_gpkg([layer], path, dt.date(found.year, 12, 31))


def write_lineage(found: FileIncrement, target: Path) -> None:
    """Write which polygon became which.

    Raises:
        InputRefusedError: it cannot be written.
    """
    write_rows(found.lineage, target, bom=True)
