"""`lowland demo`: the sample district through every stage."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import OutputPath
from lowland_gis.cli.tables import show

if TYPE_CHECKING:
    from lowland_gis.pipeline.base.project import Project
    from lowland_gis.pipeline.flow import Report
    from lowland_gis.sample.agreement import Agreement

DEFAULT_PARCELS = 3000
_SHOWN = 20


@click.command()
@click.argument("folder", default="demo", type=OutputPath(file_okay=False))
@click.option(
    "--parcels", default=DEFAULT_PARCELS, show_default=True, help="Size of the district, 200 to 2,000,000."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Same seed, same district."
)
@click.option(
    "--years",
    default=1,
    show_default=True,
    type=click.IntRange(1, 2),
    help="Let the district grow a year: decisions on the first, new deliveries, another edition of the pack.",
)
@click.option(
    "--update",
    "with_update",
    is_flag=True,
    help="With --years 2, open, compare and close the update of the second year too, and hold it against what was planted.",
)
@click.pass_obj
def demo(session: Session, folder: Path, parcels: int, seed: int, years: int, *, with_update: bool) -> None:
    """Run the sample district through every stage; the last line is the agreement with the planted truth.

    FOLDER gets the ten offices' files (incoming/), the project, the truth, the package, the map, the page, a bulletin, an annual
    summary and sheets; with
    --years 2 also the deliveries of the next year (deliveries/2025/), and in truth/ what was planted between the two.
    """
    from lowland_gis.pipeline import demo as stages
    from lowland_gis.pipeline.flow import run

    if with_update and years == 1:
        raise click.UsageError("--update compares two years, so it goes with --years 2.")
    project = stages.prepare(folder, parcels=parcels, seed=seed, years=years, tell=session.tell)
    if years == 1:
        _print(project, run(project, tell=session.tell), stages.agreement(project))
        return
    _second_year(session, project, with_update=with_update)


def _second_year(session: Session, project: Project, *, with_update: bool) -> None:
    from lowland_gis.pipeline import demo as stages
    from lowland_gis.pipeline import demo_year
    from lowland_gis.pipeline.flow import run

    if not demo_year.is_second(project):
        click.echo("First year 第一年")
        _print(
            project,
            run(project, drafted_on=demo_year.drafted_on(project), tell=session.tell),
            stages.agreement(project),
        )
        project = demo_year.go_on(project, tell=session.tell)
    click.echo("\nSecond year 第二年")
    _print(
        project,
        run(project, drafted_on=demo_year.drafted_on(project), tell=session.tell),
        stages.agreement(project, demo_year.TRUTH),
    )
    if not with_update:
        return
    found = demo_year.close_year(project, tell=session.tell)
    for row in found.differences.head(_SHOWN).to_dict("records"):
        causes = f"planted {row['planted'] or '–'}, found {row['found'] or '–'}"
        click.echo(f"  {row['change']} {row['before']} → {row['after']}: {row['reason']} ({causes})")
    click.echo(f"Agreement of the update with the planted changes: {found.share:.2%} of {found.n_planted:,}")


def _print(project: Project, reports: list[Report], agreement: Agreement) -> None:
    import pandas as pd

    from lowland_gis.pipeline import demo as stages
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.frames import kind_table
    from lowland_gis.pipeline.products.page import draw_page, page_contents

    with reading(project) as held:
        kinds = kind_table(held)
        data, contents = page_contents(held)
    draw_page(project, data, contents, _page(project))
    opened = stages.leave_reports(project)
    total = {"title": "合计", "parcels": kinds["parcels"].sum(), "area_m2": kinds["area_m2"].sum()}
    table = pd.concat([kinds, pd.DataFrame([{**total, "area_mu": kinds["area_mu"].sum(), "kind": "total"}])])
    click.echo()
    for report in reports:
        click.echo(f"{report.stage:<10} {report.text}")
    click.echo()
    show(
        table[["kind", "title", "parcels", "area_m2", "area_mu"]],
        as_json=False,
        headings=["kind", "类型", "parcels 宗地", "area 面积 m²", "area 面积 亩"],
    )
    _print_files(project, opened)
    _print_agreement(project, agreement)


def _print_files(project: Project, opened: list[Path]) -> None:
    out = project.settings.path(project.settings.package.folder)
    example = project.settings.folder
    parcel = _example_parcel(project)
    click.echo(f"Project   {example / 'lowland.toml'}")
    click.echo(f"Files     {example / 'incoming'}")
    click.echo(f"Package   {out / 'package'}")
    click.echo(f"Map       {out / 'overview.png'}")
    click.echo(f"Page      {_page(project)}")
    for name, path in zip(("Bulletin", "Annual", "Sheets"), opened, strict=True):
        click.echo(f"{name:<9} {path}")
    click.echo(
        f"Next      {_program()} --project {shlex.quote(str(example / 'lowland.toml'))} classify explain {parcel}"
    )
    click.echo()


def _page(project: Project) -> Path:
    return project.settings.path(project.settings.package.folder) / "page.html"


def _program() -> str:
    """Return what starts lowland in this shell."""
    if shutil.which("lowland"):
        return "lowland"
    return f"{shlex.quote(sys.executable)} -m lowland_gis"


def _example_parcel(project: Project) -> str:
    """Return a parcel whose explanation is worth a look: the first one of the legacy land."""
    from lowland_gis.db.connect import transaction

    with transaction(project.dsn) as connection:
        row = connection.execute(
            "SELECT parcel_id FROM registry.legacy ORDER BY parcel_id LIMIT 1"
        ).fetchone()
    return str(row[0]) if row else "PARCEL"


def _print_agreement(project: Project, agreement: Agreement) -> None:
    from lowland_gis.files.whole import refused, whole
    from lowland_gis.pipeline import demo as stages

    path = project.settings.path(stages.DIFFERENCES)
    with project.outputs.writing(path, overwrite=True), whole(path) as partial, refused(path):
        agreement.differences.to_csv(partial, index=False, encoding="utf-8-sig")
    count = len(agreement.differences)
    if count:
        click.echo(f"{count} of {agreement.n_planted:,} parcels differ from what was planted ({path}):")
        for row in agreement.differences.head(_SHOWN).itertuples():
            click.echo(f"  {row.parcel_id}  {row.planted} → {row.found}: {row.reason}")
        if count > _SHOWN:
            click.echo(f"  … and {count - _SHOWN} more in the file")
    click.echo(f"Agreement with the planted truth: {agreement.share:.2%}")
