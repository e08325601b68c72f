"""`lowland registry draft | problems | document`."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import json_option, show


@click.group()
def registry() -> None:
    """Draft and look at the three databases (三库)."""


@registry.command()
@click.pass_context
def draft(ctx: click.Context) -> None:
    """Bring the drafts up to the newest verdicts; what people decided stays. Exit code 1 when the verdicts are out of date."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.together import stale_drafted
    from lowland_gis.pipeline.registry.determine import determine
    from lowland_gis.pipeline.units.frozen_changes import affected_frozen

    session: Session = ctx.obj
    done = determine(session.project, tell=session.tell)
    click.echo(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")
    with reading(session.project) as held:
        mark(ctx, stale_drafted(held), affected_frozen(held))


@registry.command()
@json_option
@click.pass_context
def problems(ctx: click.Context, as_json: bool) -> None:
    """List what is unknown and which paper would settle it (问题清单)."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.frames import problem_frame
    from lowland_gis.pipeline.products.together import stale_drafted
    from lowland_gis.pipeline.units.frozen_changes import affected_frozen

    with reading(ctx.obj.project) as held:
        rows, stale, frozen = problem_frame(held), stale_drafted(held), affected_frozen(held)
    show(
        rows[["parcel_id", "town_name", "question_title", "clause_title", "needed", "office"]],
        as_json=as_json,
    )
    mark(ctx, stale, frozen)


@registry.command()
@click.argument("parcel")
@click.argument("clause")
@click.argument("file", type=InputPath(dir_okay=False))
@click.option(
    "--says",
    type=click.Choice(["true", "false", "withdrawn"]),
    required=True,
    help="What the paper says of the clause; withdrawn takes back what was registered.",
)
@click.pass_obj
def document(session: Session, parcel: str, clause: str, file: Path, says: str) -> None:
    """Register FILE as the paper that says of PARCEL whether CLAUSE is true (登记材料).

    CLAUSE is a measure such as paper_fire, or the title of a clause. The digest of the file, who and when are kept; the next
    `lowland classify run` uses it.
    """
    from lowland_gis.pipeline.base.papers import register

    entry = register(session.project, parcel, clause, file, says={"true": True, "false": False}.get(says))
    held = "" if entry.fresh else " was registered before, so nothing was added"
    said = {True: "true 成立", False: "false 不成立", None: "withdrawn 撤回"}[entry.says]
    click.echo(
        f"{entry.parcel_id}  {entry.title}（{entry.condition}）: {said}; {entry.file_name} sha256:{entry.sha256[:12]}, by {entry.recorded_by}{held}."
        " Next: lowland classify run"
    )
