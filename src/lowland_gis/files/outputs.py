"""Whose file it is that an output would replace: ours if it stands in the project's list of outputs, else somebody's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, written_through

# A line a file, as sha256sum writes and checks them.
LIST = Path(".lowland") / "outputs.sha256"


def _none() -> tuple[Path, ...]:
    return ()


@dataclass(frozen=True)
class Outputs:
    """What a project has written; `folder` is None where there is no project, and then no file that exists is known as ours.

    `kept` says which files of the project are never replaced, whatever is typed.
    """

    folder: Path | None = None
    kept: Callable[[], Iterable[Path]] = _none

    @contextmanager
    def writing(
        self, target: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
    ) -> Iterator[None]:
        """Check before the body that it may write the target, and put what it wrote into the list.

        `inputs` are the files that the body reads; a folder stands for all that is in it, a .shp for all its parts. They are
        compared by identity, so that another path, a link or a hard link is the same file.

        Raises:
            UsageError: the target is an input; or it exists, `overwrite` is not set, and it was not made here or was changed since.
        """
        self.check(target, overwrite=overwrite, inputs=inputs)
        yield
        self._add(target)

    def check(self, target: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
        """Refuse a target that this command must not write.

        Raises:
            UsageError: as `writing`.
        """
        with refused(target):
            real = written_through(target)
            if not os.path.lexists(real):
                return
            for path in inputs:
                if _is_part(real, path):
                    raise UsageError(
                        f"{target}: the same file as {path}, which is read here, so writing it would destroy what is read."
                        " Name another file."
                    )
            if real.is_dir() or (not overwrite and self._holds(real)):
                return
            if not overwrite:
                raise UsageError(
                    f"{target}: exists, and it was not made here by lowland or was changed since, so it was left as it is."
                    " Name another file, or have it replaced: --overwrite"
                )
            for path in self.kept():
                if _is_part(real, path):
                    raise UsageError(
                        f"{target}: the same file as {path}, which the project reads, so it is never replaced."
                        " Name another file."
                    )

    def _holds(self, path: Path) -> bool:
        return self.folder is not None and _digest(path) in self._digests()

    def _digests(self) -> set[str]:
        if self.folder is None:
            return set()
        try:
            lines = (self.folder / LIST).read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return set()
        return {line.partition(" ")[0] for line in lines}

    def _add(self, path: Path) -> None:
        """Put a file into the list; where that cannot be written the file is merely not known as ours later."""
        if self.folder is None or not path.is_file():
            return
        digest = _digest(path)
        if digest in self._digests():
            return
        name = os.path.relpath(written_through(path), self.folder.resolve()).replace("\n", "\\n")
        try:
            (self.folder / LIST).parent.mkdir(exist_ok=True)
            with (self.folder / LIST).open("ab") as file:
                file.write(f"{digest}  {name}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            # A project that only others may write is no reason to call an output that is whole a failure.
            return


def same_file(one: Path, other: Path) -> bool:
    """Say whether two names are of one file: by identity where both are there, else by where they lead to."""
    try:
        return one.samefile(other)
    except OSError:
        return written_through(one) == written_through(other)


def _is_part(real: Path, source: Path) -> bool:
    """Say whether a file is a source, one of the parts of a shapefile, or lies in a folder that is one."""
    if source.is_dir():
        return source.resolve() in real.parents or any(
            same_file(real, part) for part in source.rglob("*") if part.is_file()
        )
    parts = [source]
    if source.suffix.lower() == ".shp" and source.parent.is_dir():
        parts += [part for part in source.parent.iterdir() if part.stem == source.stem]
    return any(part.exists() and same_file(real, part) for part in parts)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
