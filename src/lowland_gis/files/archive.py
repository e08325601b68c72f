"""Zips of deliveries: unpacked with care, and the one data set in them that is meant, or the names of all there are."""

from __future__ import annotations

import errno
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.coordinate_text.looks import SUFFIX as TEXT
from lowland_gis.files.coordinate_text.looks import is_coordinate_text
from lowland_gis.files.spreadsheet.kinds import SUFFIXES

MAX_UNPACKED_BYTES = 20_000_000_000
MAX_RATIO = 200
_MAX_MEMBERS = 10_000
_SHOWN, _NAMED = 5, 20
_BLOCK = 1 << 20
# So many zips may lie one inside the other.
_MAX_DEPTH = 3
_BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, struct.error)  # fmt: skip
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}

# Data sets that hold layers of their own names.
_OF_LAYERS = (".gpkg", ".gdb", ".vct", ".kml", ".kmz", ".ovkml", ".ovkmz", ".gpx", ".udbx", *SUFFIXES)
# Notes and listings come in these forms too, so they count only where nothing else is.
_LAST_CHOICE = (".json", ".csv", ".dbf", TEXT)
_GDB_TABLE = "a00000001.gdbtable"
_GDB_FILE = re.compile(r"a[0-9a-f]{8}\..*|gdb|timestamps|.*\.lock", re.IGNORECASE)
# The name of the zip would make the same content another delivery when the zip is renamed.
_GDB_WITHOUT_NAME = "unnamed.gdb"
_TEXTS_WITHOUT_NAME = "unnamed.texts"


def unpacked(
    archive: Path, target: Path, wanted: str | None, kinds: frozenset[str]
) -> tuple[Path, str | None]:
    """Unpack a zip into an empty folder and return the data set that is meant, and the layer in it.

    `wanted` is a layer of the only data set, the name of a data set, its path where several have one name, or path:layer; `kinds` are the suffixes of
    data sets. Zips inside are unpacked where nothing outside them is meant.

    Raises:
        InputRefusedError: the zip is broken, unsafe or too large; nothing in it is meant, or several data sets are.
    """
    _unpack(archive, target, archive.name)
    for _ in range(_MAX_DEPTH):
        found = _data_sets(target, kinds)
        if wanted is None and len(found) > 1 and all(path.suffix.lower() == TEXT for path in found):
            return _texts_as_one(target), None
        chosen = _chosen(found, target, wanted)
        inner = [path for path in _files(target) if path.suffix.lower() == ".zip"]
        if chosen is not None or (found and wanted is None) or not inner:
            break
        for path in inner:
            _unpack_beside(path, target, archive)
    if chosen is not None:
        return chosen
    raise InputRefusedError(_refusal(archive, target, found, wanted))


def data_set_names(archive: Path, target: Path, kinds: frozenset[str]) -> list[str]:
    """Unpack a zip into an empty folder and return the names by which its data sets are told apart, as `unpacked` takes them.

    Raises:
        InputRefusedError: the zip is broken, unsafe or too large, or holds no data.
    """
    _unpack(archive, target, archive.name)
    for _ in range(_MAX_DEPTH):
        found = _data_sets(target, kinds)
        inner = [path for path in _files(target) if path.suffix.lower() == ".zip"]
        if found or not inner:
            break
        for path in inner:
            _unpack_beside(path, target, archive)
    if not found:
        raise InputRefusedError(_refusal(archive, target, found, None))
    return _telling_names(found, target)


def unpacked_whole(archive: Path, target: Path) -> None:
    """Unpack all of a zip into an empty folder; zips inside it stay zips.

    Raises:
        InputRefusedError: the zip is broken, unsafe or too large.
    """
    _unpack(archive, target, archive.name)


