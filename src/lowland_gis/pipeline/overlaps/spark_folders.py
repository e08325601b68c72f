"""Tabulate what the tasks of Spark read themselves: folders of GeoParquet, of this machine or an object store, and tables of PostGIS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from lowland_gis.engines.sedona import folders
from lowland_gis.engines.sedona.session import MASTER, MEMORY, Place
from lowland_gis.engines.sedona.tables import Table, table
from lowland_gis.files.beyond import is_table, is_uri
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.given_crs import NONE_GIVEN, GivenCrs
from lowland_gis.pipeline.overlaps.two_files import Tabulated


def tabulate_folders(
    parcels: str,
    zones: str,
    *,
    id_field: str | None,
    by_field: str | None,
    width_field: str | None = None,
    cover: bool = False,
    given: GivenCrs = NONE_GIVEN,
    master: str | None = None,
    memory: str | None = None,
    database: Callable[[], str],
    tell: Tell = silent,
) -> Iterator[Tabulated]:
    """Yield what `tabulate_files` yields, of folders of GeoParquet, single such files, `s3://…` or tables `PG:SCHEMA.TABLE`; with `cover` its rows come after all overlaps.

    Unlike there nothing is repaired and nothing moved to another plane: what would need it is refused, and nothing is written.
    `database` says where tables are; it is asked only for these.

    Raises:
        InputRefusedError: a file or table cannot be read, lacks a field, or the planes differ; an identifier repeats; a polygon is invalid.
        UsageError: strips or another system were asked for; Java, a jar or Spark is missing.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    name = folders.refuse_unfit(width=width_field, id_field=id_field, given=given != NONE_GIVEN)
    with ExitStack() as stack:

        def layer(place: str, field: str | None) -> folders.Folder | Table:
            if is_table(place):
                return stack.enter_context(table(place, field, database()))
            return folders.folder(place if is_uri(place) else Path(place), field)

        asked = folders.Tabulation(
            layer(parcels, name),
            layer(zones, by_field),
            name,
            by_field,
            Place(master or MASTER, memory or MEMORY),
            cover=cover,
        )
        with closing(asked.tables()) as tables:
            for overlaps, covered in tables:
                yield Tabulated(overlaps, covered)
        tell(
            f"Spark on {asked.place.master}: {asked.n_cells:,} cells, a worker had at most {asked.peak_mb:,.0f} MB"
        )
