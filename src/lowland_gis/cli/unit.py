"""`lowland unit draft | list`."""

from __future__ import annotations

import click
import pandas as pd

from lowland_gis.cli import Session
from lowland_gis.cli.tables import json_option, show
from lowland_gis.pipeline.delineate import delineate
from lowland_gis.pipeline.frames import units


@click.group()
def unit() -> None:
    """Draft and list redevelopment units (再开发单元)."""


@unit.command()
@click.pass_obj
def draft(session: Session) -> None:
    """Draw units from the current verdicts with the limits of lowland.toml."""
    done = delineate(session.project, tell=session.tell)
    click.echo(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")


@unit.command("list")
@json_option
@click.pass_obj
def list_units(session: Session, as_json: bool) -> None:
    """List the newest units."""
    with session.project.transaction() as connection:
        rows = pd.DataFrame(units(connection, session.project).drop(columns="geometry"))
    show(rows, as_json=as_json)
