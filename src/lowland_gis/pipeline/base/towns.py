"""The one place that says in which town (镇街) the parcels of a run lie: by its overlaps with the towns that it read, else by codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.measures.towns import ParcelTowns, by_codes, located
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_texts_and_numbers
from lowland_gis.pipeline.base.runs import Record

Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

TOWN = "town"
# The setting that a run records; runs of programs that took towns from the codes have none.
CLAIM_MIN = "town_claim_min"
_HERE = " AND parcel_id = ANY(%s)"
# So many parcels are looked up one by one.
_FEW = 1000


def parcel_towns(
    connection: Connection, measured: Record, parcels: Sequence[str] | npt.NDArray[np.object_]
) -> ParcelTowns:
    """Return the towns of some parcels of a run of the stage measure, each named once, in their order."""
    ids = list(parcels)
    # Some parcels are looked up, of many all are read.
    here, values = (_HERE, [ids]) if len(ids) <= _FEW else ("", [])
    codes: dict[str, str | None] = dict(
        connection.execute(
            f"SELECT parcel_id, town_code FROM land.parcel WHERE version_id = ANY(%s){here}",  # noqa: S608 - a constant
            [measured.inputs["parcel_versions"], *values],
        ).fetchall()
    )
    by_code = np.array([codes.get(parcel) for parcel in ids], dtype=object)
    claim_min = measured.settings.get(CLAIM_MIN)
    if claim_min is None:
        return by_codes(by_code)
    overlaps = read_texts_and_numbers(
        connection,
        "SELECT parcel_id, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = %s"  # noqa: S608 - a constant
        f"{here}",
        [measured.inputs["tabulate_run"], TOWN, *values],
        texts=("parcel_id", "code"),
        numbers=("area_m2", "share"),
    )
    return located(by_code, _placed(ids, **overlaps), float(claim_min))


def _placed(
    ids: Sequence[str], parcel_id: Texts, code: Texts, area_m2: Floats, share: Floats
) -> LayerOverlaps:
    """Return overlaps by the places of parcels and towns; pandas would take longer to load than an explanation to make."""
    places = {parcel: place for place, parcel in enumerate(ids)}
    names = sorted(set(code.tolist()))
    numbers = {name: number for number, name in enumerate(names)}
    parcel = np.fromiter((places.get(each, -1) for each in parcel_id), np.intp, len(parcel_id))
    town = np.fromiter((numbers[each] for each in code), np.intp, len(code))
    return LayerOverlaps(len(ids), tuple(names), parcel, town, area_m2, share)


def town_codes(connection: Connection, measured: Record, parcels: Sequence[str]) -> list[str | None]:
    """Return the town code of some parcels of a run, in their order; None where nobody knows. A parcel may come several times."""
    each = list(dict.fromkeys(parcels))
    found = dict(zip(each, parcel_towns(connection, measured, each).town.tolist(), strict=True))
    return [found[parcel] for parcel in parcels]
