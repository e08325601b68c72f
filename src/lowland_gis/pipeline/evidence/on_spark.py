"""The stage measure on Spark: what concerns the parcels of a cell is brought together once, and measured where it lies.

| pass | what | why the whole is asked |
|---|---|---|
| grounds | ground and floor area of the parcels, cell by cell | firms stand on parcels of several cells |
| parts | which part of its firm's total each row takes, firm by firm | |
| evidence | every measure of every parcel, cell by cell | |

The first two are left out where no measure spreads a total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.engines.sedona import faults, job
from lowland_gis.engines.sedona.beside import BOX, batches, committed
from lowland_gis.engines.sedona.place import Place
from lowland_gis.engines.sedona.session import session
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.base.towns import TOWN
from lowland_gis.pipeline.evidence import cell_tasks
from lowland_gis.pipeline.evidence.cell_rows import COLUMNS, FIRM, OVERLAP, PARCEL, RECORD
from lowland_gis.pipeline.evidence.cell_tasks import Known
from lowland_gis.pipeline.evidence.taken_over import reach

Frame = Any

BUILDING, ENTERPRISE = "building", "enterprise"
_MB = 1_000_000
# So many rows of firms, or parcels that stand for a cell without geometries, are held by a task at a time.
_FIRMS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Land:
    """Folders of Parquet that the tasks read, each with the columns of `cell_rows.COLUMNS` that its kind has.

    `parcels`: parcel, version, town, area, planar, attributes, wkb and the box; `zones` (`overlaps.on_spark.ZONES`) are those of the layers
    that drift, None where none does; `overlaps`: layer, parcel, code, area, share; `records`: layer, row, version, code, attributes,
    area; `firms`: row, version, parcel, year, attributes, `n_firms` rows.
    """

    parcels: Path
    zones: Path | None
    overlaps: Path
    records: Path
    firms: Path
    n_firms: int


@dataclass(frozen=True)
class Measured:
    """Evidence that the tasks wrote to a folder (`cell_tasks.EVIDENCE`): the measures of which anything is known, by the number of each, with its source."""

    folder: Path
    sources: Mapping[int, str]
    peak_mb: float
    n_cells: int


def drifting(defined: Mapping[str, define.AnyMeasure], versions: Versions) -> list[str]:
    """Return the delivered layers whose zones measures ask once more, for parcels that are drawn in and out."""
    layers = [
        layer
        for item in defined.values()
        if isinstance(item, define.OverlapMeasure) and item.drift and set(item.needs) <= versions.keys()
        for layer in item.layers
        if layer in versions
    ]
    return list(dict.fromkeys(layers))


def overlaps_read(defined: Mapping[str, define.AnyMeasure]) -> list[str]:
    """Return the layers of which measures look at overlaps."""
    layers = {layer for item in defined.values() for layer in (*item.needs, *item.may_use)}
    return sorted({*layers, *define.features_read(), TOWN})


def by_feature() -> list[str]:
    """Return the layers whose features lie on parcels and are looked at one by one; others, as towns, are read whole."""
    return [layer for layer in define.features_read() if layer_definition(layer).tabulate == "feature"]


def totals(defined: Mapping[str, define.AnyMeasure], versions: Versions) -> list[str]:
    """Return the totals of firms that measures spread over parcels."""
    if ENTERPRISE not in versions:
        return []
    named = [item.total for item in defined.values() if isinstance(item, define.EnterpriseMeasure)]
    return list(dict.fromkeys(total for total in named if total is not None))


def measured(place: Place, land: Land, known: Known, beside: Path) -> Measured:
    """Write the evidence of all parcels to a folder beside and say what it is.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit; a measure cannot be computed in parts.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    define.refuse_beyond_parts(known.defined)
    with faults.told():
        return _Measuring(place, land, known, beside).evidence()


