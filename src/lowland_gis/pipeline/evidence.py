"""Evidence out of the database: as facts for the rules, as one wide frame, and for one parcel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.decide import Facts
from lowland_gis.analysis.kleene import FALSE, TRUE, UNKNOWN, Outcomes
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_numbers
from lowland_gis.pipeline.runs import current_versions, run_inputs

# Evidence of this kind says what a registered paper states of a condition.
SAID = "paper: "

_EVIDENCE = (
    "SELECT p.number, (m.number - 1)::int4, e.value, coalesce(e.low, e.value), coalesce(e.high, e.value)"
    " FROM result.evidence e JOIN (SELECT parcel_id, (row_number() OVER (ORDER BY parcel_id) - 1)::int4 AS number"
    " FROM land.parcel WHERE version_id = ANY(%s)) p USING (parcel_id)"
    " JOIN unnest(%s::text[]) WITH ORDINALITY m(measure, number) USING (measure) WHERE e.run_id = %s"
)
_ZONES = (
    "SELECT DISTINCT ON (parcel_id) parcel_id, code FROM result.overlap WHERE run_id = %s AND layer = 'plan_zone'"
    " ORDER BY parcel_id, area_m2 DESC, code"
)


def evidence_facts(connection: Connection, run_id: int, *, units: Mapping[str, str], day: dt.date) -> Facts:
    """Return what a run of the stage measure found, for every parcel of its deliveries."""
    inputs = run_inputs(connection, run_id, "measure")
    places = read_frame(
        connection,
        "SELECT parcel_id, town_code FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id",
        [inputs["parcel_versions"]],
    )
    names = [
        str(row[0])
        for row in connection.execute(
            "SELECT DISTINCT measure FROM result.evidence WHERE run_id = %s ORDER BY measure", [run_id]
        )
    ]
    parcels = places["parcel_id"].to_numpy(dtype=object)
    values, low, high = (np.full((len(names), len(parcels)), np.nan) for _ in range(3))
    query = [inputs["parcel_versions"], names, run_id]
    for rows in read_numbers(connection, _EVIDENCE, query, ("i4", "i4", "f8", "f8", "f8")):
        place = rows["f1"], rows["f0"]
        values[place], low[place], high[place] = rows["f2"], rows["f3"], rows["f4"]
    return facts_from(
        parcels,
        {name: Measured(values[number], low[number], high[number]) for number, name in enumerate(names)},
        units=units,
        day=day,
        towns=places["town_code"].to_numpy(dtype=object),
        zones=zones_of(connection, inputs["tabulate_run"], parcels),
    )


def zones_of(
    connection: Connection, tabulate_run: int, parcels: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    """Return the plan zone that holds most of each parcel, None outside of all."""
    zones = read_frame(connection, _ZONES, [tabulate_run])
    found = pd.Series(zones["code"].to_numpy(), index=zones["parcel_id"].to_numpy()).reindex(parcels)
    return found.to_numpy(dtype=object)


@dataclass(frozen=True)
class Measured:
    """One measure of every parcel with the ends of its band; NaN where nothing is known."""

    value: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def facts_from(
    parcels: npt.NDArray[np.object_],
    measured: Mapping[str, Measured],
    *,
    units: Mapping[str, str],
    day: dt.date,
    towns: npt.NDArray[np.object_],
    zones: npt.NDArray[np.object_],
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
        towns=towns,
        zones=zones,
        day=day,
    )


def _outcome(said: npt.NDArray[np.float64]) -> Outcomes:
    return np.where(np.isnan(said), UNKNOWN, np.where(said > 0, TRUE, FALSE)).astype(np.int8)


def evidence_table(connection: Connection, run_id: int) -> pd.DataFrame:
    """Return evidence as one row a current parcel and one column a measure, NaN where nothing is known."""
    ids = [version.version_id for version in current_versions(connection).get("parcel", [])]
    parcels = read_frame(
        connection, "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) ORDER BY parcel_id", [ids]
    )
    long = read_frame(
        connection, "SELECT parcel_id, measure, value FROM result.evidence WHERE run_id = %s", [run_id]
    )
    wide = long.pivot(index="parcel_id", columns="measure", values="value")  # noqa: PD010 - pivot_table would average
    return wide.reindex(pd.Index(parcels["parcel_id"])).astype(np.float64)
