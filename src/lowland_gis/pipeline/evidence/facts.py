"""Evidence out of the database: as facts for the rules, as one wide frame, and for one parcel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.measures.towns import ParcelTowns
from lowland_gis.analysis.rules.decide import Facts
from lowland_gis.analysis.rules.kleene import FALSE, TRUE, UNKNOWN, Outcomes
from lowland_gis.analysis.rules.limits import Elsewhere, places_elsewhere
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.papers import SAID
from lowland_gis.pipeline.base.runs import Record
from lowland_gis.pipeline.base.towns import parcel_towns
from lowland_gis.pipeline.evidence.stored import Measured, measured_key, read_measured

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

Objects = npt.NDArray[np.object_]

ZONE = "plan_zone"
_GREATEST = (
    "SELECT DISTINCT ON (parcel_id) parcel_id, code FROM result.overlap WHERE run_id = %s AND layer = %s{}"
    " ORDER BY parcel_id, area_m2 DESC, code"
)
# So many parcels are looked up one by one; of more the whole layer is read.
_FEW = 1000


def evidence_facts(
    connection: Connection,
    measured: Record,
    pack: RulePack,
    *,
    keep: MutableMapping[Hashable, Any] | None = None,
) -> Facts:
    """Return what a run of the stage measure found, for every parcel of its deliveries, on the day of a pack.

    What the stage itself has left in `keep` is taken out of it, and not read again; the values are left there for who asks for their
    table next.
    """
    left = None if keep is None else keep.pop(measured_key(measured.run_id), None)
    if left is None:
        versions = measured.inputs["parcel_versions"]
        left = _parcels(connection, versions), read_measured(connection, measured.run_id, versions)
    parcels, found = left
    if keep is not None:
        keep[_table_key(measured)] = parcels, {name: item.value for name, item in found.items()}
    return facts_from(
        parcels,
        found,
        units=measured_units(measured),
        day=pack.day(dt.date.fromisoformat(measured.settings["as_of"])),
        places=places_of(connection, measured, pack, parcels),
    )


def _parcels(connection: Connection, versions: Sequence[int]) -> Objects:
    """Return the codes of the parcels of some deliveries, in their order."""
    rows = connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id", [list(versions)]
    ).fetchall()
    return np.array([row[0] for row in rows], dtype=object)


def places_of(
    connection: Connection, measured: Record, pack: RulePack, parcels: Objects | Sequence[str]
) -> Where:
    """Return where parcels of a run lie, as far as the law of a pack differs from place to place."""
    towns = parcel_towns(connection, measured, parcels)
    zones = greatest_codes(connection, measured.inputs["tabulate_run"], ZONE, parcels)
    known = zones_delivered(connection, measured)
    elsewhere = places_elsewhere(pack, towns.town, towns.others, zones, zones_known=known)
    return Where(towns, zones, elsewhere)


def zones_delivered(connection: Connection, measured: Record) -> bool:
    """Tell whether a run read any delivery of the plan zones."""
    read = connection.execute(
        "SELECT count(*) FROM land.layer_version WHERE layer = %s AND version_id = ANY(%s)",
        [ZONE, [int(number) for number in measured.inputs["versions"]]],
    ).fetchone()
    return bool(read and read[0])


def measured_units(measured: Record) -> dict[str, str]:
    """Return the unit of each measure as a run of the stage measure recorded it."""
    defined = define.from_json(measured.settings["measures"])
    return {name: definition.unit for name, definition in defined.items()}


def greatest_codes(
    connection: Connection, tabulate_run: int, layer: str, parcels: Objects | Sequence[str]
) -> Objects:
    """Return the code of a layer that holds most of each parcel (of two alike the first one), None outside of all."""
    few = len(parcels) <= _FEW
    query = _GREATEST.format(" AND parcel_id = ANY(%s)" if few else "")
    rows = connection.execute(query, [tabulate_run, layer, *([list(parcels)] if few else [])]).fetchall()
    codes: dict[str, str] = dict(rows)
    return np.array([codes.get(parcel) for parcel in parcels], dtype=object)


@dataclass(frozen=True)
class Where:
    """The towns and plan zones (None outside of all) of parcels, and where they may lie as well."""

    towns: ParcelTowns
    zones: Objects
    elsewhere: tuple[Elsewhere, ...]


def facts_from(
    parcels: Objects,
    measured: Mapping[str, Measured],
    *,
    units: Mapping[str, str],
    day: dt.date,
    places: Where,
) -> Facts:
    """Return facts; a measure has bands where an end differs from the value anywhere."""
    bands = {
        name: (item.low, item.high)
        for name, item in measured.items()
        if not (
            np.array_equal(item.low, item.value, equal_nan=True)
            and np.array_equal(item.high, item.value, equal_nan=True)
        )
    }
    return Facts(
        parcels,
        {name: item.value for name, item in measured.items() if not name.startswith(SAID)},
        bands=bands,
        said={
            name.removeprefix(SAID): _outcome(item.value)
            for name, item in measured.items()
            if name.startswith(SAID)
        },
        units=units,
        towns=places.towns.town,
        zones=places.zones,
        elsewhere=places.elsewhere,
        day=day,
    )


def _outcome(said: npt.NDArray[np.float64]) -> Outcomes:
    return np.where(np.isnan(said), UNKNOWN, np.where(said > 0, TRUE, FALSE)).astype(np.int8)


def evidence_table(
    connection: Connection, measured: Record, kept: MutableMapping[Hashable, Any] | None = None
) -> pd.DataFrame:
    """Return the evidence of a run as one row a parcel of its deliveries and one column a measure, NaN where nothing is known.

    What `evidence_facts` has left in `kept` is taken out of it, and not read again.
    """
    left = None if kept is None else kept.pop(_table_key(measured), None)
    if left is None:
        versions = measured.inputs["parcel_versions"]
        found = read_measured(connection, measured.run_id, versions)
        left = _parcels(connection, versions), {name: item.value for name, item in found.items()}
    parcels, values = left
    return pd.DataFrame(values, index=pd.Index(parcels, name="parcel_id", dtype=object))


def _table_key(measured: Record) -> Hashable:
    return "evidence", measured.run_id, measured.digest, measured.started_at
