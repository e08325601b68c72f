"""`lowland package build | check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark


@click.group()
def package() -> None:
    """Build and check a submission package (成果包)."""


@package.command()
@click.argument("target", required=False, type=OutputPath())
@overwrite_option
@click.pass_context
def build(ctx: click.Context, target: Path | None, overwrite: bool) -> None:
    """Build the package into TARGET, a folder or a .zip file; refused where its parts do not rest on each other."""
    from lowland_gis.pipeline.intake.reading import reading
    from lowland_gis.pipeline.products.package import file_package, package_contents

    project = ctx.obj.project
    with reading(project) as held:
        contents = package_contents(held)
    report = file_package(project, contents, target, overwrite=overwrite, tell=ctx.obj.tell)
    for layer in report.layers:
        click.echo(f"{layer.name:<10} {layer.rows:>8,}  {layer.title}  {layer.path}")
    click.echo(f"{len(report.files)} files → {report.target}")
    mark(ctx, contents.stale)


@package.command()
@click.argument("target", type=InputPath(exists=True))
def check(target: Path) -> None:
    """Compare a package with its manifest; exit code 1 when something differs."""
    from lowland_gis.products.package.build import check as check_package

    findings = check_package(target)
    for finding in findings:
        click.echo(finding)
    if findings:
        sys.exit(1)
    click.echo("The package is whole: every file is as the manifest says.")
