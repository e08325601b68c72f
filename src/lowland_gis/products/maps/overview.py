"""Draw the overview map (全区一张图): verdicts, units and what binds them, with legend, scale and north, as a PNG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from lowland_gis.definitions.layer import Drawn, drawn_layers
from lowland_gis.definitions.legend import Legend, read_legend
from lowland_gis.errors import InputRefusedError
from lowland_gis.products.maps.drawing import fill, page_settings
from lowland_gis.products.maps.fonts import font_families, save_figure
from lowland_gis.products.maps.furniture import draw_furniture, legend_entries

MM_PER_INCH = 25.4
WIDTH_MM, HEIGHT_MM = 420.0, 297.0
MAP_BOX = (0.035, 0.07, 0.735, 0.845)
PANEL_BOX = (0.785, 0.07, 0.2, 0.845)
MARGIN = 0.03
MANY_UNITS = 60
_TOWN = "town"
# Where parcels and units lie among the layers, whose definitions say their own order.
_PARCELS_ORDER, _UNITS_ORDER = 5, 8
SHEET_MARK = "合成数据 示例"


@dataclass(frozen=True)
class _Page:
    """What every part of the sheet needs: where to draw, what there is, and in which colours."""

    axes: Axes
    frames: Mapping[str, gpd.GeoDataFrame]
    legend: Legend

    def frame(self, name: str) -> gpd.GeoDataFrame | None:
        """Return a frame that has rows, else None."""
        frame = self.frames.get(name)
        return None if frame is None or frame.empty else frame


def overview(
    frames: Mapping[str, gpd.GeoDataFrame],
    path: Path,
    *,
    title: str,
    note: str,
    data_date: str = "",
    mark: str = SHEET_MARK,
    kinds: Mapping[str, str] | None = None,
    legend: Legend | None = None,
) -> Path:
    """Draw an A3 overview and return its path; the same frames and texts give the same bytes.

    Frames, all in one metric system: `parcels` (answer, geometry; `area_m2` where it is to be counted instead of the
    plane) and, where there are any, `units` and each layer that says how it is drawn, by its key: with `grade` where its lines have
    classes (road), with `name` where its areas are named (town).

    `kinds` are the titles of the answers as the rule pack has them; without `legend` the shipped one is used. The digest of a
    project's own one stands in the file.

    Raises:
        InputRefusedError: there are no parcels, or the frames are not in one metric system.
        UsageError: no font can show the text.
    """
    _check(frames)
    legend = (legend or read_legend()).knowing(set(frames["parcels"]["answer"]), kinds)
    families = font_families()
    with mpl.rc_context(page_settings(families)):
        figure = Figure(
            figsize=(WIDTH_MM / MM_PER_INCH, HEIGHT_MM / MM_PER_INCH), facecolor=legend.paper.ground
        )
        page = _Page(figure.add_axes(MAP_BOX), frames, legend)
        _frame_map(page)
        _draw_map(page)
        panel = figure.add_axes(PANEL_BOX)
        draw_furniture(page.axes, panel, legend_entries(frames, legend), legend.paper)
        _draw_texts(figure, legend, title=title, note=note, data_date=data_date, mark=mark)
        save_figure(figure, path, families, legend=legend.digest)
    return path


def _check(frames: Mapping[str, gpd.GeoDataFrame]) -> None:
    parcels = frames.get("parcels")
    if parcels is None or parcels.empty:
        raise InputRefusedError(
            "overview: there are no parcels, so there is nothing to show. Run `lowland classify run` first."
        )
    code = None if parcels.crs is None else parcels.crs.to_epsg()
    systems = {name: frame.crs for name, frame in frames.items() if not frame.empty}
    wrong = [
        name for name, crs in systems.items() if crs is None or not crs.is_projected or crs.to_epsg() != code
    ]
    if wrong:
        raise InputRefusedError(
            f"overview: {', '.join(sorted(wrong))}: not in the metric system of the parcels, so the scale bar and the "
            "places would be wrong. Give every frame in the project's own system."
        )


def _frame_map(page: _Page) -> None:
    """Show the whole district, widened to the shape of the paper."""
    towns = page.frame(_TOWN)
    west, south, east, north = page.frames["parcels"].total_bounds if towns is None else towns.total_bounds
    aspect = (MAP_BOX[2] * WIDTH_MM) / (MAP_BOX[3] * HEIGHT_MM)
    height = max(north - south, (east - west) / aspect, 1.0) * (1 + 2 * MARGIN)
    width = height * aspect
    centre = ((west + east) / 2, (south + north) / 2)
    page.axes.set_xlim(centre[0] - width / 2, centre[0] + width / 2)
    page.axes.set_ylim(centre[1] - height / 2, centre[1] + height / 2)


def _draw_map(page: _Page) -> None:
    towns = page.frame(_TOWN)
    if towns is not None:
        fill(page.axes, [shapely.union_all(towns.geometry.values)], page.legend.layers["background"], 1)
    for key, drawn in sorted(drawn_layers().items(), key=lambda item: item[1].order):
        frame = page.frame(key)
        if frame is not None:
            _draw_layer(page, key, drawn, frame)
    _draw_parcels(page)
    units = page.frame("units")
    if units is not None:
        fill(page.axes, units.geometry.values, page.legend.layers["unit"], _UNITS_ORDER)
        _number_units(page, units)


def _draw_layer(page: _Page, key: str, drawn: Drawn, frame: gpd.GeoDataFrame) -> None:
    if drawn.way == "classes":
        _draw_classes(page, frame, drawn.order)
        return
    fill(page.axes, frame.geometry.values, page.legend.layers[key], drawn.order)
    if drawn.way == "names":
        _name_areas(page, frame)


def _draw_classes(page: _Page, lines: gpd.GeoDataFrame, order: int) -> None:
    for grade, style in page.legend.roads.items():
        parts = shapely.get_parts(lines.geometry.values[(lines["grade"] == grade).to_numpy()])
        coordinates = [shapely.get_coordinates(part) for part in parts]
        page.axes.add_collection(
            LineCollection(
                coordinates,
                colors=style.outline,
                linewidths=style.width,
                zorder=order,
                capstyle="round",
            ),
            autolim=False,
        )


def _draw_parcels(page: _Page) -> None:
    parcels = page.frames["parcels"]
    for answer in sorted(set(parcels["answer"])):
        shown = parcels.geometry.values[(parcels["answer"] == answer).to_numpy()]
        fill(page.axes, shown, page.legend.answers[answer], _PARCELS_ORDER)


def _name_areas(page: _Page, areas: gpd.GeoDataFrame) -> None:
    ink, ground = page.legend.paper.ink, page.legend.paper.ground
    for name, place in zip(areas["name"], shapely.point_on_surface(areas.geometry.values), strict=True):
        halo = [withStroke(linewidth=3.5, foreground=ground)]
        page.axes.text(
            place.x,
            place.y,
            name,
            fontsize=15,
            color=ink,
            ha="center",
            va="center",
            zorder=10,
            path_effects=halo,
        )


def _number_units(page: _Page, units: gpd.GeoDataFrame) -> None:
    """Number the units in the order of their ids, as the tables list them."""
    ordered = units.sort_values("unit_id", kind="stable") if "unit_id" in units.columns else units
    style, ground = page.legend.layers["unit"], page.legend.paper.ground
    size = 7.5 if len(units) <= MANY_UNITS else 5.5
    for number, place in enumerate(shapely.point_on_surface(ordered.geometry.values), start=1):
        if place.is_empty:
            continue
        halo = [withStroke(linewidth=2.2, foreground=ground)]
        page.axes.text(
            place.x,
            place.y,
            str(number),
            fontsize=size,
            color=style.outline,
            ha="center",
            va="center",
            zorder=9,
            path_effects=halo,
        )


def _draw_texts(figure: Figure, legend: Legend, *, title: str, note: str, data_date: str, mark: str) -> None:
    paper = legend.paper
    figure.text(MAP_BOX[0], 0.947, title, fontsize=26, color=paper.ink, va="center", ha="left")
    figure.text(MAP_BOX[0], 0.02, note, fontsize=9, color=paper.quiet, va="center", ha="left", wrap=True)
    right = PANEL_BOX[0] + PANEL_BOX[2]
    if data_date:
        figure.text(
            right, 0.02, f"数据时点：{data_date}", fontsize=9, color=paper.quiet, va="center", ha="right"
        )
    if mark:
        box = {"boxstyle": "square,pad=0.35", "facecolor": "none", "edgecolor": paper.mark, "linewidth": 1.4}
        figure.text(right, 0.947, mark, fontsize=15, color=paper.mark, va="center", ha="right", bbox=box)
