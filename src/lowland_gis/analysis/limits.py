"""The limits of a pack at places: one number where law is the same everywhere, one a parcel where it differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.rules import Clause, Parameter, RulePack
from lowland_gis.analysis.units import converted

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


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
    def day(self) -> dt.date | None:
        """Return the day whose law holds."""

    def __len__(self) -> int:
        """Return the number of parcels."""


def limit_of(pack: RulePack, clause: Clause, places: Places) -> Floats | float:
    """Return what a clause compares with, in the unit of its measure; NaN where no law is in force."""
    unit = places.units.get(clause.measure)
    if isinstance(clause.limit, str):
        return parameter_of(pack, clause.limit, places, unit=unit)
    if unit is None or clause.unit is None:
        return float(clause.limit)
    return converted(float(clause.limit), clause.unit, unit)


def parameter_of(pack: RulePack, name: str, places: Places, *, unit: str | None) -> Floats | float:
    """Return a parameter at every place, in a unit (its own where `unit` is None)."""
    entries = pack.entries(name, places.day)
    if not entries:
        return float("nan")
    if all(entry.town is None and entry.zone is None for entry in entries):
        return _value(entries[-1], unit)
    limits = np.full(len(places), np.nan)
    # The least particular first, so that the more particular overwrite them.
    for entry in entries:
        here = np.ones(len(places), dtype=bool)
        for wanted, found in ((entry.town, places.towns), (entry.zone, places.zones)):
            if wanted is not None:
                here &= found == wanted if found is not None else False
        limits[here] = _value(entry, unit)
    return limits


def _value(entry: Parameter, unit: str | None) -> float:
    return entry.value if unit is None else converted(entry.value, entry.unit, unit)
