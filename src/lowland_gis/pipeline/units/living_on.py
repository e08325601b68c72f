"""Which frozen units live on in a draft that started from them: they keep their numbers with other parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.frozen_changes import members_now
from lowland_gis.pipeline.units.ground import Inherited
from lowland_gis.pipeline.units.inherit import THE_FROZEN

# More than half of the land that is still there, as of `analysis.units.heirs`.
_HALF = 0.5 * (1 + 1e-9)


def living_on(draft: HeldDraft, members: Mapping[str, Sequence[str]], held: pd.DataFrame) -> list[str]:
    """Return the numbers of frozen units that units of a draft carry on with other parcels, in order.

    `members` are the units that are looked at with their parcels, `held` the frozen units in force (number, parcels). A unit carries on
    the frozen one whose number is its name where the draft started from the frozen units, that one is as it was then, and the unit
    holds more than half of the land of it that is still there.
    """
    inherited = draft.stored.inherited
    if inherited is None or inherited.source != THE_FROZEN:
        return []
    frozen = dict(zip(held["number"], held["parcels"], strict=True))
    changed = [
        unit
        for unit, parcels in members.items()
        if unit in frozen and set(parcels) != set(frozen[unit]) and _as_then(inherited, unit, frozen[unit])
    ]
    if not changed:
        return []
    ground = pd.Series(inherited.units, dtype=object)
    basis = draft.held.basis
    rows = members_now(draft.held.connection, basis, sorted(ground.index), basis.parcels)
    area = pd.Series(rows["area_m2"].to_numpy(dtype=float), index=rows["parcel_id"])
    found = []
    for unit in changed:
        there = area.reindex(ground.index[ground == unit]).fillna(0.0)
        kept = there[there.index.isin(list(members[unit]))]
        if kept.sum() > _HALF * there.sum():
            found.append(unit)
    return sorted(found)


def _as_then(inherited: Inherited, number: str, parcels: Sequence[str]) -> bool:
    """Say whether a frozen unit has the parcels that it had when the draft started from it."""
    return all(number in (inherited.units.get(code), inherited.lost.get(code)) for code in parcels)
