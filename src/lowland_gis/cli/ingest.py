"""`lowland ingest`: one delivery of one layer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lowland_gis.cli import Session
from lowland_gis.cli.consents import consent_options
from lowland_gis.cli.progress import progress

if TYPE_CHECKING:
    from lowland_gis.pipeline.intake.there_already import Loaded


@click.command()
@click.argument("layer")
@click.argument("source")
@click.option("--src-crs", help="The coordinate system, where the file does not say or says it wrongly.")
@click.option("--encoding", help="The text encoding of a shapefile, where it cannot be told from its bytes.")
@consent_options
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day whose state the layer shows.")
@click.option("--part", help="Which part of the layer this is, where it comes in several files.")
@click.option(
    "--part-by",
    type=click.Choice(["place", "code"]),
    help="What says which pieces of a whole delivery the part replaces, where places and codes disagree.",
)
@click.option(
    "--mapping", help="A TOML file that says which received field is which; lowland inspect proposes one."
)
@click.option("--datum", help="A TOML file of the bureau's own datum parameters, for old systems.")
@click.option(
    "--allow-empty", is_flag=True, help="Load a delivery of which no row is left; else it is refused."
)
@click.option(
    "--allow-older",
    is_flag=True,
    help="Load a delivery of an earlier day than the one in force; else it is refused.",
)
@click.option("--dry-run", is_flag=True, help="Do everything, then roll it back.")
@click.pass_obj
def ingest(
    session: Session,
    layer: str,
    source: str,
    src_crs: str | None,
    encoding: str | None,
    gcj02: Literal["no"] | None,
    conversion: Literal["done"] | None,
    as_of: dt.datetime | None,
    part: str | None,
    part_by: Literal["place", "code"] | None,
    mapping: str | None,
    datum: str | None,
    allow_empty: bool,
    allow_older: bool,
    dry_run: bool,
) -> int:
    """Load SOURCE (a file, or FILE:LAYER) as a new version of LAYER; the same bytes again load nothing.

    On a layer that was delivered whole, --part TOWN (its code or name) takes the place of the pieces of that town; the difference
    is told, with --dry-run without keeping it.

    Exit code 0: every row was loaded; 1: rows were set aside, see lowland layers rejects, or a
    town of the delivery before has no row any more; 3: the file was refused.
    """
    from lowland_gis.files.consents import Consents
    from lowland_gis.pipeline.intake.delivery import begun

    # Loading the libraries takes as long as reading 30 MB, so the file is begun with before.
    with begun(_here(source), Path.cwd(), encoding, Consents(gcj02, conversion)) as arriving:
        import lowland_gis.files.read  # noqa: F401 - first, because it reads on while the rest is loaded
        from lowland_gis.pipeline.intake.ingest import ingest_begun
        from lowland_gis.settings import DeliverySettings

        # On the command line a path means what the shell means; lowland.toml counts from its own folder.
        delivery = DeliverySettings(
            layer=layer,
            source=_here(source),
            part=part,
            part_by=part_by,
            as_of=None if as_of is None else as_of.date(),
            encoding=encoding,
            gcj02=gcj02,
            conversion=conversion,
            src_crs=src_crs,
            mapping=None if mapping is None else _here(mapping),
            datum=None if datum is None else _here(datum),
            allow_empty=allow_empty,
            allow_older=allow_older,
        )
        with progress(session, f"ingest {layer}") as watch:
            loaded = ingest_begun(
                session.project, delivery, arriving, dry_run=dry_run, watch=watch, tell=session.tell
            )
    for warning in loaded.warnings:
        session.tell(f"Warning: {layer}: {warning}")
    if loaded.by_town:
        session.tell(f"{layer}: records by town, before → now: {loaded.by_town}")
    if not loaded.fresh:
        click.echo(
            f"{layer}: the same bytes are there already as version {loaded.version_id}; nothing was loaded."
        )
        return _code(loaded)
    click.echo(
        f"{layer} version {loaded.version_id}: {loaded.n_read:,} read = {loaded.n_loaded:,} loaded +"
        f" {loaded.n_rejected:,} set aside; {loaded.n_issues:,} issues"
        f"{'' if loaded.encoding is None else f'; text read as {loaded.encoding}'}{' (dry run)' if dry_run else ''}"
    )
    return _code(loaded)


def _code(loaded: Loaded) -> int:
    """Return 1 where rows were set aside or a town is missing; a row that was repaired or doubted and loaded is no reason for it."""
    return 1 if loaded.n_rejected or loaded.towns_missing else 0


def _here(path: str) -> str:
    return str(Path.cwd() / path)
