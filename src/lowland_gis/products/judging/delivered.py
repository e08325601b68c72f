"""Find what a package holds, whatever it is called and wherever it lies, and read it as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from lowland_gis.definitions.package import DATABASES, GEOPARQUET, SHAPEFILE
from lowland_gis.errors import InputRefusedError, LowlandError
from lowland_gis.files.batches import ROW_NUMBER
from lowland_gis.files.encoding import Encoding
from lowland_gis.files.inspect import layer_names
from lowland_gis.files.read import received
from lowland_gis.files.source import opened, sidecar
from lowland_gis.files.spreadsheet.kinds import SUFFIXES
from lowland_gis.products.package.layers import PackageNames
from lowland_gis.products.package.staging import MANIFEST

# What programs leave behind and nobody delivers, and what belongs to a shapefile.
_LEFT_BEHIND = re.compile(
    r"(?i)^(~\$.*|\._.*|\.~lock.*|thumbs\.db|\.ds_store|desktop\.ini|.*\.lock|.*\.(sr|rd|ed)\.lock)$"
)
# What a Mac packs beside every file.
_SHADOWS = "__MACOSX"
_PARTS = (
    ".shx",
    ".dbf",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".qix",
    ".qpj",
    ".qmd",
    ".cst",
    ".atx",
    ".xml",
    ".fix",
)
_GIVEN = {"district_code": r"(?P<district_code>[0-9]{6})", "district_name": r"(?P<district_name>[^/]+?)", "year": r"(?P<year>[0-9]{4})"}  # fmt: skip
_OF_SUFFIX = {".shp": SHAPEFILE, ".dbf": SHAPEFILE, ".parquet": GEOPARQUET} | {
    suffix: form for form, suffix in DATABASES.items()
}
_DBF_FIELD, _DBF_HEAD = 32, 32


@dataclass(frozen=True)
class Held:
    """A layer that lies in a package: its form, its file relative to the package, and its name in that file."""

    form: str
    file: str
    name: str
    path: Path


@dataclass(frozen=True)
class Inventory:
    """What a package holds: layers, workbooks (by their path inside), other files, what cannot be opened, and what it is named after."""

    layers: tuple[Held, ...]
    workbooks: Mapping[str, Path]
    others: tuple[str, ...]
    unreadable: Mapping[str, str]
    names: PackageNames | None
    root: str | None
    folder: Path

    def inside(self, file: str) -> str:
        """Return a path relative to the folder that the definition asks for, as far as there is one."""
        return file.removeprefix(f"{self.root}/") if self.root else file


@dataclass(frozen=True)
class DbfFact:
    """What the header of a DBF says of a field: type, length, decimals."""

    kind: str
    length: int
    decimals: int


@dataclass(frozen=True)
class Arrived:
    """A layer as it was read: its columns as they are typed, its shapes (None: a table), its system as declared.

    `dbf` are the fields by the header of the DBF, `language_byte` and `cpg` what a shapefile says of its text.
    """

    held: Held
    table: pa.Table
    shapes: npt.NDArray[np.object_] | None
    crs: str | None
    encoding: Encoding | None
    dbf: Mapping[str, DbfFact] = field(default_factory=dict)
    language_byte: int | None = None
    cpg: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Return how many rows it has."""
        return int(self.table.num_rows)


def inventory(package: Path, root: str) -> Inventory:
    """Look through a folder; `root` is the template of the folder in it that holds the package."""
    names, folder = _root(package, root)
    layers: list[Held] = []
    workbooks: dict[str, Path] = {}
    others: list[str] = []
    unreadable: dict[str, str] = {}
    for path in _entries(package):
        inside = path.relative_to(package).as_posix()
        suffix = path.suffix.lower()
        if suffix in SUFFIXES:
            workbooks[inside] = path
        elif suffix in _OF_SUFFIX:
            try:
                layers += _layers(path, inside, _OF_SUFFIX[suffix])
            except LowlandError as error:
                unreadable[inside] = str(error)
        else:
            others.append(inside)
    return Inventory(tuple(layers), workbooks, tuple(others), unreadable, names, folder, package)


def read_layer(held: Held) -> Arrived:
    """Read all of a layer.

    Raises:
        InputRefusedError: it cannot be read.
    """
    name = str(held.path) if held.form not in DATABASES else f"{held.path}:{held.name}"
    with opened(name, held.path.parent) as source, received(source) as came:
        batches = list(came.batches)
        tables = [batch.attributes for batch in batches]
        table = pa.concat_tables(tables, promote_options="permissive") if tables else _no_rows(came.columns)
        if table.column_names == [ROW_NUMBER] and came.columns == (ROW_NUMBER,):
            table = table.select([])
        parts = [batch.wkb for batch in batches if batch.wkb is not None]
        shapes = None
        if came.has_geometry:
            wkb = np.concatenate(parts) if parts else np.empty(0, dtype=object)
            shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        said = [words for _, words in (*source.doubts, *came.doubts)]
        said += [doubt.words for batch in batches for doubt in batch.doubts]
    facts, language, cpg = _dbf_facts(held, came.encoding)
    return Arrived(held, table, shapes, came.declared_crs, came.encoding, facts, language, cpg, tuple(said))


