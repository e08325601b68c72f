"""Draw the one-page planning sheet (单元规划一页图) of a unit: its map, and what stands on it in numbers, as PDF or PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import pandas as pd
import shapely
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lowland_gis.definitions.legend import Legend, read_legend
from lowland_gis.errors import UsageError
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import font_families, save_figure
from lowland_gis.products.maps.sheet_map import A4, MapView, draw_map

_MAP_BOX = (0.07, 0.515, 0.86, 0.385)
_M2_PER_HA = 10_000.0
_MU_M2 = 2000 / 3
_MOST_ROWS = 6
_FORMATS = (".pdf", ".png")
# Of the page: where the two columns begin, how wide they are, and the heights of a heading, a row, a gap and the notes.
_COLUMNS, _WIDTH = (0.07, 0.52), 0.41
_HEAD, _ROW, _GAP, _FOOT = 0.026, 0.019, 0.018, 0.112


@dataclass(frozen=True)
class UnitSheet:
    """What a sheet shows; frames are in the project's plane.

    `parcels`: those of the unit and around it, with answer (missing: no verdict) and geometry; `kinds`: answer → title. `tables`: title → rows
    of name and area_m2, already grouped. `members`: parcel_id, kind (title) and area_m2 of the unit's parcels. `facts`: name → text. `tools`: policy tools by name, None where the rule pack has none. `barriers`: layer, title, geometry. `plan`: the planning unit
    (规划单元) that it lies in.
    """

    title: str
    facts: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]
    tools: Sequence[str] | None
    notes: Sequence[str]
    outline: shapely.Geometry
    parcels: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    members: pd.DataFrame
    _: KW_ONLY
    plan: str = ""
    mark: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    legend: Legend = field(default_factory=read_legend)


def draw_unit_sheet(sheet: UnitSheet, path: Path) -> Path:
    """Draw one A4 page and return its path; the file appears by rename.

    Raises:
        UsageError: the ending is neither .pdf nor .png, or no font can show the text.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: a sheet is a PDF or a PNG. Give a name that ends in .pdf or .png.")
    families = font_families()
    with mpl.rc_context(page_settings(families)):
        save_figure(unit_page(sheet), path, families, legend=sheet.legend.digest)
    return path


def unit_page(sheet: UnitSheet) -> Figure:
    """Return the page as a figure, to be saved under `drawing.page_settings`."""
    legend = sheet.legend
    figure = Figure(figsize=A4, facecolor=legend.paper.ground)
    _heading(figure, sheet, legend)
    view = MapView(sheet.outline, sheet.parcels, sheet.barriers, sheet.kinds)
    draw_map(figure.add_axes(_MAP_BOX), view, legend, (_MAP_BOX[2] * A4[0], _MAP_BOX[3] * A4[1]), "A4")
    _tables(figure, sheet, legend)
    return figure


def _heading(figure: Figure, sheet: UnitSheet, legend: Legend) -> None:
    paper = legend.paper
    figure.text(0.07, 0.955, sheet.title, fontsize=18, color=paper.ink, va="center")
    facts = "　".join(f"{name} {value}" for name, value in sheet.facts.items())
    figure.text(0.07, 0.92, facts, fontsize=9, color=paper.quiet, va="center")
    if sheet.mark:
        box = {"boxstyle": "square,pad=0.3", "facecolor": "none", "edgecolor": paper.mark}
        figure.text(0.93, 0.955, sheet.mark, fontsize=10, color=paper.mark, va="center", ha="right", bbox=box)


def _tables(figure: Figure, sheet: UnitSheet, legend: Legend) -> None:
    """Set the tables two by two below the map, then the list of parcels on what is left, then the notes."""
    paper, top = legend.paper, 0.44
    tables = [(title, _shortened(rows)) for title, rows in sheet.tables.items()]
    for pair in (tables[:2], tables[2:]):
        for left, (title, rows) in zip(_COLUMNS, pair, strict=False):
            _title(figure, left, top, title, legend)
            total = sum(area for _, area in rows)
            for number, (name, area) in enumerate(rows):
                share = area / total if total else 0.0
                text = f"{area / _M2_PER_HA:.2f} 公顷　{area / _MU_M2:,.1f} 亩　{share:.1%}"
                _row(figure, (left, top - _HEAD - _ROW * number), name[:20], text, legend)
        top -= _HEAD + _ROW * max((len(rows) for _, rows in pair), default=0) + _GAP
    _parcel_list(figure, sheet.members, top, legend)
    if sheet.tools is not None:
        tools = "政策工具：" + ("、".join(sheet.tools) or "无")
        figure.text(_COLUMNS[0], 0.085, tools, fontsize=9, color=paper.ink)
    for number, note in enumerate(sheet.notes):
        figure.text(_COLUMNS[0], 0.066 - 0.015 * number, note, fontsize=7.5, color=paper.quiet)


def _parcel_list(figure: Figure, members: pd.DataFrame, top: float, legend: Legend) -> None:
    """List the parcels of the unit in two columns, the largest first, as many as there is room for."""
    room = int((top - _HEAD - _FOOT) / _ROW)
    if room < 1:
        return
    _title(figure, _COLUMNS[0], top, f"宗地（{len(members)} 宗）", legend, width=0.86)
    ordered = members.sort_values(["area_m2", "parcel_id"], ascending=[False, True])
    rows = [
        (f"{code}　{kind}", f"{area / _M2_PER_HA:.2f} 公顷")
        for code, kind, area in ordered[["parcel_id", "kind", "area_m2"]].itertuples(index=False)
    ]
    if len(rows) > 2 * room:
        left_out = ordered["area_m2"].iloc[2 * room - 1 :]
        rows = [
            *rows[: 2 * room - 1],
            (f"其余 {len(left_out)} 宗", f"{left_out.sum() / _M2_PER_HA:.2f} 公顷"),
        ]
    height = -(-len(rows) // 2)
    for number, (name, text) in enumerate(rows):
        place = _COLUMNS[number // height], top - _HEAD - _ROW * (number % height)
        _row(figure, place, name, text, legend)


def _title(figure: Figure, left: float, top: float, text: str, legend: Legend, width: float = _WIDTH) -> None:
    figure.text(left, top, text, fontsize=11, color=legend.paper.ink, va="top")
    line = Line2D([left, left + width], [top - 0.019] * 2, color=legend.paper.quiet, linewidth=0.6)
    figure.add_artist(line)


def _row(figure: Figure, place: tuple[float, float], name: str, text: str, legend: Legend) -> None:
    ink = legend.paper.ink
    figure.text(*place, name, fontsize=9, color=ink, va="top")
    figure.text(place[0] + _WIDTH, place[1], text, fontsize=9, color=ink, va="top", ha="right")


def _shortened(rows: pd.DataFrame) -> list[tuple[str, float]]:
    ordered = rows.sort_values(["area_m2", "name"], ascending=[False, True])
    listed = [
        (str(name), float(area)) for name, area in zip(ordered["name"], ordered["area_m2"], strict=True)
    ]
    if len(listed) <= _MOST_ROWS:
        return listed
    rest = sum(area for _, area in listed[_MOST_ROWS - 1 :])
    return [*listed[: _MOST_ROWS - 1], (f"其他 {len(listed) - _MOST_ROWS + 1} 类", rest)]
