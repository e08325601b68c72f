"""Charts of a report: bars of what its tables say, in the colours of the maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lowland_gis.definitions.legend import Legend
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import drawn, font_families
from lowland_gis.products.reports.figures import Area, Figures, hectares

WIDTH_INCH = 6.3
_ROW, _LEAST = 0.34, 1.5


def draw_charts(figures: Figures, legend: Legend, colours: Mapping[str, str]) -> dict[str, bytes]:
    """Return the charts of a report as PNG by name; a chart of nothing is not drawn.

    `colours` are those of the kinds by title.

    Raises:
        UsageError: no font can show the text.
    """
    families = font_families()
    made: dict[str, bytes] = {}
    with mpl.rc_context(page_settings(families)):
        for name, figure in (
            ("kinds", _kinds(figures, legend, colours)),
            ("towns", _towns(figures, legend, colours)),
            ("plan", _plan(figures, legend)),
        ):
            if figure is not None:
                made[name] = drawn(figure, families, f"{name}.png")
    return made


def _kinds(figures: Figures, legend: Legend, colours: Mapping[str, str]) -> Figure | None:
    rows = [(name, area) for (name,), area in figures.by("kind")]
    if not rows:
        return None
    figure, axes = _page(len(rows), "分类型面积（公顷）", legend)
    for place, (name, area) in enumerate(rows):
        axes.barh(place, float(hectares(area.m2)), color=colours.get(name, legend.paper.quiet), height=0.62)
        axes.annotate(
            f" {area.ha}", (float(hectares(area.m2)), place), va="center", fontsize=9, color=legend.paper.ink
        )
    _names(axes, [name for name, _ in rows])
    axes.margins(x=0.14)
    return figure


def _towns(figures: Figures, legend: Legend, colours: Mapping[str, str]) -> Figure | None:
    towns = [name for (name,), _ in figures.by("town")]
    if not towns:
        return None
    figure, axes = _page(len(towns) + 1, "分镇街面积（公顷）", legend)
    ends = [0.0] * len(towns)
    sums = dict(figures.by("town", "kind"))
    for kind in [name for (name,), _ in figures.by("kind")]:
        widths = [float(hectares(sums[town, kind].m2)) if (town, kind) in sums else 0.0 for town in towns]
        axes.barh(
            range(len(towns)),
            widths,
            left=ends,
            color=colours.get(kind, legend.paper.quiet),
            label=kind,
            height=0.62,
        )
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    whole: dict[str, Area] = {name: area for (name,), area in figures.by("town")}
    for place, town in enumerate(towns):
        axes.annotate(
            f" {whole[town].ha}", (ends[place], place), va="center", fontsize=9, color=legend.paper.ink
        )
    _names(axes, towns)
    axes.margins(x=0.14)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.45, -0.1 * 6 / (len(towns) + 2)),
        ncols=4,
        fontsize=8,
        frameon=False,
    )
    return figure


def _plan(figures: Figures, legend: Legend) -> Figure | None:
    if not figures.plan:
        return None
    figure, axes = _page(2 * len(figures.plan), f"{figures.plan_year} 年计划与完成面积（公顷）", legend)
    for key, label, shift, colour in (
        ("planned_m2", "计划", -0.2, legend.paper.quiet),
        ("done_m2", "完成", 0.2, legend.layers["unit"].outline),
    ):
        values = [float(hectares(row[key])) for row in figures.plan]
        places = [place + shift for place in range(len(values))]
        axes.barh(places, values, height=0.36, color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f" {value:,.2f}", (value, place), va="center", fontsize=8, color=legend.paper.ink)
    _names(axes, [str(row["town"]) for row in figures.plan])
    axes.margins(x=0.14)
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    return figure


def _page(rows: int, title: str, legend: Legend) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCH, max(_LEAST, 0.8 + _ROW * rows)), facecolor="white", layout="tight")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11, color=legend.paper.ink, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9, colors=legend.paper.ink)
    return figure, axes


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
