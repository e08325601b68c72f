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
# # Redevelopment units (再开发单元): change a limit, look again, keep what is good
#
# Draws units from the current verdicts under several limits, says how far each draft is from the best possible one,
# and keeps a draft when you ask for it. It opens `demo/` beside the repository's root (made by `lowland demo`), or
# the folder that `LOWLAND_PROJECT` names. The limits are examples: no official size is public.
#
# ## Move the limits
# Each move draws anew. A bound is printed with every draft: no other draft under the same limits can be worth more.

# %%
import os

import IPython.display
import ipywidgets as widgets
import pandas as pd
from matplotlib import pyplot as plt

from lowland_gis import open_project

plt.switch_backend("inline")
project = open_project(os.environ.get("LOWLAND_PROJECT", "../demo"))
held = project.limits
widgets.interactive(
    project.preview,
    min_ha=widgets.FloatSlider(held.min_ha, min=0.5, max=10, step=0.5, continuous_update=False),
    max_ha=widgets.FloatSlider(held.max_ha, min=10, max=60, step=5, continuous_update=False),
    min_low_share=widgets.FloatSlider(held.min_low_share, min=0.3, max=1, step=0.05, continuous_update=False),
)

# %% [markdown]
# ## Drafts side by side
# Add a line to `settings` and run on. Values compare only under the same weights.

# %%
settings = {
    "project settings": {},
    "3 ha at least": {"min_ha": 3.0},
    "half may be other land": {"min_low_share": 0.5, "weights.other_land": 0.2},
}
drafts = {name: project.draw_units(changes) for name, changes in settings.items()}
IPython.display.display(project.compare(drafts), project.figure(drafts))

# %% [markdown]
# ## Why land is left out, a map to drag, and one to click
# Point at a parcel for its reason, at a unit for what limits it and its best alternative. Without background tiles,
# so no map server learns which parcels are looked at.
#
# In the second map a click writes a parcel into the field below it (with the shift key, one more). Every edit says at once what it
# costs, which rules it breaks, and the three best repairs; nothing is kept. Here one parcel is taken out to begin with.

# %%
IPython.display.display(
    project.left_out(drafts["project settings"]), project.page(drafts["project settings"])
)
editing = project.edit_units(drafts["project settings"])
inside = editing.members.dropna(subset="unit_id").sort_values(["unit_id", "parcel_id"])
IPython.display.display(editing.move(inside["parcel_id"].iloc[0]), editing.panel())

# %% [markdown]
# ## Two tiers, and little change
# A draft that starts from another one: a m² that changes its unit costs half a m² of low-efficiency land. Every change stands with its reason;
# the map shows the planning units (规划单元) by the hectares of low-efficiency land in them.

# %%
little = {"min_ha": 3.0, "weights.changed_land": 0.5}
calm = project.draw_units(little, start=drafts["project settings"])
planning = project.planning(calm)
IPython.display.display(
    planning.drop(columns="geometry"), project.changes(calm, drafts["project settings"], little)
)
label = {"label": "low-efficiency land, ha"}
axes = planning.plot(
    "low_ha", cmap="OrRd", edgecolor="#2F5D8A", alpha=0.7, legend=True, legend_kwds=label, figsize=(8, 6)
)
calm.units.boundary.plot(ax=axes, color="#12263A", linewidth=1).set_axis_off()

# %% [markdown]
# ## What little change costs
# A year later units are to be more compact: a metre of outline costs more. The same weights at several prices of a m² that changes its unit;
# *value* is without the price.

# %%
first, curve = drafts["project settings"], {}
for price in (0.0, 0.25, 0.5, 2.0):
    limits = {"weights.outline": 20.0, "weights.changed_land": price}
    drawn = project.draw_units(limits, start=first)
    moved = project.changes(drawn, first, limits)
    value = drawn.value_m2 - drawn.units["kept_value"].sum()
    curve[price] = {
        "value ha": value / 10_000,
        "changed ha": moved["area_m2"].sum() / 10_000,
        "parcels": len(moved),
    }
stability = pd.DataFrame(curve).T.rename_axis("price")
axes = stability.plot("changed ha", "value ha", marker="o", legend=False, figsize=(6, 4))
for price, row in stability.iterrows():
    axes.annotate(
        f"{price:g}", (row["changed ha"], row["value ha"]), xytext=(5, 5), textcoords="offset points"
    )
axes.set(xlabel="land that changes its unit, ha", ylabel="value without the price, ha")
stability.round(2)

# %% [markdown]
# ## Key areas and potential (重点区域、再开发潜力)
# Where low-efficiency land gathers, each rank with its reasons; and what the units could gain, each figure with its least and its most. The
# weights and the parameters are examples (`lowland unit potential --show parameters`). Figures are those of the commands and of the brief
# (`project.unit_brief(unit, target)`).

# %%
areas = project.key_areas()
IPython.display.display(
    areas.loc[areas["key"], ["rank", "area_id", "town", "low_ha", "low_share", "floor_ha", "score", "reason"]]
)
potential = project.unit_potential().set_index("unit_id")
floors = potential[["floor_low_m2", "floor_high_m2"]].astype(float) / 10_000
known = floors.dropna().sort_values("floor_high_m2").tail(15)
figure, axes = plt.subplots(figsize=(8, 4.5))
axes.barh(known.index, known["floor_high_m2"], color="#E9C8B8")
axes.barh(known.index, known["floor_low_m2"], color="#C96F4A")
axes.set(xlabel="floor area that could be gained, 10,000 m² (dark: at least, light: at most)")
potential[["low_ha", "land_low_ha", "land_high_ha", "floor_low_m2", "floor_high_m2", "next_use"]]

# %% [markdown]
# ## Keep a draft
# Give it a name; it stands beside the others in `lowland unit list`, goes to QGIS with `lowland unit export`, and gets
# numbers with `lowland unit freeze`.

# %%
keep = os.environ.get("LOWLAND_KEEP_DRAFT", "")
kept = project.keep_draft(keep, {"min_ha": 3.0}) if keep else "nothing was kept: name a draft in `keep`"
kept
