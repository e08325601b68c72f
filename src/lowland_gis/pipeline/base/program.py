"""Which program this is: its version, and a digest of every source and definition that a result can rest on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import lowland_gis
from lowland_gis import __version__

# What is shown, drawn, packed or made up changes no result.
_NO_RESULT = ("cli", "products", "sample", "migrations")
# What changes no package and no map either.
_NO_PRODUCT = ("cli", "sample", "migrations")
_SUFFIXES = (".py", ".toml", ".csv")
_SHOWN_DIGITS = 12


@cache
def program_version() -> str:
    """Return the version with the digest of the sources behind a plus, as a run records it."""
    return f"{__version__}+{source_digest(Path(lowland_gis.__file__).parent)[:_SHOWN_DIGITS]}"


@cache
def products_version() -> str:
    """Return the digest of the sources that a package or a map can rest on: those of results, and those that pack and draw."""
    return source_digest(Path(lowland_gis.__file__).parent, beside=_NO_PRODUCT)


def source_digest(home: Path, *, beside: tuple[str, ...] = _NO_RESULT) -> str:
    """Return the digest of the sources and definitions below a folder that a result can rest on; not of the parts `beside`."""
    digest = hashlib.sha256()
    found = (path for path in home.rglob("*") if path.suffix in _SUFFIXES)
    for path in sorted(found, key=lambda path: path.relative_to(home).as_posix()):
        name = path.relative_to(home)
        if name.parts[0] not in beside:
            content = path.read_bytes()
            digest.update(f"{name.as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
