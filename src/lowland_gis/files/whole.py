"""Let a file appear under its name by one rename, or not at all: the one door of every file that is written."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lowland_gis.errors import InputRefusedError, UsageError

_PREFIX = ".lowland-"
# What of a file's state says that it is still the one that was there.
_Identity = tuple[int, int, int, int] | None


@contextmanager
def whole(target: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield an empty file beside the target, of its suffix, that takes its name when all went well and is gone otherwise.

    A link is written through: the file that it leads to is replaced, by a rename beside that. `mode` are the rights of the file;
    without it those of the file that is replaced, else what the account's umask leaves.

    Raises:
        InputRefusedError: the target cannot be written.
        UsageError: the target is no ordinary file, or came into being or was changed by somebody else meanwhile.
    """
    with refused(target):
        real = written_through(target)
        before = _identity(target, real)
        partial = _fresh(real, mode)
    try:
        yield partial
        with refused(target):
            _refuse_changed(target, real, before)
            partial.replace(real)
    finally:
        # A database writes journals beside its file.
        for left in partial.parent.glob(f"{partial.stem}*"):
            left.unlink()


@contextmanager
def whole_set(target: Path) -> Iterator[Path]:
    """Yield the path, in an empty folder beside the target, at which to write a file with its parts, or a folder; all take their places at the end.

    The named one comes last, so that a program that looks for it finds its parts. A folder takes the place of nothing.

    Raises:
        InputRefusedError: the target cannot be written.
        UsageError: the target is no ordinary file, or came into being or was changed by somebody else meanwhile.
    """
    with refused(target):
        real = written_through(target)
        before = _identity(target, real)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=real.parent))
    try:
        yield folder / target.name
        with refused(target):
            _refuse_changed(target, real, before)
            made = sorted(folder.iterdir(), key=lambda part: (part.name == target.name, part.name))
            for part in made:
                part.replace(real if part.name == target.name else real.with_name(part.name))
    finally:
        shutil.rmtree(folder)


def write_text(target: Path, text: str, *, mode: int | None = None) -> None:
    """Write a text file, UTF-8 with line feeds, that is on the disk when this returns.

    Raises:
        InputRefusedError, UsageError: as `whole`.
    """
    with (
        whole(target, mode=mode) as partial,
        refused(target),
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def refused(target: Path, *others: type[Exception]) -> Iterator[None]:
    """Say of what the system refuses that the target cannot be written; `others` are a library's own words for that.

    Raises:
        InputRefusedError: an OSError or one of the others came up.
    """
    try:
        yield
    except (OSError, *others) as error:  # type: ignore[misc] # classes, as the signature says
        said = (isinstance(error, OSError) and error.strerror) or error
        raise InputRefusedError(
            f"{target}: cannot be written ({said}). Check the folder and the disk."
        ) from error


def written_through(target: Path) -> Path:
    """Return the file that a name leads to through links, whether it is there or not.

    Raises:
        InputRefusedError: the links lead in a circle.
    """
    real = Path(os.path.realpath(target))
    if real.is_symlink():
        raise InputRefusedError(
            f"{target}: cannot be written (its links lead in a circle). Name another file."
        )
    return real


def _identity(target: Path, real: Path) -> _Identity:
    """Return what tells whether another file stands there now; None where there is none."""
    try:
        found = real.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no ordinary file"
        raise UsageError(f"{target}: is {what}, so no file can be written there. Name another file.")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _refuse_changed(target: Path, real: Path, before: _Identity) -> None:
    if _identity(target, real) != before:
        raise UsageError(
            f"{target}: somebody else has written it meanwhile, so it was left as it is. Name another file."
        )


def _fresh(real: Path, mode: int | None) -> Path:
    """Make an empty file of a new name beside another, with its rights."""
    if mode is None and real.exists():
        mode = stat.S_IMODE(real.stat().st_mode)
    partial = real.with_name(f"{_PREFIX}{secrets.token_hex(8)}{real.suffix.lower()}")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    if mode is not None:
        partial.chmod(mode)
    return partial
