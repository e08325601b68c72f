"""`lowland registry`: draft and look at the registers, record what people decide, prove that nothing was changed behind their back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.lists import list_option, write_list
from lowland_gis.cli.outputs import InputPath, OutputPath
from lowland_gis.cli.registry_moves import add_moves
from lowland_gis.cli.registry_promises import promise, promises
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import Rows, json_option, show


@click.group()
def registry() -> None:
    """Draft and look at the three databases (三库), and record what people decide."""


add_moves(registry)
registry.add_command(promise)
registry.add_command(promises)


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
    from lowland_gis.pipeline.products.together import stale_drafted
    from lowland_gis.pipeline.registry.listed import registered_problems
    from lowland_gis.pipeline.units.frozen_changes import affected_frozen

    with reading(ctx.obj.project) as held:
        rows, stale, frozen = registered_problems(held), stale_drafted(held), affected_frozen(held)
    columns = ("parcel_id", "town_name", "question_title", "clause_title", "needed", "office")
    show(Rows.of(rows, columns), as_json=as_json)
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


@registry.command()
@click.argument("sha256")
@click.argument("target", type=OutputPath(dir_okay=False))
@click.option("--overwrite", is_flag=True, help="Replace the file also where it is another's.")
@click.pass_obj
def paper(session: Session, sha256: str, target: Path, *, overwrite: bool) -> None:
    """Write a paper (文件) that the registry keeps to a file; `history --json` says the digest of each."""
    from lowland_gis.files.whole import refused, whole
    from lowland_gis.pipeline.base.kept_papers import kept_paper

    with session.project.snapshot() as connection:
        content = kept_paper(connection, sha256)
    with session.outputs.writing(target, overwrite=overwrite), whole(target) as partial, refused(target):
        partial.write_bytes(content)
    session.tell(f"{len(content):,} bytes → {target}")


@registry.command("list")
@click.option("--register", help="Only this register (库).")
@click.option("--state", help="Only what stands in this state.")
@click.option("--town", help="Only this town (code).")
@list_option
@click.option("--overwrite", is_flag=True, help="Replace the file also where it is another's.")
@json_option
@click.pass_context
def list_(
    ctx: click.Context,
    *,
    register: str | None,
    state: str | None,
    town: str | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """List where entries stand; without a register how many stand where.

    A list that is written with -o can be edited and given to a move with --file: its column `version` is compared. Exit code 1 when drafts
    are among them that are out of date.
    """
    session: Session = ctx.obj
    from lowland_gis.analysis.registry.facts import ANSWER_TITLES
    from lowland_gis.pipeline.registry.look import COUNTED, LISTED, by_state, entry_list

    with session.project.snapshot() as connection:
        rows = entry_list(connection, register=register, state=state, town=town)
    if output is not None:
        import pandas as pd

        write_list(session, pd.DataFrame(rows, columns=LISTED), output, overwrite=overwrite)
        _mark_drafts(ctx, rows)
        return
    singly = register or state or as_json
    if not as_json:
        # Null is unknown; to programs it stays null.
        rows = [row | {"town_code": row["town_code"] or ANSWER_TITLES["unknown"]} for row in rows]
    show(Rows.of(rows, LISTED) if singly else Rows.of(by_state(rows), COUNTED), as_json=as_json)
    _mark_drafts(ctx, rows)


def _mark_drafts(ctx: click.Context, rows: Iterable[Mapping[str, Any]]) -> None:
    """Say of drafts among entries what they are out of date by; what people have moved on is theirs and needs no mark."""
    from lowland_gis.pipeline.registry.look import is_of_the_program

    if not any(is_of_the_program(row["register"], row["state"]) for row in rows):
        return
    from lowland_gis.pipeline.base.requests import DETERMINE
    from lowland_gis.pipeline.base.runs import latest_record
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.together import stale_drafted

    with ctx.obj.project.snapshot() as connection:
        if latest_record(connection, DETERMINE) is None:
            # People drafted them.
            return
    with reading(ctx.obj.project) as held:
        stale = stale_drafted(held)
    mark(ctx, stale)


@registry.command("show")
@click.argument("parcel")
@json_option
@click.pass_context
def show_(ctx: click.Context, parcel: str, *, as_json: bool) -> None:
    """Show where PARCEL stands, since when, and what is due next and from whom; also a unit, town or project.

    Exit code 1 when it is a draft that is out of date.
    """
    from lowland_gis.cli.registry_page import as_records, page
    from lowland_gis.pipeline.registry.look import standings

    with ctx.obj.project.snapshot() as connection:
        found = standings(connection, parcel)
    if as_json:
        click.echo(json.dumps(as_records(found), ensure_ascii=False, default=str, indent=1))
    else:
        click.echo(page(found))
    _mark_drafts(ctx, [{"register": each.register, "state": each.state} for each in found])


@registry.command()
@click.argument("parcel")
@json_option
@click.pass_obj
def history(session: Session, parcel: str, *, as_json: bool) -> None:
    """List every event of PARCEL: what, from which day on, on which paper, who recorded it and when."""
    from lowland_gis.pipeline.registry import look

    with session.project.snapshot() as connection:
        rows = look.history(connection, look.entries_of(connection, parcel))
    columns = [
        "register", "subject", "matter", "version", "title", "from_state", "to_state", "on_date", "document", "document_no", "reason",
        "recorded_by", "account", "recorded_at",
    ]  # fmt: skip
    show(Rows.of(rows, look.HISTORY if as_json else columns), as_json=as_json)


@registry.command()
@click.option("--register", help="Only this register (库).")
@json_option
@click.pass_obj
def procedure(session: Session, *, register: str | None, as_json: bool) -> None:
    """Show the procedure in force (办理程序): every move, who decides and records it, and what it needs."""
    from lowland_gis.pipeline.base.procedure import read_procedure

    with session.project.snapshot() as connection:
        force = read_procedure(connection)
    wanted = [register] if register else list(force.registers)
    rows = [
        {
            "register": name, "verb": content.verb(key), "title": move.title, "leaves": ", ".join([*(["–"] if move.first else []), *move.leaves]),
            "reaches": move.reaches, "actor": move.actor, "roles": ", ".join(move.roles), "paper": move.document or "",
            "reason": move.reason, "days": move.days, "example": move.example,
        }
        for name, content in ((name, force.register(name)) for name in wanted)
        for key, move in content.move.items()
    ]  # fmt: skip
    show(Rows.of(rows, list(rows[0])), as_json=as_json)
    for line in force.weaker:
        session.tell(f"It asks for less than the shipped one: {line}")


@registry.command()
@click.option("--head", help="A head that was kept elsewhere: of a package (registry_head in its manifest).")
@json_option
@click.pass_context
def verify(ctx: click.Context, head: str | None, *, as_json: bool) -> None:
    """Prove that no row of the registry was changed, removed or inserted behind its back. Exit code 1 when one was.

    What only --head can find is said in docs/registry.md.
    """
    from lowland_gis.pipeline.registry.verify import verify as verified

    session: Session = ctx.obj
    found = verified(session.project, head)
    rows = Rows(("table_name", "row_no", "what"), found.findings)
    show(rows, as_json=as_json) if as_json or found.findings else None
    said = "Every row is as it was recorded. " if found.sound else ""
    said += f"{found.n_links:,} rows are linked; head {found.head or '(nothing is recorded)'}"
    if found.passes:
        said += f". The chain passes through the head that was given; {found.behind:,} rows came since"
    elif found.passes is False:
        said += ". The chain does not pass through the head that was given: rows were changed or removed since it was printed, and the chain made anew"
    # What was asked for is the answer itself; beside JSON it is told like progress.
    session.tell(said) if as_json else click.echo(said)
    if not found.sound:
        count = f"{len(found.findings):,} findings. " if found.findings else ""
        session.tell(
            f"{count}Restore a backup from before, or find out who did it: no command of the program does"
        )
        ctx.exit(1)