def pattern(template: str, names: PackageNames | None) -> re.Pattern[str]:
    """Return what a path of a template looks like; where nobody knows what the package is named after, any name of its kind fits."""
    known = {} if names is None else {key: re.escape(str(getattr(names, key))) for key in _GIVEN}
    seen: set[str] = set()
    parts = []
    for piece in re.split(r"(\{\w+\})", template):
        key = piece[1:-1] if piece.startswith("{") else ""
        if key not in _GIVEN:
            parts.append(re.escape(piece))
        elif key in known:
            parts.append(known[key])
        else:
            parts.append(f"(?P={key})" if key in seen else _GIVEN[key])
            seen.add(key)
    return re.compile("".join(parts))


def _root(package: Path, template: str) -> tuple[PackageNames | None, str | None]:
    """Return what the package is named after, and its folder relative to it: one inside, or the package itself."""
    wanted = pattern(template, None)
    below = [path for path in package.rglob("*") if path.is_dir() and path.suffix.lower() != ".gdb"]
    for folder in (package, *sorted(below, key=lambda path: (len(path.parts), path))):
        found = wanted.fullmatch(folder.name)
        if found is not None:
            said, inside = found.groupdict(), folder.relative_to(package).as_posix()
            names = None
            if _GIVEN.keys() <= said.keys():
                names = PackageNames(said["district_code"], said["district_name"], int(said["year"]))
            return names, "" if inside == "." else inside
    return None, None


def _entries(package: Path) -> Iterator[Path]:
    """Yield files, and a geodatabase as one; parts of a shapefile go with it."""
    for path in sorted(package.iterdir()):
        if path.is_dir() and path.suffix.lower() == ".gdb":
            yield path
        elif path.is_dir():
            yield from _entries(path) if path.name != _SHADOWS else ()
        elif path.name != MANIFEST and not _LEFT_BEHIND.match(path.name) and not _is_part(path):
            yield path


def _is_part(path: Path) -> bool:
    """Tell whether a file belongs to a shapefile or to a bare .dbf beside it."""
    suffix = path.suffix.lower()
    whole = path.with_suffix("") if path.with_suffix("").suffix.lower() == ".shp" else None
    shapes = [path.with_suffix(".shp"), path.with_suffix(".SHP"), *([] if whole is None else [whole])]
    if suffix in _PARTS and any(each.exists() and each != path for each in shapes):
        return True
    return suffix == ".cpg" and any(path.with_suffix(each).exists() for each in (".dbf", ".DBF"))


def _layers(path: Path, inside: str, form: str) -> Iterator[Held]:
    if form not in DATABASES:
        yield Held(form, inside, path.stem, path)
        return
    with opened(str(path), path.parent) as source:
        names = layer_names(source)
    for name in names:
        yield Held(form, inside, name or path.stem, path)


def _no_rows(columns: tuple[str, ...]) -> pa.Table:
    return pa.table({name: pa.array([], pa.null()) for name in columns})


def _dbf_facts(held: Held, encoding: Encoding | None) -> tuple[dict[str, DbfFact], int | None, str | None]:
    """Return the fields by the header of a DBF, its language byte, and what the .cpg says ("" where there is none)."""
    if held.form != SHAPEFILE:
        return {}, None, None
    dbf = held.path if held.path.suffix.lower() == ".dbf" else sidecar(held.path, ".dbf")
    if dbf is None:
        raise InputRefusedError(f"{held.file}: its .dbf is missing")
    with dbf.open("rb") as file:
        head = file.read(_DBF_HEAD)
        rest = file.read(max(0, int.from_bytes(head[8:10], "little") - _DBF_HEAD))
    facts = {}
    name_encoding = "gb18030" if encoding is None else encoding.name
    for start in range(0, len(rest) - _DBF_FIELD + 1, _DBF_FIELD):
        one = rest[start : start + _DBF_FIELD]
        if one[:1] == b"\r":
            break
        name = one[:11].partition(b"\0")[0].decode(name_encoding, "replace")
        facts[name] = DbfFact(chr(one[11]), one[16], one[17])
    cpg = sidecar(dbf, ".cpg")
    said = "" if cpg is None else cpg.read_bytes()[:40].decode("ascii", "replace").strip()
    return facts, head[29], said


def suffix_of(path: str) -> str:
    """Return the suffix of a path inside a package, in small letters."""
    return PurePosixPath(path).suffix.lower()
