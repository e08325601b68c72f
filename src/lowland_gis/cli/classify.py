"""`lowland classify run | explain | compare | rerun | todo`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.lists import list_option, write_list
from lowland_gis.cli.outputs import overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import json_option, show

# So many of each table and column.
SHOWN_DIFFERENCES = 5

run_option = click.option(
    "--run", "run_name", default="latest", show_default=True, help="A run number, or latest."
)


@click.group()
def classify() -> None:
    """Decide kinds by the rule pack; explain, compare and prove a verdict (认定)."""


@classify.command()
@json_option
@click.pass_context
def run(ctx: click.Context, as_json: bool) -> None:
    """Classify every parcel and print kinds × parcels × area.

    What was delivered or registered since is tabulated and measured first; what has not changed is not done again.
    """
    from lowland_gis.pipeline.evidence.lacking import lacking
    from lowland_gis.pipeline.evidence.measure import measure
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.overlaps.tabulate import tabulate
    from lowland_gis.pipeline.products.frames import kind_table
    from lowland_gis.pipeline.verdicts.classify import classify as run_classify

    session: Session = ctx.obj
    project = session.project
    tabulate(project, tell=session.tell)
    measure(project, tell=session.tell)
    done = run_classify(project, tell=session.tell)
    session.tell(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")
    with reading(project) as held:
        for sentence in lacking(held):
            session.tell(f"Note: {sentence}")
        show(kind_table(held), as_json=as_json)
    mark(ctx, held.stale)


@classify.command()
@click.argument("parcel")
@run_option
@click.option("--all", "everything", is_flag=True, help="Show every clause of rules that do not hold, too.")
@json_option
@click.pass_context
def explain(ctx: click.Context, parcel: str, run_name: str, everything: bool, as_json: bool) -> None:
    """Say why PARCEL (宗地代码) got its verdicts, clause by clause."""
    from lowland_gis.cli.console import console
    from lowland_gis.cli.explanation import show_explanation
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.verdicts.explain import explain as explain_parcel

    with reading(ctx.obj.project, run_name) as held:
        found = explain_parcel(held, parcel)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
    else:
        show_explanation(console(), found, everything=everything)
    mark(ctx, held.stale)


@classify.command()
@click.argument("earlier")
@click.argument("later", default="latest")
@click.option("--parcels", "list_parcels", is_flag=True, help="List every parcel with what changed.")
@json_option
@click.pass_context
def compare(ctx: click.Context, earlier: str, later: str, list_parcels: bool, as_json: bool) -> None:
    """Say which parcels changed their answer between two runs, and why: data, rule, or both.

    EARLIER and LATER are run numbers, or latest.
    """
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.verdicts.compare import compare as compare_runs

    with reading(ctx.obj.project, later) as held:
        found = compare_runs(held, earlier)
    if list_parcels or as_json:
        show(found, as_json=as_json)
    else:
        groups = found.groupby(["question", "before", "after", "why"], sort=False)
        sums = groups.agg(parcels=("parcel_id", "count"), hectares=("area_ha", "sum")).reset_index()
        show(sums, as_json=False)
        click.echo(
            f"{found['parcel_id'].nunique():,} parcels changed an answer. Each with its reason: --parcels"
        )
    mark(ctx, held.stale)


@classify.command()
@click.argument("run_name", metavar="RUN", default="latest")
@json_option
@click.pass_obj
def rerun(session: Session, run_name: str, as_json: bool) -> None:
    """Make RUN (a number, or latest) again from its recorded inputs and prove that every row is equal; nothing is written.

    Exit code 5 when a row differs, or a file that the run read is gone or another one; the differences are listed.
    """
    from lowland_gis.errors import RerunDiffersError
    from lowland_gis.pipeline.verdicts.rerun import rerun as make_again

    proof = make_again(session.project, run_name, tell=session.tell)
    for note in proof.notes:
        session.tell(note)
    rows = proof.differences
    if as_json or len(rows):
        show(
            rows if as_json else rows.groupby(["table", "column"], sort=False).head(SHOWN_DIFFERENCES),
            as_json=as_json,
        )
    compared = ", ".join(f"{count:,} {table} rows" for table, count in proof.compared.items())
    if len(rows):
        raise RerunDiffersError(
            f"Run {proof.run_id} made again differs in {len(rows):,} places (compared: {compared}). The data, the record, a file or the program"
            " changed since. All differences: lowland classify rerun --json"
        )
    if not as_json:
        click.echo(f"Run {proof.run_id} made again is equal to the last digit: {compared}.")


@classify.command()
@run_option
@click.option("--office", help="Only what this office can settle; a part of its name is enough.")
@click.option("--parcels", "list_parcels", is_flag=True, help="List every parcel; a file always does.")
@list_option
@overwrite_option
@json_option
@click.pass_context
def todo(
    ctx: click.Context,
    run_name: str,
    office: str | None,
    list_parcels: bool,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """List what would settle each unknown, by office (问题清单)."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.registry.todo import by_office, todo_list

    with reading(ctx.obj.project, run_name) as held:
        rows = todo_list(held, office)
    if output is not None:
        write_list(ctx.obj, rows, output, overwrite=overwrite)
    else:
        show(rows if list_parcels else by_office(rows), as_json=as_json)
    if not as_json and output is None:
        click.echo("When a paper is there: lowland registry document PARCEL CLAUSE FILE --says true|false")
    mark(ctx, held.stale)
