"""The data files of a folder with all its folders, and the files beside them that are not read, each with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.files.coordinate_text.looks import SUFFIX as TEXT
from lowland_gis.files.coordinate_text.looks import is_coordinate_text
from lowland_gis.files.source import DRIVERS

_KINDS = {*DRIVERS, ".zip"}
# Parts of a data set that are read with it, or that programs put beside it.
_OF_SHAPEFILES = {".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".fix", ".idx"}
_BESIDE = {*_OF_SHAPEFILES, ".xml", ".tfw", ".ovr", ".rrd", ".lock", ".qmd", ".qml", ".csvt"}
_OF_OTHERS = ("-wal", "-shm", "-journal")
_A_NOTE = "not data that are read (a paper, a picture, a note)"
_AS_GPKG = "bring it into a GeoPackage: ogr2ogr NEW.gpkg FILE"
_REASONS = {
    **dict.fromkeys((".xlsm", ".xlt", ".ett", ".fods"), "a workbook of another kind: save it as .xlsx"),
    **dict.fromkeys((".mdb", ".accdb"), "an Access database: export its layers as .gdb or .gpkg"),
    **dict.fromkeys((".dwg", ".dxf", ".dgn"), "a drawing: export its polygons as .gpkg, with their fields"),
    **dict.fromkeys((".rar", ".7z", ".tar", ".gz", ".tgz"), "an archive that is not read: pack it as .zip"),
    **dict.fromkeys((".gml", ".tab", ".mif"), _AS_GPKG),
    **dict.fromkeys((".img", ".asc", ".grd"), "a raster of another kind: gdal_translate FILE NEW.tif"),
}


@dataclass(frozen=True)
class Listing:
    """Data files (a file geodatabase is one), and the others with the reason why they are not read; both in the order of their paths."""

    files: tuple[Path, ...]
    others: tuple[tuple[Path, str], ...]


def data_files(folder: Path, leave_out: frozenset[Path] = frozenset()) -> Listing:
    """List a folder; hidden files and the folders `leave_out` are passed over, and links to folders are not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    files, others = [], []
    for path in _walked(folder, leave_out):
        reason = _reason(path)
        if reason is None:
            files.append(path)
        elif reason:
            others.append((path, reason))
    return Listing(tuple(files), tuple(others))


def _walked(folder: Path, leave_out: frozenset[Path]) -> Iterator[Path]:
    """Yield files, file geodatabases and links to folders, sorted by name at each level."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith((".", "~$")) or path.resolve() in leave_out:
            continue
        if path.is_dir() and not entry.is_symlink() and path.suffix.lower() != ".gdb":
            yield from _walked(path, leave_out)
        else:
            yield path


def _reason(path: Path) -> str | None:
    """Return None for a data set, "" for a part of one, else why the file is not read."""
    suffix = path.suffix.lower()
    if path.is_symlink() and path.is_dir():
        return "a link to a folder, which is not followed: name that folder"
    if suffix == TEXT and not is_coordinate_text(path):
        return _A_NOTE
    if suffix in _KINDS:
        return "" if suffix == ".dbf" and _has_beside(path, {".shp"}) else None
    if path.name.endswith(_OF_OTHERS) or _is_beside(path):
        return ""
    if suffix in _OF_SHAPEFILES:
        return "a part of a shapefile whose .shp is not there: ask the sender for all parts"
    return _REASONS.get(suffix, _A_NOTE)


def _is_beside(path: Path) -> bool:
    """Say whether a file belongs to a data set: as a.prj or a.shp.xml to a.shp."""
    if path.suffix.lower() not in _BESIDE:
        return False
    return _has_beside(path, _KINDS) or (path.with_suffix("").suffix.lower() in _KINDS)


def _has_beside(path: Path, suffixes: set[str]) -> bool:
    return any(
        other.stem == path.stem and other.suffix.lower() in suffixes for other in path.parent.iterdir()
    )
