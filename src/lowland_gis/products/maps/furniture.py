"""Draw what surrounds a map: legend with counts and areas, scale bar, north arrow and coordinates at the frame."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import geopandas as gpd
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from lowland_gis.definitions.layer import Drawn, drawn_layers
from lowland_gis.definitions.legend import Legend, Paper, Style

M2_PER_HA = 10_000.0
# Units stand below the heading of what binds them.
_CONTROLS = "单元与管控"
M_PER_KM = 1000.0
M_PER_INCH = 0.0254
BAR_SHARE = 0.2
ROW_HEIGHT = 0.036
BAR_HEIGHT = 0.035


@dataclass(frozen=True)
class Entry:
    """One row of the legend; `figures` are count and area, `line` draws a stroke in place of a box."""

    title: str
    style: Style | None = None
    figures: tuple[str, str] = ("", "")
    line: bool = False


def legend_entries(frames: Mapping[str, gpd.GeoDataFrame], legend: Legend) -> tuple[Entry, ...]:
    """Return the legend of what the frames hold, in the order of the palette."""
    parcels = frames["parcels"]
    present = set(parcels["answer"])
    entries = [Entry("宗地（宗数，公顷）")]
    entries += [
        Entry(style.title, style, _figures(parcels[parcels["answer"] == answer]))
        for answer, style in legend.answers.items()
        if answer in present
    ]
    shown = {name for name, frame in frames.items() if not frame.empty}
    drawn = drawn_layers()
    for heading in dict.fromkeys(
        [_CONTROLS, *(legend_heading(drawn, key) for key in (*legend.layers, *drawn))]
    ):
        if heading is not None:
            entries += [Entry(heading), *_layer_entries(frames, legend, heading, shown)]
    return tuple(entries)


def legend_heading(drawn: Mapping[str, Drawn], key: str) -> str | None:
    """Return under which heading a layer of the palette stands; None where no map draws it as a layer."""
    return drawn[key].heading if key in drawn else None


def _layer_entries(
    frames: Mapping[str, gpd.GeoDataFrame], legend: Legend, heading: str, shown: Collection[str]
) -> Iterator[Entry]:
    """Yield the rows below a heading: layers in the order of the palette, then lines by their classes."""
    drawn = drawn_layers()
    if heading == _CONTROLS and "units" in shown:
        style = legend.layers["unit"]
        yield Entry(style.title, style, _figures(frames["units"]))
    for key, style in legend.layers.items():
        if legend_heading(drawn, key) == heading and key in shown:
            yield Entry(style.title, style, line=drawn[key].way == "names")
    for key, way in drawn.items():
        if way.way == "classes" and way.heading == heading and key in frames:
            grades = set(frames[key]["grade"])
            yield from (
                Entry(style.title, style, line=True)
                for grade, style in legend.roads.items()
                if grade in grades
            )


def draw_furniture(axes: Axes, panel: Axes, entries: Sequence[Entry], paper: Paper) -> None:
    """Draw legend, scale bar, north arrow and coordinates."""
    _coordinates(axes, paper)
    _legend(panel, entries, paper)
    _scale_bar(axes, panel, paper)
    _north_arrow(panel, paper)


def bar_length(width_m: float) -> float:
    """Return a round length in m (1, 2 or 5 times a power of ten) near a fifth of the map's width.

    >>> bar_length(38_000)
    5000.0
    """
    wanted = width_m * BAR_SHARE
    power = 10.0 ** floor(log10(wanted))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= wanted)


def _figures(rows: gpd.GeoDataFrame) -> tuple[str, str]:
    areas = rows["area_m2"] if "area_m2" in rows.columns else rows.geometry.area
    return f"{len(rows):,}", f"{areas.sum() / M2_PER_HA:,.1f}"


def _coordinates(axes: Axes, paper: Paper) -> None:
    """Put kilometres of the plane at the frame."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(mpl.ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(lambda value, _: f"{value / M_PER_KM:g}")
    axes.tick_params(labelsize=7, colors=paper.quiet, length=3, direction="in")
    axes.tick_params(axis="y", labelrotation=90)
    for spine in axes.spines.values():
        spine.set_color(paper.ink)
        spine.set_linewidth(1.2)
    axes.set_facecolor(paper.ground)


