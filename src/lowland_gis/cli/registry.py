"""`lowland registry draft | problems`."""

from __future__ import annotations

import click

from lowland_gis.cli import Session
from lowland_gis.cli.tables import json_option, show
from lowland_gis.pipeline.determine import determine
from lowland_gis.pipeline.frames import delivery_frames


@click.group()
def registry() -> None:
    """Draft and look at the three databases (三库)."""


@registry.command()
@click.pass_obj
def draft(session: Session) -> None:
    """Bring the drafts up to the newest verdicts; what people decided stays."""
    done = determine(session.project, tell=session.tell)
    click.echo(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")


@registry.command()
@json_option
@click.pass_obj
def problems(session: Session, as_json: bool) -> None:
    """List what is unknown and which paper would settle it (问题清单)."""
    with session.project.transaction() as connection:
        rows = delivery_frames(connection, session.project)["problem"]
    show(
        rows[["parcel_id", "town_name", "question_title", "clause_title", "needed", "office"]],
        as_json=as_json,
    )
