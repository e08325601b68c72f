"""Evidence in the database: the one place that writes it, and reads it as columns; `result.evidence` shows it row by row.

A run stores one row a parcel with a value for each of its measures, a list of these measures with their sources, and by itself
what has a source of its own, as what a paper says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.db.frames import read_arrays, read_frame, read_numbers
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    pd = when_used("pandas")
    pa = when_used("pyarrow")
    pc = when_used("pyarrow.compute")

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

COLUMNS = ["parcel_id", "measure", "value", "low", "high", "source", "detail"]
# The parcels of some deliveries by their place in the order of their codes.
_PLACED = (
    "WITH placed AS (SELECT parcel_id, (row_number() OVER (ORDER BY parcel_id) - 1)::int4 AS place FROM land.parcel"
    " WHERE version_id = ANY(%s)) "
)
_VALUES = (
    "SELECT coalesce(e.value, array_fill('NaN'::float8, ARRAY[%s])) FROM placed LEFT JOIN result.parcel_evidence e"
    " ON e.run_id = %s AND e.parcel_id = placed.parcel_id ORDER BY place"
)
_BANDS = (
    "SELECT place, band.number, coalesce(band.low, e.value[band.number]), coalesce(band.high, e.value[band.number])"
    " FROM placed JOIN result.parcel_evidence e USING (parcel_id), unnest(e.banded, e.low, e.high) AS band (number, low, high)"
    " WHERE e.run_id = %s"
)
_APART = (
    "SELECT place, (names.number - 1)::int4, value, coalesce(low, value), coalesce(high, value) FROM placed"
    " JOIN result.evidence_apart e USING (parcel_id) JOIN unnest(%s::text[]) WITH ORDINALITY names (measure, number) USING (measure)"
    " WHERE e.run_id = %s"
)


@dataclass(frozen=True)
class Column:
    """What is known of one measure, parcel by parcel, and the source of all of it.

    The value is NaN where nothing is known, the ends of a band where there is none; what it is made of is None where nothing says it.
    """

    value: Floats
    source: str
    low: Floats | None = None
    high: Floats | None = None
    detail: Objects | None = None

    @property
    def known(self) -> Flags:
        """Return for which parcels anything is known."""
        return np.asarray(np.isfinite(self.value))

    @property
    def banded(self) -> Flags:
        """Return which parcels have a band."""
        if self.low is None or self.high is None:
            return np.zeros(len(self.value), dtype=bool)
        return np.asarray(self.known & np.isfinite(self.low) & np.isfinite(self.high))

    @property
    def noted(self) -> Flags:
        """Return which parcels have a detail."""
        if self.detail is None:
            return np.zeros(len(self.value), dtype=bool)
        named = np.array([text is not None for text in self.detail.tolist()], dtype=bool)
        return np.asarray(self.known & named)

    def of(self, some: slice | Flags) -> Column:
        """Return the same of some parcels."""
        return Column(
            self.value[some],
            self.source,
            None if self.low is None else self.low[some],
            None if self.high is None else self.high[some],
            None if self.detail is None else self.detail[some],
        )

    def rows(self, name: str, parcels: Objects) -> pd.DataFrame:
        """Return one row for each known value: parcel_id, measure, value, low, high, source, detail."""
        known = self.known
        count = int(known.sum())
        return pd.DataFrame(
            {
                "parcel_id": parcels[known],
                "measure": name,
                "value": self.value[known],
                "low": np.full(count, np.nan) if self.low is None else self.low[known],
                "high": np.full(count, np.nan) if self.high is None else self.high[known],
                "source": self.source,
                "detail": np.full(count, None) if self.detail is None else self.detail[known],
            }
        )


@dataclass(frozen=True)
class Measured:
    """One measure of every parcel with the ends of its band; NaN where nothing is known."""

    value: Floats
    low: Floats
    high: Floats


def write_evidence(
    connection: Connection,
    run_id: int,
    parcels: Objects,
    columns: Mapping[str, Column],
    apart: Sequence[pd.DataFrame] = (),
    *,
    srid: int,
    measures: Sequence[str] | None = None,
) -> None:
    """Write what a run found of parcels: columns in their order, and rows (as of `Column.rows`) that stand apart.

    Its measures are those of which anything is known, or `measures` where it takes over what an earlier run found of other parcels.
    """
    kept = {
        name: column
        for name, column in columns.items()
        if (column.known.any() if measures is None else name in measures)
    }
    constants = {"run_id": run_id}
    write_measures(connection, run_id, {name: column.source for name, column in kept.items()}, srid=srid)
    # Some parcels at a time: all measures of all of them beside each other would be the largest thing in memory.
    for start in range(0, len(parcels) if kept else 0, COPY_ROWS):
        some = slice(start, start + COPY_ROWS)
        rows = parcel_rows(parcels[some], [column.of(some) for column in kept.values()])
        copy_in(connection, schema.PARCEL_EVIDENCE, rows, srid=srid, constants=constants)
    write_apart(connection, run_id, apart, srid=srid)


def write_apart(connection: Connection, run_id: int, apart: Iterable[pd.DataFrame], *, srid: int) -> None:
    """Write rows that have a source of their own."""
    for rows in apart:
        copy_in(connection, schema.EVIDENCE_APART, rows, srid=srid, constants={"run_id": run_id})


def write_measures(connection: Connection, run_id: int, sources: Mapping[str, str], *, srid: int) -> None:
    """Write the measures of a run in their order, each with its source."""
    listed = pd.DataFrame(
        {
            "number": np.arange(1, len(sources) + 1),
            "measure": list(sources),
            "source": list(sources.values()),
        }
    )
    copy_in(connection, schema.EVIDENCE_MEASURE, listed, srid=srid, constants={"run_id": run_id})


def write_evidence_rows(
    connection: Connection, run_id: int, batches: Iterable[pa.RecordBatch], kept: Sequence[int], *, srid: int
) -> None:
    """Write rows of parcels that have the values of many measures, of which those of some numbers are `kept` in their order."""
    for batch in batches:
        rows = renumbered(batch, kept)
        copy_in(connection, schema.PARCEL_EVIDENCE, rows, srid=srid, constants={"run_id": run_id})


def renumbered(batch: pa.RecordBatch, kept: Sequence[int]) -> pd.DataFrame:
    """Return rows of `result.parcel_evidence` with the values of some measures, whose numbers are their places among these.

    >>> import math
    >>> row = {"parcel_id": "P", "value": [1.0, math.nan, 3.0], "banded": [3], "low": [2.0], "high": [4.0]}
    >>> renumbered(pa.RecordBatch.from_pylist([row]), [1, 3]).loc[0, ["value", "banded"]].tolist()
    [[1.0, 3.0], [2]]
    """
    rows = batch.num_rows
    values = batch["value"].flatten().to_numpy(zero_copy_only=False).reshape(rows, -1)
    places = np.zeros(values.shape[1] + 1, dtype=np.int32)
    places[list(kept)] = np.arange(1, len(kept) + 1)
    arrays = {
        "value": _lists(np.arange(rows + 1) * len(kept), pa.array(values[:, np.array(kept) - 1].ravel()))
    }
    for name in {"banded", "low", "high", "noted", "detail"} & set(batch.schema.names):
        column = batch[name]
        flat = column.flatten()
        if name in ("banded", "noted"):
            flat = pa.array(places[flat.to_numpy(zero_copy_only=False).astype(np.intp)], pa.int32())
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        none = column.is_null().to_numpy(zero_copy_only=False)
        arrays[name] = _lists(np.concatenate([[0], np.cumsum(lengths)]), flat, mask=none)
    lists = {name: pd.arrays.ArrowExtensionArray(array) for name, array in arrays.items()}
    return pd.DataFrame({"parcel_id": batch["parcel_id"].to_numpy(zero_copy_only=False), **lists})


def measured_key(run_id: int) -> Hashable:
    """Return under which name a stage keeps the parcels of a run and what it found of them for the next stage of the same program."""
    return "measured", run_id


def as_measured(
    parcels: Objects, columns: Mapping[str, Column], apart: Sequence[pd.DataFrame] = ()
) -> dict[str, Measured]:
    """Return what `read_measured` reads of what `write_evidence` writes, without asking the database."""
    found = {name: _measured(column) for name, column in columns.items() if column.known.any()}
    index = pd.Index(parcels, dtype=object)
    for rows in apart:
        place = index.get_indexer(pd.Index(rows["parcel_id"], dtype=object))
        ends = rows.reindex(columns=["value", "low", "high"]).astype(np.float64)
        ends = ends.assign(**{end: ends[end].fillna(ends["value"]) for end in ("low", "high")})
        for name in rows["measure"].unique():
            nothing = np.full((3, len(parcels)), np.nan)
            whole = found.setdefault(name, Measured(*nothing))
            here = (rows["measure"] == name).to_numpy() & (place >= 0)
            for end in ("value", "low", "high"):
                getattr(whole, end)[place[here]] = ends[end].to_numpy()[here]
    return {name: found[name] for name in sorted(found)}


def _measured(column: Column) -> Measured:
    value = np.where(column.known, column.value, np.nan)
    low, high = value.copy(), value.copy()
    if column.low is not None and column.high is not None:
        banded = column.banded
        low[banded], high[banded] = column.low[banded], column.high[banded]
    return Measured(value, low, high)


def copy_evidence(connection: Connection, run_id: int, earlier: int, parcels: str) -> None:
    """Write what an earlier run found of the parcels of a temporary table, but for what stands apart, under another run."""
    columns = [
        sql.Identifier(column.name) for column in schema.PARCEL_EVIDENCE.columns if column.name != "run_id"
    ]
    connection.execute(
        sql.SQL(
            "INSERT INTO result.parcel_evidence (run_id, {columns}) SELECT %s, {columns} FROM result.parcel_evidence"
            " WHERE run_id = %s AND parcel_id IN (SELECT parcel_id FROM {parcels})"
        ).format(columns=sql.SQL(", ").join(columns), parcels=sql.Identifier(parcels)),
        [run_id, earlier],
    )


def known_measures(connection: Connection, run_id: int, measures: Sequence[str], parcels: str) -> set[str]:
    """Return the measures, by their order in a run, of which it found anything of the parcels of a temporary table."""
    statement = sql.SQL(
        "SELECT number FROM unnest(%s::int[]) AS number WHERE EXISTS (SELECT FROM result.parcel_evidence WHERE run_id = %s"
        " AND value[number] <> 'NaN' AND parcel_id IN (SELECT parcel_id FROM {}))"
    ).format(sql.Identifier(parcels))
    rows = connection.execute(statement, [list(range(1, len(measures) + 1)), run_id]).fetchall()
    return {measures[number - 1] for (number,) in rows}


def parcel_rows(parcels: Objects, columns: Sequence[Column]) -> pd.DataFrame:
    """Return a row for each parcel of which anything is known."""
    values = np.stack([np.where(column.known, column.value, np.nan) for column in columns], axis=1)
    some = ~np.isnan(values).all(axis=1)
    banded = _Sparse.of([column.banded[some] for column in columns])
    noted = _Sparse.of([column.noted[some] for column in columns])
    starts = np.arange(int(some.sum()) + 1) * len(columns)
    arrays = {
        "value": _lists(starts, pa.array(values[some].ravel())),
        "banded": banded.lists(banded.number, pa.int32()),
        "low": banded.lists(banded.taken([column.low for column in columns], some), pa.float64()),
        "high": banded.lists(banded.taken([column.high for column in columns], some), pa.float64()),
        "noted": noted.lists(noted.number, pa.int32()),
        "detail": noted.lists(noted.taken([column.detail for column in columns], some), pa.large_string()),
    }
    lists = {name: pd.arrays.ArrowExtensionArray(array) for name, array in arrays.items()}
    return pd.DataFrame({"parcel_id": parcels[some], **lists})


@dataclass(frozen=True)
class _Sparse:
    """Where some columns have anything, in the order of rows and columns: the row, and the number of the column from 1."""

    row: npt.NDArray[np.intp]
    number: npt.NDArray[np.intp]
    count: int

    @classmethod
    def of(cls, columns: Sequence[Flags]) -> _Sparse:
        row, column = np.nonzero(np.array(columns, dtype=bool).T)
        return cls(row, column + 1, len(columns[0]))

    def taken(self, columns: Sequence[npt.NDArray[Any] | None], some: Flags) -> Objects:
        """Return what the columns have at these places, of the rows that are kept."""
        found = np.empty(len(self.row), dtype=object)
        for number in np.unique(self.number):
            here, column = self.number == number, columns[number - 1]
            found[here] = None if column is None else column[some][self.row[here]]
        return found

    def lists(self, values: npt.NDArray[Any], kind: pa.DataType) -> pa.LargeListArray:
        """Return the values as a list a row, none for a row that has nothing."""
        each = np.bincount(self.row, minlength=self.count)
        return _lists(np.concatenate([[0], np.cumsum(each)]), pa.array(values, kind), mask=each == 0)


def _lists(starts: npt.NDArray[np.int64], values: pa.Array, mask: Flags | None = None) -> pa.LargeListArray:
    none = None if mask is None else pa.array(mask)
    return pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), values, mask=none)


def read_measured(connection: Connection, run_id: int, parcel_versions: Sequence[int]) -> dict[str, Measured]:
    """Return what a run found of the parcels of some deliveries, in the order of their codes, by measure in the order of names."""
    versions = list(parcel_versions)
    numbers = dict(
        connection.execute(
            "SELECT measure, number FROM result.evidence_measure WHERE run_id = %s ORDER BY number", [run_id]
        ).fetchall()
    )
    alone = connection.execute(
        "SELECT DISTINCT measure FROM result.evidence_apart WHERE run_id = %s", [run_id]
    ).fetchall()
    names = [*numbers, *(name for (name,) in alone if name not in numbers)]
    read = (
        list(read_arrays(connection, _PLACED + _VALUES, [versions, len(numbers), run_id], len(numbers)))
        if numbers
        else []
    )
    value = _padded(read, len(names), _count(connection, versions))
    low, high = value.copy(), value.copy()
    for rows in read_numbers(connection, _PLACED + _BANDS, [versions, run_id], ("i4", "i4", "f8", "f8")):
        place = rows["f1"] - 1, rows["f0"]
        low[place], high[place] = rows["f2"], rows["f3"]
    for rows in read_numbers(
        connection, _PLACED + _APART, [versions, names, run_id], ("i4", "i4", "f8", "f8", "f8")
    ):
        place = rows["f1"], rows["f0"]
        value[place], low[place], high[place] = rows["f2"], rows["f3"], rows["f4"]
    places = {name: place for place, name in enumerate(names)}
    return {
        name: Measured(value[places[name]], low[places[name]], high[places[name]]) for name in sorted(names)
    }


def _padded(blocks: Sequence[Floats], measures: int, parcels: int) -> Floats:
    """Return one line a measure and one column a parcel; the last measures have no value yet."""
    value, start = np.full((measures, parcels), np.nan), 0
    for block in blocks:
        value[: block.shape[1], start : start + len(block)] = block.T
        start += len(block)
    return value


def _count(connection: Connection, versions: Sequence[int]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM land.parcel WHERE version_id = ANY(%s)", [list(versions)]
    ).fetchone()
    return int(row[0]) if row else 0


def read_rows(connection: Connection, run_id: int, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return all that a run found, one row a value."""
    return read_frame(
        connection,
        f"SELECT {', '.join(columns)} FROM result.evidence WHERE run_id = %s",  # noqa: S608 - fixed names
        [run_id],
    )


@dataclass(frozen=True)
class Known:
    """One value of one parcel, with its band, its source and what it is made of."""

    value: float
    low: float | None
    high: float | None
    source: str
    detail: str | None


def read_parcel(connection: Connection, run_ids: Sequence[int], parcel_id: str) -> dict[str, Known]:
    """Return what runs found of one parcel, by measure."""
    rows = connection.execute(
        "SELECT measure, value, low, high, source, detail FROM result.evidence WHERE parcel_id = %s AND run_id = ANY(%s)",
        [parcel_id, list(run_ids)],
    ).fetchall()
    return {row[0]: Known(*row[1:]) for row in rows}
