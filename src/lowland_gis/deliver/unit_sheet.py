"""Draw the one-page planning sheet (单元规划一页图) of a unit: its map, and what stands on it in numbers, as PDF or PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lowland_gis.definitions.legend import Legend, Style, read_legend
from lowland_gis.deliver.drawing import fill, page_settings
from lowland_gis.deliver.fonts import font_families, save_figure
from lowland_gis.deliver.furniture import bar_length
from lowland_gis.errors import UsageError

A4 = (8.27, 11.69)
_MAP_BOX = (0.07, 0.47, 0.86, 0.43)
_ASPECT = _MAP_BOX[2] * A4[0] / (_MAP_BOX[3] * A4[1])
_MARGIN = 0.18
_M2_PER_HA = 10_000.0
_MU_M2 = 2000 / 3
_MOST_ROWS = 6
_FORMATS = (".pdf", ".png")


@dataclass(frozen=True)
class UnitSheet:
    """What a sheet shows; frames are in the project's plane.

    `parcels`: those of the unit and around it, with kind (missing: not low-efficiency), inside, geometry. `tables`: title → rows
    of name and area_m2, already grouped. `facts`: name → text. `tools`: policy tools by name. `barriers`: layer, title, geometry.
    """

    title: str
    facts: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]
    tools: Sequence[str]
    notes: Sequence[str]
    outline: shapely.Geometry
    parcels: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    mark: str = ""


def draw_unit_sheet(sheet: UnitSheet, path: Path) -> Path:
    """Draw one A4 page and return its path; the file appears by rename.

    Raises:
        UsageError: the ending is neither .pdf nor .png, or no font can show the text.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: a sheet is a PDF or a PNG. Give a name that ends in .pdf or .png.")
    legend, families = read_legend(), font_families()
    with mpl.rc_context(page_settings(families)):
        figure = Figure(figsize=A4, facecolor=legend.paper.ground)
        _heading(figure, sheet, legend)
        _map(figure.add_axes(_MAP_BOX), sheet, legend)
        _tables(figure, sheet, legend)
        save_figure(figure, path, families)
    return path


def _heading(figure: Figure, sheet: UnitSheet, legend: Legend) -> None:
    paper = legend.paper
    figure.text(0.07, 0.955, sheet.title, fontsize=18, color=paper.ink, va="center")
    facts = "　".join(f"{name} {value}" for name, value in sheet.facts.items())
    figure.text(0.07, 0.92, facts, fontsize=9, color=paper.quiet, va="center")
    if sheet.mark:
        box = {"boxstyle": "square,pad=0.3", "facecolor": "none", "edgecolor": paper.mark}
        figure.text(0.93, 0.955, sheet.mark, fontsize=10, color=paper.mark, va="center", ha="right", bbox=box)


def _map(axes: Axes, sheet: UnitSheet, legend: Legend) -> None:
    west, south, east, north = shapely.bounds(sheet.outline)
    height = max(north - south, (east - west) / _ASPECT) * (1 + 2 * _MARGIN)
    middle = ((west + east) / 2, (south + north) / 2)
    axes.set_xlim(middle[0] - height * _ASPECT / 2, middle[0] + height * _ASPECT / 2)
    axes.set_ylim(middle[1] - height / 2, middle[1] + height / 2)
    shown: list[tuple[str, Style]] = []
    kinds = sheet.parcels["kind"].astype(object).where(sheet.parcels["kind"].notna(), "none")
    for kind, style in legend.answers.items():
        chosen = sheet.parcels.geometry.to_numpy()[(kinds == kind).to_numpy()]
        if len(chosen):
            fill(axes, chosen, style, 2)
            shown.append((style.title, style))
    for (layer, title), rows in sheet.barriers.groupby(["layer", "title"], sort=True):
        style = legend.roads.get(str(title)) or legend.layers.get(str(layer), legend.layers["background"])
        _lines(axes, rows.geometry.to_numpy(), style.outline)
        shown.append((str(title), Style(title=str(title), fill="none", outline=style.outline, width=2.0)))
    unit = legend.layers["unit"]
    fill(axes, [sheet.outline], Style(title=unit.title, fill="none", outline=unit.outline, width=2.2), 5)
    shown.append((unit.title, unit))
    _furniture(axes, height * _ASPECT, legend)
    _key(axes, shown, legend)


