"""Draw key areas (重点区域), or planning units with the units in them, with the figures of their table beside the map: PDF or PNG."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from lowland_gis.definitions.legend import Legend, Style, read_legend
from lowland_gis.errors import UsageError
from lowland_gis.products.maps.drawing import fill, page_settings
from lowland_gis.products.maps.fonts import font_families, save_figure
from lowland_gis.products.maps.furniture import bar_length

A3 = (16.54, 11.69)
_MAP_BOX = (0.03, 0.06, 0.57, 0.83)
_PANEL_BOX = (0.62, 0.06, 0.36, 0.83)
_FORMATS = (".pdf", ".png")
# Rows of the table that fit on the page; the rest is summed in a last one.
MOST_ROWS = 26
_MARGIN = 0.03
# Signs of a line of reasons, half of them Chinese, and where the legend begins, as a share of the panel.
_LINE_SIGNS, _LEGEND_TOP = 78, 0.1
_KEY_LINE, _AREA_LINE, _DASH = "#B3261E", "#2F5D8A", (5.0, 2.0)
_LOW, _OTHER = "#C96F4A", "#E4E1DA"


@dataclass(frozen=True)
class AreaMap:
    """What the page shows; frames in the project's plane.

    `areas`: area_id with rank, key, low_ha, low_share, n_units and score (key areas), or plan_id with low_ha, low_share, n_units and
    units_ha (planning units); `units`: outlines of implementation units; `parcels`: low_m2 and geometry.
    """

    title: str
    areas: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    notes: tuple[str, ...] = ()
    mark: str = ""
    legend: Legend = field(default_factory=read_legend)


def draw_area_map(page: AreaMap, path: Path) -> Path:
    """Draw one A3 page and return its path; the same frames give the same bytes.

    Raises:
        UsageError: the ending is neither .pdf nor .png, or no font can show the text.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: a map is a PDF or a PNG. Give a name that ends in .pdf or .png.")
    families = font_families()
    with mpl.rc_context(page_settings(families)):
        save_figure(area_page(page), path, families, legend=page.legend.digest)
    return path


def area_page(page: AreaMap) -> Figure:
    """Return the page as a figure, to be saved under `drawing.page_settings`."""
    paper = page.legend.paper
    figure = Figure(figsize=A3, facecolor=paper.ground)
    figure.text(0.03, 0.945, page.title, fontsize=24, color=paper.ink, va="center")
    if page.mark:
        box = {"boxstyle": "square,pad=0.35", "facecolor": "none", "edgecolor": paper.mark}
        figure.text(0.98, 0.945, page.mark, fontsize=13, color=paper.mark, va="center", ha="right", bbox=box)
    _map(figure.add_axes(_MAP_BOX), page)
    _panel(figure.add_axes(_PANEL_BOX), page)
    figure.text(0.03, 0.025, "；".join(page.notes), fontsize=9, color=paper.quiet, va="center")
    return figure


