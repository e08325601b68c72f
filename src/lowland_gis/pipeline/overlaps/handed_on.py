"""Overlaps that the stage tabulate has computed, handed on to the next stage of the same program, which need not read them back."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.overlay.tabulate import Overlaps

Objects = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]


@dataclass
class HandedOn:
    """What a run has computed of all parcels, layer by layer: the codes of the parcels in their order, and the overlaps by place in it."""

    parcels: Objects
    _names: dict[str, Objects] = field(default_factory=dict)
    _parts: dict[str, list[tuple[Overlaps, Floats]]] = field(default_factory=dict)

    def add(self, layer: str, names: Objects, found: Overlaps, share: Floats) -> None:
        """Add a part of the overlaps with a layer, whose classes are numbered among sorted names, and their shares."""
        self._names[layer] = names
        self._parts.setdefault(layer, []).append((found, share))

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps | None:
        """Return the overlaps of parcels with a layer as the database would; None where there are none of these parcels, in this order."""
        if layer not in self._parts or not np.array_equal(self.parcels, parcels.to_numpy(dtype=object)):
            return None
        parts = self._parts[layer]
        parcel, klass, area = (np.concatenate([found[column] for found, _ in parts]) for column in range(3))
        present, code = np.unique(klass, return_inverse=True)
        return LayerOverlaps(
            len(parcels),
            tuple(map(str, self._names[layer][present])),
            parcel.astype(np.intp),
            code.astype(np.intp),
            area,
            np.concatenate([share for _, share in parts]),
        ).sorted()


def hand_on(kept: MutableMapping[Hashable, Any], run_id: int, overlaps: HandedOn) -> None:
    """Leave what a run has computed for the stage that reads it next."""
    kept[_key(run_id)] = overlaps


def handed_on(kept: MutableMapping[Hashable, Any], run_id: int) -> HandedOn | None:
    """Take what a run has left, None where it is of another program."""
    left: HandedOn | None = kept.pop(_key(run_id), None)
    return left


def _key(run_id: int) -> Hashable:
    return "overlaps", run_id
