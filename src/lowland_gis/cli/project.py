"""`lowland init`: a new project."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from pathlib import Path

import click
from pydantic import ValidationError

from lowland_gis.cli.outputs import OutputPath
from lowland_gis.errors import UsageError
from lowland_gis.files.planes import advice
from lowland_gis.files.whole import write_text
from lowland_gis.pipeline.project_text import project_text
from lowland_gis.settings import (
    DEFAULT_CRS,
    PROJECT_FILE,
    ProjectSettings,
    faults_text,
    gauss_plane,
)


@click.command()
@click.argument("folder", type=OutputPath(file_okay=False))
@click.option(
    "--crs",
    default=DEFAULT_CRS,
    show_default=True,
    help="The one plane of the database, a CGCS2000 Gauss-Krüger plane.",
)
@click.option("--code", "--district-code", help="Six digits (行政区代码); asked for on a terminal.")
@click.option("--name", "--district-name", help="Name of the district (行政区名称); asked for on a terminal.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day that rules are judged for; today if left away.",
)
def init(folder: Path, crs: str, code: str | None, name: str | None, as_of: dt.datetime | None) -> None:
    """Make FOLDER a project: lowland.toml, incoming/ for the offices' files, out/ for what is made."""
    file = folder / PROJECT_FILE
    if file.exists():
        raise UsageError(f"{file} is there already and was left as it is. Name another folder.")
    try:
        gauss_plane(crs)
    except ValueError as error:
        raise UsageError(f"--crs {crs}: {error}. {advice(crs)}") from error
    code = _asked(code, "--code", "District code, six digits (行政区代码)", "120113")
    name = _asked(name, "--name", "District name (行政区名称)", "北辰区")
    day = as_of.date() if as_of else dt.datetime.now().astimezone().date()
    try:
        project = ProjectSettings(
            name=folder.resolve().name,
            district_code=code,
            district_name=name,
            crs=crs,
            as_of=day,
        )
    except ValidationError as error:
        raise UsageError(faults_text(f"init {folder}", error, ProjectSettings)) from error
    for part in ("incoming", "out"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_text(file, project_text(project))
    click.echo(
        f"{file} is made. Next: put the deliveries into {folder / 'incoming'}, name them in lowland.toml, then:"
    )
    lowland = f"  lowland --project {shlex.quote(str(file))}"
    click.echo(f"{lowland} db up\n{lowland} db migrate\n{lowland} run")


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
