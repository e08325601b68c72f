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

from lowland_gis import open_project

plt.switch_backend("inline")
project = open_project(os.environ.get("LOWLAND_PROJECT", "../demo"))
project.name

# %% [markdown]
# ## Layers
# Every delivery in force, with what was set aside and how many records are in doubt (`land.issue`).

# %%
project.layers()

# %% [markdown]
# ## Coverage
# The part of the parcels' land that lies in each layer.

# %%
project.coverage().style.format({"share": "{:.1%}"}).bar(subset="share", color="#9BB7C9", vmin=0, vmax=1)

# %% [markdown]
# ## Quality
# Doubts by rule and by what was done about them; `lowland check` looks further.

# %%
project.quality().head(15)

# %% [markdown]
# ## Parcels and what divides them

# %%
project.figure()
