"""Find the PostgreSQL programs that come with PostGIS; standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.db.private.programs import Account, run_as
from lowland_gis.errors import DatabaseError

# Views that show no more than who looks may see (security_invoker) came with it.
MINIMUM_MAJOR = 15
WHY_NEWER = "roles (角色) need views that show no more than who looks may see (security_invoker), which came with PostgreSQL 15"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
SHOW_SECONDS = 20
SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
HOW_TO_INSTALL = """\
  Debian, Ubuntu:  apt-get install -y postgresql-postgis
  macOS:           brew install postgis
  conda:           conda install -c conda-forge postgresql postgis
or set LOWLAND_DSN to a PostGIS server that is already there."""


@dataclass(frozen=True)
class Binaries:
    """One folder of PostgreSQL programs, its major version, and whether PostGIS lies beside it."""

    folder: Path
    major: int
    postgis: bool

    def program(self, name: str) -> str:
        """Return the full path of a program."""
        return str(self.folder / name)


@dataclass(frozen=True)
class SearchPath:
    """Where to look for PostgreSQL programs, best group first; within a group the newest version wins."""

    groups: tuple[tuple[Path, ...], ...]
    chosen: bool  # by LOWLAND_PG_BIN, so nothing else is looked at


def search_path(environment: Mapping[str, str], root: Path = Path("/")) -> SearchPath:
    """List the folders that may hold PostgreSQL programs on this machine."""
    if chosen := environment.get("LOWLAND_PG_BIN"):
        return SearchPath(((Path(chosen).expanduser().absolute(),),), chosen=True)
    conda = environment.get("CONDA_PREFIX")
    system = [folder for pattern in SYSTEM_PATTERNS for folder in sorted(root.glob(pattern))]
    on_path = [Path(entry) for entry in environment.get("PATH", "").split(":") if entry.startswith("/")]
    groups = ([Path(conda) / "bin"] if conda else [], system, on_path)
    return SearchPath(tuple(tuple(group) for group in groups), chosen=False)


def find_binaries(search: SearchPath, account: Account | None, *, wanted: int | None = None) -> Binaries:
    """Return the programs to use: those of version `wanted`, or the newest that have PostGIS.

    `wanted` is the major version that an existing data folder was made with.

    Raises:
        DatabaseError: no folder qualifies; the message says what was found and what to install.
    """
    if wanted is not None and wanted < MINIMUM_MAJOR:
        raise DatabaseError(
            f"The data folder was made by PostgreSQL {wanted}, and lowland needs {MINIMUM_MAJOR} or newer: {WHY_NEWER}. Upgrade it with"
            f" pg_upgrade of the newer version, or copy it with pg_dump, then type: lowland db up"
        )
    bare: list[Binaries] = []
    old: list[Binaries] = []
    for group in search.groups:
        installed = sorted(_installed(group, account), key=lambda found: -found.major)
        for found in installed:
            if found.major < MINIMUM_MAJOR:
                old.append(found)
                continue
            if wanted not in (None, found.major):
                continue
            if found.postgis:
                return found
            bare.append(found)
    raise DatabaseError(_not_found(search, bare, old, wanted))


def _installed(folders: Iterable[Path], account: Account | None) -> Iterator[Binaries]:
    for folder in dict.fromkeys(folders):
        if all((folder / name).is_file() for name in PROGRAMS):
            yield from _described(folder, account)


def _described(folder: Path, account: Account | None) -> Iterator[Binaries]:
    """Ask initdb for its version and share folder; nothing comes when the account may not run it."""
    command = [str(folder / "initdb"), "--show", "-D", "/nonexistent/never-made"]
    try:
        shown = run_as(account, command, timeout=SHOW_SECONDS).stderr
    except DatabaseError:
        return  # a conda below /root, say: the next folder may serve, and if none does the search says so
    version = re.search(r"^VERSION=(\d+)", shown, re.MULTILINE)
    share = re.search(r"^share_path=(.+)$", shown, re.MULTILINE)
    if version and share:
        postgis = Path(share.group(1), "extension", "postgis.control").is_file()
        yield Binaries(folder, int(version.group(1)), postgis=postgis)


def _not_found(search: SearchPath, bare: list[Binaries], old: list[Binaries], wanted: int | None) -> str:
    what = (
        f"PostgreSQL {wanted} with PostGIS" if wanted else f"PostgreSQL {MINIMUM_MAJOR} or newer with PostGIS"
    )
    where = f" in LOWLAND_PG_BIN={search.groups[0][0]}" if search.chosen else ""
    found = "".join(f"; {each.folder} is PostgreSQL {each.major} without PostGIS" for each in bare)
    found += "".join(
        f"; {each.folder} is PostgreSQL {each.major}, which is too old: {WHY_NEWER}" for each in old
    )
    why = (
        f"the data folder was made by PostgreSQL {wanted} and no other version can read it"
        if wanted
        else "lowland keeps its parcels (宗地) in PostGIS"
    )
    return f"{what}: not found{where}{found}; {why}. Install it:\n{HOW_TO_INSTALL}"
