"""`lowland rules list | show | check | test | what-if`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import Rows, json_option, show
from lowland_gis.errors import DefinitionError

Command = Callable[..., Any]

on_option: Callable[[Command], Command] = click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Parameters must be in force on this day (default: today)."
)  # fmt: skip


@click.group()
def rules() -> None:
    """List, show, check and test rule packs; try other limits (规则)."""


@rules.command("list")
@json_option
def list_packs(as_json: bool) -> None:
    """List the rule packs: the shipped ones, and those in the project's definitions/rules."""
    from lowland_gis.definitions.rule_pack import pack_names, rule_pack

    packs = [rule_pack(name, Path.cwd()) for name in pack_names()]
    rows = tuple(
        (
            pack.name,
            pack.title,
            pack.in_force.isoformat(),
            pack.example,
            len(pack.question),
            len(pack.parameter),
        )
        for pack in packs
    )
    columns = ("pack", "title", "in_force", "example", "questions", "parameters")
    show(Rows(columns, rows), as_json=as_json)


@rules.command("show")
@click.argument("pack", required=False)
@json_option
@click.pass_obj
def show_pack(session: Session, pack: str | None, as_json: bool) -> None:
    """Show every clause of PACK with its limit and document.

    PACK is a .toml file, a shipped name, or the name of the project's own pack; without it the project's pack is shown.
    """
    from lowland_gis.cli.pack_tables import clause_table
    from lowland_gis.definitions.rule_pack import rule_pack

    show(clause_table(rule_pack(*_place(session, pack))), as_json=as_json)


def _place(session: Session, given: str | None) -> tuple[str, Path]:
    """Return a pack's name or file, and the folder that it counts from: the one that was given, or the project's."""
    from lowland_gis.definitions.rule_pack import pack_name, pack_names

    if given is not None and (given in pack_names() or (Path.cwd() / given).is_file()):
        return given, Path.cwd()
    if not session.project_file.is_file():
        return given or "example_beichen", Path.cwd()
    settings = session.settings
    own = settings.classify.pack
    if given is None or given in {own, Path(own).name, Path(own).stem, pack_name(own, settings.folder)}:
        return own, settings.folder
    return given, Path.cwd()


@rules.command()
@click.argument("file")
@on_option
@json_option
@click.pass_obj
def check(session: Session, file: str, day: dt.datetime | None, as_json: bool) -> None:
    """Check a rule pack: form, names, units, dates, circles, examples. Every fault is listed, and the exit code is 6."""
    from lowland_gis.cli.pack_tables import fault_rows
    from lowland_gis.definitions.rule_pack import checked, pack_path, unproven

    path = pack_path(*_place(session, file))
    pack, found = checked(path, _day(day), in_force_then=True)
    if as_json:
        click.echo(json.dumps(fault_rows(path, found), ensure_ascii=False, indent=1, default=str))
    if pack is None:
        lines = "\n".join(f"  - {fault}" for fault in found)
        raise DefinitionError(
            f"{path}: {len(found)} fault(s), so nothing was run:\n{lines}\nMend them and try again."
        )
    if not as_json:
        examples = sum(len(part.example) for question in pack.question for part in question.parts)
        click.echo(
            f"{file}: {len(pack.question)} questions, {len(pack.parameter)} parameters; all {examples} examples hold."
            if examples
            else f"{file}: {len(pack.question)} questions, {len(pack.parameter)} parameters, no example."
        )
    for words in unproven(pack):
        session.tell(words)


@rules.command()
@click.argument("file")
@json_option
@click.pass_obj
def test(session: Session, file: str, as_json: bool) -> None:
    """Run the examples beside the rules of a pack, one line each; exit code 6 when one does not hold."""
    from lowland_gis.cli.pack_tables import example_table
    from lowland_gis.definitions.rule_pack import NO_EXAMPLES, pack_path, ran_examples

    found = ran_examples(pack_path(*_place(session, file)))
    if not found:
        session.tell(f"{file}: {NO_EXAMPLES}")
    show(example_table(found), as_json=as_json)
    failed = [ran for ran in found if not ran.holds]
    if failed:
        raise DefinitionError(
            f"{file}: {len(failed)} of {len(found)} examples do not hold. Mend the rule, or the example."
        )


@rules.command("what-if")
@click.option(
    "--set",
    "changes",
    multiple=True,
    required=True,
    metavar="[RULE.]PARAM=VALUE",
    help="Another value of a parameter, in its unit; with RULE only in that rule. May be given several times.",
)
@click.option("--parcels", "list_parcels", is_flag=True, help="List the parcels that flip.")
@json_option
@click.pass_context
def what_if(ctx: click.Context, changes: tuple[str, ...], list_parcels: bool, as_json: bool) -> None:
    """Show how many parcels and hectares would change their answer under other limits; nothing is written."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.verdicts.what_if import flips, summed

    with reading(ctx.obj.project) as held:
        found = flips(held, changes)
    show(found if list_parcels else summed(found), as_json=as_json)
    if not as_json:
        click.echo(f"{found['parcel_id'].nunique():,} parcels would change an answer; nothing was written.")
    mark(ctx, held.stale)


def _day(day: dt.datetime | None) -> dt.date:
    return day.date() if day else dt.datetime.now().astimezone().date()
