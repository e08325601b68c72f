"""Find what a source string names, check that it is what its name says, and take its digest where it is asked for."""

from __future__ import annotations

import hashlib
import lzma
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.shapefile_index import with_index
from lowland_gis.files.utf8 import refuse_other_encoding

DRIVERS = {
    ".shp": "ESRI Shapefile",
    ".gpkg": "GPKG",
    ".gdb": "OpenFileGDB",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".parquet": "Parquet",
    ".xlsx": "XLSX",
    ".csv": "CSV",
    ".tif": "GTiff",
    ".tiff": "GTiff",
}
# GDAL opens a file by content, whatever its name; a hostile VRT called .shp would make it read another file.
_MAGIC = {
    ".shp": (b"\x00\x00\x27\x0a",),
    ".gpkg": (b"SQLite format 3\x00",),
    ".fgb": (b"fgb\x03",),
    ".parquet": (b"PAR1",),
    ".xlsx": (b"PK\x03\x04",),
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".tif": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ".tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
}
_MAGIC_BYTES = 256
# Office puts a workbook with a password into a container of the old kind.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIDECARS = (".dbf", ".shx", ".prj", ".cpg")
# The index can be made anew from the records; nothing else says what a record is.
_REQUIRED_SIDECARS = (".dbf",)

MAX_UNPACKED_BYTES = 20_000_000_000
MAX_RATIO = 200
_MAX_MEMBERS = 10_000
_SHOWN = 5
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One file (or folder, for a FileGDB) to read: where it lies now, and what it was called.

    `doubts` are what is wrong with the delivery although it can be read, each a code and words.
    """

    name: str
    path: Path
    layer: str | None
    driver: str
    members: tuple[Path, ...]
    size_bytes: int
    doubts: tuple[tuple[str, str], ...] = ()

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
        with tempfile.TemporaryDirectory(prefix="lowland-zip-") as unpacked:
            inner = _unpack(path, Path(unpacked), layer)
            with _indexed(source, inner, None if inner.suffix.lower() == ".shp" else layer) as found:
                yield found
    else:
        with _indexed(source, path, layer) as found:
            yield found


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
    """Return the path and the layer of `file:layer`; the file part may itself hold a colon as long as it exists."""
    whole = folder / source
    if whole.exists() or ":" not in source:
        return whole, None
    name, _, layer = source.rpartition(":")
    if not layer:
        raise UsageError(f"{source}: a layer name is missing after the colon. Type it as FILE:LAYER.")
    return folder / name, layer


def _described(name: str, path: Path, layer: str | None) -> Source:
    driver = _driver(path)
    _check_magic(path)
    members = _members(path)
    try:
        size = sum(member.stat().st_size for member in members)
        if driver == "GeoJSON":
            refuse_other_encoding(path, name)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Source(name, path, layer, driver, tuple(members), size)


def _unreadable(path: Path, error: OSError) -> InputRefusedError:
    return InputRefusedError(f"{path}: cannot be read ({error.strerror}). Check the file and its rights.")


def _driver(path: Path) -> str:
    if not path.exists():
        raise InputRefusedError(
            f"{path}: there is no such file. Check the path in lowland.toml or on the command line."
        )
    try:
        return DRIVERS[path.suffix.lower()]
    except KeyError as error:
        known = " ".join(sorted({*DRIVERS, ".zip"}))
        raise InputRefusedError(
            f"{path}: files of this kind are not read, so it cannot be told what they hold."
            f" Deliver it as one of: {known}."
        ) from error


def _check_magic(path: Path) -> None:
    suffix = path.suffix.lower()
    if path.is_dir() != (suffix == ".gdb"):
        what = "a folder" if path.is_dir() else "a single file"
        raise InputRefusedError(
            f"{path}: it is {what}, which the name {suffix} is not, so it is not opened."
            " Ask the sender for the file again."
        )
    if path.is_dir():
        return
    try:
        with path.open("rb") as file:
            start = file.read(_MAGIC_BYTES)
    except OSError as error:
        raise InputRefusedError(
            f"{path}: cannot be read ({error.strerror}). Check the path and its rights."
        ) from error
    if suffix == ".xlsx" and start.startswith(_OLE):
        raise InputRefusedError(
            f"{path}: it is protected by a password, or an old .xls under the name .xlsx, so it cannot be read. Open it, take the"
            " password off and save it as .xlsx."
        )
    magics = _MAGIC.get(suffix)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    right = start.startswith(magics) if magics is not None else not text.startswith(b"<")
    if not right:
        raise InputRefusedError(
            f"{path}: its content is not what the name {path.suffix} says, so it is not opened."
            " Ask the sender for the file again."
        )


def _members(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(member for member in path.rglob("*") if member.is_file() and member.suffix != ".lock")
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


def _unpack(archive: Path, target: Path, layer: str | None) -> Path:
    try:
        with zipfile.ZipFile(archive) as opened_zip:
            _refuse_unsafe(archive, opened_zip.infolist())
            for info in opened_zip.infolist():
                _extract(opened_zip, info, target)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        struct.error,
    ) as error:
        raise InputRefusedError(
            f"{archive}: cannot be unpacked ({error}). Ask the sender for it again."
        ) from error
    except UnicodeDecodeError as error:
        raise InputRefusedError(
            f"{archive}: the names of its members say that they are UTF-8 and are not, so it cannot be unpacked safely."
            " Unpack it by hand and name the file inside, or ask the sender to pack it again."
        ) from error
    return _only_dataset(archive, target, layer)


def _refuse_unsafe(archive: Path, infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > _MAX_MEMBERS:
        raise InputRefusedError(
            f"{archive}: holds over {_MAX_MEMBERS} files, so it is not unpacked. Send it in parts."
        )
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in info.filename:
            raise InputRefusedError(
                f"{archive}: its member {info.filename!r} would be written outside the folder, so nothing was unpacked."
                " Ask the sender for a clean archive."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputRefusedError(
                f"{archive}: its member {info.filename!r} is a link, so nothing was unpacked. Ask for the file itself."
            )
    unpacked = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > 100 * _BLOCK and unpacked / packed > MAX_RATIO):
        raise InputRefusedError(
            f"{archive}: would unpack to {unpacked / 1e9:.1f} GB from {packed / 1e6:.1f} MB, which looks like a bomb."
            " Unpack it by hand if you trust it, and name the file inside."
        )


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    if info.is_dir():
        return
    destination = target / member_name(info)
    destination.parent.mkdir(parents=True, exist_ok=True)
    # The header may lie about the size; never write more than it says.
    with archive.open(info) as member, destination.open("wb") as file:
        left = info.file_size
        while left > 0 and (block := member.read(min(_BLOCK, left))):
            file.write(block)
            left -= len(block)


def member_name(info: zipfile.ZipInfo) -> str:
    """Return the name of a zip member; without the UTF-8 flag Chinese software means GBK, not cp437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = info.filename
    return name.replace("\\", "/")


def _only_dataset(archive: Path, target: Path, layer: str | None) -> Path:
    found = sorted(
        path
        for path in target.rglob("*")
        if path.suffix.lower() in DRIVERS
        and path.suffix.lower() not in (".json", ".csv")
        # Archives made on a Mac carry a shadow of every file.
        and not path.name.startswith("._")
        and not any(parent.suffix.lower() == ".gdb" for parent in path.parents)
    )
    if layer is not None:
        # A layer of a .gpkg or .gdb is looked for inside it; a shapefile is its own layer.
        found = [path for path in found if path.stem == layer] or [
            path for path in found if path.suffix.lower() != ".shp"
        ]
    if not found and layer is None:
        held = (
            ", ".join(sorted(path.name for path in target.rglob("*") if path.is_file())[:_SHOWN]) or "nothing"
        )
        raise InputRefusedError(
            f"{archive}: holds no data that are read, only: {held}. Check that it is the right archive, or unpack it and name a file."
        )
    if len(found) != 1:
        names = ", ".join(path.stem for path in found) or "none"
        raise InputRefusedError(
            f"{archive}: holds {len(found)} data sets ({names}) where one is needed. Name one: {archive.name}:LAYER"
        )
    return found[0]
