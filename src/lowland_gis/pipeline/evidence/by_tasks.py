"""The stage measure by tasks of Spark, between tables of the database: land goes out to files, evidence comes back, batch by batch."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS
from lowland_gis.definitions import measure as define
from lowland_gis.engines.sedona.beside import beside
from lowland_gis.engines.sedona.place import Place
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.papers import paper_rows, said_rows
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.evidence import land_beside, on_spark
from lowland_gis.pipeline.evidence.stored import write_apart, write_evidence_rows, write_measures


class Basis(NamedTuple):
    """What is measured: the deliveries in force, the run of the stage tabulate, and what papers say."""

    versions: Versions
    tabulate_run: int
    documents: pd.DataFrame


def write(
    connection: Connection, project: Project, place: Place, basis: Basis, run_id: int, tell: Tell
) -> None:
    """Write the evidence that tasks find under a run; what papers say is little, and is written by this process.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit; a measure cannot be computed in parts.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    defined, srid = define.measures(), project.srid
    with beside() as folder:
        held, known = land_beside.written(
            connection, project, basis.versions, basis.tabulate_run, basis.documents, folder
        )
        found = on_spark.measured(place, held, known, folder)
        names = list(defined)
        sources = {names[number - 1]: source for number, source in found.sources.items()}
        write_measures(connection, run_id, sources, srid=srid)
        if sources:
            rows = on_spark.rows(found, COPY_ROWS)
            write_evidence_rows(connection, run_id, rows, list(found.sources), srid=srid)
    write_apart(connection, run_id, _papers(connection, basis), srid=srid)
    tell(
        f"Spark on {place.master}: {len(defined)} measures in {found.n_cells:,} cells, a worker had at most {found.peak_mb:,.0f} MB"
    )


def _papers(connection: Connection, basis: Basis) -> list[pd.DataFrame]:
    defined, documents = define.measures(), basis.documents
    named = documents["parcel_id"].unique().tolist()
    there = land.present(connection, land_beside.numbers(basis.versions, "parcel"), named)
    parcels = pd.Index(there, dtype=object)
    measured = [name for name, item in defined.items() if isinstance(item, define.PaperMeasure)]
    return [*(paper_rows(name, documents, parcels) for name in measured), said_rows(documents, set(defined))]
