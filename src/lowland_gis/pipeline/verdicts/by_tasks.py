"""The stage classify by tasks of Spark, between tables of the database: evidence goes out to files, verdicts come back, batch by batch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.engines.sedona.beside import beside
from lowland_gis.engines.sedona.beside import write as write_file
from lowland_gis.engines.sedona.place import Place
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Record
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.base.towns import CLAIM_MIN, TOWN
from lowland_gis.pipeline.evidence.facts import ZONE, measured_units, zones_delivered
from lowland_gis.pipeline.evidence.stored import renumbered, write_measures
from lowland_gis.pipeline.overlaps.table_files import tables
from lowland_gis.pipeline.verdicts import on_spark
from lowland_gis.pipeline.verdicts.part_tasks import Known

_NUMBERS, _PLACES = pa.list_(pa.float64()), pa.list_(pa.int32())
_PARCELS = pa.schema([("parcel", pa.string()), ("town", pa.string())])
_LIES = pa.schema(
    [
        *((name, pa.string()) for name in ("layer", "parcel", "code")),
        *((name, pa.float64()) for name in ("area", "share")),
    ]
)
_VALUES = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("value", _NUMBERS),
        ("banded", _PLACES),
        ("low", _NUMBERS),
        ("high", _NUMBERS),
    ]
)


def write(
    connection: Connection,
    project: Project,
    place: Place,
    measured: Record,
    pack: RulePack,
    run_id: int,
    *,
    tell: Tell,
) -> None:
    """Write the verdicts that tasks find under a run, and the scores, ranks and estimates of the pack.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    with beside() as folder:
        found = on_spark.decided(
            place, _found(connection, measured, folder), _known(connection, measured, pack), folder
        )
        derived = [pack.derived[number - 1] for number in found.derived]
        sources = {item.name: f"{pack.name} {item.document}" for item in derived}
        write_measures(connection, run_id, sources, srid=project.srid)
        constants = {"run_id": run_id}
        for verdicts, values in on_spark.rows(found, COPY_ROWS):
            rows = verdicts.drop_columns("value").to_pandas()
            copy_in(connection, schema.VERDICT, rows, srid=project.srid, constants=constants)
            if derived and values.num_rows:
                copy_in(
                    connection,
                    schema.PARCEL_EVIDENCE,
                    renumbered(values, found.derived),
                    srid=project.srid,
                    constants=constants,
                )
        tell(f"Spark on {place.master}: verdicts in {found.n_parts:,} parts")


def _known(connection: Connection, measured: Record, pack: RulePack) -> Known:
    run = [measured.run_id]
    names = connection.execute(
        "SELECT measure FROM result.evidence_measure WHERE run_id = %s ORDER BY number", run
    ).fetchall()
    apart = read_frame(
        connection,
        "SELECT parcel_id, measure, value, low, high FROM result.evidence_apart WHERE run_id = %s",
        run,
    )
    claim_min = measured.settings.get(CLAIM_MIN)
    return Known(
        pack,
        tuple(name for (name,) in names),
        measured_units(measured),
        pack.day(dt.date.fromisoformat(measured.settings["as_of"])),
        apart.astype({"low": "float64", "high": "float64"}),
        None if claim_min is None else float(claim_min),
        zones_delivered(connection, measured),
        {},
    )


def _found(connection: Connection, measured: Record, folder: Path) -> on_spark.Found:
    """Write what the verdicts rest on to files beside."""
    parcels, lies, values = (folder / name for name in ("parcels", "lies", "values"))
    statement = "SELECT parcel_id, town_code FROM land.parcel WHERE version_id = ANY(%s)"
    given: list[object] = [measured.inputs["parcel_versions"]]
    count = write_file(parcels / "all.parquet", _PARCELS, tables(connection, statement, given, _PARCELS))
    statement = "SELECT layer, parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = ANY(%s)"
    given = [measured.inputs["tabulate_run"], [TOWN, ZONE]]
    write_file(lies / "all.parquet", _LIES, tables(connection, statement, given, _LIES))
    statement = "SELECT parcel_id, value, banded, low, high FROM result.parcel_evidence WHERE run_id = %s"
    write_file(values / "all.parquet", _VALUES, tables(connection, statement, [measured.run_id], _VALUES))
    return on_spark.Found(parcels, lies, values, count)
