"""Tabulate folders of GeoParquet that the tasks of Spark read themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from lowland_gis.engines.sedona import folders
from lowland_gis.engines.sedona.session import MASTER, Place
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.given_crs import NONE_GIVEN, GivenCrs
from lowland_gis.pipeline.overlaps.two_files import Tabulated


def tabulate_folders(
    parcels: Path,
    zones: Path,
    *,
    id_field: str | None,
    by_field: str | None,
    width_field: str | None = None,
    cover: bool = False,
    given: GivenCrs = NONE_GIVEN,
    master: str | None = None,
    tell: Tell = silent,
) -> Iterator[Tabulated]:
    """Yield what `tabulate_files` yields, of folders of GeoParquet or single such files; with `cover` its rows come after all overlaps.

    Unlike there nothing is repaired and nothing moved to another plane: what would need it is refused, and nothing is written.

    Raises:
        InputRefusedError: a file cannot be read, lacks a field, or the planes differ; an identifier repeats; a polygon is invalid.
        UsageError: strips or another system were asked for; Java, a jar or Spark is missing.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    name = folders.refuse_unfit(width=width_field, id_field=id_field, given=given != NONE_GIVEN)
    asked = folders.Tabulation(
        folders.folder(parcels, name),
        folders.folder(zones, by_field),
        name,
        by_field,
        Place(master or MASTER),
        cover=cover,
    )
    with closing(asked.tables()) as tables:
        for overlaps, covered in tables:
            yield Tabulated(overlaps, covered)
    tell(f"Spark on {asked.place.master}: a worker had at most {asked.peak_mb:,.0f} MB")
