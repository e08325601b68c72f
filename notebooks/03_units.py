# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Redevelopment units (再开发单元): change a limit, look again
#
# Reads the current verdicts (认定结果) and barriers of a project, draws units with several limits side by side, and
# writes nothing back. It opens `demo/` beside the repository's root (made by `lowland demo`), or the folder that
# `LOWLAND_PROJECT` names; `LOWLAND_DSN` names another server. The limits are examples: no official size is public.

# %%
import os
from dataclasses import replace
from pathlib import Path

import folium
import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from lowland_gis.analysis.delineate import draw_units
from lowland_gis.definitions.legend import read_legend
from lowland_gis.deliver.fonts import font_families
from lowland_gis.pipeline.delineate import limits_of, read_delineation_inputs
from lowland_gis.pipeline.project import open_project

beside = Path("demo") if Path("demo").is_dir() else Path("../demo")
project = open_project(os.environ.get("LOWLAND_PROJECT", beside))
legend = read_legend()
mpl.rcParams["font.family"] = list(font_families())

# %% [markdown]
# ## What units are drawn from
# Low-efficiency parcels with their kind, the blocks (cells) that roads and rivers cut out of the towns, and, where a
# parcel may be in no unit, the reason.

# %%
inputs = read_delineation_inputs(project)
parcels = inputs.parcels.assign(may_be_in_a_unit=inputs.parcels["reason"].isna())
by_kind = parcels.groupby("answer").agg(
    parcels=("parcel_id", "size"), area_ha=("area_m2", "sum"), free=("may_be_in_a_unit", "sum")
)
by_kind["area_ha"] = (by_kind["area_ha"] / 10_000).round(2)
by_kind.rename(index={answer: style.title for answer, style in legend.answers.items()})

# %% [markdown]
# ## The same parcels under other limits
# Add a line to `settings` and run on. `compactness` is 4πA/P², weighted by area here.

# %%
held = limits_of(project.settings.delineate)
settings = {
    "project settings": held,
    "units of 2 ha at least": replace(held, min_ha=2.0),
    "lanes up to 20 m": replace(held, gap_m=20.0, min_length_m=10.0),
}
drafts = {name: draw_units(inputs.parcels, inputs.cells, limits) for name, limits in settings.items()}
comparison = pd.DataFrame(
    {
        name: {
            "units": len(draft.units),
            "parcels in units": int(draft.members["unit_id"].notna().sum()),
            "parcels left out": int(draft.members["unit_id"].isna().sum()),
            "area in units (ha)": round(draft.units["area_m2"].sum() / 10_000, 2),
            "median unit (ha)": round(draft.units["area_m2"].median() / 10_000, 2),
            "compactness": round(
                (draft.units["compactness"] * draft.units["area_m2"]).sum() / draft.units["area_m2"].sum(), 3
            ),
        }
        for name, draft in drafts.items()
    }
).T
comparison

# %%
figure, places = plt.subplots(1, len(drafts), figsize=(6 * len(drafts), 6), layout="constrained")
for axes, (name, draft) in zip(places, drafts.items(), strict=True):
    inputs.towns.boundary.plot(ax=axes, color=legend.layers["town"].outline, linewidth=0.8)
    inputs.barriers.plot(ax=axes, color=legend.layers["river"].outline, linewidth=0.5)
    for answer, rows in inputs.parcels.groupby("answer"):
        rows.plot(ax=axes, color=legend.answer(answer).fill)
    draft.units.boundary.plot(ax=axes, color=legend.layers["unit"].outline, linewidth=1.3)
    axes.set_title(f"{name}：{len(draft.units)} 个单元")
    axes.set_axis_off()

# %% [markdown]
# ## A map to move about in
# Without background tiles, so no map server learns which parcels are looked at; folium's own scripts still come from
# the network, so without one the figure above is the map. Degrees are those of CGCS2000 (EPSG:4490).

# %%
styles = [style for answer, style in legend.answers.items() if answer in set(inputs.parcels["answer"])]
titles = {answer: style.title for answer, style in legend.answers.items()}
low = inputs.parcels[["parcel_id", "area_m2", "geometry"]].assign(kind=inputs.parcels["answer"].map(titles))
page = low.to_crs("EPSG:4490").explore(
    "kind",
    categories=[style.title for style in styles],
    cmap=[style.fill for style in styles],
    style_kwds={"weight": 0.5, "fillOpacity": 0.9},
    tiles=None,
    name="低效用地",
)
units = drafts["project settings"].units.to_crs("EPSG:4490")
outline = {"fill": False, "color": legend.layers["unit"].outline, "weight": 3}
units[["unit_id", "n_parcels", "area_m2", "geometry"]].explore(m=page, style_kwds=outline, name="再开发单元")
folium.LayerControl(collapsed=False).add_to(page)
page
