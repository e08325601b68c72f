"""The one place that says in which town (镇街) the parcels of a run lie: by its overlaps with the towns that it read, else by codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.measures.towns import ParcelTowns, by_codes, located
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base.runs import Record

TOWN = "town"
# The setting that a run records; runs of programs that took towns from the codes have none.
CLAIM_MIN = "town_claim_min"
_HERE = " AND parcel_id = ANY(%s)"


def parcel_towns(
    connection: Connection, measured: Record, parcels: Sequence[str] | npt.NDArray[np.object_]
) -> ParcelTowns:
    """Return the towns of some parcels of a run of the stage measure, each named once, in their order."""
    ids = pd.Index(parcels, dtype=object)
    # One parcel is looked up, of many all are read.
    here, values = (_HERE, [list(parcels)]) if len(ids) == 1 else ("", [])
    codes = read_frame(
        connection,
        f"SELECT parcel_id, town_code FROM land.parcel WHERE version_id = ANY(%s){here}",  # noqa: S608 - a constant
        [measured.inputs["parcel_versions"], *values],
    )
    by_code = codes.set_index("parcel_id")["town_code"].reindex(ids).to_numpy(dtype=object)
    claim_min = measured.settings.get(CLAIM_MIN)
    if claim_min is None:
        return by_codes(by_code)
    overlaps = read_frame(
        connection,
        "SELECT parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = %s"  # noqa: S608 - a constant
        f"{here}",
        [measured.inputs["tabulate_run"], TOWN, *values],
    )
    return located(by_code, LayerOverlaps.of(ids, overlaps), float(claim_min))


def town_codes(connection: Connection, measured: Record, parcels: Sequence[str]) -> list[str | None]:
    """Return the town code of some parcels of a run, in their order; None where nobody knows. A parcel may come several times."""
    each = list(dict.fromkeys(parcels))
    found = dict(zip(each, parcel_towns(connection, measured, each).town.tolist(), strict=True))
    return [found[parcel] for parcel in parcels]
