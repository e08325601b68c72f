"""`lowland tabulate`: overlap areas of two plain files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.engines import master_option
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.process import share_memory
from lowland_gis.cli.progress import progress
from lowland_gis.engines import named

if TYPE_CHECKING:
    import pyarrow as pa


@click.command()
@click.argument("parcels")
@click.argument("zones")
@click.option("--id", "id_field", help="Field that names a parcel; without it the 0-based row number.")
@click.option("--by", "by_field", help="Field whose values are summed apart; without it one code `all`.")
@click.option(
    "--width",
    "width_field",
    help="ZONES are lines (XZDW): each is a strip as wide, in metres, as this field says.",
)
@click.option(
    "-o",
    "output",
    type=OutputPath(dir_okay=False),
    help="A .csv or .parquet file, or a table PG:SCHEMA.TABLE of the database; without it stdout.",
)
@click.option(
    "--src-crs",
    "systems",
    multiple=True,
    metavar="CRS",
    help="Coordinate system of a file that declares none; parcels=EPSG:… or zones=EPSG:… of one that declares it wrongly.",
)
@click.option(
    "--engine",
    type=click.Choice(named.NAMES),
    default=named.DEFAULT,
    show_default=True,
    help="What computes the areas: lowland itself, SQL in the database of the project or of LOWLAND_DSN, or Apache Spark with Sedona.",
)
@master_option
@click.option(
    "--cover",
    type=OutputPath(dir_okay=False),
    help="Also write, to this .csv or .parquet file, what of each parcel no zone covers and what zones cover more than once.",
)
@click.option(
    "--bom", is_flag=True, help="Begin a .csv with a byte order mark, so that Excel reads its Chinese."
)
@overwrite_option
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
    width_field: str | None,
    output: Path | None,
    systems: tuple[str, ...],
    engine: str,
    master: str | None,
    cover: Path | None,
    bom: bool,
    overwrite: bool,
    threads: int,
) -> None:
    """Print how many m² of each parcel lie in each class of ZONES: parcel_id, code, area_m2, share.

    PARCELS and ZONES are any vector file, or FILE:LAYER; no database is needed by the local engine. With --engine sedona they may be folders of GeoParquet,
    of this machine or of an object store (s3://…), or tables of the database (PG:SCHEMA.TABLE). Areas are on the plane of the parcels' system;
    a place that several zones of one code cover counts once for each.
    """
    from lowland_gis.files.beyond import is_table
    from lowland_gis.files.outputs import same_file
    from lowland_gis.files.source import located
    from lowland_gis.files.table import check_suffix
    from lowland_gis.pipeline.base.telling import unwatched
    from lowland_gis.pipeline.intake.given_crs import given_crs
    from lowland_gis.pipeline.overlaps.two_files import tabulate_files

    share_memory()
    files = [target for target in (output, cover) if target is not None and not is_table(str(target))]
    for target in files:
        check_suffix(target)
    given = given_crs(systems)
    if output is not None and cover is not None and same_file(output, cover):
        raise click.UsageError(
            f"-o {output} and --cover {cover} are the same file, so one would replace the other. Name two files."
        )
    session.tell(f"tabulate with the {engine} engine")
    by_tasks = _only_by_tasks((parcels, zones), engine)
    inputs = [located(name, Path.cwd())[0] for name in (parcels, zones) if name not in by_tasks]
    with ExitStack() as stack:
        for target in files:
            stack.enter_context(session.outputs.writing(target, overwrite=overwrite, inputs=inputs))
        rows = stack.enter_context(_written(session, output, bom=bom, overwrite=overwrite))
        covers = stack.enter_context(_written(session, cover, bom=bom, overwrite=overwrite))
        # Rows on the same terminal would run through the bar.
        shown = output is not None or not sys.stdout.isatty()
        asked: dict[str, Any] = {"id_field": id_field, "by_field": by_field, "width_field": width_field}
        asked |= {"cover": cover is not None, "given": given, "tell": session.tell}
        if by_tasks or (engine in named.ON_SPARK and any(path.is_dir() for path in inputs)):
            from lowland_gis.pipeline.overlaps.spark_folders import tabulate_folders

            tables = tabulate_folders(
                parcels, zones, **asked, master=master, database=lambda: _database(session)
            )
        else:
            tables = tabulate_files(
                parcels,
                zones,
                **asked,
                engine=named.engine(engine, lambda: _database(session), master=master),
                threads=threads,
                watch=stack.enter_context(progress(session, "tabulate")) if shown else unwatched,
            )
        for each in tables:
            rows(each.overlaps)
            if each.cover is not None:
                covers(each.cover)


def _only_by_tasks(names: tuple[str, ...], engine: str) -> list[str]:
    """Return what only the tasks of Spark read: tables and what has a URI.

    Raises:
        UsageError: there is such a layer, and the engine is another.
    """
    from lowland_gis.errors import UsageError
    from lowland_gis.files.beyond import is_table, is_uri

    found = [name for name in names if is_uri(name) or is_table(name)]
    if found and engine not in named.ON_SPARK:
        raise UsageError(
            f"{found[0]}: tables and object stores are read by the tasks of Spark. Add: --engine {named.ON_SPARK[0]}"
        )
    return found


def _database(session: Session) -> str:
    from lowland_gis.pipeline.overlaps.engine import database_for

    return database_for(session.project_dir, session.dsn)


@contextmanager
def _written(
    session: Session, target: Path | None, *, bom: bool, overwrite: bool
) -> Iterator[Callable[[pa.Table], None]]:
    """Yield what writes tables one after the other: to a file, to a table of the database, or to stdout where nothing is named."""
    from lowland_gis.files.beyond import is_table
    from lowland_gis.files.table import csv_writer, row_writer

    count = 0
    with ExitStack() as stack:
        if target is None:
            write = stack.enter_context(csv_writer(sys.stdout))
        elif is_table(str(target)):
            from lowland_gis.db.own_table import table_writer

            write = stack.enter_context(table_writer(_database(session), str(target), overwrite=overwrite))
        else:
            write = stack.enter_context(row_writer(target, bom=bom))

        def counted(rows: pa.Table) -> None:
            nonlocal count
            count += rows.num_rows
            write(rows)

        yield counted
    if target is not None:
        session.tell(f"{count:,} rows → {target}")
