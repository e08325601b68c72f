"""A sealed zip: members that are written as they come, and at the very end the digest of every byte before it.

The seal is the comment of the zip, so that any program opens the file. It tells a copy that is not what was written, wherever it differs;
who made the file it does not tell.
"""

from __future__ import annotations

import hashlib
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from lowland_gis.errors import InputRefusedError

# Written out, a member may be so many times larger than packed; texts of numbers come to a tenth of this.
MAX_RATIO = 200
_FREE_BYTES = 100_000_000
_MAX_MEMBERS = 1_000_000
_BLOCK = 1 << 20
_SEAL = 64
# Rows of a demo as text come to 27 % of their size by it and to 24 % by the usual 6, which takes 2.6 times as long.
_LEVEL = 2
_BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error, lzma.LZMAError, struct.error)  # fmt: skip
# Given to whoever waits: so many bytes of so many are done.
Watch = Callable[[int, int | None], None]


@dataclass
class Sum:
    """How many bytes went by, and their digest."""

    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, block: bytes | memoryview) -> None:
        """Take a block in."""
        self.size += len(block)
        self._digest.update(block)

    @property
    def sha256(self) -> str:
        """Return the digest of all blocks as 64 hexadecimal digits."""
        return self._digest.hexdigest()


class SealedWriter:
    """Writes members one after the other; see `sealed_file`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Write into a zip that is open."""
        self._archive = archive

    def write(self, name: str, blocks: Iterator[bytes]) -> Sum:
        """Write one member as its blocks come, and return its sum."""
        summed = Sum()
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._archive.open(info, "w", force_zip64=True) as member:
            for block in blocks:
                summed.add(block)
                member.write(block)
        return summed


@contextmanager
def sealed_file(path: Path) -> Iterator[SealedWriter]:
    """Yield what writes members into a new file; it is sealed when all went well."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        archive.comment = b"0" * _SEAL
        yield SealedWriter(archive)
    with path.open("r+b") as file:
        seal = _digest_before_seal(file, path.stat().st_size, lambda _done, _of: None)
        file.seek(-_SEAL, 2)
        file.write(seal.encode("ascii"))
        file.flush()


@dataclass(frozen=True)
class Sealed:
    """A sealed file whose seal fits."""

    path: Path
    archive: zipfile.ZipFile

    @property
    def names(self) -> frozenset[str]:
        """Return the names of its members."""
        return frozenset(self.archive.namelist())

    def blocks(self, name: str, size: int) -> Iterator[bytes]:
        """Yield the content of a member in blocks, never more than a byte beyond the size that it is to have.

        Raises:
            InputRefusedError: it is broken, or there is no such member.
        """
        try:
            with self.archive.open(name) as member:
                left = size + 1
                while left > 0 and (block := member.read(min(_BLOCK, left))):
                    left -= len(block)
                    yield block
        except KeyError as error:
            raise InputRefusedError(
                f"{self.path}: {name} is not in it, so nothing was taken from it. Use another copy of the backup."
            ) from error
        except (*_BROKEN, OSError) as error:
            raise InputRefusedError(_broken(self.path, name, error)) from error


@contextmanager
def opened_sealed(path: Path, watch: Watch = lambda _done, _of: None) -> Iterator[Sealed]:
    """Open a sealed file that is what was written: every byte of it is read before.

    Raises:
        InputRefusedError: it is no such file, was cut short or changed (the message says where), or is unsafe to read.
    """
    with _opened(path) as archive:
        _refuse_unsafe(path, archive.infolist())
        with path.open("rb") as file:
            size = path.stat().st_size
            found = _digest_before_seal(file, size, watch)
            file.seek(size - _SEAL)
            if file.read(_SEAL) != found.encode("ascii"):
                raise InputRefusedError(_changed(path, archive))
        yield Sealed(path, archive)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputRefusedError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path and its rights."
        ) from error
    except _BROKEN as error:
        with path.open("rb") as file:
            begins = file.read(4)
        what = (
            "it was cut short: its end, where the list of its parts stands, is missing or broken"
            if begins == b"PK\x03\x04"
            else "it is no backup of lowland"
        )
        raise InputRefusedError(
            f"{path}: {what} ({error}), so nothing was taken from it. Copy it again from where it was made, or use another one."
        ) from error
    with archive:
        yield archive


def _digest_before_seal(file: IO[bytes], size: int, watch: Watch) -> str:
    digest, left = hashlib.sha256(), size - _SEAL
    file.seek(0)
    while left > 0 and (block := file.read(min(_BLOCK, left))):
        digest.update(block)
        left -= len(block)
        watch(size - _SEAL - left, size)
    return digest.hexdigest()


def _refuse_unsafe(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse what was made to do harm: names that lead elsewhere, links, the same name twice, what unpacks without end."""
    if len(infos) > _MAX_MEMBERS or len({info.filename for info in infos}) < len(infos):
        raise InputRefusedError(
            f"{path}: holds {len(infos):,} parts, or one name twice, which no backup does, so nothing was taken from it."
        )
    for info in infos:
        name = PurePosixPath(info.filename)
        if name.is_absolute() or ".." in name.parts or set(info.filename) & set(":\\\0"):
            raise InputRefusedError(
                f"{path}: its part {info.filename!r} would be written elsewhere, which no backup does, so nothing was taken from it."
            )
        if stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1:
            raise InputRefusedError(
                f"{path}: its part {info.filename!r} is a link or encrypted, which no backup has, so nothing was taken from it."
            )
        if info.file_size > max(_FREE_BYTES, MAX_RATIO * info.compress_size):
            raise InputRefusedError(
                f"{path}: its part {info.filename!r} would unpack to {info.file_size / 1e9:.1f} GB from {info.compress_size / 1e6:.1f} MB,"
                " which looks like a bomb, so nothing was taken from it."
            )


def _changed(path: Path, archive: zipfile.ZipFile) -> str:
    """Say where a file is not what was written: cut at its end, or the first part whose content does not fit its checksum."""
    if len(archive.comment) < _SEAL:
        return (
            f"{path}: it was cut short: its seal is not whole, so nothing was taken from it."
            " Copy it again from where it was made, or use another one."
        )
    for info in archive.infolist():
        try:
            with archive.open(info) as member:
                while member.read(_BLOCK):
                    pass
        except (*_BROKEN, OSError) as error:
            return _broken(path, info.filename, error)
    return (
        f"{path}: is not what was written (its seal does not fit; the parts themselves can be read, so it was changed between them or at"
        " its end), so nothing was taken from it. Copy it again from where it was made, or use another one."
    )


def _broken(path: Path, name: str, error: Exception) -> str:
    return (
        f"{path}: its part {name} is not what was written ({error}), so nothing was taken from it."
        " Copy it again from where it was made, or use another one."
    )
