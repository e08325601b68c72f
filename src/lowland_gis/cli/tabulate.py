"""`lowland tabulate`: overlap areas of two plain files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.files.table import check_suffix, write_csv, write_rows
from lowland_gis.pipeline.files import tabulate_files
from lowland_gis.pipeline.files_in_sql import database_for, tabulate_files_in_sql


@click.command()
@click.argument("parcels")
@click.argument("zones")
@click.option("--id", "id_field", help="Field that names a parcel; without it the 0-based row number.")
@click.option("--by", "by_field", help="Field whose values are summed apart; without it one code `all`.")
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A .csv or .parquet file; without it stdout.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "postgis"]),
    default="local",
    show_default=True,
    help="What computes the areas: lowland itself, or SQL in the database of the project or of LOWLAND_DSN.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Threads that compute; the result is the same.",
)
@click.pass_obj
def tabulate(
    session: Session,
    parcels: str,
    zones: str,
    id_field: str | None,
    by_field: str | None,
    output: Path | None,
    engine: str,
    threads: int,
) -> None:
    """Print how many m² of each parcel lie in each class of ZONES: parcel_id, code, area_m2, share.

    PARCELS and ZONES are any vector file, or FILE:LAYER; no database is needed by the local engine. Areas are on the plane of the parcels' system;
    a place that several zones of one code cover counts once for each.
    """
    if output is not None:
        check_suffix(output)
    session.tell(f"tabulate with the {engine} engine")
    if engine == "local":
        rows = tabulate_files(
            parcels, zones, id_field=id_field, by_field=by_field, threads=threads, tell=session.tell
        )
    else:
        dsn = database_for(session.project_dir, session.dsn)
        rows = tabulate_files_in_sql(
            parcels, zones, id_field=id_field, by_field=by_field, dsn=dsn, tell=session.tell
        )
    if output is None:
        write_csv(rows, sys.stdout)
    else:
        write_rows(rows, output)
        session.tell(f"{rows.num_rows:,} rows → {output}")