def table_rows(page: AreaMap) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows beside the map, as they are printed: those of the table, and a last one with the sums."""
    areas = pd.DataFrame(page.areas.drop(columns="geometry"))
    if "rank" in areas.columns:
        heads = ["序", "编号", "低效（公顷）", "占比", "单元", "得分"]
        rows = [
            [
                str(row["rank"]),
                str(row["area_id"]),
                f"{row['low_ha']:,.2f}",
                f"{row['low_share']:.1%}",
                f"{row['n_units']:,}",
                f"{row['score']:.3f}",
            ]
            for row in areas[areas["key"]].to_dict("records")
        ]
        shown = areas[areas["key"]]
        last = [
            [
                "",
                "重点区域合计",
                f"{shown['low_ha'].sum():,.2f}",
                _share(shown["low_ha"].sum(), areas["low_ha"].sum()),
                f"{shown['n_units'].sum():,}",
                "",
            ]
        ]
    else:
        heads = ["序", "规划单元", "低效（公顷）", "占比", "单元", "单元内（公顷）"]
        order = areas.sort_values(["low_ha", "plan_id"], ascending=[False, True], kind="stable")
        rows = [
            [
                str(at),
                str(row["plan_id"]),
                f"{row['low_ha']:,.2f}",
                f"{row['low_share']:.1%}",
                f"{row['n_units']:,}",
                f"{row['low_in_units_ha']:,.2f}",
            ]
            for at, row in enumerate(order.to_dict("records"), start=1)
        ]
        last = [
            [
                "",
                "合计",
                f"{areas['low_ha'].sum():,.2f}",
                "",
                f"{areas['n_units'].sum():,}",
                f"{areas['low_in_units_ha'].sum():,.2f}",
            ]
        ]
    left = len(rows) - MOST_ROWS
    more = [["", f"…另 {left} 个", "", "", "", ""]] if left > 0 else []
    return heads, [*rows[:MOST_ROWS], *more, *last]


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _map(axes: Axes, page: AreaMap) -> None:
    west, south, east, north = page.areas.total_bounds
    aspect = _MAP_BOX[2] * A3[0] / (_MAP_BOX[3] * A3[1])
    height = max(north - south, (east - west) / aspect) * (1 + 2 * _MARGIN)
    axes.set_xlim((west + east - height * aspect) / 2, (west + east + height * aspect) / 2)
    axes.set_ylim((south + north - height) / 2, (south + north + height) / 2)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(page.legend.paper.ground)
    low = (page.parcels["low_m2"] > 0).to_numpy()
    shapes = page.parcels.geometry.to_numpy()
    fill(axes, shapes[~low], Style(title="", fill=_OTHER, outline=_OTHER, width=0.1), 2)
    fill(axes, shapes[low], Style(title="", fill=_LOW, outline=_LOW, width=0.1), 3)
    _areas(axes, page)
    unit = page.legend.layers["unit"]
    if len(page.units):
        fill(
            axes,
            page.units.geometry.to_numpy(),
            Style(title="", fill="none", outline=unit.outline, width=0.9),
            5,
        )
    _bar(axes, height * aspect, page.legend)


def _areas(axes: Axes, page: AreaMap) -> None:
    shapes = page.areas.geometry.to_numpy()
    # Every border once: drawn by both of its areas, the dashes of one would fill the gaps of the other.
    borders = shapely.get_parts(shapely.line_merge(shapely.union_all(shapely.boundary(shapes))))
    lines = [shapely.get_coordinates(part) for part in borders]
    axes.add_collection(
        LineCollection(lines, colors=_AREA_LINE, linewidths=1.4, linestyles=[(0, _DASH)], zorder=6),
        autolim=False,
    )
    if "rank" in page.areas.columns:
        key = page.areas["key"].to_numpy(dtype=bool)
        if key.any():
            fill(axes, shapes[key], Style(title="", fill="none", outline=_KEY_LINE, width=2.4), 7)
        labels = [
            (str(rank), shape) for rank, shape in zip(page.areas["rank"][key], shapes[key], strict=True)
        ]
    else:
        order = page.areas.sort_values(["low_ha", "plan_id"], ascending=[False, True], kind="stable")
        labels = [(str(at), shape) for at, shape in enumerate(order.geometry.to_numpy(), start=1)]
    for text, shape in labels:
        place = shapely.point_on_surface(shape)
        halo = [withStroke(linewidth=3.0, foreground=page.legend.paper.ground)]
        axes.text(
            place.x,
            place.y,
            text,
            fontsize=13,
            color=page.legend.paper.ink,
            ha="center",
            va="center",
            zorder=9,
            path_effects=halo,
        )


def _bar(axes: Axes, width: float, legend: Legend) -> None:
    length = bar_length(width)
    paper = legend.paper
    x, y = 0.03, 0.03
    share = length / width
    axes.add_patch(Rectangle((x, y), share, 0.007, transform=axes.transAxes, facecolor=paper.ink, zorder=10))
    axes.text(
        x, y + 0.013, f"{length:,.0f} m", transform=axes.transAxes, fontsize=9, color=paper.ink, zorder=10
    )
    axes.annotate("北", (0.965, 0.965), (0.965, 0.895), xycoords="axes fraction", ha="center", fontsize=12, color=paper.ink,
                  arrowprops={"arrowstyle": "-|>", "color": paper.ink}, zorder=10)  # fmt: skip


def _panel(axes: Axes, page: AreaMap) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    paper = page.legend.paper
    heads, rows = table_rows(page)
    places, sides = (0.0, 0.09, 0.56, 0.70, 0.82, 1.0), ("left", "left", "right", "right", "right", "right")
    y, step = 0.985, 0.029
    for x, side, head in zip(places, sides, heads, strict=True):
        axes.text(x, y, head, fontsize=10, color=paper.quiet, ha=side, va="center")
    for row in rows:
        y -= step
        axes.plot([0, 1], [y + step / 2] * 2, color=_OTHER, linewidth=0.6)
        for x, side, text in zip(places, sides, row, strict=True):
            axes.text(x, y, text, fontsize=10, color=paper.ink, ha=side, va="center")
    _reasons(axes, page, y - 1.6 * step)
    _key(axes, page)


def reasons(page: AreaMap) -> list[str]:
    """Return why the key areas have their ranks, one a text; nothing for planning units, which have none."""
    if "rank" not in page.areas.columns:
        return []
    shown = page.areas[page.areas["key"]]
    return [f"{rank}　{reason}" for rank, reason in zip(shown["rank"], shown["reason"], strict=True)]


def _broken(text: str) -> list[str]:
    """Return a reason in lines that end after a criterion."""
    lines = [""]
    for part in text.replace("；", "；\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > _LINE_SIGNS:
            lines.append("")
        lines[-1] += part
    return lines


def _reasons(axes: Axes, page: AreaMap, top: float) -> None:
    """Write under the table why areas are ranked so, as many as there is room for: each mark times its weight."""
    y, line = top, 0.0175
    for text in reasons(page):
        lines = _broken(text)
        if y - line * len(lines) < _LEGEND_TOP:
            break
        for part in lines:
            axes.text(0, y, part, fontsize=7.5, color=page.legend.paper.quiet, va="center")
            y -= line
        y -= line / 2


def _key(axes: Axes, page: AreaMap) -> None:
    """Draw the legend at the foot of the panel."""
    unit = page.legend.layers["unit"]
    entries = [
        ("低效用地", _LOW, _LOW, 0.5, ()), ("其他宗地", _OTHER, _OTHER, 0.5, ()),
        ("实施单元", "none", unit.outline, 0.9, ()),
        ("规划单元（街区）界" if "rank" in page.areas.columns else "规划单元界", "none", _AREA_LINE, 1.4, _DASH),
    ]  # fmt: skip
    if "rank" in page.areas.columns:
        entries.append(("重点区域（数字为序号）", "none", _KEY_LINE, 2.4, ()))
    for at, (title, face, line, width, dash) in enumerate(entries):
        x, y = 0.5 * (at % 2), 0.075 - 0.03 * (at // 2)
        axes.add_patch(
            Rectangle(
                (x, y - 0.009),
                0.06,
                0.018,
                facecolor=face,
                edgecolor=line,
                linewidth=width,
                linestyle=(0, dash) if dash else "solid",
            )
        )
        axes.text(x + 0.075, y, title, fontsize=10, color=page.legend.paper.ink, va="center")
