"""The overlaps that a run of the stage tabulate wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame


@dataclass(frozen=True)
class StoredOverlaps:
    """The overlaps that a run of the stage tabulate wrote."""

    connection: Connection
    run_id: int

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps:
        """Return the overlaps of parcels, in the order of their codes, with a layer."""
        return LayerOverlaps.of(parcels, self.frame(layer))

    def frame(self, layer: str) -> pd.DataFrame:
        """Return parcel_id, code, area_m2 and share of the overlaps with a layer."""
        return read_frame(
            self.connection,
            "SELECT parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = %s",
            [self.run_id, layer],
        )
