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
# # The district: what was received, what it covers, how good it is (底数)
#
# Reads a project and writes nothing. It opens `demo/` beside the repository's root (made by `lowland demo`), or the
# folder that `LOWLAND_PROJECT` names; `LOWLAND_DSN` names another server.

# %%
import os

from matplotlib import pyplot as plt

from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.figures import coverage, loaded_layers, nearby_project, quality
from lowland_gis.pipeline.units.ground import read_delineation_inputs
from lowland_gis.products.maps.drafts import drafts_figure

plt.switch_backend("inline")
project = nearby_project(os.environ.get("LOWLAND_PROJECT"))
project.settings.project.name

# %% [markdown]
# ## Layers
# Every delivery in force, with what was set aside and how many records are in doubt (`land.issue`).

# %%
loaded_layers(project)

# %% [markdown]
# ## Coverage
# The part of the parcels' land that lies in each layer.

# %%
with reading(project) as held:
    covered = coverage(held)
covered.style.format({"share": "{:.1%}"}).bar(subset="share", color="#9BB7C9", vmin=0, vmax=1)

# %% [markdown]
# ## Quality
# Doubts by rule and by what was done about them; `lowland check` looks further.

# %%
quality(project).head(15)

# %% [markdown]
# ## Parcels and what divides them

# %%
inputs = read_delineation_inputs(project)
drafts_figure(
    {"北辰区": inputs.parcels.iloc[:0]}, inputs.parcels, inputs.barriers, inputs.towns, project.legend
)
