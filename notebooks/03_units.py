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

# %%
import os

import ipywidgets as widgets
from matplotlib import pyplot as plt

from lowland_gis.pipeline.products.figures import nearby_project
from lowland_gis.pipeline.units.compared import compared_drafts, why_left_out
from lowland_gis.pipeline.units.draw import changed, draft, drawn_from, preview
from lowland_gis.pipeline.units.ground import read_delineation_inputs
from lowland_gis.products.maps.drafts import draft_page, drafts_figure

plt.switch_backend("inline")
project = nearby_project(os.environ.get("LOWLAND_PROJECT"))
held = project.settings.delineate
inputs = read_delineation_inputs(project)

# %% [markdown]
# ## Move the limits
# Each move draws anew. A bound is printed with every draft: no other draft under the same limits can be worth more.

# %%
widgets.interactive(
    preview,
    inputs=widgets.fixed(inputs),
    settings=widgets.fixed(held),
    min_ha=widgets.FloatSlider(held.min_ha, min=0.5, max=10, step=0.5, continuous_update=False),
    max_ha=widgets.FloatSlider(held.max_ha, min=10, max=60, step=5, continuous_update=False),
    min_low_share=widgets.FloatSlider(held.min_low_share, min=0.3, max=1, step=0.05, continuous_update=False),
)

# %% [markdown]
# ## Drafts side by side
# Add a line to `settings` and run on. Values compare only under the same weights.

# %%
settings = {
    "project settings": held,
    "3 ha at least": changed(held, {"min_ha": 3.0}),
    "half may be other land": changed(held, {"min_low_share": 0.5, "weights.other_land": 0.2}),
}
drafts = {name: drawn_from(inputs, wanted) for name, wanted in settings.items()}
compared_drafts(drafts)

# %%
shown = {name: drawn.units for name, drawn in drafts.items()}
drafts_figure(shown, inputs.parcels, inputs.barriers, inputs.towns, project.legend)

# %% [markdown]
# ## Why land is left out, and a map to drag
# Point at a parcel for its reason, at a unit for what limits it and its best alternative. Without background tiles,
# so no map server learns which parcels are looked at.

# %%
why_left_out(drafts["project settings"], inputs)

# %%
draft_page(
    drafts["project settings"].units,
    inputs.parcels.drop(columns="reason").merge(drafts["project settings"].members, on="parcel_id"),
    project.legend,
)

# %% [markdown]
# ## Keep a draft
# Give it a name; it stands beside the others in `lowland unit list`, goes to QGIS with `lowland unit export`, and gets
# numbers with `lowland unit freeze`.

# %%
keep = os.environ.get("LOWLAND_KEEP_DRAFT", "")
kept = draft(project, keep, {"min_ha": 3.0}) if keep else "nothing was kept: name a draft in `keep`"
kept
