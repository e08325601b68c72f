"""What the units of a draft could gain, their next uses and balances of money, from the land that the draft was drawn on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.potential.gain import Figure, Gain, Land, Plot, Public, gain, public, summed
from lowland_gis.analysis.potential.money import Balance, balances
from lowland_gis.analysis.potential.parameters import Parameters
from lowland_gis.analysis.potential.uses import Scored, next_uses
from lowland_gis.analysis.rules.pack import KIND
from lowland_gis.definitions.potential import potential_parameters
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.land import layer_shapes
from lowland_gis.pipeline.evidence.facts import evidence_table
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.units.ground import UnitInputs

_PLAN = "plan_parcel"
# Measures of the classification that potential takes, by the name it has there.
_EVIDENCE = {
    "floor_m2": "floor_area", "density": "building_density", "vacant_share": "vacant_share", "idle_years": "idle_years",
}  # fmt: skip
# No plan allows more floors than that; what says so is a slip, and not known.
_MOST_FAR = 50.0
_PERCENT = 100.0


@dataclass(frozen=True)
class UnitPotential:
    """A unit with what it could gain; `gains` are its parcels in the order of their codes."""

    unit_id: str
    town_code: str
    gains: tuple[Gain, ...]
    figures: Mapping[str, Figure]
    public: Public
    uses: tuple[Scored, ...]
    balances: tuple[Balance, Balance]

    @property
    def area_m2(self) -> float:
        """Return the area of its parcels, m²."""
        return math.fsum(each.parcel.area_m2 for each in self.gains)

    @property
    def low_m2(self) -> float:
        """Return the area of its low-efficiency parcels, m²."""
        return math.fsum(each.parcel.area_m2 for each in self.gains if each.parcel.kind is not None)


@dataclass(frozen=True)
class Potentials:
    """The potential of units, the parameters that it rests on, and what a person should know of these."""

    units: tuple[UnitPotential, ...]
    parameters: Parameters
    doubts: tuple[str, ...]


def unit_potentials(
    draft: HeldDraft, names: Sequence[str] = (), inputs: UnitInputs | None = None
) -> Potentials:
    """Return the potential of units of a draft, or of all of them, in the order of their names; nothing is written.

    Raises:
        UsageError: the draft has no unit of that name.
        DefinitionError: the project's own parameters have faults.
    """
    members = draft.stored.members.dropna(subset="unit_id")
    known = sorted(set(members["unit_id"]))
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        raise UsageError(
            f"Draft {draft.stored.name} has no unit {', '.join(unknown)}. Its units are: {', '.join(known[:10])}."
            f" Type: lowland unit metrics {draft.stored.run_id}"
        )
    parameters = potential_parameters()
    wanted = list(dict.fromkeys(names)) or known
    rows = members[members["unit_id"].isin(wanted)].sort_values("parcel_id")
    read = draft.inputs() if inputs is None else inputs
    lands = _lands(draft, read.parcels, rows["parcel_id"].tolist())
    groups = rows.groupby("unit_id")["parcel_id"].agg(list)
    towns = draft.units().set_index("unit_id")["town_code"]
    found = tuple(
        potential_of(unit, str(towns[unit]), [lands[parcel] for parcel in groups[unit]], parameters)
        for unit in wanted
    )
    return Potentials(found, parameters, tuple(_doubts(draft, parameters)))


def parcel_gains(draft: HeldDraft, parcels: gpd.GeoDataFrame) -> tuple[list[Gain], tuple[str, ...]]:
    """Return what every low-efficiency parcel could gain, in units or not, by their codes; and what a person should know of the parameters.

    `parcels` are those of the draft's `UnitInputs`.

    Raises:
        DefinitionError: the project's own parameters have faults.
    """
    parameters = potential_parameters()
    codes = sorted(parcels["parcel_id"][parcels["kind"].notna()])
    lands = _lands(draft, parcels, codes)
    return [gain(lands[code], parameters) for code in codes], tuple(_doubts(draft, parameters))


def potential_of(unit: str, town: str, parcels: list[Land], parameters: Parameters) -> UnitPotential:
    """Return the potential of a unit from its parcels."""
    gains = tuple(gain(each, parameters) for each in parcels)
    benefit = public(parcels, parameters)
    return UnitPotential(
        unit, town, gains, summed([each for each in gains if each.parcel.kind is not None]), benefit,
        tuple(next_uses(parcels, benefit, parameters)), balances(gains, parameters),
    )  # fmt: skip


def _doubts(draft: HeldDraft, parameters: Parameters) -> list[str]:
    """Name kinds of parameters that the rule pack does not give: they hold for no land."""
    answers = set(draft.held.basis.pack.question_named(KIND).answers)
    named = {each.kind for each in parameters.parameter if each.kind} | {
        kind for use in parameters.use.values() for kind in use.kinds
    }
    strange = sorted(named - answers)
    if not strange:
        return []
    pack = draft.held.basis.pack.name
    return [f"potential.toml speaks of kinds that the rule pack {pack} does not give: {', '.join(strange)}"]


def _lands(draft: HeldDraft, parcels: gpd.GeoDataFrame, codes: list[str]) -> dict[str, Land]:
    """Return parcels as potential sees them, by their codes."""
    held = draft.held
    rows = parcels.set_index("parcel_id").loc[codes]
    evidence = evidence_table(held.connection, held.basis.measured).reindex(codes)
    # Held by the shapes; the official areas are ellipsoidal.
    plots = _plots(draft, rows)
    planned = bool(held.basis.versions.get(_PLAN))
    found = {}
    for code, row, known in zip(codes, rows.to_dict("records"), evidence.to_dict("records"), strict=True):
        found[code] = Land(
            code,
            float(row["area_m2"]),
            None if pd.isna(row["kind"]) else str(row["kind"]),
            None if pd.isna(row["zone"]) else str(row["zone"]),
            plots.get(code, ()),
            public_m2=float(row["public_m2"]) if planned else math.nan,
            **{name: _amount(known.get(measure)) for name, measure in _EVIDENCE.items()},
        )
    return found


def _amount(value: Any) -> float:
    """Return a measure that is an amount; one that is missing or negative is not known."""
    number = math.nan if value is None or pd.isna(value) else float(value)
    return number if number >= 0 else math.nan


def _plots(draft: HeldDraft, parcels: gpd.GeoDataFrame) -> dict[str, tuple[Plot, ...]]:
    """Return the pieces of parcels in plan parcels, the largest first."""
    held = draft.held
    plans = layer_shapes(
        held.connection, _PLAN, held.basis.versions.get(_PLAN, []), held.basis.as_of, srid=held.project.srid
    )
    shapes, planned = parcels.geometry.to_numpy(), plans.geometry.to_numpy()
    one, other = shapely.STRtree(planned).query(shapes, predicate="intersects")
    areas = shapely.area(shapely.intersection(shapes[one], planned[other]))
    scale = parcels["area_m2"].to_numpy(dtype=float) / shapely.area(shapes)
    found: dict[str, list[Plot]] = {}
    prefixes = draft.stored.settings.public_uses
    for row, plan, area in sorted(
        zip(one, other, areas, strict=True), key=lambda each: (each[0], -each[2], each[1])
    ):
        if area > 0:
            code, said = plans["code"].iloc[plan], plans["attributes"].iloc[plan]
            use = None if pd.isna(code) or not str(code).strip() else str(code).strip()
            is_public = use is not None and bool(prefixes) and use.startswith(tuple(prefixes))
            plot = Plot(
                use, float(area * scale[row]), _far(said.get("RJL")), _density(said.get("JZMD")), is_public
            )
            found.setdefault(str(parcels.index[row]), []).append(plot)
    return {code: tuple(pieces) for code, pieces in found.items()}


def _far(value: Any) -> float:
    """Return a planned FAR; what cannot be one is not known.

    >>> _far(1.6), _far("2"), _far(-1), _far(160), _far(None)
    (1.6, 2.0, nan, nan, nan)
    """
    number = _number(value)
    return number if 0 <= number <= _MOST_FAR else math.nan


def _density(value: Any) -> float:
    """Return a planned density as a share; plans write percent, some write shares, and a plan of less than 1 % there is not.

    >>> _density(35), _density(0.35), _density(0), _density(130)
    (0.35, 0.35, 0.0, nan)
    """
    number = _number(value)
    if not 0 <= number <= _PERCENT:
        return math.nan
    return number / _PERCENT if number > 1 else number


def _number(value: Any) -> float:
    try:
        return float(np.float64(value)) if value is not None and value != "" else math.nan
    except (TypeError, ValueError):
        return math.nan
