"""What the tasks of Spark do for the stage measure: the evidence of the parcels of a cell, by the same functions as in one process.

Spark calls these functions in its Python workers, so nothing here may need the session, the database or more than what is handed over.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.measures.values import firm_keys, firm_parts
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.own import Own, use
from lowland_gis.engines.sedona import work
from lowland_gis.engines.sedona.groups import grouped
from lowland_gis.pipeline.base.absent import Absent
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.evidence.cell_rows import (
    FIRM,
    OVERLAP,
    PARCEL,
    RECORD,
    CheckedRaster,
    HeldOverlaps,
    HeldRows,
    HeldZones,
    Told,
    array,
    of_kinds,
    parcels_of,
)
from lowland_gis.pipeline.evidence.drift import Drift
from lowland_gis.pipeline.evidence.found import evidence
from lowland_gis.pipeline.evidence.inputs import Inputs
from lowland_gis.pipeline.evidence.kinds import floor_areas
from lowland_gis.pipeline.evidence.stored import Column, parcel_rows
from lowland_gis.pipeline.overlaps.on_spark import Codes
from lowland_gis.settings import Settings

# The rows of parcels as `result.parcel_evidence` has them, by the order of all measures; the row of a task has no parcel, its peak of
# memory (MB) as value, the measures of which it knows anything as `noted`, and their sources as `detail`.
EVIDENCE = (
    "parcel_id string, value array<double>, banded array<int>, low array<double>, high array<double>, noted array<int>,"
    " detail array<string>"
)
_EVIDENCE = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("value", pa.list_(pa.float64())),
        ("banded", pa.list_(pa.int32())),
        ("low", pa.list_(pa.float64())),
        ("high", pa.list_(pa.float64())),
        ("noted", pa.list_(pa.int32())),
        ("detail", pa.list_(pa.string())),
    ]
)
GROUNDS = "parcel string, ground double, floor double"
FIRMS = "firm string, bucket int, row long, year double, ground double, floor double, said long"
PARTS = "row long, part double, said long"


@dataclass(frozen=True)
class Known:
    """All that a task must know beside the rows of its cells; `features` are the rows of layers that are read whole, as towns."""

    own: Own
    defined: Mapping[str, define.AnyMeasure]
    settings: Settings
    versions: Versions
    absent: Absent
    documents: pd.DataFrame
    codes: Codes
    features: Mapping[str, pa.Table]
    rasters: Mapping[str, list[CheckedRaster]]
    stated: Mapping[str, bool]
    spread: bool = False


def measured(batches: Iterator[pa.RecordBatch], *, known: Known) -> Iterator[pa.RecordBatch]:
    """Yield the evidence of the parcels of each cell (`EVIDENCE`), from rows in the order of cell, kind and row (`cell_rows.COLUMNS`)."""
    use(known.own)
    sources: dict[int, str] = {}
    for _, table in grouped(batches, "cell"):
        inputs = _inputs(table, known)
        if len(inputs.index) == 0:
            continue
        nothing = np.full(len(inputs.index), np.nan)
        found = dict(evidence(inputs, known.defined))
        columns = [found[name].column or Column(nothing, "") for name in known.defined]
        for number, column in enumerate(columns, start=1):
            if column.known.any():
                sources[number] = column.source
        yield _as_evidence(parcel_rows(inputs.codes, columns))
    yield _told(sources)


def _inputs(table: pa.Table, known: Known) -> Inputs:
    firms, features = of_kinds(table, [FIRM]), of_kinds(table, [RECORD])
    parcels = of_kinds(table, [PARCEL])
    frame = parcels_of(parcels, known.settings.project.srid)
    zones = HeldZones(of_kinds(table, [work.ZONE, work.SEEN]), known.codes.names)
    records = {
        layer: features.filter(pc.equal(features["layer"], layer)) for layer in define.features_read()
    } | dict(known.features)
    return Inputs(
        frame,
        {
            "parcel": HeldRows(parcels),
            "enterprise": HeldRows(firms),
            **{layer: HeldRows(rows) for layer, rows in records.items()},
        },
        HeldOverlaps(of_kinds(table, [OVERLAP])),
        Drift(frame.geometry.to_numpy(), known.versions.keys(), zones.layer),
        known.rasters,
        known.versions,
        known.absent,
        known.documents,
        known.settings,
        Told(known.stated, array(firms["part"]).astype(np.float64) if known.spread else None),
    )


def _as_evidence(rows: pd.DataFrame) -> pa.RecordBatch:
    columns = [pa.array(rows["parcel_id"], pa.string())]
    columns += [pa.array(rows[field.name], field.type) for field in list(_EVIDENCE)[1:]]
    return pa.RecordBatch.from_arrays(columns, schema=_EVIDENCE)


def _told(sources: Mapping[int, str]) -> pa.RecordBatch:
    """Return the row of a task."""
    # Windows does not tell it in this way.
    resource = importlib.import_module("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    row = {"value": [peak], "noted": list(sources), "detail": list(sources.values())}
    return pa.RecordBatch.from_pylist([dict.fromkeys(_EVIDENCE.names) | row], schema=_EVIDENCE)


def grounds(batches: Iterator[pa.RecordBatch], *, known: Known) -> Iterator[pa.RecordBatch]:
    """Yield the ground and the floor area of parcels, m² (`GROUNDS`), by which the totals of firms are spread."""
    use(known.own)
    for _, table in grouped(batches, "cell"):
        inputs = _inputs(table, known)
        ground = inputs.parcels["area_m2"].to_numpy()
        yield pa.RecordBatch.from_arrays(
            [pa.array(inputs.codes, pa.string()), pa.array(ground), pa.array(floor_areas(inputs))],
            names=["parcel", "ground", "floor"],
        )


def firms_named(
    batches: Iterator[pa.RecordBatch], *, totals: list[str], buckets: int
) -> Iterator[pa.RecordBatch]:
    """Yield rows of firms by what tells these apart (`FIRMS`); the bits of `said` tell which totals a row states."""
    for batch in batches:
        records = HeldRows(
            pa.Table.from_batches([batch]).append_column("code", pa.nulls(batch.num_rows, pa.string()))
        )
        rows = batch["row"].to_numpy()
        keys = firm_keys(records.field(define.FIRM_CODE), records.field(define.FIRM_NAME), rows.tolist())
        said = np.zeros(len(rows), dtype=np.int64)
        for bit, total in enumerate(totals):
            said |= np.where(np.isnan(records.numbers(total)), 0, 1 << bit)
        names = pa.array(keys, pa.string())
        # Any number that is the same for the same firm in every process.
        bucket = [hash_of(key) % buckets for key in keys.tolist()]
        yield pa.RecordBatch.from_arrays(
            [
                names,
                pa.array(bucket, pa.int32()),
                batch["row"],
                batch["year"],
                batch["ground"],
                batch["floor"],
                pa.array(said),
            ],
            names=["firm", "bucket", "row", "year", "ground", "floor", "said"],
        )


def hash_of(text: str) -> int:
    """Return a number of a text that is the same in every process: Python's own differs."""
    return zlib.crc32(text.encode())


def parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield which part of its firm's total each row takes (`PARTS`), from rows in the order of bucket and row (`FIRMS`)."""
    for _, table in grouped(batches, "bucket"):
        firms = pd.DataFrame(
            {
                "firm": array(table["firm"]).astype(object),
                "year": array(table["year"]),
                "parcel": np.arange(table.num_rows),
            }
        )
        found = firm_parts(firms, array(table["floor"]), array(table["ground"]))
        columns = [table["row"].combine_chunks(), pa.array(found), table["said"].combine_chunks()]
        yield pa.RecordBatch.from_arrays(columns, names=["row", "part", "said"])
