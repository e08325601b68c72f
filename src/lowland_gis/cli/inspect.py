"""`lowland inspect`: what a delivery is, and what ingest would do with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lowland_gis.cli import Session
from lowland_gis.cli.consents import consent_options
from lowland_gis.cli.outputs import InputPath, OutputPath
from lowland_gis.cli.tables import json_option, show
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from lowland_gis.pipeline.intake.inspection import Inspection

_FILE = InputPath(dir_okay=False, exists=True)
_WHAT = {
    "null": "null 无图形", "unreadable": "unreadable 无法读取", "empty": "empty 空图形",
    "not_finite": "NaN or infinite 坐标非数", "invalid": "invalid 无效", "duplicates": "duplicates 重复图形",
    "multipart": "of several parts 多部件", "curves": "with arcs 含弧段", "z": "with heights 含Z", "m": "with measures 含M",
    "largest_ring": "vertices of the largest ring 最大环节点数", "large_rings": "rings over 100,000 vertices 超大环",
}  # fmt: skip


@click.command()
@click.argument("source")
@click.option("--layer", help="The layer key to hold it against, where the fields do not tell.")
@click.option("--src-crs", help="The coordinate system, where the file does not say or says it wrongly.")
@click.option("--encoding", help="The text encoding of a shapefile, where it cannot be told from its bytes.")
@consent_options
@click.option("--mapping", "mapping_file", type=_FILE, help="The supplier's mapping file to apply.")
@click.option("--datum", "datum_file", type=_FILE, help="The bureau's own datum parameters.")
@click.option(
    "--allow-empty", is_flag=True, help="Take a layer of which no row is left for one to be loaded."
)
@click.option(
    "--mapping-out",
    type=OutputPath(dir_okay=False),
    help="Write the proposed mapping here; nothing else is ever written.",
)
@json_option
@click.pass_obj
def inspect(
    session: Session,
    source: str,
    layer: str | None,
    src_crs: str | None,
    encoding: str | None,
    gcj02: Literal["no"] | None,
    conversion: Literal["done"] | None,
    mapping_file: Path | None,
    datum_file: Path | None,
    allow_empty: bool,
    mapping_out: Path | None,
    as_json: bool,
) -> int:
    """Say what SOURCE (a file, or FILE:LAYER) is, and what ingest would do with it; all layers when none is named.

    Exit code 0: all would be loaded; 1: rows would be set aside, or the file refused; 3: it cannot be opened at all.
    """
    from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
    from lowland_gis.definitions.mapping import read_mapping
    from lowland_gis.files.consents import Consents
    from lowland_gis.files.datum import read_datum
    from lowland_gis.pipeline.intake.inspect import Options, inspect_source

    options = Options(
        plane=session.settings.project.crs if session.project_file.is_file() else DEFAULT_CRS,
        layer=layer,
        src_crs=src_crs,
        encoding=encoding,
        mapping=None if mapping_file is None else read_mapping(mapping_file),
        datum=None if datum_file is None else read_datum(datum_file),
        allow_empty=allow_empty,
        consents=Consents(gcj02, conversion),
    )
    found = inspect_source(str(Path.cwd() / source), Path.cwd(), options)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=1, default=str))
    else:
        for one in found:
            _print(one)
        if any(one.plane for one in found) and not session.project_file.is_file():
            session.tell(
                f"There is no project here, so the plane is taken to be {DEFAULT_CRS}. That of a project: lowland --project FILE inspect …"
            )
    if mapping_out is not None:
        _write_mapping(session, found, mapping_out)
    return 0 if all(one.clean for one in found) else 1


def _print(one: Inspection) -> None:
    from rich.markup import escape

    if one.plane is not None:
        click.echo(f"Plane 坐标系: {one.plane}")
    name = escape(f"{Path(one.source).name}{f':{one.layer}' if one.layer else ''}")
    show(_frame(_facts(one), "what", "is"), as_json=False, headings=("", name), title=f"\nSource 来件 {name}")
    if one.geometry is not None:
        show(
            _frame(_geometry(one), "what", "n", "note"),
            as_json=False,
            title="Geometry 图形",
            headings=("", "n", ""),
        )
    if one.fits:
        show(_frame(_fits(one), *_FIT_HEADINGS), as_json=False, title="Layers that the fields fit 图层识别")
    rows = list(_fields(one))
    if rows:
        show(
            _frame(rows, "field 字段", "standard 标准字段", "finding 问题"),
            as_json=False,
            title="Fields 字段",
        )
    _print_outcome(one)


_FIT_HEADINGS = (
    "layer",
    "图层",
    "fields covered 覆盖",
    "file explained 解释",
    "codes known 代码",
    "missing 缺必填",
)


def _frame(rows: Iterator[tuple[object, ...]] | list[tuple[object, ...]], *names: str) -> pd.DataFrame:
    import pandas as pd

    # What a file says of itself is text, never the screen's own markup.
    cells = [list(row) for row in rows]
    return pd.DataFrame(cells, columns=list(names), dtype=object)


def _facts(one: Inspection) -> Iterator[tuple[object, ...]]:
    yield "driver, size 格式", f"{one.driver}, {one.size_bytes / 1e6:,.2f} MB, sha256 {one.sha256[:12]}…"
    counted = one.counts
    yield (
        "rows 记录",
        f"{one.n_rows:,}"
        + (
            ""
            if counted is None
            else f" (.dbf {counted.dbf:,}, .shx {counted.shx:,}, .shp {'whole' if counted.complete else 'cut off 截断'})"
        ),
    )
    if one.text is not None:
        yield (
            "encoding declared 声明编码",
            f".cpg {one.text.declared_cpg or 'none'}, LDID {one.text.declared_ldid}",
        )
        yield (
            "encoding found 判定编码",
            f"{one.encoding or 'cannot be told 无法判定'}: {one.encoding_reason or ''}",
        )
        for name, values in one.text.readings.items():
            yield f"  as {name}", " | ".join(values)
    elif one.encoding is not None:
        yield "read as 读法", f"{one.encoding}: {one.encoding_reason or ''}"
    yield from one.said
    if one.extent is not None:
        yield "system declared 声明坐标系", _short(one.declared_crs)
        yield "system used 采用坐标系", one.used_crs or "none"
        yield "extent 范围", _extent(*one.extent)
        for number, reading in enumerate(one.readings or ("nowhere in China 不在国内",)):
            yield "" if number else "extent reads as 推断", reading
        yield "datum 基准", one.datum


def _extent(west: float, south: float, east: float, north: float) -> str:
    digits = 2 if max(abs(east), abs(north)) > 360 else 6  # noqa: PLR2004 - metres or degrees
    return f"x {west:,.{digits}f} … {east:,.{digits}f}, y {south:,.{digits}f} … {north:,.{digits}f}"


def _short(declared: str | None) -> str:
    if declared is None:
        return "none 无"
    return declared if len(declared) < 40 else declared.split('"')[1]  # noqa: PLR2004 - a WKT


def _geometry(one: Inspection) -> Iterator[tuple[object, ...]]:
    facts = one.geometry or {}
    for kind, number in facts["kinds"].items():
        yield kind, number, ""
    for key, label in _WHAT.items():
        if facts[key]:
            yield label, facts[key], ""
    for reason, number in facts["reasons"].items():
        yield f"  {reason}", number, facts["places"].get(reason, "")


def _fits(one: Inspection) -> Iterator[tuple[object, ...]]:
    for fit in one.fits:
        mark = "→ " if fit.key == one.chosen else "  "
        codes = "" if fit.code_share is None else f"{fit.code_share:.0%}"
        missing = ", ".join(fit.missing)
        yield (
            f"{mark}{fit.key}",
            fit.title,
            f"{fit.covered_share:.0%}",
            f"{fit.explained_share:.0%}",
            codes,
            missing,
        )


def _fields(one: Inspection) -> Iterator[tuple[object, ...]]:
    fit = next((fit for fit in one.fits if fit.key == one.chosen), None)
    if fit is not None:
        for match in fit.matches:
            if match.why != "name" or match.line:
                verb = "is taken as 识别为" if match.certain else "proposed 建议映射"
                times = "" if match.factor == 1.0 else f", times {match.factor:.10g} from {match.unit}"
                times += f", by the line “{match.line}”" if match.line else ""
                yield match.received, match.standard, f"{verb} ({match.why}{times})"
    for fault in one.field_faults:
        yield fault.received, fault.standard, f"{fault.rule}: {fault.message}"


def _print_outcome(one: Inspection) -> None:
    for warning in one.warnings:
        click.echo(f"Note 提示: {warning}")
    if one.refusals:
        for refusal in one.refusals:
            click.echo(f"Refused 拒收: {refusal}")
        click.echo("Ingest 入库预判: it would be refused 将被拒收; nothing would be loaded.")
        return
    issues = ", ".join(f"{rule} {number:,}" for rule, number in one.issues.items())
    click.echo(
        f"Ingest 入库预判: as {one.chosen}, {one.n_rows:,} read = {one.n_loaded:,} loaded 入库 (of them {one.n_repaired:,} repaired"
        f" 修复) + {one.n_rejected:,} set aside 搁置; issues: {issues or 'none'}"
    )


def _write_mapping(session: Session, found: list[Inspection], path: Path) -> None:
    """Write the proposal for the one layer that was looked at; a file that is there is never overwritten."""
    from lowland_gis.definitions.mapping import as_toml
    from lowland_gis.definitions.mapping_form import with_blanks
    from lowland_gis.files.whole import write_text

    if len(found) != 1:
        raise UsageError(
            f"{len(found)} layers were looked at, but a mapping is for one. Name it: FILE:LAYER."
        )
    mapping = found[0].mapping(Path(found[0].source).parent.name)
    if mapping is None:
        raise UsageError(
            "No layer was recognised, so no mapping can be proposed. Name the layer with --layer; the file then lists what came and"
            " what is wanted. The layers: lowland layers list"
        )
    matches = found[0].fit.matches if found[0].fit else ()
    notes = {match.received: f"proposed: {match.why}" for match in matches if not match.certain}
    notes |= {match.received: f"in {match.unit}, as “{match.line}” says" for match in matches if match.line}
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path}: is there already and is not overwritten. Name another file.")
    write_text(path, with_blanks(as_toml(mapping, notes), found[0].not_taken, found[0].wanted))
    session.tell(f"Wrote {path}: check every line before you use it with lowland ingest --mapping.")
