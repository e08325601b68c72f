"""`lowland init`: a new project, empty or proposed from a bureau's folder."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    from lowland_gis.pipeline.intake.propose import Proposal
    from lowland_gis.settings import ProjectSettings


@click.command()
@click.argument("folder", type=OutputPath(file_okay=False))
@click.option(
    "--from",
    "source",
    type=InputPath(file_okay=False, exists=True),
    help="A bureau's folder: its files are looked at, left as they are, and proposed as deliveries.",
)
@click.option(
    "--crs",
    help="The one plane of the database, a CGCS2000 Gauss-Krüger plane; without it that of the files of --from, else"
    f" {DEFAULT_CRS}.",
)
@click.option("--code", "--district-code", help="Six digits (行政区代码); asked for on a terminal.")
@click.option("--name", "--district-name", help="Name of the district (行政区名称); asked for on a terminal.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day that rules are judged for; today if left away.",
)
@click.pass_obj
def init(
    session: Session,
    folder: Path,
    source: Path | None,
    crs: str | None,
    code: str | None,
    name: str | None,
    as_of: dt.datetime | None,
) -> int:
    """Make FOLDER a project: lowland.toml, incoming/ for the offices' files, out/ for what is made.

    With --from also a [[delivery]] for each file of a folder that fits a layer, mappings/ where headings differ, and what is
    missing; nothing is ingested. Exit code 1: something is to be corrected by hand.
    """
    from lowland_gis.files.whole import write_text
    from lowland_gis.pipeline.base.project_text import project_text
    from lowland_gis.settings import PROJECT_FILE

    file = folder / PROJECT_FILE
    if file.exists():
        raise UsageError(f"{file} is there already and was left as it is. Name another folder.")
    if crs is not None:
        _refuse_other_plane(crs)
    today = dt.datetime.now().astimezone().date()
    proposal = None if source is None else _proposal(session, folder, source, crs, code, today)
    if proposal is not None:
        code, name = code or proposal.district.code, name or proposal.district.name
    project = _project(
        folder,
        _asked(code, "--code", "District code, six digits (行政区代码)", "120113"),
        _asked(name, "--name", "District name (行政区名称)", "北辰区"),
        crs or (DEFAULT_CRS if proposal is None else proposal.plane),
        as_of.date() if as_of else today,
    )
    for part in ("incoming", "out"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    lowland = f"lowland --project {shlex.quote(str(file))}"
    if proposal is not None:
        return _write_proposal(session, folder, project, proposal, lowland)
    write_text(file, project_text(project))
    click.echo(
        f"{file} is made. Next: put the deliveries into {folder / 'incoming'}, name them in lowland.toml, then:"
    )
    click.echo(f"  {lowland} db up\n  {lowland} db migrate\n  {lowland} run")
    return 0


def _refuse_other_plane(crs: str) -> None:
    from lowland_gis.files.planes import advice
    from lowland_gis.settings import gauss_plane

    try:
        gauss_plane(crs)
    except ValueError as error:
        raise UsageError(f"--crs {crs}: {error}. {advice(crs)}") from error


def _project(folder: Path, code: str, name: str, crs: str, as_of: dt.date) -> ProjectSettings:
    from pydantic import ValidationError

    from lowland_gis.settings import ProjectSettings, faults_text

    try:
        return ProjectSettings(
            name=folder.resolve().name, district_code=code, district_name=name, crs=crs, as_of=as_of
        )
    except ValidationError as error:
        raise UsageError(faults_text(f"init {folder}", error, ProjectSettings)) from error


def _proposal(
    session: Session, folder: Path, source: Path, crs: str | None, code: str | None, today: dt.date
) -> Proposal:
    from lowland_gis.pipeline.intake.propose import Given, propose

    return propose(source, folder, Given(crs, code, today), tell=session.tell)


def _write_proposal(
    session: Session, folder: Path, project: ProjectSettings, proposal: Proposal, lowland: str
) -> int:
    """Write the project file and the mappings, and say what was proposed; a mapping that is there is never replaced."""
    from lowland_gis.cli.proposal import show_proposal
    from lowland_gis.files.whole import write_text
    from lowland_gis.pipeline.base.project_text import project_text
    from lowland_gis.settings import PROJECT_FILE

    mappings = {
        folder / one.block.delivery.mapping: one.mapping
        for one in proposal.proposed
        if one.mapping is not None and one.block.delivery.mapping is not None
    }
    there = [str(path) for path in mappings if path.exists() or path.is_symlink()]
    if there:
        raise UsageError(f"{', '.join(there)}: there already and not overwritten. Name another folder.")
    for path, text in mappings.items():
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
    blocks = [*(one.block for one in proposal.proposed), *proposal.unknown]
    write_text(
        folder / PROJECT_FILE,
        project_text(project, blocks, missing=[layer for layer, _ in proposal.missing]),
    )
    return show_proposal(session, folder, project, proposal, lowland)


def _asked(given: str | None, option: str, question: str, example: str) -> str:
    """Return what was given, or what a person answers; maps and packages carry it, so it is never assumed."""
    if given is not None:
        return given
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            f"init: {option} is missing, and it is printed on maps and in packages. "
            f"Give it, for example: {option} {example}"
        )
    answer: str = click.prompt(question, type=str, err=True)
    return answer
