"""The parcels of a draft as a list: unit by unit, then those that are in none, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.products.frames import kind_titles
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.tiers import tiers_of
from lowland_gis.quantities import M2_PER_HA

COLUMNS = ["unit_id", "plan_id", "parcel_id", "town_code", "town", "kind", "area_ha", "low_ha", "reason"]
# Hundredths of square metres; more would be what the division leaves.
_DIGITS = 6


def member_list(draft: HeldDraft, units: Sequence[str] = ()) -> pd.DataFrame:
    """Return the parcels of a draft, or of some of its units: the `COLUMNS`.

    unit_id is missing for parcels in no unit, which come last and have a reason; plan_id is the planning unit (规划单元) that a parcel lies in; kind is the title of a low-efficiency parcel's verdict,
    missing for others; town is missing where no layer of towns names it. Areas are in hectares.

    Raises:
        UsageError: the draft has no unit of that name.
    """
    members, held = draft.stored.members, draft.held
    known = set(members["unit_id"].dropna())
    unknown = [name for name in units if name not in known]
    if unknown:
        raise UsageError(
            f"Draft {draft.stored.name} has no unit {', '.join(unknown)}. Its units: lowland unit metrics {draft.stored.name}"
        )
    if units:
        members = members[members["unit_id"].isin(list(units))]
    titles = kind_titles(held.basis.pack, held.project.legend)
    towns = town_names(held.connection, held.versions("town"))
    rows = members.merge(
        tiers_of(draft).parcels[["parcel_id", "plan_id", "town_code", "kind", "area_m2", "low_m2"]],
        on="parcel_id",
    )
    listed = rows.assign(
        kind=rows["kind"].map(titles),
        town=rows["town_code"].map(towns),
        area_ha=(rows["area_m2"] / M2_PER_HA).round(_DIGITS),
        low_ha=(rows["low_m2"] / M2_PER_HA).round(_DIGITS),
    ).sort_values(["unit_id", "parcel_id"], ignore_index=True, na_position="last")[COLUMNS]
    return listed.astype(object).where(listed.notna(), None).astype({"area_ha": float, "low_ha": float})
