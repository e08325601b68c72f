"""Where definitions are read from: the shipped ones, and over them those of a project's own folder `definitions/`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.definitions.reading import FOLDER, shipped

OWN_FOLDER = "definitions"
SHIPPED_ORIGIN, OWN_ORIGIN, INSTEAD = "shipped", "own", "own, instead of the shipped one"
# What a stage can rest on; the legend, packs and packages keep their own record.
LAYERS, MEASURES, CHECKS, CODES, STATES = "layers", "measures", "checks", "codes", "states"
UPDATE = "update"
KINDS = {
    LAYERS: ("layers/*.toml",),
    MEASURES: ("measures.toml",),
    CHECKS: ("checks.toml",),
    CODES: ("codes/*.csv", "codes/sets.toml"),
    STATES: ("states.toml",),
    UPDATE: ("update.toml",),
}


@dataclass(frozen=True)
class Own:
    """A project's own folder of definitions, and the digest of each kind that is in it; without a folder the shipped ones stand alone."""

    folder: Path | None = None
    digests: tuple[tuple[str, str], ...] = ()

    def digest(self, *kinds: str) -> dict[str, str]:
        """Return kind → digest of what the folder has of some kinds; nothing where it has none."""
        return {kind: digest for kind, digest in self.digests if kind in kinds}

    def file(self, name: str) -> Path | None:
        """Return the folder's own file of a name such as `layers/park.toml`, if there is one."""
        path = None if self.folder is None else self.folder / name
        return path if path is not None and path.is_file() else None


SHIPPED = Own()


class _InUse:
    """The definitions of the project at work; one at a time, since a command works on one project."""

    own: Own = SHIPPED


def in_use() -> Own:
    """Return where definitions are read from now."""
    return _InUse.own


def use(own: Own) -> None:
    """Read definitions from here on."""
    _InUse.own = own


@contextmanager
def using(own: Own) -> Iterator[None]:
    """Read definitions from there for as long as the block runs."""
    before = in_use()
    use(own)
    try:
        yield
    finally:
        use(before)


def own_definitions(project: Path) -> Own:
    """Return what a project's folder has of its own, with digests of the content of its files."""
    folder = project / OWN_FOLDER
    if not folder.is_dir():
        return SHIPPED
    found = ((kind, _digest(folder, patterns)) for kind, patterns in KINDS.items())
    return Own(folder, tuple((kind, digest) for kind, digest in found if digest is not None))


def _digest(folder: Path, patterns: tuple[str, ...]) -> str | None:
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest() if files else None


def names(kind: str, own: Own) -> list[str]:
    """Return the names of all definitions that are a file each: layers, rules or packages."""
    added = [] if own.folder is None else [path.stem for path in (own.folder / kind).glob("*.toml")]
    return sorted({*shipped(kind), *added})


def path_of(name: str, own: Own) -> Path:
    """Return the file that a definition such as `layers/parcel.toml` is read from: the project's own, else the shipped one."""
    return own.file(name) or FOLDER / name


def origin_of(name: str) -> str:
    """Return where the definition in a file such as `layers/parcel.toml` comes from."""
    if in_use().file(name) is None:
        return SHIPPED_ORIGIN
    return INSTEAD if (FOLDER / name).is_file() else OWN_ORIGIN
