"""What keeps parcels out of units: the measures that `[delineate]` names, three-valued, so that nothing unknown counts as free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lowland_gis.definitions.layer import layer_keys
from lowland_gis.definitions.measure import measures
from lowland_gis.errors import UsageError, listed
from lowland_gis.settings import DelineateSettings

if TYPE_CHECKING:
    import pandas as pd

SHARE = "share"


def said_of_units(findings: pd.DataFrame) -> list[str]:
    """Say of how many units of a draft (its findings) the protection is not known, by what is not known."""
    from lowland_gis.analysis.units.judge import PROTECTION_UNKNOWN

    doubts = findings[findings["rule"] == PROTECTION_UNKNOWN] if len(findings) else findings
    groups = doubts.groupby("message", sort=True)["unit_id"] if len(doubts) else ()
    return [f"{len(units):,} units hold parcels of which {message}" for message, units in groups]


@dataclass(frozen=True)
class Protection:
    """By parcel, None where there is nothing to say: why it may be in no unit, and what is not known of its protection."""

    reason: npt.NDArray[np.object_]
    unknown: npt.NDArray[np.object_]


def refuse_unknown_names(settings: DelineateSettings) -> None:
    """Refuse settings that name measures or layers that are not there: they would protect, bound or divide nothing.

    Raises:
        UsageError: such names, all together and with the nearest ones.
    """
    faults = [
        *(fault for key in ("protected", "inside") for fault in _measure_faults(key, getattr(settings, key))),
        *(_unknown("barriers", "layer", key, layer_keys()) for key in settings.barriers if key not in layer_keys()),
        *(_unknown("planning.layer", "layer", key, layer_keys()) for key in _planning(settings) if key not in layer_keys()),
    ]  # fmt: skip
    if faults:
        raise UsageError(
            f"lowland.toml: {len(faults)} name(s) of [delineate] are wrong, so what they name would not count:\n{listed(faults)}\n"
            "Mend them and try again. All measures: docs/measures.md, all layers: lowland layers list"
        )


def _planning(settings: DelineateSettings) -> tuple[str, ...]:
    return (settings.planning.layer,) if settings.planning.layer else ()


def _measure_faults(key: str, names: tuple[str, ...]) -> list[str]:
    defined = measures()
    unknown = [_unknown(key, "measure", name, list(defined)) for name in names if name not in defined]
    return unknown + [
        f"{key}: the measure {name!r} is in {defined[name].unit}, but a share of the parcel is needed"
        for name in names
        if name in defined and defined[name].unit != SHARE
    ]


def _unknown(key: str, what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    return f"{key}: there is no {what} {name!r}" + (f"; did you mean {', '.join(near)}?" if near else "")


def protection(
    evidence: pd.DataFrame, settings: DelineateSettings, missing: Mapping[str, tuple[str, ...]]
) -> Protection:
    """Say what is known of the protection of parcels.

    `evidence` has a row a parcel and a column a measure (shares, NaN or no column: unknown); `missing` names, by measure, the layers
    that were not delivered. A parcel is out where a measure of `protected` is above `protected_max`, or where those of `inside`
    that are known are all below `inside_min`. Where one of `protected`, or all of `inside`, are unknown, it is not out: it is unknown.
    """
    reason = np.full(len(evidence), None, dtype=object)
    unknown: list[list[str]] = [[] for _ in range(len(evidence))]
    inside = np.array([_share(evidence, name) for name in settings.inside]).reshape(-1, len(evidence))
    if len(inside):
        _inside(inside, settings, missing, reason, unknown)
    for name in settings.protected:
        share = _share(evidence, name)
        reason[share > settings.protected_max] = f"touches protected land ({_titled(name)})"
        for at in np.flatnonzero(np.isnan(share)):
            unknown[at].append(f"whether it is protected: {_named(name, missing)}")
    return Protection(
        reason, np.array([("; ".join(words) or None) for words in unknown], dtype=object)
    )  # fmt: skip


def _inside(
    shares: npt.NDArray[np.float64],
    settings: DelineateSettings,
    missing: Mapping[str, tuple[str, ...]],
    reason: npt.NDArray[np.object_],
    unknown: list[list[str]],
) -> None:
    """Note the parcels that are outside of everything that is known, and those of which nothing is known."""
    nothing = np.isnan(shares)
    greatest = np.nanmax(np.where(nothing, -1.0, shares), axis=0)
    outside = ~nothing.all(axis=0) & (greatest < settings.inside_min)
    for at in np.flatnonzero(outside):
        known = [
            _titled(name) for name, empty in zip(settings.inside, nothing[:, at], strict=True) if not empty
        ]
        open_ = [
            _named(name, missing)
            for name, empty in zip(settings.inside, nothing[:, at], strict=True)
            if empty
        ]
        also = f"; unknown: {', '.join(open_)}" if open_ else ""
        reason[at] = f"outside the land for units ({', '.join(known)}{also})"
    for at in np.flatnonzero(nothing.all(axis=0)):
        named = ", ".join(_named(name, missing) for name in settings.inside)
        unknown[at].append(f"whether it is inside the land for units: {named}")


def _share(evidence: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    if name not in evidence.columns:
        return np.full(len(evidence), np.nan)
    return np.asarray(evidence[name], dtype=np.float64)


def _titled(name: str) -> str:
    return f"{measures()[name].title} {name}"


def _named(name: str, missing: Mapping[str, tuple[str, ...]]) -> str:
    layers = missing.get(name, ())
    why = f"not delivered: {', '.join(layers)}" if layers else "no value"
    return f"{_titled(name)} ({why})"
