"""What the tasks of Spark do for the stage classify: the verdicts of a part of the parcels, by the same rules as in one process.

Spark calls these functions in its Python workers, so nothing here may need the session, the database or more than what is handed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.measures.towns import by_codes, located
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.rules.decide import Facts, decide, own_scores, points_to_mean
from lowland_gis.analysis.rules.derived import Place, Whole
from lowland_gis.analysis.rules.limits import places_elsewhere
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.engines.sedona.groups import grouped
from lowland_gis.pipeline.base.towns import TOWN
from lowland_gis.pipeline.evidence.facts import ZONE, Where, facts_from
from lowland_gis.pipeline.evidence.stored import Measured

Floats = npt.NDArray[np.float64]

# Kinds of rows of a part, in their order.
LIES, VALUES, RANK, PARCEL = 1, 2, 3, 4
# What rows of any kind have; what a kind does not have is null. A rank has its number in the pack as code, its value as share.
COLUMNS = {
    "part": "int", "kind": "int", "parcel": "string", "town": "string", "layer": "string", "code": "string", "area": "double",
    "share": "double", "value": "array<double>", "banded": "array<int>", "low": "array<double>", "high": "array<double>",
}  # fmt: skip

POINTS = "score string, term int, number long, total string"
SCORES = "parcel string, name string, score double"
# Verdicts as `result.verdict` has them; without a question the scores, ranks and estimates of a parcel in the order of the pack or,
# without a parcel, 1 for each of which the task knows any.
DECIDED = "question string, parcel_id string, answer string, settled boolean, rule string, candidate string, trace string, value array<double>"
_DECIDED = pa.schema(
    [
        *((name, pa.string()) for name in ("question", "parcel_id", "answer")),
        ("settled", pa.bool_()),
        *((name, pa.string()) for name in ("rule", "candidate", "trace")),
        ("value", pa.list_(pa.float64())),
    ]
)
# So many verdicts are handed on at a time.
_ROWS = 20_000


@dataclass(frozen=True)
class Known:
    """All that a task must know beside the rows of its part.

    `measures` are those of the run in their order, `apart` what has a source of its own (parcel_id, measure, value, low, high), `claim_min` the share
    from which a town claims a parcel (None where towns are what codes say), and `means` the mean points of all parcels.
    """

    pack: RulePack
    measures: tuple[str, ...]
    units: Mapping[str, str]
    day: dt.date
    apart: pd.DataFrame
    claim_min: float | None
    zones_known: bool
    means: Mapping[Place, float]


def points(batches: Iterator[pa.RecordBatch], *, known: Known) -> Iterator[pa.RecordBatch]:
    """Yield the sums of the points whose mean stands for what is missing (`POINTS`), part by part."""
    for _, table in grouped(batches, "part"):
        facts, _ = _facts(table, known)
        found = points_to_mean(known.pack, facts)
        rows = [(*place, summed.number, str(summed.total)) for place, summed in found.items()]
        yield pa.RecordBatch.from_pylist(
            [dict(zip(("score", "term", "number", "total"), row, strict=True)) for row in rows],
            schema=pa.schema(
                [("score", pa.string()), ("term", pa.int32()), ("number", pa.int64()), ("total", pa.string())]
            ),
        )


def scored(batches: Iterator[pa.RecordBatch], *, known: Known) -> Iterator[pa.RecordBatch]:
    """Yield the scores by which parcels are ranked (`SCORES`), with the name of the rank."""
    for _, table in grouped(batches, "part"):
        facts, _ = _facts(table, known)
        found = own_scores(known.pack, facts, known.means)
        for rank in known.pack.rank:
            score = found[rank.of]
            there = ~np.isnan(score)
            names = pa.array([rank.name] * int(there.sum()), pa.string())
            yield pa.RecordBatch.from_arrays(
                [pa.array(facts.parcels[there], pa.string()), names, pa.array(score[there])],
                names=["parcel", "name", "score"],
            )


def decided(batches: Iterator[pa.RecordBatch], *, known: Known) -> Iterator[pa.RecordBatch]:
    """Yield the verdicts of the parcels of each part, and what the pack derives of them (`DECIDED`)."""
    names = [item.name for item in known.pack.derived]
    any_known = np.zeros(len(names), dtype=bool)
    for _, table in grouped(batches, "part"):
        facts, ranks = _facts(table, known)
        decision = decide(known.pack, facts, Whole(known.means, ranks))
        for verdicts in decision.verdicts.values():
            for frame in verdicts.chunks(facts.parcels, _ROWS):
                yield pa.RecordBatch.from_pandas(
                    frame.assign(value=None), schema=_DECIDED, preserve_index=False
                )
        if names:
            values = np.stack([decision.derived[name] for name in names], axis=1)
            there = np.isfinite(values)
            any_known |= there.any(axis=0)
            some = there.any(axis=1)
            yield _derived(facts.parcels[some], values[some])
    yield _derived(np.array([None], dtype=object), any_known.astype(np.float64)[None, :])


def _derived(parcels: npt.NDArray[np.object_], values: Floats) -> pa.RecordBatch:
    count, each = values.shape
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(count + 1) * each, pa.int32()), pa.array(values.ravel())
    )
    columns = {"parcel_id": pa.array(parcels, pa.string()), "value": lists}
    arrays = [columns.get(field.name, pa.nulls(count, field.type)) for field in _DECIDED]
    return pa.RecordBatch.from_arrays(arrays, schema=_DECIDED)


def _facts(table: pa.Table, known: Known) -> tuple[Facts, dict[str, Floats]]:
    """Return what is known of the parcels of a part, and their ranks as far as they are known."""
    parcels = _of(table, PARCEL)
    codes = _texts(parcels["parcel"])
    index = pd.Index(codes, dtype=object)
    lies, ranked = _of(table, LIES), _of(table, RANK)
    facts = facts_from(
        codes,
        _measured(_of(table, VALUES), index, known),
        units=known.units,
        day=known.day,
        places=_places(lies, index, _texts(parcels["town"]), known),
    )
    ranks = {rank.name: np.full(len(index), np.nan) for rank in known.pack.rank}
    for number, values in enumerate(ranks.values()):
        some = ranked.filter(pc.equal(ranked["code"], str(number)))
        values[index.get_indexer(pd.Index(_texts(some["parcel"]), dtype=object))] = some["share"].to_numpy()
    return facts, ranks


def _measured(rows: pa.Table, index: pd.Index[Any], known: Known) -> dict[str, Measured]:
    """Return values and bands of each measure, NaN where nothing is known; what stands apart overrules what was measured."""
    alone = [name for name in known.apart["measure"].unique() if name not in known.measures]
    names = [*known.measures, *alone]
    value = np.full((len(names), len(index)), np.nan)
    place = index.get_indexer(pd.Index(_texts(rows["parcel"]), dtype=object))
    if rows.num_rows and known.measures:
        given = rows["value"].combine_chunks().flatten().to_numpy().reshape(rows.num_rows, -1)
        value[: len(known.measures), place] = given.T
    low, high = value.copy(), value.copy()
    each = pc.fill_null(pc.list_value_length(rows["banded"]), 0).to_numpy()
    number = rows["banded"].combine_chunks().flatten().to_numpy() - 1
    at = number, np.repeat(place, each)
    for ends, name in ((low, "low"), (high, "high")):
        end = rows[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        ends[at] = np.where(np.isnan(end), value[at], end)
    own = known.apart[known.apart["parcel_id"].isin(index)]
    at = pd.Index(names).get_indexer(pd.Index(own["measure"])), index.get_indexer(pd.Index(own["parcel_id"]))
    value[at] = own["value"].to_numpy()
    for ends, name in ((low, "low"), (high, "high")):
        ends[at] = own[name].fillna(own["value"]).to_numpy()
    return {name: Measured(value[n], low[n], high[n]) for n, name in enumerate(names)}


def _places(lies: pa.Table, index: pd.Index[Any], codes: npt.NDArray[np.object_], known: Known) -> Where:
    """Return the towns and plan zones of parcels, and where they may lie as well."""
    zones = _greatest(lies.filter(pc.equal(lies["layer"], ZONE)), index)
    towns = by_codes(codes)
    if known.claim_min is not None:
        there = lies.filter(pc.equal(lies["layer"], TOWN))
        ids, names = (_texts(there[name]) for name in ("parcel", "code"))
        area, share = (there[name].to_numpy() for name in ("area", "share"))
        overlaps = LayerOverlaps.of_columns(index, ids, names, area, share)
        towns = located(codes, overlaps, known.claim_min)
    elsewhere = places_elsewhere(known.pack, towns.town, towns.others, zones, zones_known=known.zones_known)
    return Where(towns, zones, elsewhere)


def _greatest(lies: pa.Table, index: pd.Index[Any]) -> npt.NDArray[np.object_]:
    """Return the code that holds most of each parcel (of two alike the first one), None outside of all."""
    code, area = _texts(lies["code"]), lies["area"].to_numpy()
    rank = pd.factorize(code, sort=True)[0]
    # The best of each comes last, and stays.
    order = np.lexsort((-rank, area))
    found = np.full(len(index), None, dtype=object)
    place = index.get_indexer(pd.Index(_texts(lies["parcel"]), dtype=object))
    found[place[order]] = code[order]
    return found


def _of(table: pa.Table, kind: int) -> pa.Table:
    return table.filter(pc.equal(table["kind"], kind))


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    found = np.empty(len(column), dtype=object)
    found[:] = column.to_pylist()
    return found
