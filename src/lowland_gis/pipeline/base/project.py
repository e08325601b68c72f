"""A project that is open: its settings and the database that holds its land."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowland_gis import settings as project_settings
from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.db import connect, revision
from lowland_gis.db.connect import Connection
from lowland_gis.db.place import connect_string
from lowland_gis.definitions.legend import Legend, read_legend
from lowland_gis.definitions.own import SHIPPED, Own, use
from lowland_gis.definitions.take_up import take_up
from lowland_gis.engines import named
from lowland_gis.engines.sedona.place import Place
from lowland_gis.errors import DatabaseError
from lowland_gis.files.outputs import Outputs
from lowland_gis.pipeline.base.outputs import outputs_of
from lowland_gis.pipeline.base.protection import refuse_unknown_names

if TYPE_CHECKING:
    from lowland_gis.engines.base import Engine


_SPARE = "connection between two transactions"


def who() -> str:
    """Return the name of the person at work, or the number of the account where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        if sys.platform == "win32":
            return "unknown"
        return f"uid {os.getuid()}"


@dataclass(frozen=True)
class Project:
    """Settings, a database that is known to be at the newest schema, and where definitions are read from.

    Whoever connects works with the definitions of this project, also where another one was opened since.
    """

    settings: project_settings.Settings
    dsn: str
    definitions: Own = SHIPPED
    # What one stage has made and a later one of the same program asks for again; nothing rests on it.
    kept: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def srid(self) -> int:
        """Return the EPSG number of the project's plane."""
        return self.settings.project.srid

    @property
    def plane(self) -> GaussPlane:
        """Return the Gauss-Krüger plane of the project."""
        return self.settings.plane

    @property
    def legend(self) -> Legend:
        """Return the palette of maps and pages, with what the project changes about it."""
        return read_legend(self.settings.folder)

    @property
    def outputs(self) -> Outputs:
        """Return what the project has written, to be asked before a file is written."""
        return outputs_of(self.settings.folder, lambda: self.settings)

    @property
    def engine(self) -> Engine:
        """Return the engine of overlaps that the settings name, which may compute in this project's database."""
        asked = self.settings.tabulate
        return named.engine(asked.engine, lambda: self.dsn, master=asked.master, memory=asked.memory)

    @property
    def spark(self) -> Place | None:
        """Return where Spark computes, None where the settings name another engine."""
        asked = self.settings.tabulate
        return Place(asked.master, asked.memory, asked.cell_mb) if asked.engine in named.ON_SPARK else None

    def computed_by(
        self,
        engine: str | None,
        master: str | None = None,
        *,
        memory: str | None = None,
        cell_mb: float | None = None,
    ) -> Project:
        """Return the project with another engine than its settings name, or another place where it computes, with other memory or cells."""
        given = {"engine": engine, "master": master, "memory": memory, "cell_mb": cell_mb}
        changed = {name: value for name, value in given.items() if value is not None}
        tabulating = self.settings.tabulate.model_copy(update=changed)
        return replace(self, settings=self.settings.model_copy(update={"tabulate": tabulating}))

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that only reads, and sees one state of the database however often it looks."""
        use(self.definitions)
        with connect.snapshot(self.dsn, spare=self.kept.get(_SPARE)) as connection:
            yield connection

    @contextmanager
    def turn(self, stage: str) -> Iterator[Connection]:
        """Yield a connection once no other run of a stage is at work; it sees what that one has made."""
        with self.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"lowland {stage}"])
            yield connection

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """Yield a connection whose work is kept as a whole or not at all."""
        use(self.definitions)
        with connect.transaction(self.dsn, dry_run=dry_run, spare=self.kept.get(_SPARE)) as connection:
            yield connection

    @contextmanager
    def one_connection(self) -> Iterator[None]:
        """Keep a connection open between the transactions of the body, which come one after the other."""
        spare = self.kept[_SPARE] = connect.Spare()
        try:
            yield
        finally:
            del self.kept[_SPARE]
            spare.close()


def open_project(folder: Path | str) -> Project:
    """Open the project in a folder (or behind a project file) on its running database.

    Raises:
        UsageError: there is no project, or its settings are wrong.
        DefinitionError: a definition of its own, such as its legend, is wrong; with every fault.
        DatabaseError: the database is not running, not at the newest schema, or made for another plane.
    """
    path = Path(folder)
    file = path / project_settings.PROJECT_FILE if path.is_dir() else path
    settings = project_settings.load(file)
    # What could not be measured or drawn in the end is refused before anything is read or written.
    definitions = take_up(settings.folder)
    refuse_unknown_names(settings.delineate)
    named.refuse_unknown(settings.tabulate.engine)
    dsn = connect_string(settings.folder, settings.dsn)
    found, newest = revision.current_revision(dsn), revision.newest_revision()
    revision.refuse_newer(found)
    if found != newest:
        raise DatabaseError(
            f"The database is at revision {found or 'none'}, but this lowland needs {newest}. Type: lowland db migrate"
        )
    revision.refuse_other_srid(revision.stored_srid(dsn), settings.project.srid)
    return Project(settings, dsn, definitions)
