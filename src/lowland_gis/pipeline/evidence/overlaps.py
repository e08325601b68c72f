"""The overlaps that a run of the stage tabulate wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from psycopg import sql

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_texts_and_numbers
from lowland_gis.pipeline.evidence.some import Some
from lowland_gis.pipeline.overlaps.handed_on import HandedOn

_OVERLAPS = "SELECT parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = %s"


@dataclass(frozen=True)
class StoredOverlaps:
    """The overlaps that a run of the stage tabulate wrote, or those of `some` parcels alone; what it has `handed` on is not read."""

    connection: Connection
    run_id: int
    some: Some | None = None
    handed: HandedOn | None = None

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps:
        """Return the overlaps of parcels, in the order of their codes, with a layer."""
        found = None if self.handed is None else self.handed.layer(layer, parcels)
        if found is not None:
            return found
        rows: sql.Composable = sql.SQL(_OVERLAPS)
        if self.some is not None:
            rows = rows + sql.SQL(" AND ") + self.some.of_parcels()
        columns = read_texts_and_numbers(
            self.connection,
            sql.Composed([rows]),
            [self.run_id, layer],
            texts=("parcel_id", "code"),
            numbers=("area_m2", "share"),
        )
        # Whatever the order in which the server keeps them: sums depend on it in their last digits.
        return LayerOverlaps.of_columns(parcels, *columns.values()).sorted()

    def frame(self, layer: str) -> pd.DataFrame:
        """Return parcel_id, code, area_m2 and share of the overlaps with a layer."""
        return read_frame(self.connection, _OVERLAPS, [self.run_id, layer])
