"""The map of a sheet: one parcel, unit or town in its surroundings, with scale, north and legend that cover nothing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from lowland_gis.definitions.legend import UNJUDGED, Legend, Style
from lowland_gis.products.maps.drawing import fill
from lowland_gis.products.maps.furniture import bar_length

A4 = (8.27, 11.69)
A3 = (11.69, 16.54)
PAPERS = {"a4": A4, "a3": A3}
# The legend stands below the map in so many columns: on the map it would hide a corner of the unit.
_KEY_COLUMNS = 4
# Of the height of what is shown, above, below and (of the width) beside it; scale bar and north arrow stand in it.
_MARGIN = 0.18
_M_PER_INCH = 0.0254
_SURFACE = 2
_POINTS, _LARGEST, _SMALLEST = 72.0, 8.5, 2.5
# Rows of the legend, in shares of the map's height.
_BELOW = -0.01


@dataclass(frozen=True)
class MapView:
    """What a map shows; shapes are in the project's plane.

    `parcels`: those inside and around, with answer (missing: no verdict) and geometry; `kinds`: answer → title. `barriers`: layer, title,
    geometry. `numbers`: what stands on which place, and how wide that is [m]. `corners`: boundary points that are marked; `outline` is drawn as `drawn_as` of the legend.
    """

    outline: shapely.Geometry
    parcels: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    kinds: Mapping[str, str] = field(default_factory=dict)
    numbers: Sequence[tuple[str, float, float, float]] = ()
    corners: Sequence[tuple[str, float, float]] = ()
    drawn_as: str = "unit"
    named: str = ""


def draw_map(axes: Axes, view: MapView, legend: Legend, size: tuple[float, float], paper: str) -> None:
    """Draw the map of a sheet into axes of a size in inches on a paper (A4), and its legend below them."""
    aspect = size[0] / size[1]
    west, south, east, north = shapely.bounds(view.outline)
    height = max(north - south, (east - west) / aspect) * (1 + 2 * _MARGIN)
    middle = ((west + east) / 2, (south + north) / 2)
    axes.set_xlim(middle[0] - height * aspect / 2, middle[0] + height * aspect / 2)
    axes.set_ylim(middle[1] - height / 2, middle[1] + height / 2)
    seen = shapely.box(axes.get_xlim()[0], axes.get_ylim()[0], axes.get_xlim()[1], axes.get_ylim()[1])
    # What lies outside of the map is not explained below it.
    view = replace(view, parcels=_within(view.parcels, seen), barriers=_within(view.barriers, seen))
    shown: list[tuple[str, Style]] = []
    answers = view.parcels["answer"].astype(object).where(view.parcels["answer"].notna(), UNJUDGED)
    for answer, style in legend.knowing(set(answers), view.kinds).answers.items():
        chosen = view.parcels.geometry.to_numpy()[(answers == answer).to_numpy()]
        if len(chosen):
            fill(axes, chosen, style, 2)
            shown.append((style.title, style))
    for (layer, title), rows in view.barriers.groupby(["layer", "title"], sort=True):
        style = legend.roads.get(str(title)) or legend.layers.get(str(layer), legend.layers["background"])
        _lines(axes, rows.geometry.to_numpy(), style.outline)
        shown.append((str(title), Style(title=str(title), fill="none", outline=style.outline, width=2.0)))
    unit = legend.layers[view.drawn_as]
    title = view.named or unit.title
    outline = Style(title=title, fill="none", outline=unit.outline, width=2.2)
    fill(axes, [view.outline], outline, 5)
    shown.append((title, unit if not view.named else outline))
    _labels(axes, view, size[0], legend)
    _furniture(axes, height * aspect, size[0], paper, legend)
    _key(axes, shown, legend)


def _within(rows: gpd.GeoDataFrame, box: shapely.Geometry) -> gpd.GeoDataFrame:
    return rows[shapely.intersects(rows.geometry.to_numpy(), box)]


def _lines(axes: Axes, shapes: Any, colour: str) -> None:
    areal = shapely.get_dimensions(shapes) == _SURFACE
    edges = np.where(areal, shapely.boundary(shapes), shapes)
    lines = [shapely.get_coordinates(part) for part in shapely.get_parts(shapely.get_parts(edges))]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=2.0, zorder=4), autolim=False)


def _labels(axes: Axes, view: MapView, inches: float, legend: Legend) -> None:
    """Put numbers on parcels, and marks with their names on boundary points."""
    left, right = axes.get_xlim()
    points_per_m = inches * _POINTS / (right - left)
    for text, x, y, width in view.numbers:
        # A number that is wider than its parcel would be read as that of another one.
        size = min(_LARGEST, max(_SMALLEST, width * points_per_m / (0.7 * len(text))))
        axes.text(
            x,
            y,
            text,
            fontsize=size,
            color=legend.paper.ink,
            ha="center",
            va="center",
            zorder=7,
            clip_on=True,
        )
    if view.corners:
        places = np.array([(x, y) for _, x, y in view.corners])
        axes.plot(places[:, 0], places[:, 1], ".", color=legend.paper.mark, markersize=3.5, zorder=6)
        middle = places.mean(axis=0)
        for text, x, y in view.corners:
            away = np.sign(np.array([x, y]) - middle)
            axes.annotate(
                text, (x, y), xytext=tuple(away * 5), textcoords="offset points", fontsize=6, ha="center", va="center",
                color=legend.paper.mark, zorder=7,
            )  # fmt: skip


def _furniture(axes: Axes, width: float, inches: float, paper_name: str, legend: Legend) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    length = bar_length(width)
    share = length / width
    paper = legend.paper
    # On ground of its own: lines of the map may run below it.
    axes.add_patch(
        mpl.patches.Rectangle(
            (0.755, 0.01), 0.235, 0.09, transform=axes.transAxes, facecolor=paper.ground, alpha=0.9, zorder=8
        )
    )
    axes.plot(
        [0.97 - share, 0.97], [0.04, 0.04], transform=axes.transAxes, color=paper.ink, linewidth=3, zorder=9
    )
    axes.text(
        0.97,
        0.055,
        f"1:{round(width / (inches * _M_PER_INCH), -2):,.0f}（{paper_name}）　{length:g} m",
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
        Line2D([], [], color=style.outline, linewidth=2.0, label=title)
        if style.fill == "none"
        else mpl.patches.Patch(
            facecolor=style.fill,
            edgecolor=style.outline,
            linewidth=0.6,
            hatch=style.hatch or None,
            label=title,
        )
        for title, style in shown
    ]
    box = axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, _BELOW, 1.0, 0.0),
        mode="expand",
        fontsize=7.5,
        frameon=False,
        borderaxespad=0.0,
        ncols=_KEY_COLUMNS,
    )
    for text in box.get_texts():
        text.set_color(legend.paper.ink)