def _lines(axes: Axes, shapes: Any, colour: str) -> None:
    areal = shapely.get_dimensions(shapes) == 2  # noqa: PLR2004 - a surface
    edges = np.where(areal, shapely.boundary(shapes), shapes)
    lines = [shapely.get_coordinates(part) for part in shapely.get_parts(shapely.get_parts(edges))]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=2.0, zorder=4), autolim=False)


def _furniture(axes: Axes, width: float, legend: Legend) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    length = bar_length(width)
    share = length / width
    paper = legend.paper
    axes.plot(
        [0.97 - share, 0.97], [0.04, 0.04], transform=axes.transAxes, color=paper.ink, linewidth=3, zorder=9
    )
    axes.text(
        0.97,
        0.055,
        f"{length:g} m",
        transform=axes.transAxes,
        ha="right",
        fontsize=8,
        color=paper.ink,
        zorder=9,
    )
    axes.annotate(
        "",
        (0.96, 0.97),
        (0.96, 0.88),
        xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": paper.ink},
        zorder=9,
    )
    axes.text(0.96, 0.84, "北", transform=axes.transAxes, ha="center", fontsize=10, color=paper.ink, zorder=9)


def _key(axes: Axes, shown: list[tuple[str, Style]], legend: Legend) -> None:
    handles = [
        mpl.patches.Patch(
            facecolor=style.fill,
            edgecolor=style.outline,
            linewidth=min(max(style.width, 0.6), 2.0),
            hatch=style.hatch or None,
            label=title,
        )
        for title, style in shown
    ]
    box = axes.legend(handles=handles, loc="lower left", fontsize=7.5, framealpha=0.92, ncols=2)
    box.set_zorder(10)
    for text in box.get_texts():
        text.set_color(legend.paper.ink)


def _tables(figure: Figure, sheet: UnitSheet, legend: Legend) -> None:
    paper = legend.paper
    places = [(0.07, 0.435), (0.52, 0.435), (0.07, 0.245), (0.52, 0.245)]
    for (left, top), (title, rows) in zip(places, sheet.tables.items(), strict=False):
        figure.text(left, top, title, fontsize=11, color=paper.ink, va="top")
        total = float(rows["area_m2"].sum())
        for number, (name, area) in enumerate(_shortened(rows)):
            y = top - 0.027 - 0.02 * number
            figure.text(left, y, name[:20], fontsize=9, color=paper.ink, va="top")
            share = area / total if total else 0.0
            text = f"{area / _M2_PER_HA:.2f} 公顷　{area / _MU_M2:,.1f} 亩　{share:.1%}"
            figure.text(left + 0.41, y, text, fontsize=9, color=paper.ink, va="top", ha="right")
    figure.text(0.07, 0.085, "政策工具：" + ("、".join(sheet.tools) or "无"), fontsize=9, color=paper.ink)
    for number, note in enumerate(sheet.notes):
        figure.text(0.07, 0.066 - 0.015 * number, note, fontsize=7.5, color=paper.quiet)


def _shortened(rows: pd.DataFrame) -> list[tuple[str, float]]:
    ordered = rows.sort_values(["area_m2", "name"], ascending=[False, True])
    listed = [
        (str(name), float(area)) for name, area in zip(ordered["name"], ordered["area_m2"], strict=True)
    ]
    if len(listed) <= _MOST_ROWS:
        return listed
    rest = sum(area for _, area in listed[_MOST_ROWS - 1 :])
    return [*listed[: _MOST_ROWS - 1], (f"其他 {len(listed) - _MOST_ROWS + 1} 类", rest)]
