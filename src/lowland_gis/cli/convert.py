"""`lowland convert`: a file in another form, with what became of every row said."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lowland_gis.cli import Session
from lowland_gis.cli.consents import consent_options
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.tables import Rows, json_option, show

if TYPE_CHECKING:
    from lowland_gis.pipeline.conversion.convert import Converted

_HEADINGS = (
    "layer 图层",
    "rows 记录",
    "geometries 图形",
    "area read 读入面积",
    "area written 写出面积",
    "system 坐标系",
    "encoding 编码",
)


@click.command()
@click.argument("source")
@click.argument("target", type=OutputPath())
@click.option("--src-crs", help="The coordinate system, where the file does not say or says it wrongly.")
@click.option(
    "--crs", help="Bring it into this system, for example EPSG:4548; without it the plane stays what it is."
)
@click.option(
    "--encoding", help="The text encoding of a shapefile or CSV, where it cannot be told from its bytes."
)
@consent_options
@click.option(
    "--template",
    help="The form of a coordinate text (.txt): standard, or that of a receiving system (docs/formats.md).",
)
@json_option
@overwrite_option
@click.pass_obj
def convert(
    session: Session,
    source: str,
    target: Path,
    src_crs: str | None,
    crs: str | None,
    encoding: str | None,
    gcj02: Literal["no"] | None,
    conversion: Literal["done"] | None,
    template: str | None,
    as_json: bool,
    overwrite: bool,
) -> int:
    """Write SOURCE (a file, or FILE:LAYER) as TARGET, by its ending: .shp, .dbf, .vct or .txt in GBK, .gpkg, .gdb or .parquet. No database is needed.

    What is written is read again first: rows, areas, every vertex to a millimetre and every value are held against what came.
    Exit code 0: all is the same; 1: something is not, and each loss is named; 2 or 3: nothing was written.
    """
    from lowland_gis.files.consents import Consents
    from lowland_gis.files.source import located
    from lowland_gis.pipeline.conversion.convert import Asked, parts_of
    from lowland_gis.pipeline.conversion.convert import convert as converted

    parts = parts_of(target)
    inputs = [located(source, Path.cwd())[0]]
    with ExitStack() as stack:
        for part in parts:
            stack.enter_context(session.outputs.writing(part, overwrite=overwrite, inputs=inputs))
        asked = Asked(src_crs, crs, encoding, Consents(gcj02, conversion), template)
        found = converted(str(Path.cwd() / source), target, asked, folder=Path.cwd(), tell=session.tell)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    else:
        _print(found, target)
    return 1 if any(one.lost for one in found) else 0


def _print(found: list[Converted], target: Path) -> None:
    show(Rows(_HEADINGS, tuple(map(_line, found))), as_json=False, title=f"Written 写出 {target}")
    for one in found:
        for note in one.notes:
            click.echo(f"Note 提示 {one.name}: {note}")
        for lost in one.lost:
            click.echo(f"Lost 损失 {one.name}: {lost}")
    if not any(one.lost for one in found):
        click.echo("Nothing was lost 无损失: what is read from it is what was read, to the millimetre.")


def _line(one: Converted) -> tuple[str, ...]:
    result = one.comparison
    aside = f" + {one.n_aside:,} set aside 搁置" if one.n_aside else ""
    return (
        one.name,
        f"{result.n_before:,}{aside} → {result.n_after:,}",
        "differ 不同" if result.n_moved else "same 相同",
        f"{result.area_before:,.2f}",
        f"{result.area_after:,.2f}",
        one.system,
        f"{one.read_as.split(' ')[0] if '(' in one.read_as else '–'} → {one.written_as}",
    )
