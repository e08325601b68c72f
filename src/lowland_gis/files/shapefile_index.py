"""The index of a shapefile (.shx) made anew from the records of its .shp, for deliveries that come without it."""

from __future__ import annotations

import mmap
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lowland_gis.errors import InputRefusedError

# ESRI Shapefile Technical Description, 1998: lengths are in words of two bytes, the header of a file is 100 bytes, that of a
# record eight; the shortest record is that of a missing shape, its four bytes of kind.
_HEADER, _RECORD_HEADER, _LEAST_CONTENT, _WORD = 100, 8, 4, 2
_LENGTH_AT = 24


@contextmanager
def with_index(path: Path, parts: tuple[Path, ...]) -> Iterator[Path]:
    """Yield a shapefile whose parts all have names that GDAL looks for, in a temporary folder with links to them.

    `parts` are the files of the shapefile that are there, the .shp among them; an index that is missing is made. Nothing is written
    beside the shapefile.

    Raises:
        InputRefusedError: the .shp is cut off or its records do not follow each other, so that no index can be made.
    """
    index = None if any(part.suffix.lower() == ".shx" for part in parts) else _index_of(path)
    with tempfile.TemporaryDirectory(prefix="lowland-shx-") as folder:
        for part in parts:
            _linked(part.resolve(), Path(folder) / _plain_name(part))
        whole = Path(folder) / _plain_name(path)
        if index is not None:
            whole.with_suffix(".shx").write_bytes(index)
        yield whole


def _plain_name(part: Path) -> str:
    """Return the name of a part with its suffix in lower case where it is in mixed case."""
    return part.name if part.suffix == part.suffix.upper() else f"{part.stem}{part.suffix.lower()}"


def _linked(part: Path, target: Path) -> None:
    try:
        target.symlink_to(part)
    except OSError:
        # Some systems let only administrators make links.
        shutil.copyfile(part, target)


def _index_of(path: Path) -> bytes:
    """Return the bytes of the index; the records must fill the .shp to the length that it states."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as shp:
            entries = _entries(shp)
            header = bytearray(shp[:_HEADER])
    except (OSError, ValueError) as error:
        raise InputRefusedError(
            f"{path}: cannot be read ({error}). Check the file and its rights."
        ) from error
    if entries is None:
        raise InputRefusedError(
            f"{path}: .shx of the shapefile is missing, and it cannot be made from the .shp, which is cut off or damaged."
            " Ask the sender for all parts."
        )
    struct.pack_into(">i", header, _LENGTH_AT, (_HEADER + len(entries)) // _WORD)
    return bytes(header) + entries


def _entries(shp: mmap.mmap) -> bytes | None:
    """Return offset and length of every record, both in words; None where the records do not end where the file does."""
    if len(shp) < _HEADER:
        return None
    (words,) = struct.unpack_from(">i", shp, _LENGTH_AT)
    end, at = words * _WORD, _HEADER
    if end > len(shp):
        return None
    entries = bytearray()
    while at + _RECORD_HEADER <= end:
        (content,) = struct.unpack_from(">i", shp, at + 4)
        if content * _WORD < _LEAST_CONTENT:
            return None
        entries += struct.pack(">ii", at // _WORD, content)
        at += _RECORD_HEADER + content * _WORD
    return bytes(entries) if at == end else None
