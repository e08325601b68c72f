"""Find what a source string names, check that it is what its name says, and take its digest where it is asked for."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.archive import data_set_names, unpacked
from lowland_gis.files.coordinate_text.looks import SUFFIX as TEXT
from lowland_gis.files.coordinate_text.looks import coordinate_texts, is_coordinate_text
from lowland_gis.files.shapefile_index import with_index
from lowland_gis.files.spreadsheet.kinds import SUFFIXES, WORKBOOKS, workbook_kind
from lowland_gis.files.utf8 import refuse_other_encoding

DRIVERS = {
    ".shp": "ESRI Shapefile",
    ".dbf": "ESRI Shapefile",
    ".gpkg": "GPKG",
    ".gdb": "OpenFileGDB",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".parquet": "Parquet",
    **SUFFIXES,
    ".csv": "CSV",
    ".vct": "VCT",
    TEXT: "TXT",
    **dict.fromkeys((".kml", ".kmz", ".ovkml", ".ovkmz"), "KML"),
    ".gpx": "GPX",
    ".udbx": "UDBX",
    **dict.fromkeys((".wap", ".wal", ".wat"), "MapGIS"),
    ".dxf": "DXF",
    ".mdb": "PGeo",
    ".tif": "GTiff",
    ".tiff": "GTiff",
}
# What is read by readers of the project's own, and not by GDAL.
OWN_READERS = frozenset(
    {"CSV", "Parquet", "GTiff", "VCT", "TXT", "KML", "UDBX", "MapGIS", "DXF", "PGeo", *WORKBOOKS}
)
# Forms in XML, and the element by which GDAL knows them.
_XML = {".kml": b"<kml", ".ovkml": b"<kml", ".gpx": b"<gpx"}
# GDAL opens a file by content, whatever its name; a hostile VRT called .shp would make it read another file.
_MAGIC = {
    ".shp": (b"\x00\x00\x27\x0a",),
    ".dbf": tuple(
        bytes([version]) for version in b"\x02\x03\x04\x30\x31\x32\x43\x63\x83\x8b\x8c\xcb\xf5\xfb"
    ),
    ".gpkg": (b"SQLite format 3\x00",),
    ".udbx": (b"SQLite format 3\x00",),
    **dict.fromkeys((".wap", ".wal", ".wat"), tuple(b"WMAP%d02" % version for version in (6, 7, 8, 9))),
    ".fgb": (b"fgb\x03",),
    ".parquet": (b"PAR1",),
    ".mdb": (b"\x00\x01\x00\x00Standard Jet DB\x00",),
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".kmz": (b"PK\x03\x04",),
    ".ovkmz": (b"PK\x03\x04",),
    ".tif": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ".tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_MAGIC_BYTES = 4096
_DWG = re.compile(rb"AC\d{4}")
_BINARY_DXF = b"AutoCAD Binary DXF"
# Its first pair of lines: a section begins, or a remark of the program.
_DXF = re.compile(rb"(\xef\xbb\xbf)?\s*(0\s+SECTION|999\s)", re.IGNORECASE)
_SIDECARS = (".dbf", ".shx", ".prj", ".cpg")
# The index can be made anew from the records; nothing else says what a record is.
_REQUIRED_SIDECARS = (".dbf",)

# What SQLite keeps beside a GeoPackage while somebody has it open: changes that are not in the file yet.
_UNWRITTEN = ("-wal", "-journal")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One file (or folder, for a FileGDB) to read: where it lies now, and what it was called.

    `doubts` are what is wrong with the delivery although it can be read, each a code and words. What was `unpacked` lies in a
    temporary folder, which is gone when the source is closed.
    """

    name: str
    path: Path
    layer: str | None
    driver: str
    members: tuple[Path, ...]
    size_bytes: int
    doubts: tuple[tuple[str, str], ...] = ()
    unpacked: bool = False

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the bytes of all parts with their names, so that a swapped .cpg counts as another delivery.

        Raises:
            InputRefusedError: a part cannot be read.
        """
        try:
            return _digest(self.path, self.members)
        except OSError as error:
            raise _unreadable(self.path, error) from error


@contextmanager
def opened(source: str, folder: Path) -> Iterator[Source]:
    """Yield the source that `file` or `file:layer` names; a zip is unpacked beside nothing, into a temporary folder.

    Raises:
        InputRefusedError: it is missing, unreadable, of an unknown kind, or not what its name says.
    """
    path, layer = located(source, folder)
    if path.suffix.lower() == ".zip":
        _check_magic(path)
        with tempfile.TemporaryDirectory(prefix="lowland-zip-") as folder_of_zip:
            inner, inner_layer = unpacked(path, Path(folder_of_zip), layer, frozenset(DRIVERS))
            with ExitStack() as stack:
                try:
                    found = stack.enter_context(_indexed(source, inner, inner_layer))
                except InputRefusedError as error:
                    # The temporary folder is gone when the message is read.
                    said = str(error).replace(f"{folder_of_zip}/", f"{path.name}, ")
                    raise InputRefusedError(said) from error
                yield replace(found, unpacked=True)
    else:
        with _indexed(source, path, layer) as found:
            yield found


def sources_in(path: Path) -> list[str]:
    """Return what to name to read all of a file: itself, or `file:data set` for each of several in a zip.

    Raises:
        InputRefusedError: a zip is broken, unsafe or too large, or holds no data.
    """
    if path.suffix.lower() != ".zip":
        return [str(path)]
    _check_magic(path)
    with tempfile.TemporaryDirectory(prefix="lowland-zip-") as folder:
        names = data_set_names(path, Path(folder), frozenset(DRIVERS))
    return [str(path)] if len(names) == 1 else [f"{path}:{name}" for name in names]


@contextmanager
def _indexed(name: str, path: Path, layer: str | None) -> Iterator[Source]:
    """Yield the source; a shapefile without its index, or with parts called .Dbf, is put together in a temporary folder."""
    found = _described(name, path, layer)
    if path.suffix.lower() != ".shp":
        yield found
        return
    has_index = _sidecar(path, ".shx") is not None
    if has_index and all(part.suffix in {part.suffix.lower(), part.suffix.upper()} for part in found.members):
        yield found
        return
    words = f"{name}: its .shx is missing; it was made anew from the .shp, in a temporary folder. Ask for all parts next time."
    with with_index(path, found.members) as whole:
        yield replace(_described(name, whole, layer), doubts=() if has_index else (("index_missing", words),))


def located(source: str, folder: Path) -> tuple[Path, str | None]:
    """Return the path and the layer of `file:layer`; both may hold colons, and the longest file part that exists is taken.

    Raises:
        UsageError: nothing stands behind the colon.
    """
    whole = folder / source
    if whole.exists() or ":" not in source:
        return whole, None
    colons = [at for at, letter in enumerate(source) if letter == ":"]
    there = [at for at in reversed(colons) if at and (folder / source[:at]).exists()]
    at = there[0] if there else colons[-1]
    if not source[at + 1 :]:
        raise UsageError(f"{source}: a layer name is missing after the colon. Type it as FILE:LAYER.")
    return folder / source[:at], source[at + 1 :]


def _described(name: str, path: Path, layer: str | None) -> Source:
    driver = _driver(path)
    _check_magic(path)
    _refuse_unwritten(path)
    members = _members(path)
    doubts: tuple[tuple[str, str], ...] = ()
    try:
        if driver in WORKBOOKS:
            driver, doubts = workbook_kind(path)
        if driver == "TXT" and path.is_dir():
            doubts = tuple(
                ("file_left_out", f"{other.name} is no coordinate text and was left out")
                for other in coordinate_texts(path)[1]
            )
        size = sum(member.stat().st_size for member in members)
        if driver == "GeoJSON":
            refuse_other_encoding(path, name)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Source(name, path, layer, driver, tuple(members), size, doubts)


def _unreadable(path: Path, error: OSError) -> InputRefusedError:
    return InputRefusedError(f"{path}: cannot be read ({error.strerror}). Check the file and its rights.")


def _driver(path: Path) -> str:
    if not path.exists():
        raise InputRefusedError(
            f"{path}: there is no such file. Check the path in lowland.toml or on the command line."
        )
    if path.is_dir() and path.suffix.lower() != ".gdb":
        if coordinate_texts(path)[0]:
            return "TXT"
        raise InputRefusedError(
            f"{path}: it is a folder without coordinate texts (勘测定界 TXT), and of other kinds a file is read. Name the file inside."
        )
    if path.suffix.lower() == ".dwg":
        raise _dwg(path)
    try:
        return DRIVERS[path.suffix.lower()]
    except KeyError as error:
        known = " ".join(sorted({*DRIVERS, ".zip"}))
        raise InputRefusedError(
            f"{path}: files of this kind are not read, so it cannot be told what they hold."
            f" Deliver it as one of: {known}."
        ) from error


def _dwg(path: Path) -> InputRefusedError:
    return InputRefusedError(
        f"{path}: it is a DWG, whose format belongs to one maker, so it is not read. Save it as DXF: in the CAD program with DXFOUT (2018 or any"
        ' other version), or without one: ODAFileConverter FOLDER TARGET ACAD2018 DXF 0 1 "*.dwg", or dwg2dxf FILE.dwg of LibreDWG.'
    )


def _check_magic(path: Path) -> None:
    suffix = path.suffix.lower()
    if path.is_dir():
        return
    if suffix == ".gdb":
        raise InputRefusedError(
            f"{path}: it is a single file, which the name {suffix} is not, so it is not opened."
            " Ask the sender for the file again."
        )
    try:
        with path.open("rb") as file:
            start = file.read(_MAGIC_BYTES)
    except OSError as error:
        raise InputRefusedError(
            f"{path}: cannot be read ({error.strerror}). Check the path and its rights."
        ) from error
    if suffix in SUFFIXES:
        # What it is stands further inside; see workbook_kind.
        return
    check = _CHECKS.get(suffix)
    if check is not None:
        check(path, start)
        return
    magics = _MAGIC.get(suffix)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    right = start.startswith(magics) if magics is not None else not text.startswith(b"<")
    if not right:
        raise _other_content(path)


def _other_content(path: Path) -> InputRefusedError:
    return InputRefusedError(
        f"{path}: its content is not what the name {path.suffix} says, so it is not opened. Ask the sender for the file again."
    )


def _check_text(path: Path, start: bytes) -> None:
    if start and not is_coordinate_text(path):
        raise InputRefusedError(
            f"{path}: it is no coordinate text (勘测定界 TXT): it has no [地块坐标], no line of a parcel that ends with @, and does not begin with a"
            " point, so it is not opened. Ask the sender for the right file."
        )


def _check_vct(path: Path, start: bytes) -> None:
    if b"headbegin" not in start.lower():
        raise InputRefusedError(
            f"{path}: it does not begin with HeadBegin, as the exchange format of land surveys (VCT) does, so it is not opened."
            " Programs for rasters write files of that name too. Ask the sender for the file again."
        )


def _check_xml(path: Path, start: bytes) -> None:
    plain = start.replace(b"\0", b"")
    if _XML[path.suffix.lower()] not in plain or b"<!DOCTYPE" in plain:
        raise _other_content(path)


def _check_drawing(path: Path, start: bytes) -> None:
    if _DWG.match(start):
        raise _dwg(path)
    if not start.startswith(_BINARY_DXF) and not _DXF.match(start):
        raise InputRefusedError(
            f"{path}: it does not begin as a drawing (DXF) does, so it is not opened. Ask the sender for the file again."
        )


# What a file of a form has to hold where it begins with no fixed bytes.
_CHECKS: dict[str, Callable[[Path, bytes], None]] = {
    TEXT: _check_text,
    ".vct": _check_vct,
    ".dxf": _check_drawing,
    **dict.fromkeys(_XML, _check_xml),
}


def _refuse_unwritten(path: Path) -> None:
    """Refuse a GeoPackage or a UDBX whose newest changes lie beside it: its digest would be that of the state before them."""
    if path.suffix.lower() not in (".gpkg", ".udbx"):
        return
    real = path.resolve()
    for beside in (real.with_name(real.name + suffix) for suffix in _UNWRITTEN):
        if beside.is_file() and beside.stat().st_size:
            raise InputRefusedError(
                f"{path}: another program has it open, or had it when it was copied: its newest changes are in {beside.name} and"
                " not yet in the file, so nothing was read. Save it and close it in QGIS (a UDBX in SuperMap), then try again."
            )


def _members(path: Path) -> list[Path]:
    if path.is_dir() and path.suffix.lower() != ".gdb":
        return coordinate_texts(path)[0]
    if path.is_dir():
        return sorted(member for member in path.rglob("*") if member.is_file() and member.suffix != ".lock")
    if path.suffix.lower() == ".dbf":
        return _table_members(path)
    if path.suffix.lower() != ".shp":
        return [path]
    sidecars = {suffix: _sidecar(path, suffix) for suffix in _SIDECARS}
    missing = [suffix for suffix in _REQUIRED_SIDECARS if sidecars[suffix] is None]
    if missing:
        raise InputRefusedError(
            f"{path}: {' and '.join(missing)} of the shapefile {'is' if len(missing) == 1 else 'are'} missing,"
            " so records and geometries cannot be put together. Ask the sender for all parts."
        )
    return [path, *(part for part in sidecars.values() if part is not None)]


def _table_members(path: Path) -> list[Path]:
    """Return the parts of a .dbf that is a table of its own."""
    shapes = _sidecar(path, ".shp")
    if shapes is not None:
        raise InputRefusedError(
            f"{path}: it is a part of the shapefile {shapes.name}, so it is not read by itself. Name {shapes.name}."
        )
    encoding = _sidecar(path, ".cpg")
    return [path] if encoding is None else [path, encoding]


def _sidecar(path: Path, suffix: str) -> Path | None:
    parts = (path.with_suffix(suffix), path.with_suffix(suffix.upper()))
    found = next((part for part in parts if part.is_file()), None)
    if found is not None:
        return found
    # As .Dbf, which Windows takes for the same.
    others = (
        part for part in path.parent.glob("*") if part.stem == path.stem and part.suffix.lower() == suffix
    )
    return min((part for part in others if part.is_file()), default=None)


def sidecar(path: Path, suffix: str) -> Path | None:
    """Return the part of a shapefile with this suffix, in lower, upper or mixed case."""
    return _sidecar(path, suffix)


def _digest(path: Path, members: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for member in members:
        total.update(str(member.relative_to(path.parent).as_posix()).encode())
        with member.open("rb") as file:
            while block := file.read(_BLOCK):
                total.update(block)
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Return the digest of one file or folder as `Source.sha256` gives it.

    Raises:
        InputRefusedError: it cannot be read, or is no longer what its name says.
    """
    return _described(path.name, path, None).sha256
