"""One state of the database in which a classification is looked at, and what it is stale by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base.basis import LATEST, Basis, basis_of
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Version, Versions, current_versions
from lowland_gis.pipeline.base.stale import Stale, stale_verdicts


@dataclass(frozen=True)
class Reading:
    """One state of the database with the classification that is looked at in it.

    `current` are the deliveries in force; `stale` says by what the classification is out of date, and is None where it rests on
    all that is in force, or where it was asked for by its number: then it is history.
    """

    connection: Connection
    project: Project
    basis: Basis
    current: Versions
    stale: Stale | None

    def versions(self, layer: str) -> list[Version]:
        """Return the deliveries of a layer that the classification read; of one that it did not, those in force."""
        return self.basis.versions.get(layer) or self.current.get(layer, [])


@contextmanager
def reading(project: Project, run: str = LATEST) -> Iterator[Reading]:
    """Yield one state of the database in which a classification is looked at; nothing can be written.

    Raises:
        UsageError: there is no such classification.
    """
    with project.snapshot() as connection:
        yield read_in(connection, project, run)


def read_in(connection: Connection, project: Project, run: str = LATEST) -> Reading:
    """Return the reading of a classification over a connection that is open.

    Raises:
        UsageError: there is no such classification.
    """
    basis, current = basis_of(connection, run), current_versions(connection)
    stale = stale_verdicts(connection, project, basis, current) if run == LATEST else None
    return Reading(connection, project, basis, current, stale)
