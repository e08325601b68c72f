"""A map of a few blocks whose parcels are clicked while units are edited; for notebooks, without background tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowland_gis.definitions.legend import Legend, read_legend

if TYPE_CHECKING:
    import geopandas as gpd

_DEGREES = "EPSG:4490"
# The class of the field that a click writes into, in the page or the one around it; with the shift key a code is added to those there.
FIELD = "lowland-parcels"
_CLICK = f"""
function (feature, layer) {{
  layer.on('click', function (event) {{
    for (const page of [window, window.parent]) {{
      try {{
        const field = page.document.querySelector('.{FIELD} input');
        if (!field) continue;
        const code = feature.properties.parcel_id;
        const more = event.originalEvent.shiftKey && field.value;
        field.value = more ? field.value + ',' + code : code;
        field.dispatchEvent(new Event('input', {{bubbles: true}}));
        field.dispatchEvent(new Event('change', {{bubbles: true}}));
      }} catch (error) {{ /* a page around this one that it may not look into */ }}
    }}
  }});
}}
"""
_BROKEN = "#C62828"


def editing_page(parcels: gpd.GeoDataFrame, legend: Legend | None = None) -> Any:
    """Return a folium map of parcels (parcel_id, area_m2, low_m2, kind, unit_id, why, broken): kinds as fill, units as lines, red where a rule is broken.

    A click shows the parcel and writes its code into the field of class `FIELD`, where there is one.
    """
    import folium
    from folium.utilities import JsCode

    kinds = parcels["kind"].astype(object).where(parcels["kind"].notna(), "none")
    legend = (legend or read_legend()).knowing(set(kinds))
    shown = parcels.to_crs(_DEGREES).assign(
        kind=kinds.map({answer: style.title for answer, style in legend.answers.items()}),
        fill=kinds.map({answer: style.fill for answer, style in legend.answers.items()}),
        area_m2=parcels["area_m2"].round(1),
        unit_id=parcels["unit_id"].astype(object).where(parcels["unit_id"].notna(), "–"),
        why=parcels["why"].astype(object).where(parcels["why"].notna(), ""),
    )
    west, south, east, north = shown.total_bounds
    page = folium.Map(tiles=None, control_scale=True, height=480)
    page.fit_bounds([[south, west], [north, east]])
    facts = {"parcel_id": "宗地", "unit_id": "单元", "kind": "类型", "area_m2": "面积 m²", "why": "不可划入"}
    columns = [*facts, "fill", "geometry"]
    folium.GeoJson(
        shown[columns].to_json(),
        style_function=lambda feature: {
            "fillColor": feature["properties"]["fill"],
            "fillOpacity": 0.85,
            "color": "#555555",
            "weight": 0.5,
        },
        tooltip=folium.GeoJsonTooltip(list(facts), list(facts.values())),
        popup=folium.GeoJsonPopup(list(facts), list(facts.values())),
        on_each_feature=JsCode(_CLICK),
        name="宗地",
    ).add_to(page)
    inside = parcels.dropna(subset="unit_id")
    if len(inside):
        units = inside[["unit_id", "broken", "geometry"]].dissolve("unit_id", as_index=False).to_crs(_DEGREES)
        folium.GeoJson(
            units.to_json(),
            style_function=lambda feature: {
                "fill": False,
                "weight": 3,
                "interactive": False,
                "color": _BROKEN if feature["properties"]["broken"] else legend.layers["unit"].outline,
            },
            interactive=False,
            name="再开发单元",
        ).add_to(page)
    return page
