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

from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.figures import nearby_project
from lowland_gis.pipeline.products.frames import kind_table
from lowland_gis.pipeline.products.package import draw_overview, map_contents
from lowland_gis.pipeline.products.unit_sheet import unit_sheet
from lowland_gis.pipeline.units.drafts import current_draft, drafts, reading_draft
from lowland_gis.products.maps.fonts import font_families

project = nearby_project(os.environ.get("LOWLAND_PROJECT"))
out = project.settings.path(project.settings.package.folder)

# %% [markdown]
# ## Kinds by parcels and area

# %%
with reading(project) as held:
    kinds, listed, shown = kind_table(held), drafts(held.connection), map_contents(held)
    newest = current_draft(held.connection)
mpl.rcParams["font.family"] = list(font_families())
kinds.set_index("title")["area_mu"].plot.barh(xlabel="亩", ylabel="", figsize=(7, 3), color="#8C5FA8")

# %% [markdown]
# ## The district on one map (全区一张图)

# %%
Image(draw_overview(project, shown, out / "report_overview.png"), width=900)

# %% [markdown]
# ## Units, and the planning sheet of the largest (单元规划一页图)

# %%
with reading_draft(project, str(newest)) as draft:
    units = draft.units()
    largest = units.loc[units["area_m2"].idxmax(), "unit_id"]
    sheet = unit_sheet(draft, largest, out / "report_unit.png")
pd.DataFrame(units.drop(columns="geometry"))[
    ["unit_id", "n_parcels", "area_m2", "low_share", "value_m2", "limited_by"]
]

# %%
Image(sheet, width=700)
