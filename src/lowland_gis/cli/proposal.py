"""What `lowland init --from` proposes, as tables and a list of what is to be corrected."""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

from lowland_gis.cli import Session
from lowland_gis.cli.tables import show
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.pipeline.intake.propose import MAPPINGS, Proposal, Proposed
from lowland_gis.settings import PROJECT_FILE, ProjectSettings


def show_proposal(
    session: Session, folder: Path, project: ProjectSettings, proposal: Proposal, lowland: str
) -> int:
    """Print what was proposed and what to type next; return 1 where something is to be corrected, else 0."""
    _table(
        "\nDeliveries 来件",
        ("file 文件", "layer 图层", "图层", "records 记录", "fields known 识别", "state 状态"),
        [_row(one) for one in proposal.proposed],
    )
    _table("\nNot recognised 未识别", ("file 文件", "why 原因"), proposal.unread)
    if proposal.unknown:
        click.echo(
            "Where one of these is a layer, name it in lowland.toml and let its mapping be written:"
            f"\n  lowland inspect FILE --layer LAYER --mapping-out {folder / MAPPINGS}/LAYER.toml"
        )
    _table(
        "\nMissing 缺少 (layers that the shipped rules use, and what stays unknown without them 仍为未知)",
        ("layer 图层", "图层", "unknown without it 未知"),
        [(key, layer_definition(key).title, untold) for key, untold in proposal.missing],
    )
    click.echo(
        f"\nDistrict 行政区: {project.district_code} {project.district_name}. Plane 坐标系: {project.crs}."
        f" Day 时点: {project.as_of}."
    )
    for doubt in proposal.doubts:
        click.echo(f"Note 提示: {doubt}.")
    corrections = _corrections(proposal)
    file = folder / PROJECT_FILE
    if corrections:
        click.echo(f"\nTo correct 待改 in {file}, where each stands as a comment:")
        for number, text in enumerate(corrections, 1):
            click.echo(f"  {number}. {text}")
    click.echo(f"\n{file} is made; nothing was ingested. Next 下一步:")
    click.echo(f"  {lowland} db up\n  {lowland} db migrate\n  {lowland} run")
    session.tell(f"looked at {len(proposal.proposed) + len(proposal.unread):,} files and layers")
    return 1 if corrections or proposal.doubts or proposal.unknown else 0


def _corrections(proposal: Proposal) -> list[str]:
    return [f"{one.shown}: {'; '.join(one.corrections)}" for one in proposal.proposed if one.corrections]


def _row(one: Proposed) -> tuple[object, ...]:
    layer = layer_definition(one.block.delivery.layer)
    known = "" if layer.geometry == "raster" else f"{one.n_known} of {one.n_fields}"
    return one.shown, layer.key, layer.title, one.n_rows, known, one.state


def _table(title: str, headings: tuple[str, ...], rows: object) -> None:
    cells = [list(row) for row in rows]  # type: ignore[attr-defined]
    if cells:
        show(pd.DataFrame(cells, columns=list(headings), dtype=object), as_json=False, title=title)
