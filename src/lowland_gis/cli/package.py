"""`lowland package build | check | adopt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import Rows, json_option, show

if TYPE_CHECKING:
    from lowland_gis.pipeline.products.judged import Outcome

Command = TypeVar("Command", bound=Callable[..., Any])

FORMS = ("shapefile", "filegdb", "geopackage", "geoparquet")
_HEADINGS = (
    "class 类别", "rule 规则", "fault 问题", "file 文件", "layer 图层", "field 字段", "count 数", "first 首处", "value → expected 值 → 应为",
    "points 扣分",
)  # fmt: skip


def _forms(text: str) -> Callable[[Command], Command]:
    return click.option("--form", "forms", multiple=True, type=click.Choice(FORMS), help=text)


@click.group()
def package() -> None:
    """Build, check and adopt submission packages (成果包)."""


@package.command()
@click.argument("target", required=False, type=OutputPath())
@_forms("Write the layers in this form instead of those of the definition; may be given several times.")
@overwrite_option
@click.pass_context
def build(ctx: click.Context, target: Path | None, forms: tuple[str, ...], overwrite: bool) -> None:
    """Build the package into TARGET, a folder or a .zip file; refused where its parts do not rest on each other."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.package import file_package, package_contents

    project = ctx.obj.project
    with reading(project) as held:
        contents = package_contents(held)
    report = file_package(project, contents, target, forms=forms, overwrite=overwrite, tell=ctx.obj.tell)
    for layer in report.layers:
        click.echo(f"{layer.name:<10} {layer.rows:>8,}  {layer.title}  {layer.path}")
    click.echo(f"{len(report.files)} files → {report.target}")
    mark(ctx, contents.stale)


@package.command()
@click.argument("target", type=InputPath(exists=True))
@click.option(
    "--definition",
    help="The definition to judge by: a shipped name, or FILE.toml; else that of the manifest, or of lowland.toml.",
)
@_forms("Judge the layers in this form instead of those of the definition; may be given several times.")
@click.option(
    "--table",
    type=OutputPath(),
    help="Write every finding with file, row, value and place: .xlsx, .csv or .parquet.",
)
@click.option(
    "--gpkg", type=OutputPath(), help="Write the findings with their places as a GeoPackage for QGIS."
)
@json_option
@overwrite_option
@click.pass_obj
def check(
    session: Session,
    target: Path,
    definition: str | None,
    forms: tuple[str, ...],
    table: Path | None,
    gpkg: Path | None,
    as_json: bool,
    overwrite: bool,
) -> int:
    """Judge the package in TARGET, a folder or .zip that anybody made, by a definition; no database is needed.

    Layers, fields, types, lengths, codes, keys, encoding, coordinate system, outlines, areas, and tables against layers. Exit code 0:
    nothing was found; 1: something was, and the mark says how heavy it is.
    """
    from lowland_gis.pipeline.products.judged import judge_package, write_outcome
    from lowland_gis.products.judging.report import check_layer, check_table

    settings = session.settings if session.project_file.is_file() else None
    with ExitStack() as stack:
        for output, look in ((table, check_table), (gpkg, check_layer)):
            if output is not None:
                look(output)
                stack.enter_context(session.outputs.writing(output, overwrite=overwrite, inputs=[target]))
        outcome = judge_package(
            target,
            definition=definition,
            folder=Path.cwd(),
            settings=settings,
            forms=forms,
            tell=session.tell,
        )
        write_outcome(outcome, target, table=table, layer=gpkg)
    if as_json:
        click.echo(json.dumps(_as_json(outcome), ensure_ascii=False, indent=1))
    else:
        _print(outcome, table is not None)
    return 1 if outcome.judged.findings else 0


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "definition": outcome.definition.name,
        "mark": outcome.mark.mark,
        "grade": outcome.mark.grade,
        "example": outcome.how.example,
        "findings": [asdict(finding) for finding in outcome.judged.findings],
    }


def _print(outcome: Outcome, written: bool) -> None:
    from lowland_gis.products.judging.report import summary

    found, result = outcome.judged.findings, outcome.mark
    if not found:
        rows = sum(outcome.judged.n_rows.values())
        click.echo(f"The package is as its definition {outcome.definition.name} says 符合: {rows:,} rows in {len(outcome.judged.n_rows)} layers and forms.")  # fmt: skip
    else:
        lines = summary(found, result, outcome.how)
        show(
            Rows(_HEADINGS, tuple(lines)),
            as_json=False,
            title=f"Findings 检查结果: {outcome.definition.title}",
        )
        if not written:
            click.echo(
                f"{len(found):,} findings 条. Every one with its row: --table FILE.xlsx, with its place: --gpkg FILE.gpkg"
            )
    example = "（示例分值 weights are an example）" if outcome.how.example else ""
    click.echo(f"Mark 得分: {result.mark:g} / {result.full:g} {result.grade}{example}")


@package.command()
@click.argument("table", type=InputPath(exists=True, dir_okay=False))
@click.option("--name", help="What the definition is called; else as the file.")
@click.option(
    "--like",
    help="A definition whose layers and fields of the same name or title say what is filled in, for example example_city.",
)
@_forms("Deliver the layers in this form; may be given several times. Without it in all of them.")
@click.option(
    "--empty",
    type=OutputPath(),
    help="Build a package without rows there too, a folder or .zip: every layer in every form, to be filled in by hand.",
)
@click.option(
    "--layers",
    is_flag=True,
    help="Make a layer of the database of each layer with outlines too, so that such files can be ingested, checked and tabulated.",
)
@overwrite_option
@click.pass_obj
def adopt(
    session: Session,
    table: Path,
    name: str | None,
    like: str | None,
    forms: tuple[str, ...],
    empty: Path | None,
    layers: bool,
    overwrite: bool,
) -> int:
    """Make a package definition of the project's own out of TABLE, a field table (字段名称, 字段代码, 字段类型 …) as bureaus hand it out.

    Several sheets or titles are several layers. What the table leaves open is named with its row, and stands above the definition.
    Exit code 0: nothing is open; 1: look at the rows that are named.
    """
    from lowland_gis.pipeline.products import adopted as adopting

    settings = session.settings
    asked = adopting.Asked(name, forms or FORMS, like)
    target = adopting.adopted_path(table, asked, session.project_dir)
    with session.outputs.writing(target, overwrite=overwrite, inputs=[table]):
        found = adopting.read_table(table, target.stem, asked, settings)
        # What can be refused comes first: a definition is written when all else has gone well.
        if empty is not None:
            session.outputs.check(empty, overwrite=True, inputs=[table])
            report = adopting.empty_package(found.definition, settings, empty, overwrite=overwrite)
        files = adopting.layer_files(found, session.project_dir) if layers else {}
        with ExitStack() as stack:
            for file in files:
                stack.enter_context(session.outputs.writing(file, overwrite=overwrite, inputs=[table]))
            adopting.write_layers(files)
        adopting.write_definition(found, target)
    for layer in found.definition.layers:
        click.echo(f"{layer.name:<10} {len(layer.fields):>4} fields 字段  {layer.title}")
    for doubt in found.doubts:
        click.echo(f"Look at 待核 {doubt}")
    if empty is not None:
        click.echo(f"{len(report.files)} empty files 空文件 → {report.target}")
    for file in files:
        click.echo(f"Layer 图层 → {file}: lowland ingest {file.stem} FILE")
    click.echo(f"Definition 定义 → {target}")
    click.echo(
        f'Name it in lowland.toml: [package] definition = "definitions/packages/{target.name}"; then: lowland package build'
    )
    return 1 if found.doubts else 0