def _scale_bar(axes: Axes, panel: Axes, paper: Paper) -> None:
    """Draw the bar below the legend, where it hides nothing; its length is right on the map beside it."""
    west, east = axes.get_xlim()
    map_width, panel_width = axes.get_position().width, panel.get_position().width
    length = bar_length(east - west)
    share = length / (east - west) * map_width / panel_width
    for part in range(4):
        colour = paper.ink if part % 2 == 0 else paper.ground
        place = (part * share / 4, BAR_HEIGHT)
        panel.add_patch(
            Rectangle(place, share / 4, 0.008, facecolor=colour, edgecolor=paper.ink, linewidth=0.8)
        )
    labels = {0.0: ("0", "left"), share / 2: (f"{length / 2 / M_PER_KM:g}", "center")}
    labels[share] = (f"{length / M_PER_KM:g} km", "center")
    for x, (label, side) in labels.items():
        panel.text(x, BAR_HEIGHT + 0.013, label, fontsize=9, color=paper.ink, ha=side)
    figure = axes.get_figure(root=True)
    paper_m = map_width * figure.get_figwidth() * M_PER_INCH if figure else 1.0
    scale = f"1:{round((east - west) / paper_m, -2):,.0f}（A3）"
    panel.text(0, BAR_HEIGHT - 0.022, scale, fontsize=9, color=paper.quiet)


def _north_arrow(panel: Axes, paper: Paper) -> None:
    """Point to grid north, which is up on this map."""
    x, y, half, height = 0.93, BAR_HEIGHT - 0.015, 0.04, 0.06
    for side, colour in ((-half, paper.ink), (half, paper.ground)):
        corners = [(x, y + height), (x + side, y), (x, y + 0.014)]
        panel.add_patch(Polygon(corners, facecolor=colour, edgecolor=paper.ink))
    panel.text(x, y + height + 0.006, "北", fontsize=13, color=paper.ink, ha="center")


def _legend(panel: Axes, entries: Sequence[Entry], paper: Paper) -> None:
    panel.set_axis_off()
    panel.set_xlim(0, 1)
    panel.set_ylim(0, 1)
    panel.text(0, 0.985, "图　例", fontsize=18, color=paper.ink, va="center")
    y = 0.985 - 1.4 * ROW_HEIGHT
    for entry in entries:
        if entry.style is None:
            y -= 0.35 * ROW_HEIGHT
            panel.text(0, y, entry.title, fontsize=11, color=paper.quiet, va="center")
        else:
            _legend_row(panel, y, entry, entry.style, paper)
        y -= ROW_HEIGHT


def _legend_row(panel: Axes, y: float, entry: Entry, style: Style, paper: Paper) -> None:
    half = 0.3 * ROW_HEIGHT
    dash: Any = (0, style.dash) if style.dash else "solid"
    if entry.line:
        panel.add_line(Line2D([0, 0.13], [y, y], color=style.outline, linewidth=style.width, linestyle=dash))
    else:
        panel.add_patch(
            Rectangle(
                (0, y - half),
                0.13,
                2 * half,
                facecolor=style.fill,
                edgecolor=style.outline,
                linewidth=max(style.width, 0.6),
                hatch=style.hatch or None,
            )
        )
    panel.text(0.17, y, entry.title, fontsize=12, color=paper.ink, va="center")
    for x, figure in zip((0.76, 1.0), entry.figures, strict=True):
        panel.text(x, y, figure, fontsize=11, color=paper.ink, va="center", ha="right")
