"""Layers that lie in memory, as checks take them: what is checked, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.errors import UsageError
from lowland_gis.pipeline.intake.in_memory import Came, Geometries
from lowland_gis.pipeline.quality.layers import Layer


def checked_layer(came: Came, fields: list[str]) -> Layer:
    """Return a delivery in memory with some fields as checks take it."""
    definition = came.definition
    wanted = list(dict.fromkeys((*fields, *filter(None, [definition.identifier]))))
    texts = came.texts(wanted)
    rows = pd.DataFrame({"row_no": came.rows["row_no"].to_numpy(), "version_id": 0})
    shaped = "geom" in came.rows
    rows["area_m2"] = came.rows["area_m2"].to_numpy() if shaped else np.nan
    rows["key"] = "row " + rows["row_no"].astype(str)
    if definition.identifier is not None:
        rows["key"] = texts[definition.identifier].fillna(rows["key"])
    geometries = came.geometries() if shaped else np.full(len(rows), None, dtype=object)
    return Layer(definition, rows, texts, geometries)


@dataclass(frozen=True)
class OthersInMemory:
    """The other layers of a check as they were given, and as they were given for the year before."""

    there: Mapping[str, Came]
    last_year: Mapping[str, Came] = field(default_factory=dict)

    def rasters(self, key: str) -> list[str]:
        """Return none: rasters are files of a project."""
        raise UsageError(f"{key}: rasters are checked in a project. Type: lowland check")

    def shapes(self, key: str) -> Geometries:
        """Return the geometries of a layer."""
        return self.there[key].geometries()

    def coded(self, key: str, field: str) -> tuple[Geometries, Geometries]:
        """Return the geometries of a layer and a field of theirs."""
        return self.shapes(key), self.there[key].texts([field])[field].to_numpy(dtype=object)

    def values(self, key: str, field: str) -> frozenset[str]:
        """Return every value of a field of a layer."""
        return frozenset(self.there[key].texts([field])[field].dropna())

    def layer(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer with some fields; None where it was not given."""
        return checked_layer(self.there[key], list(fields)) if key in self.there else None

    def before(self, key: str, fields: tuple[str, ...]) -> Layer | None:
        """Return a layer as it was the year before; None where it was not given."""
        return checked_layer(self.last_year[key], list(fields)) if key in self.last_year else None

    def repaired(self, _layer: Layer, /) -> tuple[npt.NDArray[np.intp], Geometries]:
        """Return none: the outlines of a layer that is checked are the ones that were given."""
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=object)