def member_name(info: zipfile.ZipInfo) -> str:
    """Return the name of a zip member; without the UTF-8 flag Chinese software means GBK, not cp437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = info.filename
    return name.replace("\\", "/")


def _unpack_beside(inner: Path, target: Path, archive: Path) -> None:
    """Unpack a zip that lay in a zip into a folder of its name, and take it away."""
    folder = inner.with_suffix("")
    while folder.exists():
        folder = folder.with_name(f"{folder.name}_zip")
    folder.mkdir()
    _unpack(inner, folder, f"{archive.name}, {inner.relative_to(target)}", already=target)
    inner.unlink()


def _unpack(archive: Path, target: Path, called: str, already: Path | None = None) -> None:
    try:
        with zipfile.ZipFile(archive) as opened_zip:
            _refuse_unsafe(called, opened_zip.infolist(), already)
            for info in opened_zip.infolist():
                _extract(opened_zip, info, target)
    except UnicodeDecodeError as error:
        raise InputRefusedError(
            f"{called}: the names of its members say that they are UTF-8 and are not, so it cannot be unpacked safely."
            " Unpack it by hand and name the file inside, or ask the sender to pack it again."
        ) from error
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise InputRefusedError(
                f"{called}: there is no room to unpack it in {target.parent} ({error.strerror}), so nothing was read."
                " Set TMPDIR to a folder with room."
            ) from error
        raise InputRefusedError(
            f"{called}: cannot be unpacked ({error}). Ask the sender for it again."
        ) from error
    _name_databases(target)


def _refuse_unsafe(called: str, infos: list[zipfile.ZipInfo], already: Path | None) -> None:
    there = [] if already is None else [path.stat().st_size for path in already.rglob("*") if path.is_file()]
    if len(infos) + len(there) > _MAX_MEMBERS:
        raise InputRefusedError(
            f"{called}: holds over {_MAX_MEMBERS} files, so it is not unpacked. Send it in parts."
        )
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in info.filename:
            raise InputRefusedError(
                f"{called}: its member {info.filename!r} would be written outside the folder, so nothing was unpacked."
                " Ask the sender for a clean archive."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputRefusedError(
                f"{called}: its member {info.filename!r} is a link, so nothing was unpacked. Ask for the file itself."
            )
    size = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    if size + sum(there) > MAX_UNPACKED_BYTES or (size > 100 * _BLOCK and size / packed > MAX_RATIO):
        raise InputRefusedError(
            f"{called}: would unpack to {size / 1e9:.1f} GB from {packed / 1e6:.1f} MB, which looks like a bomb."
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


def _name_databases(target: Path) -> None:
    """Have a FileGDB lie in a folder that is called so: people also pack what is in the folder, without it."""
    for table in sorted(target.rglob(_GDB_TABLE)):
        folder = table.parent
        if folder.suffix.lower() == ".gdb":
            continue
        named = target / _GDB_WITHOUT_NAME if folder == target else folder.with_name(f"{folder.name}.gdb")
        if named.exists():
            continue
        named.mkdir()
        for file in [file for file in folder.iterdir() if file.is_file() and _GDB_FILE.fullmatch(file.name)]:
            file.rename(named / file.name)


def _texts_as_one(target: Path) -> Path:
    """Put what was unpacked into one folder: coordinate texts, a file each project, are one delivery."""
    entries, folder = list(target.iterdir()), target / _TEXTS_WITHOUT_NAME
    folder.mkdir()
    for entry in entries:
        entry.rename(folder / entry.name)
    return folder


def _files(target: Path) -> list[Path]:
    """Return all files, sorted, without the shadows that a Mac makes of every file."""
    return [path for path in sorted(target.rglob("*")) if path.is_file() and not path.name.startswith("._")]


def _data_sets(target: Path, kinds: frozenset[str]) -> list[Path]:
    """Return the data sets of a folder, sorted; notes and listings only where there is nothing else."""
    found = [
        path
        for path in sorted(target.rglob("*"))
        if path.suffix.lower() in kinds
        # Archives made on a Mac carry a shadow of every file.
        and not path.name.startswith("._")
        and not any(parent.suffix.lower() == ".gdb" for parent in path.parents)
        and (path.suffix.lower() != TEXT or (path.is_file() and is_coordinate_text(path)))
    ]
    shapes = {path.with_suffix("") for path in found if path.suffix.lower() == ".shp"}
    last = [path for path in found if path.suffix.lower() in _LAST_CHOICE and path.with_suffix("") not in shapes]  # fmt: skip
    return [path for path in found if path.suffix.lower() not in _LAST_CHOICE] or last


def _chosen(found: list[Path], target: Path, wanted: str | None) -> tuple[Path, str | None] | None:
    """Return the one data set that is meant, and the layer in it; None where there is none or more than one."""
    if wanted is None:
        return (found[0], None) if len(found) == 1 else None
    for name, layer in _splits(wanted):
        named = _named(found, target, name)
        if len(named) == 1 and (layer is None or _has_layers(named[0])):
            # A database that is called like a layer is asked for that layer.
            same = layer is None and name == named[0].stem and _has_layers(named[0])
            return named[0], name if same else layer
        if named and layer is None:
            return None
    holders = [path for path in found if _has_layers(path)]
    return (holders[0], wanted) if len(holders) == 1 else None


def _splits(wanted: str) -> Iterator[tuple[str, str | None]]:
    """Yield what may be the name of a data set and a layer in it: the whole, then split at each colon from the right."""
    yield wanted, None
    at = wanted.rfind(":")
    while at > 0:
        yield wanted[:at], wanted[at + 1 :]
        at = wanted.rfind(":", 0, at)


def _named(found: list[Path], target: Path, name: str) -> list[Path]:
    """Return the data sets of a name: by their path with its suffix, else without, else by the last part of the path."""
    inside = {path: path.relative_to(target) for path in found}
    for spelt in (
        {path: place.as_posix() for path, place in inside.items()},
        {path: place.with_suffix("").as_posix() for path, place in inside.items()},
        {path: place.name for path, place in inside.items()},
        {path: place.stem for path, place in inside.items()},
    ):
        named = [path for path, text in spelt.items() if text == name]
        if named:
            return named
    return []


def _has_layers(path: Path) -> bool:
    return path.suffix.lower() in _OF_LAYERS


def _refusal(archive: Path, target: Path, found: list[Path], wanted: str | None) -> str:
    if not found:
        files = [path.relative_to(target).as_posix() for path in _files(target)]
        held = f"{', '.join(files[:_SHOWN])}{' …' if len(files) > _SHOWN else ''}" or "nothing"
        return (
            f"{archive}: holds no data that are read, only: {held}. Check that it is the right archive, or ask the sender for"
            " the data."
        )
    names = _telling_names(found, target)
    some = f"{', '.join(names[:_NAMED])}{' …' if len(names) > _NAMED else ''}"
    if wanted is not None and not any(_named(found, target, name) for name, _ in _splits(wanted)):
        return f"{archive}: holds no data set {wanted!r}, but {some}. Name one: {archive.name}:{names[0]}"
    return (
        f"{archive}: holds {len(found)} data sets ({some}) where one is needed. Name one: {archive.name}:LAYER"
        f" – for example {archive.name}:{names[0]}"
    )


def _telling_names(found: list[Path], target: Path) -> list[str]:
    """Return the shortest names that tell the data sets apart: the last part of the path, the path, the path with its suffix."""
    inside = [path.relative_to(target) for path in found]
    stems = [path.stem for path in inside]
    places = [path.with_suffix("").as_posix() for path in inside]
    for names in (stems, places):
        if len(set(names)) == len(names):
            return names
    return [path.as_posix() for path in inside]
