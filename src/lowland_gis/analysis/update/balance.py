"""How the area of the old state became that of the new one, town by town: exact, in hundredths of a square metre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.update.lineage import PER_M2, Integers, Shared

Texts = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]

COLUMNS = ("old", "added", "removed", "drift", "moved_in", "moved_out", "new")
NO_TOWN = ""


@dataclass(frozen=True)
class Side:
    """All parcels of a state: area in hundredths of m², town (NO_TOWN where nobody knows), and whether its change is a real one.

    `real` says of each parcel that what it shares with none of the other state was gained, or lost, as land; where it is not, that is drift.
    """

    area: Integers
    town: Texts
    real: Flags


def balance(old: Side, new: Side, shared: Shared) -> pd.DataFrame:
    """Return one row a town, and the whole last (town None): the COLUMNS in m², and residual.

    new = old + added - removed + drift + moved_in - moved_out. Land that a parcel shares with parcels of the other state came from them;
    moved is what lies in a parcel of another town by now. Within the whole nothing is moved.

    >>> one = Side(np.array([500]), np.array(["x"], dtype=object), np.array([True]))
    >>> other = Side(np.array([700]), np.array(["x"], dtype=object), np.array([True]))
    >>> same = Shared(np.array([0]), np.array([0]), np.array([500]))
    >>> balance(one, other, same)[["town_code", "old", "added", "new", "residual"]].values.tolist()
    [['x', 5.0, 2.0, 7.0, 0.0], [None, 5.0, 2.0, 7.0, 0.0]]
    """
    gained = new.area - _sums(shared.new, shared.area, len(new.area))
    lost = old.area - _sums(shared.old, shared.area, len(old.area))
    towns = sorted({*old.town.tolist(), *new.town.tolist()})
    number = {town: place for place, town in enumerate(towns)}
    of_old = np.array([number[town] for town in old.town.tolist()], dtype=np.int64)
    of_new = np.array([number[town] for town in new.town.tolist()], dtype=np.int64)
    came, went = of_old[shared.old], of_new[shared.new]
    crossed = came != went
    real_gain, real_loss = new.real & (gained > 0), old.real & (lost > 0)
    count = len(towns)
    drift = _sums(of_new[~real_gain], gained[~real_gain], count)
    drift -= _sums(of_old[~real_loss], lost[~real_loss], count)
    sums = {
        "old": _sums(of_old, old.area, count),
        "added": _sums(of_new[real_gain], gained[real_gain], count),
        "removed": _sums(of_old[real_loss], lost[real_loss], count),
        "drift": drift,
        "moved_in": _sums(went[crossed], shared.area[crossed], count),
        "moved_out": _sums(came[crossed], shared.area[crossed], count),
        "new": _sums(of_new, new.area, count),
    }
    rows = pd.DataFrame({"town_code": np.array(towns, dtype=object), **sums})
    whole = rows[list(COLUMNS)].sum()
    whole["moved_in"] = whole["moved_out"] = 0
    table = pd.concat([rows, pd.DataFrame([{"town_code": None, **whole}])], ignore_index=True)
    explained = (
        table["old"]
        + table["added"]
        - table["removed"]
        + table["drift"]
        + table["moved_in"]
        - table["moved_out"]
    )
    table["residual"] = table["new"] - explained
    names = [*COLUMNS, "residual"]
    return table.assign(**{name: table[name].astype(np.int64) / PER_M2 for name in names})


def _sums(places: Integers, values: Integers, count: int) -> Integers:
    found = np.zeros(count, dtype=np.int64)
    np.add.at(found, places, values)
    return found
