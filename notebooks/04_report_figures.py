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
# # Figures for reports (报告插图)
#
# The figures and pages that go into a report, drawn from the current registry and units into the project's `out/`.

# %%
import os

import matplotlib as mpl
import pandas as pd
from IPython.display import Image

from lowland_gis import open_project

project = open_project(os.environ.get("LOWLAND_PROJECT", "../demo"))

# %% [markdown]
# ## Kinds by parcels and area

# %%
mpl.rcParams["font.family"] = project.fonts
project.kinds().set_index("title")["area_mu"].plot.barh(
    xlabel="亩", ylabel="", figsize=(7, 3), color="#8C5FA8"
)

# %% [markdown]
# ## The district on one map (全区一张图)

# %%
Image(project.overview(project.out / "report_overview.png"), width=900)

# %% [markdown]
# ## Units, and the planning sheet of the largest (单元规划一页图)

# %%
units = project.units
largest = units.loc[units["area_m2"].idxmax(), "unit_id"]
sheet = project.unit_sheet(largest, project.out / "report_unit.png")
pd.DataFrame(units.drop(columns="geometry"))[
    ["unit_id", "n_parcels", "area_m2", "low_share", "value_m2", "limited_by"]
]

# %%
Image(sheet, width=700)
