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
# # Classification: verdicts and what they rest on (认定)
#
# Reads the current verdicts and writes nothing. Thresholds are examples; the pack says which document each clause
# stands on.

# %%
import os

from lowland_gis import open_project

project = open_project(os.environ.get("LOWLAND_PROJECT", "../demo"))
project.kinds()

# %% [markdown]
# ## Evidence
# What was measured, of how many parcels. A missing value is unknown, never zero.

# %%
project.measures()

# %% [markdown]
# ## One parcel, clause by clause
# Any parcel code; here the first low-efficiency one.

# %%
parcels = project.ground.parcels
parcel = parcels.loc[parcels["low_m2"] > 0, "parcel_id"].iloc[0]
clauses = project.explain(parcel)
clauses[clauses["question"] == clauses["question"][0]].drop(columns="question")

# %% [markdown]
# ## What if a limit were another one?
# How many parcels and hectares would get another answer; nothing is written. `lowland rules show` lists the parameters.

# %%
project.what_if("tax_min=8")

# %% [markdown]
# ## Where the kinds lie

# %%
by_town = parcels.assign(ha=parcels["low_m2"] / 10_000).pivot_table(
    index="town_code", columns="kind", values="ha", aggfunc="sum", fill_value=0.0, margins=True
)
by_town.round(2)