def rows(found: Measured, at_once: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of parcels that tasks have written, without those of the tasks, so many at a time."""
    for batch in batches(found.folder, at_once):
        found = batch.filter(batch["parcel_id"].is_valid())
        if found.num_rows:
            yield found


class _Measuring:
    """The passes over the land of one run."""

    def __init__(self, place: Place, land: Land, known: Known, beside: Path) -> None:
        self._spark, self._place = session(place), place
        self._land, self._known, self._beside = land, known, beside

    def evidence(self) -> Measured:
        wanted = totals(self._known.defined, self._known.versions)
        grid = job.Grid(self._place.cell_mb * _MB, reach_m=reach(self._known.defined), cut=False)
        zones = None if self._land.zones is None else self._read(self._land.zones, _ZONES)
        parcels, zone_rows, n_cells = job.placed(
            self._spark, self._read(self._land.parcels, _PARCELS), zones, grid
        )
        cells = parcels.select("parcel", "cell")
        firms, known = self._read(self._land.firms, _FIRMS), self._known
        stated = dict.fromkeys(wanted, False)
        if wanted:
            parts = self._parts(parcels, cells, firms, wanted, n_cells)
            stated = self._stated(parts, wanted)
            firms = firms.join(parts.select("row", "part"), "row", "left")
            known = replace(known, spread=True)
        frames = [
            parcels.selectExpr("*", f"{PARCEL} AS kind"),
            self._overlaps(cells),
            self._records(cells, by_feature()),
            firms.join(cells, "parcel").selectExpr("*", f"{FIRM} AS kind"),
        ]
        if zone_rows is not None:
            frames.append(zone_rows.select("cell", "kind", "klass", "row", "wkb"))
        task = partial(cell_tasks.measured, known=replace(known, stated=stated))
        target = self._beside / "evidence"
        self._in_cells(frames, n_cells).mapInArrow(task, cell_tasks.EVIDENCE).write.parquet(str(target))
        return self._told(target, n_cells)

    def _told(self, target: Path, n_cells: int) -> Measured:
        """Put together what the tasks say of themselves."""
        committed(target)
        rows = self._spark.read.parquet(str(target)).where("parcel_id IS NULL")
        sources: dict[int, str] = {}
        peak = 0.0
        for row in rows.select("value", "noted", "detail").collect():
            peak = max(peak, *row["value"])
            sources |= dict(zip(row["noted"], row["detail"], strict=True))
        return Measured(target, dict(sorted(sources.items())), peak, n_cells)

    def _read(self, folder: Path, types: str) -> Frame:
        return self._spark.read.schema(types).parquet(str(folder))

    def _overlaps(self, cells: Frame, layers: Sequence[str] | None = None) -> Frame:
        rows = self._read(self._land.overlaps, _OVERLAPS)
        if layers is not None:
            rows = rows.where(rows["layer"].isin(list(layers)))
        return rows.join(cells, "parcel").selectExpr("*", f"{OVERLAP} AS kind")

    def _records(self, cells: Frame, layers: Sequence[str]) -> Frame:
        """Return the features that lie on parcels of each cell, once a cell."""
        asked = (
            self._overlaps(cells, layers).selectExpr("cell", "layer", "CAST(code AS long) AS row").distinct()
        )
        records = self._read(self._land.records, _RECORDS)
        return asked.join(records, ["layer", "row"]).selectExpr("*", f"{RECORD} AS kind")

    def _in_cells(self, frames: Sequence[Frame], n_cells: int) -> Frame:
        """Return the rows of all frames, those of a cell in one partition and in the order of their kinds and rows."""
        alike = [
            frame.selectExpr(
                *(
                    f"CAST({name if name in frame.columns else 'NULL'} AS {kind}) AS {name}"
                    for name, kind in COLUMNS.items()
                )
            )
            for frame in frames
        ]
        whole = alike[0]
        for more in alike[1:]:
            whole = whole.unionByName(more)
        count = max(1, min(job.MOST_PARTITIONS, n_cells))
        return whole.repartition(count, "cell").sortWithinPartitions("cell", "kind", "row", "parcel")

    def _parts(self, parcels: Frame, cells: Frame, firms: Frame, wanted: list[str], n_cells: int) -> Frame:
        """Return which part of its firm's total each row of firms on parcels takes, and which totals it states (`cell_tasks.PARTS`)."""
        some = firms.select("parcel").distinct()
        frames = [parcels.drop("wkb", *BOX).join(some, "parcel").selectExpr("*", f"{PARCEL} AS kind")]
        if BUILDING in self._known.versions:
            on_some = cells.join(some, "parcel")
            frames += [self._overlaps(on_some, [BUILDING]), self._records(on_some, [BUILDING])]
        of_parcels = partial(cell_tasks.grounds, known=self._known)
        grounds = self._in_cells(frames, n_cells).mapInArrow(of_parcels, cell_tasks.GROUNDS)
        buckets = 1 + self._land.n_firms // _FIRMS_AT_ONCE
        named = partial(cell_tasks.firms_named, totals=wanted, buckets=buckets)
        by_firm = firms.join(grounds, "parcel").mapInArrow(named, cell_tasks.FIRMS)
        ordered = by_firm.repartition(buckets, "bucket").sortWithinPartitions("bucket", "row")
        target = self._beside / "parts"
        ordered.mapInArrow(cell_tasks.parts, cell_tasks.PARTS).write.parquet(str(target))
        committed(target)
        return self._spark.read.parquet(str(target))

    @staticmethod
    def _stated(parts: Frame, wanted: list[str]) -> dict[str, bool]:
        bits = parts.selectExpr("coalesce(bit_or(said), 0L) AS said").first()["said"]
        return {total: bool(bits >> bit & 1) for bit, total in enumerate(wanted)}


def _types(*names: str) -> str:
    return ", ".join(f"{name} {COLUMNS[name]}" for name in names)


_BOXES = ", ".join(f"{name} double" for name in BOX)
_PARCELS = f"{_types('parcel', 'version', 'town', 'area', 'planar', 'attributes', 'wkb')}, {_BOXES}"
_ZONES = f"{_types('klass', 'row', 'wkb')}, {_BOXES}"
_OVERLAPS = _types("layer", "parcel", "code", "area", "share")
_RECORDS = _types("layer", "row", "version", "code", "attributes", "area")
_FIRMS = _types("row", "version", "parcel", "year", "attributes")
