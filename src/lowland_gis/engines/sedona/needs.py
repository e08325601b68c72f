"""What Spark needs beside Python: a Java that fits and the jars at their pinned versions; no pyspark is imported here."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lowland_gis import toml
from lowland_gis.errors import UsageError

_PINNED = Path(__file__).with_name("jars.toml")
_SET_UP = "python3 scripts/bootstrap.py --sedona"


class Jar(NamedTuple):
    """A jar: its coordinates in Maven's repository, its file name and the SHA-256 of its content."""

    artifact: str
    file: str
    sha256: str


def pinned() -> tuple[list[Jar], list[int]]:
    """Return the jars that are needed, and the versions of Java that this Spark runs on."""
    data = toml.read(_PINNED, UsageError)
    return [Jar(**each) for each in data["jar"]], list(data["java"])


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where jars are kept: the folder of LOWLAND_JARS, or one inside this Python's environment."""
    return Path(environ.get("LOWLAND_JARS") or Path(sys.prefix) / "share" / "lowland-jars")


def jars(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the files of all jars.

    Raises:
        UsageError: one is missing, or its content is not that of its version.
    """
    found = []
    for jar in pinned()[0]:
        path = folder(environ) / jar.file
        if not path.is_file():
            raise UsageError(
                f"{path} is missing: Spark knows no geometries without it, so nothing was computed. Type: {_SET_UP} – or name the"
                f" folder that holds {jar.artifact}: LOWLAND_JARS=/folder lowland …"
            )
        if digest(path) != jar.sha256:
            raise UsageError(
                f"{path}: its checksum is not that of {jar.artifact}, so it was cut or is another version, and nothing was computed."
                f" Remove it and type: {_SET_UP}"
            )
        found.append(path)
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def java_home(environ: Mapping[str, str] = os.environ, places: Path = Path("/usr/lib/jvm")) -> Path:
    """Return the home of a Java that Spark runs on: that of JAVA_HOME, else of the PATH, else one of /usr/lib/jvm.

    Raises:
        UsageError: JAVA_HOME names another version, or there is none that fits.
    """
    _, fitting = pinned()
    said = " or ".join(map(str, fitting))
    seen = []
    for program in _programs(environ, places):
        version = _version(program)
        if version in fitting:
            return program.resolve().parent.parent
        seen.append(f"{program} is {f'Java {version}' if version else 'no Java that runs'}")
        if environ.get("JAVA_HOME"):
            break
    raise UsageError(
        f"The engine sedona runs on Java {said}, and there is none: {'; '.join(seen) or 'no java was found'}. Install one (apt-get install"
        f" openjdk-{fitting[0]}-jre-headless) or name it: JAVA_HOME=/folder/of/java lowland …"
    )


def _programs(environ: Mapping[str, str], places: Path) -> Iterator[Path]:
    named = environ.get("JAVA_HOME")
    if named:
        yield Path(named) / "bin" / "java"
        return
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path)
    yield from sorted(places.glob("*/bin/java"))


def _version(program: Path) -> int | None:
    """Return the version of a Java, None where it does not run."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(found[1]) if found else None
