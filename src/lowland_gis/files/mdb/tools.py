"""The programs of mdbtools: what they say of a database, and a table of it as text."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.apart.run import Limits, TooLongError, run

LIMITS = Limits(seconds=600, memory_bytes=4_000_000_000)
_INSTALL = "apt-get install mdbtools (Debian, Ubuntu), brew install mdbtools, or conda install -c conda-forge mdbtools"
_OTHERWISE = "or save it as a file geodatabase (.gdb) in ArcGIS and deliver that"
# What they say and go on, so that a table comes without its end.
_BROKEN = re.compile(r"beyond EOF|unable to|error|invalid|not a recognized|cannot", re.IGNORECASE)
_COLUMN = re.compile(r"^\s*\[(?P<name>.+)\]\s+(?P<type>[A-Za-z][A-Za-z /]*[A-Za-z])", re.MULTILINE)
# Names of Chinese tables are arguments, and texts of Access 97 are in the code page of the machine that wrote them.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MDB_JET3_CHARSET": "GB18030", "MDBICONV": "UTF-8"}


def tables(path: Path) -> list[str]:
    """Return the names of the tables of a database, those that programs keep for themselves included.

    Raises:
        InputRefusedError: it cannot be read, or mdbtools is missing.
    """
    return [name for name in _said(path, "mdb-tables", "-1", str(path.absolute())).split("\n") if name]


def columns(path: Path, table: str) -> dict[str, str]:
    """Return the types of the columns of a table, as Access names them, in their order.

    Raises:
        InputRefusedError: it cannot be read.
    """
    said = _said(path, "mdb-schema", "-T", table, str(path.absolute()))
    return {found["name"]: found["type"] for found in _COLUMN.finditer(said)}


def count(path: Path, table: str) -> int:
    """Return how many rows a table has by its own head.

    Raises:
        InputRefusedError: it cannot be read.
    """
    said = _said(path, "mdb-count", str(path.absolute()), table).strip()
    if not said.isdigit():
        raise InputRefusedError(
            f"the table {table} does not say how many rows it has. Ask the sender for it again."
        )
    return int(said)


@contextmanager
def exported(path: Path, table: str) -> Iterator[IO[bytes]]:
    """Yield a table as a CSV in UTF-8 with its headings; what is no text is spelt in hexadecimal digits.

    Raises:
        InputRefusedError: it cannot be read.
    """
    words = (
        "-b",
        "hex",
        "-D",
        "%Y-%m-%d %H:%M:%S",
        "-T",
        "%Y-%m-%d %H:%M:%S",
        "--",
        str(path.absolute()),
        table,
    )
    with tempfile.TemporaryFile() as out:
        _into(path, out, "mdb-export", *words)
        out.seek(0)
        yield out


def _said(path: Path, program: str, *words: str) -> str:
    with tempfile.TemporaryFile() as out:
        _into(path, out, program, *words)
        out.seek(0)
        return out.read().decode("utf-8", "replace")


def _into(path: Path, out: IO[bytes], program: str, *words: str) -> None:
    if shutil.which(program) is None:
        raise InputRefusedError(
            f"{program} is missing, by which personal geodatabases are read. Type: {_INSTALL}; {_OTHERWISE}."
        )
    try:
        code, beside = run([program, *words], LIMITS, out, _ENVIRONMENT)
    except TooLongError as error:
        raise InputRefusedError(
            f"{program} did not end within {LIMITS.seconds / 60:g} minutes and was stopped. Repair it in Access"
            f" (Compact and Repair 压缩和修复数据库), {_OTHERWISE}."
        ) from error
    broken = [line for line in beside.splitlines() if _BROKEN.search(line)]
    if code != 0 or broken:
        why = (broken or beside.splitlines() or [f"{program} ended with {code}"])[0].replace(
            f"{path.absolute()}", path.name
        )
        raise InputRefusedError(
            f"cannot be read as an Access database ({why[:200]}). Repair it in Access (Compact and Repair 压缩和修复数据库), {_OTHERWISE}."
        )
