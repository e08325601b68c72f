"""`lowland ingest`: one delivery of one layer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.pipeline.ingest import ingest as ingest_delivery
from lowland_gis.settings import DeliverySettings


@click.command()
@click.argument("layer")
@click.argument("source")
@click.option("--src-crs", help="The coordinate system, where the file does not say or says it wrongly.")
@click.option("--encoding", help="The text encoding of a shapefile, where it cannot be told from its bytes.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day whose state the layer shows.")
@click.option("--part", help="Which part of the layer this is, where it comes in several files.")
@click.option("--dry-run", is_flag=True, help="Do everything, then roll it back.")
@click.pass_obj
def ingest(
    session: Session,
    layer: str,
    source: str,
    src_crs: str | None,
    encoding: str | None,
    as_of: dt.datetime | None,
    part: str | None,
    dry_run: bool,
) -> None:
    """Load SOURCE (a file, or FILE:LAYER) as a new version of LAYER; the same bytes again load nothing."""
    day = None if as_of is None else as_of.date()
    # On the command line a path means what the shell means; lowland.toml counts from its own folder.
    place = str(Path.cwd() / source)
    delivery = DeliverySettings(
        layer=layer, source=place, part=part, as_of=day, encoding=encoding, src_crs=src_crs
    )
    loaded = ingest_delivery(session.project, delivery, dry_run=dry_run)
    if not loaded.fresh:
        click.echo(
            f"{layer}: the same bytes are there already as version {loaded.version_id}; nothing was loaded."
        )
        return
    click.echo(
        f"{layer} version {loaded.version_id}: {loaded.n_read:,} read = {loaded.n_loaded:,} loaded +"
        f" {loaded.n_rejected:,} set aside; {loaded.n_issues:,} issues"
        f"{'' if loaded.encoding is None else f'; text read as {loaded.encoding}'}{' (dry run)' if dry_run else ''}"
    )
