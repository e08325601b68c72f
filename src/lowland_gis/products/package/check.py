"""Compare a package with its manifest, whoever packed it again in between: every difference is a finding, none ends the check."""

from __future__ import annotations

import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lowland_gis.errors import UsageError
from lowland_gis.files.archive import member_name
from lowland_gis.products.package.staging import MANIFEST

_MAX_MANIFEST_BYTES = 50_000_000
_BLOCK = 1 << 20
# What unpacking says of a member that is damaged, locked or packed in a way that is not read.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError, OSError)  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: digest and size in bytes of each file (None where it says no size), and which program wrote it."""

    files: Mapping[str, tuple[str, int | None]]
    software: str | None


@dataclass(frozen=True)
class _Member:
    """One file of a package: how to open it, and its size."""

    size_bytes: int
    open: Callable[[], IO[bytes]]


def check(target: Path) -> tuple[str, ...]:
    """Compare a package with its manifest and return every difference; an empty result means that it is whole.

    Raises:
        UsageError: it is neither a folder nor a zip file that can be opened.
    """
    with _members(target) as (members, found):
        if MANIFEST not in members:
            return (f"{MANIFEST}: missing, so nothing says what the package should hold",)
        try:
            said = _manifest(members.pop(MANIFEST))
        except ValueError as fault:
            return (f"{MANIFEST}: {fault}, so nothing says what the package should hold",)
        found += [f"{path}: not in the manifest" for path in sorted(members.keys() - said.files.keys())]
        for path, (digest, size) in sorted(said.files.items()):
            if path not in members:
                found.append(f"{path}: missing")
                continue
            differs = _difference(members[path], digest, size)
            if differs is not None:
                found.append(f"{path}: {differs}")
        return tuple(found)


def manifest(target: Path) -> Manifest:
    """Return what the manifest of a package says.

    Raises:
        UsageError: there is no package.
        ValueError: it has no manifest, or one that cannot be read; the message says why.
    """
    with _members(target) as (members, _):
        if MANIFEST not in members:
            raise ValueError("missing")
        return _manifest(members[MANIFEST])


def _difference(member: _Member, digest: str, size: int | None) -> str | None:
    if size is not None and member.size_bytes != size:
        # Told without unpacking: what claims to be a small table may unpack to a disk full.
        return "changed since it was built"
    try:
        found = _digest(member)
    except _DAMAGED as error:
        return f"damaged or locked, so it cannot be unpacked ({error})"
    return None if found == digest else "changed since it was built"


def _digest(member: _Member) -> str:
    total = hashlib.sha256()
    with member.open() as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _manifest(member: _Member) -> Manifest:
    if member.size_bytes > _MAX_MANIFEST_BYTES:
        raise ValueError(f"larger than {_MAX_MANIFEST_BYTES:,} bytes")
    try:
        with member.open() as file:
            content = file.read(_MAX_MANIFEST_BYTES)
    except _DAMAGED as fault:
        raise ValueError(f"damaged or locked ({fault})") from fault
    try:
        said = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        raise ValueError("not in UTF-8; an editor saved it in another encoding") from fault
    except json.JSONDecodeError as fault:
        raise ValueError(f"no JSON ({fault})" if content.strip() else "empty") from fault
    except (ValueError, RecursionError) as fault:
        raise ValueError("no JSON that can be read (a number or a nesting that nobody writes)") from fault
    return _understood(said)


def _understood(said: Any) -> Manifest:
    listed = said.get("files") if isinstance(said, dict) else None
    files: dict[str, tuple[str, int | None]] = {}
    for number, entry in enumerate(listed if isinstance(listed, list) else [None], start=1):
        match entry:
            case {"path": str(path), "sha256": str(digest)}:
                size = entry.get("size_bytes")
                files[path] = digest, size if isinstance(size, int) else None
            case None if not isinstance(listed, list):
                raise ValueError("it has no list of files")
            case _:
                raise ValueError(f"file {number} of its list has no path or no digest (sha256)")
    match said:
        case {"software": {"name": str(name)}}:
            return Manifest(files, name)
    return Manifest(files, None)


@contextmanager
def _members(target: Path) -> Iterator[tuple[dict[str, _Member], list[str]]]:
    """Yield the files of a package by their names inside, and findings about the names."""
    if target.is_dir():
        files = [path for path in target.rglob("*") if path.is_file()]
        yield {path.relative_to(target).as_posix(): _in_folder(path) for path in files}, []
        return
    try:
        archive = zipfile.ZipFile(target)
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, struct.error) as fault:
        raise UsageError(
            f"{target}: neither a folder nor a readable zip file ({fault}), so there is no package to check. "
            "Check the path."
        ) from fault
    with archive:
        infos = [info for info in archive.infolist() if not member_name(info).endswith("/")]
        names = [member_name(info) for info in infos]
        twice = sorted({name for name in names if names.count(name) > 1})
        members = {name: _in_archive(archive, info) for name, info in zip(names, infos, strict=True)}
        yield members, [f"{name}: stands twice in the archive" for name in twice]


def _in_folder(path: Path) -> _Member:
    return _Member(path.stat().st_size, lambda: path.open("rb"))


def _in_archive(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    return _Member(info.file_size, lambda: archive.open(info))
