"""What a backup says of itself: made by which program from which database, and what each part of it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lowland_gis.db import revision
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.sealed import Sealed, Sum

MANIFEST = "manifest.json"
# What a newer program writes in another form gets a greater number, so that this one knows that it does not.
FORM = 1
ALL, RESTED = "all", "rested"
# A manifest has a line a part; none comes near this.
_MAX_BYTES = 256_000_000


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Part(_Frozen):
    """One part of the file: rows of a table (`number` names the partition), or a file of the project (`path`, below its folder)."""

    member: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    rows: int = Field(default=0, ge=0)
    number: int | None = Field(default=None, ge=0)
    path: str | None = None


class TablePart(_Frozen):
    """One table: its columns with their types in the order of the rows, and where its rows are."""

    name: str
    columns: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(name for name, _ in self.columns)

    @property
    def rows(self) -> int:
        """Return how many rows it has."""
        return sum(part.rows for part in self.parts)


class Granted(_Frozen):
    """One role of the server that has rights here, and the roles that it is a member of."""

    role: str
    member_of: tuple[str, ...] = ()
    login: bool = False


class Policy(_Frozen):
    """One rule by which rows of a table are seen or written (row-level security), as the database spells it."""

    table: str
    name: str
    command: str
    roles: tuple[str, ...]
    seen: str | None
    written: str | None


class Manifest(_Frozen):
    """All of it. `results` says whether those that no entry rests on are in it, `left_out` what of the database is not.

    `registry_head` is the head of the chain; None while nothing was recorded, or before there was a chain (revision 0014).
    """

    form: int
    program: str
    revision: str
    srid: int
    made_at: str
    made_by: str
    postgresql: str
    postgis: str
    database: str
    registry_head: str | None
    n_findings: int | None
    results: Literal["all", "rested"]
    tables: tuple[TablePart, ...]
    sequences: dict[str, int]
    roles: tuple[Granted, ...] = ()
    policies: tuple[Policy, ...] = ()
    files: tuple[Part, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return every part of it."""
        return (*(part for table in self.tables for part in table.parts), *self.files)

    @property
    def rows(self) -> int:
        """Return how many rows are in it."""
        return sum(table.rows for table in self.tables)

    def text(self) -> bytes:
        """Return it as it is written."""
        return (json.dumps(self.model_dump(), ensure_ascii=False, indent=1) + "\n").encode()


def part_of(member: str, summed: Sum, **more: Any) -> Part:
    """Return what is to be said of a part that was written."""
    return Part(member=member, size=summed.size, sha256=summed.sha256, **more)


def read_manifest(sealed: Sealed) -> Manifest:
    """Return what a backup says of itself; what cannot be restored by this program is refused.

    Raises:
        InputRefusedError: it is no backup, of a newer program, or does not name just the parts that are there.
    """
    if MANIFEST not in sealed.names:
        raise InputRefusedError(f"{sealed.path}: it is no backup of lowland ({MANIFEST} is missing).")
    content = b"".join(sealed.blocks(MANIFEST, _MAX_BYTES))
    try:
        said = json.loads(content)
        _refuse_newer(sealed.path, said)
        found = Manifest.model_validate(said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ValidationError) as error:
        raise InputRefusedError(
            f"{sealed.path}: {MANIFEST} does not say what a backup says ({str(error).splitlines()[0]}), so nothing was taken from it."
        ) from error
    named = [part.member for part in found.parts]
    if {*named, MANIFEST} != sealed.names or len(set(named)) < len(named):
        raise InputRefusedError(
            f"{sealed.path}: its parts are not just those that {MANIFEST} names, so nothing was taken from it."
        )
    return found


def _refuse_newer(path: Path, said: dict[str, Any]) -> None:
    """Refuse what a newer program made, before anything else of it is looked at.

    Raises:
        InputRefusedError: its form or its revision is not known here.
    """
    form, number, program = said["form"], said["revision"], said["program"]
    if form > FORM or number not in revision.known_revisions():
        raise InputRefusedError(
            f"{path}: made by a newer lowland ({program}, form {form}, revision {number}) than this one, which knows forms up to {FORM} and"
            f" revisions up to {revision.newest_revision()}. Nothing was taken from it. Install the newer version and try again."
        )
