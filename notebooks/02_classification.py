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

import pandas as pd

from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.figures import evidence_summary, nearby_project
from lowland_gis.pipeline.products.frames import kind_table
from lowland_gis.pipeline.units.ground import read_delineation_inputs
from lowland_gis.pipeline.verdicts.explain import explain
from lowland_gis.pipeline.verdicts.what_if import flips, summed

project = nearby_project(os.environ.get("LOWLAND_PROJECT"))
with reading(project) as held:
    kinds, measured = kind_table(held), evidence_summary(held)
kinds

# %% [markdown]
# ## Evidence
# What was measured, of how many parcels. A missing value is unknown, never zero.

# %%
measured

# %% [markdown]
# ## One parcel, clause by clause
# Any parcel code; here the first low-efficiency one.

# %%
parcels = read_delineation_inputs(project).parcels
parcel = parcels.loc[parcels["low_m2"] > 0, "parcel_id"].iloc[0]
with reading(project) as held:
    kind = explain(held, parcel).questions[0]
pd.DataFrame(
    [
        (rule.title, clause.title, clause.value, clause.op, clause.limit, clause.outcome, clause.source)
        for rule in kind.rules
        for clause in rule.clauses
    ],
    columns=["rule", "clause", "value", "op", "limit", "outcome", "source"],
)

# %% [markdown]
# ## What if a limit were another one?
# How many parcels and hectares would get another answer; nothing is written. `lowland rules show` lists the parameters.

# %%
with reading(project) as held:
    flipped = summed(flips(held, ["tax_min=8"]))
flipped

# %% [markdown]
# ## Where the kinds lie

# %%
by_town = parcels.assign(ha=parcels["low_m2"] / 10_000).pivot_table(
    index="town_code", columns="kind", values="ha", aggfunc="sum", fill_value=0.0, margins=True
)
by_town.round(2)
