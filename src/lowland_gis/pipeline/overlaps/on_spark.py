"""All layers of the stage tabulate on Spark at once: written beside as they lie, tabulated by the tasks, and read back batch by batch.

Nothing is held of a layer but the codes of its zones: polygons go to files as they are read, and what the tasks find comes from files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lowland_gis import schema
from lowland_gis.analysis.overlay.tabulate import NOISE_M2
from lowland_gis.db.copy import COPY_ROWS
from lowland_gis.engines.sedona import faults, job, work
from lowland_gis.engines.sedona.beside import BOX, batches, beside, with_boxes, write
from lowland_gis.engines.sedona.session import Place, session
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.overlaps.stored_layer import StoredLayer

Frame = Any

_BOX_AND_WKB = [*((name, pa.float64()) for name in BOX), ("wkb", pa.binary())]
PARCELS = pa.schema([("parcel", pa.string()), *_BOX_AND_WKB])
ZONES = pa.schema([("klass", pa.int64()), ("row", pa.int64()), *_BOX_AND_WKB])
_MB = 1_000_000


class Found(NamedTuple):
    """Rows for a table of results, all columns but the run."""

    table: schema.Table
    rows: pd.DataFrame


class Codes:
    """The classes of the zones of several layers: a number for each layer and code, as tasks know them."""

    def __init__(self, layers: list[str]) -> None:
        """Begin without codes."""
        self.layers = layers
        self._numbers: list[dict[str, int]] = [{} for _ in layers]

    def classes(self, layer: int, labels: list[str]) -> pa.Array:
        """Return the class of each label of a layer; new ones get the next number."""
        known = self._numbers[layer]
        return pa.array(
            [work.class_in(layer, known.setdefault(label, len(known))) for label in labels], pa.int64()
        )

    def names(self, classes: Any) -> tuple[Any, Any]:
        """Return the layers and the codes of classes."""
        layer = work.layer_of(classes)
        starts = np.cumsum([0, *(len(known) for known in self._numbers)])
        codes = np.array([code for known in self._numbers for code in known], dtype=object)
        place = starts[layer] + classes - work.class_in(1, 0) * layer
        return np.array(self.layers, dtype=object)[layer], codes[place]

    def table(self) -> pa.Table:
        """Return klass, layer and code of all classes."""
        rows = [
            (work.class_in(layer, number), name, code)
            for layer, (name, known) in enumerate(zip(self.layers, self._numbers, strict=True))
            for code, number in known.items()
        ]
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        kinds = (pa.int64(), pa.string(), pa.string())
        return pa.table(
            [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)],
            names=["klass", "layer", "code"],
        )


def tabulated(
    place: Place,
    parcels: StoredLayer,
    layers: Mapping[str, StoredLayer],
    *,
    cover: bool,
    tell: Callable[[str], None],
) -> Iterator[Found]:
    """Yield the rows of `result.overlap` and, with `cover`, of `result.cover`, once all layers were tabulated.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit.
        LowlandError: the master cannot be reached, or a task has failed four times; nothing was yielded.
    """
    codes = Codes(list(layers))
    with beside() as folder, faults.told():
        write_named(parcels, folder / "parcels" / "all.parquet")
        write_zones(list(layers.values()), codes, folder / "zones")
        plan, found = found_by_tasks(
            place, folder / "parcels", folder / "zones", folder / "found", cover=cover
        )
        peak = 0.0
        for batch in batches(found, COPY_ROWS):
            klass = batch["klass"].to_numpy()
            area = batch["area_m2"].to_numpy()
            peak = max(peak, area[klass == work.PEAK].max(initial=0.0))
            yield from _rows(batch, codes, cut=plan.cut)
        tell(f"Spark on {place.master}: {plan.n_cells:,} cells, a worker had at most {peak:,.0f} MB")


def write_named(layer: StoredLayer, file: Path) -> int:
    """Write polygons with their names and boxes (`PARCELS`); return how many they are."""
    tables = (
        with_boxes(pa.table({"parcel": pa.array(labels, pa.string()), "wkb": shapes}))
        for labels, shapes in layer.rows()
    )
    return write(file, PARCELS, tables)


def write_zones(layers: list[StoredLayer], codes: Codes, folder: Path) -> None:
    """Write the zones of layers with their classes, their order and their boxes (`ZONES`), a file a layer."""
    for number, layer in enumerate(layers):
        write(folder / f"{number:03}.parquet", ZONES, _zones(layer, number, codes))


def _zones(layer: StoredLayer, number: int, codes: Codes) -> Iterator[pa.Table]:
    row = 0
    for labels, shapes in layer.rows():
        rows = pa.array(np.arange(row, row + len(labels)))
        row += len(labels)
        yield with_boxes(pa.table({"klass": codes.classes(number, labels), "row": rows, "wkb": shapes}))


def found_by_tasks(
    place: Place, parcels: Path, zones: Path, target: Path, *, cover: bool
) -> tuple[job.Planned, Path]:
    """Return the plan, and the folder of what the tasks have found (`work.FOUND`), the pieces of cut parcels as one.

    Raises:
        LowlandError: not every parcel was answered.
    """
    spark = session(place)
    ours, theirs = spark.read.parquet(str(parcels)), spark.read.schema(_zone_types()).parquet(str(zones))
    grid = job.Grid(cell_bytes=place.cell_mb * _MB)
    plan = job.tabulated(spark, ours, theirs, grid, cover=cover, layers=True)
    plan.rows.write.parquet(str(target))
    found = spark.read.parquet(str(target))
    own = found.where(f"klass = {work.ITSELF}")
    came = own.select("parcel").distinct().count() if plan.cut else own.count()
    if came != plan.n_parcels:
        raise LowlandError(
            f"{came:,} of {plan.n_parcels:,} parcels were answered, so nothing was written. Run it again; please report it."
        )
    if not plan.cut:
        return plan, target
    whole = target.with_name(f"{target.name}-whole")
    _pieces_as_one(found).write.parquet(str(whole))
    return plan, whole


def _zone_types() -> str:
    return "klass long, row long, " + ", ".join(f"{name} double" for name in BOX) + ", wkb binary"


def _pieces_as_one(found: Frame) -> Frame:
    """Return the rows of parcels of which some were cut; what no zone covers is what is left of the whole."""
    sums = found.where(f"klass != {work.PEAK}").groupBy("parcel", "klass")
    sums = sums.agg({"area_m2": "sum", "whole_m2": "max", "excess_m2": "sum"})
    sums = sums.withColumnsRenamed(
        {"sum(area_m2)": "area_m2", "max(whole_m2)": "whole_m2", "sum(excess_m2)": "excess"}
    )
    covered = f"klass <= {work.COVERED}"
    above = "CASE WHEN {0} > {1} THEN {0} ELSE 0.0D END".format
    rest, excess = (above(value, NOISE_M2) for value in ("(whole_m2 - (area_m2 - excess))", "excess"))
    whole = sums.selectExpr(
        "parcel", "klass", "area_m2", "whole_m2",
        f"CASE WHEN {covered} THEN {rest} END AS rest_m2", f"CASE WHEN {covered} THEN {excess} END AS excess_m2",
    )  # fmt: skip
    return whole.unionByName(found.where(f"klass = {work.PEAK}"))


def _rows(batch: pa.RecordBatch, codes: Codes, *, cut: bool) -> Iterator[Found]:
    klass = batch["klass"].to_numpy()
    some = batch.filter(pa.array(klass >= 0))
    if some.num_rows:
        layer, code = codes.names(some["klass"].to_numpy())
        area, whole = some["area_m2"].to_numpy(), some["whole_m2"].to_numpy()
        yield Found(
            schema.OVERLAP,
            pd.DataFrame(
                {"layer": layer, "parcel_id": _texts(some["parcel"]), "code": code, "area_m2": area, "share": area / whole}
            ),
        )  # fmt: skip
    covers = batch.filter(pa.array(klass <= work.COVERED))
    rest, excess = (covers[name].to_numpy(zero_copy_only=False) for name in ("rest_m2", "excess_m2"))
    uneven = (rest > 0.0) | (excess > 0.0) if cut else np.ones(len(rest), dtype=bool)
    if uneven.any():
        layer = np.array(codes.layers, dtype=object)[work.COVERED - covers["klass"].to_numpy()[uneven]]
        parcel = _texts(covers["parcel"])[uneven]
        yield Found(
            schema.COVER,
            pd.DataFrame(
                {"layer": layer, "parcel_id": parcel, "rest_m2": rest[uneven], "excess_m2": excess[uneven]}
            ),
        )


def _texts(column: pa.Array) -> Any:
    return column.to_numpy(zero_copy_only=False)
