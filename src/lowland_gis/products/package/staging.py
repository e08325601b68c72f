"""Let a delivery appear under its final name by one rename, or not at all."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, written_through

FILE_MODE = 0o100644 << 16
MANIFEST = "manifest.json"


@contextmanager
def staged(target: Path, *, refuse: Callable[[Path], None]) -> Iterator[Path]:
    """Give a path where the body makes a file or a folder, then move that to `target`, through links if it is one.

    The path lies in a locked sibling folder of the target, whose rest is scratch space; what a killed build left in
    it is swept by the next one. When the body fails, the target is as it was. `refuse` is asked of a target that exists.

    Raises:
        UsageError: the target is refused, or another build is writing it.
        InputRefusedError: it cannot be written.
    """
    with refused(target):
        target = written_through(target)
    staging = target.with_name(f".{target.name}.lowland-part")
    with _locked(staging, target):
        try:
            _sweep(staging, target)
            if target.exists():
                refuse(target)
            product = staging / "product"
            yield product
            with refused(target):
                _deliver(product, target)
        finally:
            shutil.rmtree(staging)


def zip_tree(tree: Path, target: Path, *, dated: date) -> None:
    """Zip a folder: members sorted by name, all with the same date and mode, so that equal trees give equal bytes."""
    stamp = (max(dated.year, 1980), dated.month, dated.day, 0, 0, 0)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(path.relative_to(tree).as_posix(), stamp)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = FILE_MODE
            member.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(member, "w") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


@contextmanager
def _locked(staging: Path, target: Path) -> Iterator[None]:
    """Make the folder and hold the lock of it, a file beside it that goes away with it; it falls when this process ends, however it ends."""
    lock = FileLock(staging.with_name(f"{staging.name}.lock"), blocking=False)
    try:
        lock.acquire()
        staging.mkdir(parents=True, exist_ok=True)
    except Timeout as fault:
        raise UsageError(
            f"{target}: another build is writing it, and two at once would mix. Wait for it and try again."
        ) from fault
    except OSError as fault:
        lock.release()
        raise UsageError(
            f"{target}: its folder cannot be written ({fault.strerror}), so the package has no place. Choose another."
        ) from fault
    try:
        yield
    finally:
        # Windows lets go of the file with the lock.
        with suppress(PermissionError):
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _sweep(staging: Path, target: Path) -> None:
    """Undo a swap that was killed half-way, then empty the folder."""
    previous = staging / "previous"
    if previous.exists() and not target.exists():
        previous.rename(target)
    for entry in list(staging.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _deliver(product: Path, target: Path) -> None:
    if not target.exists():
        product.rename(target)
        return
    previous = product.with_name("previous")
    target.rename(previous)
    try:
        product.rename(target)
    except OSError:
        previous.rename(target)
        raise
