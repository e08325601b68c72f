"""Show drafts of units on figures and maps to drag: for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lowland_gis.definitions.layer import families
from lowland_gis.definitions.legend import Legend, read_legend
from lowland_gis.products.maps.fonts import font_families

DEGREES = "EPSG:4490"
# The families of what divides and is seen on the ground; red line and farmland would hide the parcels.
_SEEN = ("traffic", "water")


def drafts_figure(
    drafts: Mapping[str, gpd.GeoDataFrame],
    parcels: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    towns: gpd.GeoDataFrame,
    legend: Legend | None = None,
) -> Figure:
    """Draw drafts (name → units) side by side over parcels coloured by kind, with what divides them; without `legend` in the shipped one."""
    legend = legend or read_legend()
    with mpl.rc_context({"font.family": list(font_families()), "axes.unicode_minus": False}):
        figure = Figure(figsize=(7 * len(drafts), 7), layout="constrained")
        places = figure.subplots(1, len(drafts), squeeze=False)[0]
        for axes, (name, units) in zip(places, drafts.items(), strict=True):
            draft_axes(axes, units, parcels, barriers, towns, legend)
            axes.set_title(f"{name}：{len(units)} 个单元", color=legend.paper.ink)
    return figure


def draft_axes(
    axes: Axes,
    units: gpd.GeoDataFrame,
    parcels: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    towns: gpd.GeoDataFrame,
    legend: Legend,
) -> None:
    """Draw one draft on some axes."""
    kinds = parcels["kind"].astype(object).where(parcels["kind"].notna(), "none")
    legend = legend.knowing(set(kinds))
    towns.boundary.plot(ax=axes, color=legend.layers["town"].outline, linewidth=0.8)
    seen = {layer for family in _SEEN for layer in families().get(family, ())}
    for layer, style in {"road": legend.roads["主干路"], **legend.layers}.items():
        rows = barriers[barriers["layer"] == layer]
        if layer in seen and len(rows):
            surface = rows.geom_type.str.contains("Polygon")
            rows.geometry.where(~surface, rows.boundary).plot(ax=axes, color=style.outline, linewidth=0.8)
    for kind, rows in parcels.groupby(kinds, sort=True):
        style = legend.answers[str(kind)]
        rows.plot(ax=axes, color=style.fill, hatch=style.hatch or None)
    if len(units):
        units.boundary.plot(ax=axes, color=legend.layers["unit"].outline, linewidth=1.6)
    axes.set_axis_off()


def draft_page(units: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, legend: Legend | None = None) -> Any:
    """Return a folium map to drag: parcels by kind with their reasons, units with their ledgers; no background tiles.

    Without tiles no map server learns which parcels are looked at. Degrees are those of CGCS2000.
    """
    kinds = parcels["kind"].astype(object).where(parcels["kind"].notna(), "none")
    legend = (legend or read_legend()).knowing(set(kinds))
    titles = {answer: style.title for answer, style in legend.answers.items()}
    styles = [style for answer, style in legend.answers.items() if answer in set(kinds)]
    shown = parcels[
        [
            name
            for name in ("parcel_id", "area_m2", "unit_id", "reason", "geometry")
            if name in parcels.columns
        ]
    ]
    page = (
        shown.assign(kind=kinds.map(titles))
        .to_crs(DEGREES)
        .explore(
            "kind",
            categories=[style.title for style in styles],
            cmap=[style.fill for style in styles],
            style_kwds={"weight": 0.5, "fillOpacity": 0.9},
            tiles=None,
            name="宗地",
        )
    )
    outline = {"fill": False, "color": legend.layers["unit"].outline, "weight": 3}
    facts = ["unit_id", "n_parcels", "area_m2", "low_share", "value_m2", "limit", "alternative", "geometry"]
    return units[facts].to_crs(DEGREES).explore(m=page, style_kwds=outline, name="再开发单元")
