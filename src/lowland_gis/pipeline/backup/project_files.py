"""The files of a project that belong into its backup: the project file, its own definitions, and what the settings name beside deliveries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import tomlkit

from lowland_gis.errors import InputRefusedError, LowlandError
from lowland_gis.files.whole import whole
from lowland_gis.settings import PROJECT_FILE, Settings

DEFINITIONS = "definitions"
# Settings and definitions are texts that people write; what is larger is something else.
MAX_BYTES = 64_000_000
# It says where this machine's database is, and may hold a password.
_OF_THIS_MACHINE = "dsn"


@dataclass(frozen=True)
class Found:
    """Files of a project by the name that each has below its folder, and what was left out and why."""

    files: dict[str, bytes]
    left_out: tuple[str, ...]


def project_files(project_file: Path, settings: Settings | None) -> Found:
    """Return the files of a project that are settings or definitions; `settings` are None where they cannot be read."""
    if not project_file.is_file():
        return Found({}, (f"settings: there is no {project_file.name}",))
    folder = project_file.resolve().parent
    files = {PROJECT_FILE: without_dsn(project_file.read_bytes())}
    left_out = [] if settings else ["files that the settings name: the settings have faults"]
    for path in sorted({*_definitions(folder), *(_named(settings) if settings else ())}):
        if not path.is_file():
            continue
        if not path.resolve().is_relative_to(folder):
            left_out.append(f"{path}: it lies outside the project's folder")
        elif path.stat().st_size > MAX_BYTES:
            left_out.append(f"{path}: {path.stat().st_size / 1e6:,.0f} MB are no definition")
        else:
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return Found(files, tuple(left_out))


def without_dsn(content: bytes) -> bytes:
    r"""Return a project file without where its database is, which holds for one machine and may hold a password.

    >>> without_dsn(b'dsn = "host=db password=x"\n# ours\n[project]\n')
    b'# ours\n[project]\n'
    """
    try:
        document = tomlkit.parse(content.decode("utf-8-sig"))
    except (ValueError, tomlkit.exceptions.ParseError):
        return content
    if _OF_THIS_MACHINE not in document:
        return content
    document.remove(_OF_THIS_MACHINE)
    return tomlkit.dumps(document).encode()


def _definitions(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / DEFINITIONS).rglob("*")):
        if not path.name.startswith("."):
            yield path


def _named(settings: Settings) -> Iterator[Path]:
    """Yield the files that settings name, but for the deliveries themselves."""
    for delivery in settings.delivery:
        yield from (settings.path(name) for name in (delivery.mapping, delivery.datum) if name)
    yield from (settings.path(name) for name in (settings.classify.pack, settings.package.definition))


@contextmanager
def laid_down(project_file: Path, files: dict[str, bytes]) -> Iterator[tuple[str, ...]]:
    """Write files of a backup below the folder of a project where none are, and take them away again if the body fails.

    Yields the names of those that are there with another content: they are left as they are.

    Raises:
        InputRefusedError: a name leads out of the folder; or a file cannot be written.
    """
    targets = {name: _target(project_file, name) for name in files}
    other = tuple(name for name, path in targets.items() if path.exists() and not _same(path, files[name]))
    made: list[Path] = []
    try:
        for name, path in targets.items():
            if not path.exists():
                made += [parent for parent in (*reversed(path.parents), path) if not parent.exists()]
                path.parent.mkdir(parents=True, exist_ok=True)
                with whole(path) as partial:
                    partial.write_bytes(files[name])
        yield other
    except BaseException:
        for path in reversed(made):
            _take_away(path)
        raise


def _take_away(path: Path) -> None:
    try:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    except OSError:
        return  # somebody has put something there meanwhile


def _target(project_file: Path, name: str) -> Path:
    path = PurePosixPath(name)
    folder = project_file.resolve().parent
    target = project_file.resolve() if name == PROJECT_FILE else folder.joinpath(*path.parts)
    unsafe = path.is_absolute() or ".." in path.parts or set(name) & set(":\\\0") or not path.parts
    if unsafe or not Path(os.path.realpath(target)).is_relative_to(folder):
        raise InputRefusedError(
            f"{name!r}: a file of the backup would be written outside the project's folder, so nothing was restored."
        )
    return target


def _same(path: Path, content: bytes) -> bool:
    try:
        found = path.read_bytes()
    except OSError:
        return False
    return found == content or without_dsn(found) == content


def readable(load: object) -> Settings | None:
    """Return settings, or None where they have faults: a backup of what is there must be possible all the same."""
    try:
        return load() if callable(load) else None
    except LowlandError:
        return None
