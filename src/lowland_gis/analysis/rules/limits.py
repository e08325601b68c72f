"""The limits of a pack at places: one number where law is the same everywhere, one a parcel where it differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.rules.pack import Clause, Parameter, RulePack
from lowland_gis.quantities import converted

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


class Elsewhere(NamedTuple):
    """Towns and plan zones that parcels may lie in as well."""

    towns: Texts | None
    zones: Texts | None


class Places(Protocol):
    """Where parcels lie, on which day they are judged, and in which units they were measured."""

    @property
    def units(self) -> Mapping[str, str]:
        """Return the unit of each measure."""

    @property
    def towns(self) -> Texts | None:
        """Return the town code of each parcel."""

    @property
    def zones(self) -> Texts | None:
        """Return the plan zone of each parcel."""

    @property
    def elsewhere(self) -> Sequence[Elsewhere]:
        """Return where else parcels may lie: where two towns claim one, or nobody knows its town or zone."""

    @property
    def day(self) -> dt.date | None:
        """Return the day whose law holds."""

    def __len__(self) -> int:
        """Return the number of parcels."""


def limit_of(pack: RulePack, clause: Clause, places: Places) -> Floats | float:
    """Return what a clause compares with, in the unit of its measure; NaN where no law is in force."""
    unit = places.units.get(clause.measure)
    if isinstance(clause.limit, str):
        return parameter_at(pack, clause.limit, places, Elsewhere(places.towns, places.zones), unit=unit)
    if unit is None or clause.unit is None:
        return float(clause.limit)
    return converted(float(clause.limit), clause.unit, unit)


def other_limits(pack: RulePack, clause: Clause, places: Places) -> Iterator[Floats]:
    """Yield what a clause compares with wherever else parcels may lie; nothing where law is the same everywhere."""
    if isinstance(clause.limit, str) and differs_by_place(pack, clause.limit, places.day):
        unit = places.units.get(clause.measure)
        for place in places.elsewhere:
            yield np.asarray(parameter_at(pack, clause.limit, places, place, unit=unit))


def differs_by_place(pack: RulePack, name: str, day: dt.date | None) -> bool:
    """Say whether a parameter has entries of single towns or plan zones."""
    return any(entry.town is not None or entry.zone is not None for entry in pack.entries(name, day))


def parameter_of(pack: RulePack, name: str, places: Places, *, unit: str | None) -> Floats | float:
    """Return a parameter at every place, in a unit (its own where `unit` is None); NaN where it hangs on which town or zone it is."""
    here = parameter_at(pack, name, places, Elsewhere(places.towns, places.zones), unit=unit)
    if differs_by_place(pack, name, places.day):
        for place in places.elsewhere:
            here = np.where(parameter_at(pack, name, places, place, unit=unit) == here, here, np.nan)
    return here


def parameter_at(
    pack: RulePack, name: str, places: Places, where: Elsewhere, *, unit: str | None
) -> Floats | float:
    """Return a parameter for parcels that lie in some towns and zones, on the day of the places; NaN where no law is in force."""
    entries = pack.entries(name, places.day)
    if not entries:
        return float("nan")
    if all(entry.town is None and entry.zone is None for entry in entries):
        return _value(entries[-1], unit)
    limits = np.full(len(places), np.nan)
    # The least particular first, so that the more particular overwrite them.
    for entry in entries:
        here = np.ones(len(places), dtype=bool)
        for wanted, found in ((entry.town, where.towns), (entry.zone, where.zones)):
            if wanted is not None:
                here &= found == wanted if found is not None else False
        limits[here] = _value(entry, unit)
    return limits


def places_elsewhere(
    pack: RulePack, towns: Texts, others: Sequence[Texts], zones: Texts, *, zones_known: bool
) -> tuple[Elsewhere, ...]:
    """Return where parcels may lie beside their towns and zones, as far as the parameters of a pack tell these apart.

    `others` are further towns that claim parcels (None where none does). A parcel without a town may lie in any town that the pack
    names, and where no plan was delivered (`zones_known`), in any zone that it names.
    """
    named = {
        kind: sorted({value for entry in pack.parameter if (value := getattr(entry, kind)) is not None})
        for kind in ("town", "zone")
    }
    in_towns, in_zones = [towns], [zones]
    if named["town"]:
        in_towns += [np.where(_missing(other), towns, other) for other in others]
        if _missing(towns).any():
            in_towns += [np.where(_missing(towns), name, towns) for name in named["town"]]
    if not zones_known:
        in_zones += [np.full(len(zones), name, dtype=object) for name in named["zone"]]
    return tuple(Elsewhere(*pair) for pair in list(product(in_towns, in_zones))[1:])


def _missing(towns: Texts) -> npt.NDArray[np.bool_]:
    """Return where there is no text: a table from elsewhere has NaN there."""
    return np.array([not isinstance(town, str) for town in towns], dtype=bool)


def _value(entry: Parameter, unit: str | None) -> float:
    return entry.value if unit is None else converted(entry.value, entry.unit, unit)
