"""The plan of a tabulation of layers that tasks read themselves: counted by squares, cut into cells, packed and brought together once.

What `job` does with frames that have polygons in their rows is done here without polygons ever going through Java as rows. Sedona's own way with large layers is a join: it puts both sides into the partitions of a KDB-tree, where a parcel that crosses an
edge stands several times, and hands on pairs of geometries. Here no pair leaves a task and each parcel stands once. Sedona joins what
is small: the boxes around the zones of each square with the windows of the cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from lowland_gis.analysis.overlay.cells import Cells
from lowland_gis.analysis.overlay.wkb import Floats, Integers
from lowland_gis.engines.sedona import counting, job, packed, placing, work
from lowland_gis.engines.sedona.codes import numbered_codes
from lowland_gis.engines.sedona.job import MOST_PARTITIONS, WIDE_SQUARES, Grid
from lowland_gis.engines.sedona.polygons import Polygons

Frame = Any


@dataclass(frozen=True)
class Planned:
    """The rows that tasks will find (`work.FOUND`), whether some parcels are cut, how many parcels have a polygon, and the cells.

    `called`: what the numbers of classes are called, in their order; empty where zones came with numbers.
    """

    rows: Frame
    cut: bool
    n_parcels: int
    n_cells: int
    called: pa.Array


@dataclass(frozen=True)
class _Counted:
    """Squares of parcels and of zones (`counting.FIELDS`), the boxes of wide parcels, and the distinct names of zones."""

    ours: pa.Table
    theirs: pa.Table
    wide: Floats
    names: pa.Array


def tabulated(spark: Any, parcels: Polygons, zones: Polygons, grid: Grid, *, cover: bool) -> Planned:
    """Return what parcels share with the classes of zones, all on one plane.

    A parcel that was cut has rows of each of its pieces. The layers are counted here, so a job runs before this returns.

    Raises:
        RowsRefusedError, through Spark: a vertex is not finite, a file cannot be read.
    """
    counted = _counted(parcels, zones, grid)
    grounds = _grounds(counted, grid)
    plane = _plane(spark, counted, grounds, grid)
    codes, numbers, called = numbered_codes(counted.names)
    ours = parcels.mapped(partial(placing.parcels_placed, plane=plane, kind=parcels.kind), packed.SCHEMA)
    theirs = zones.mapped(
        partial(
            placing.zones_placed,
            plane=plane,
            kind=parcels.kind,
            codes=None if zones.numbered else codes,
            numbers=numbers,
        ),
        packed.SCHEMA,
    )
    n_cells = len(grounds.core)
    parts = max(1, min(MOST_PARTITIONS, n_cells))
    shuffled = theirs.unionByName(ours).repartition(parts, "cell").sortWithinPartitions(*packed.ORDER)
    task = partial(_tabulated, kind=parcels.kind, cores=grounds.core, cover=cover)
    schema = f"parcel {spelt(parcels.kind)}, klass long, " + ", ".join(
        f"{name} double" for name in work.FOUND[2:]
    )
    return Planned(
        shuffled.mapInArrow(task, schema),
        n_cells > 1 and len(counted.wide) > 0,
        int(counted.ours["n"].to_numpy().sum()),
        n_cells,
        called,
    )


def _tabulated(
    batches: Iterator[pa.RecordBatch], *, kind: pa.DataType, cores: Floats, cover: bool
) -> Iterator[pa.RecordBatch]:
    return work.tabulated(packed.unpacked(batches, kind), cores=cores, cover=cover)


def _counted(parcels: Polygons, zones: Polygons, grid: Grid) -> _Counted:
    """Return what lies in each square, by the lower left corners of boxes."""
    from pyspark.sql.functions import expr

    ours = parcels.mapped(
        partial(
            counting.parcels_counted,
            side=grid.square_m,
            wide_m=WIDE_SQUARES * grid.square_m,
            kind=parcels.kind,
        ),
        _counting_schema(parcels.kind),
    )
    theirs = zones.mapped(
        partial(
            counting.zones_counted, side=grid.square_m, large_bytes=grid.large_bytes, kind=zones.kind, numbered=zones.numbered
        ),
        _counting_schema(zones.kind),
    )  # fmt: skip
    sums = [f"sum({name}) AS {name}" for name in ("weight", "odd", "n")]
    box = [
        f"{call}({name}) AS {name}"
        for call, name in (("min", "x0"), ("min", "y0"), ("max", "x1"), ("max", "y1"))
    ]
    # Wide parcels stay apart by their boxes; there are few of them.
    apart = [
        f"CASE WHEN what = {counting.WIDE} THEN {name} END AS w{name}" for name in ("x0", "y0", "x1", "y1")
    ]
    joined = (
        ours.drop("name").selectExpr("*", f"CAST(NULL AS {spelt(zones.kind)}) AS name").unionByName(theirs)
    )
    keys = [expr(key) for key in ("what", "i", "j", "name", *apart)]
    table = joined.groupBy(*keys).agg(*map(expr, (*sums, *box))).toArrow()
    what = table["what"].to_numpy()
    some = {
        kind: table.filter(pa.array(what == kind))
        for kind in (counting.OURS, counting.THEIRS, counting.WIDE, counting.CLASS)
    }
    wide = np.stack([some[counting.WIDE][name].to_numpy() for name in ("x0", "y0", "x1", "y1")], axis=1)
    names = some[counting.CLASS]["name"].combine_chunks()
    return _Counted(some[counting.OURS], some[counting.THEIRS], wide, names)


def _counting_schema(kind: pa.DataType) -> str:
    kinds = ("int", "long", "long", "double", "long", "long", *["double"] * 4)
    fields = [f"{name} {each}" for name, each in zip(counting.FIELDS, kinds, strict=True)]
    return ", ".join([*fields, f"name {spelt(kind)}"])


def spelt(kind: pa.DataType) -> str:
    """Return how Spark writes a type."""
    from pyspark.sql.pandas.types import from_arrow_type

    return str(from_arrow_type(kind).simpleString())


def _squares(table: pa.Table) -> tuple[Integers, Integers, Floats]:
    i, j = (table[name].to_numpy().astype(np.int64) for name in ("i", "j"))
    box = np.stack([table[name].to_numpy(zero_copy_only=False) for name in ("x0", "y0", "x1", "y1")], axis=1)
    return i, j, box.astype(np.float64)


def _grounds(counted: _Counted, grid: Grid) -> Cells:
    """Return the cells by what all squares weigh; those of parcels come first, and only these have a window."""
    names = ["i", "j", "weight", "x0", "y0", "x1", "y1"]
    theirs = counted.theirs.select(names[:3])
    for name in names[3:]:
        theirs = theirs.append_column(name, pa.nulls(len(theirs), pa.float64()))
    squares = pa.concat_tables([counted.ours.select(names), theirs])
    return job.cells_of(squares, counted.wide, grid)


def _plane(spark: Any, counted: _Counted, grounds: Cells, grid: Grid) -> placing.Plane:
    """Return the cells as tasks need them."""
    (i, j, _), (their_i, their_j, around) = _squares(counted.ours), _squares(counted.theirs)
    keys = counting.key_of(i, j)
    order = np.argsort(keys)
    # Cells were numbered for the squares of parcels first.
    cell = grounds.cell[: len(keys)][order]
    their_keys = counting.key_of(their_i, their_j)
    their_order = np.argsort(their_keys)
    start, near = _near(spark, around[their_order], grounds)
    return placing.Plane(
        grid.square_m, WIDE_SQUARES * grid.square_m, grid.large_bytes,
        keys[order], cell, their_keys[their_order], start, near, grounds.core, grounds.window,
    )  # fmt: skip


def _near(spark: Any, around: Floats, grounds: Cells) -> tuple[Integers, Integers]:
    """Return which cells the zones of each square (S) may meet, as starts (S + 1) and numbers: Sedona joins their boxes with the windows of cells."""
    numbers = np.flatnonzero(~np.isnan(grounds.window[:, 0]))
    squares = np.flatnonzero(~np.isnan(around[:, 0]))
    if len(grounds.core) == 1 or len(numbers) == 0 or len(squares) == 0:
        return np.zeros(len(around) + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
    from pyspark.sql.functions import broadcast, expr

    windows = _boxes(spark, "cell", numbers, grounds.window[numbers])
    zones = _boxes(spark, "square", squares, around[squares])
    met = zones.alias("z").join(broadcast(windows.alias("w")), expr("ST_Intersects(z.box, w.box)"))
    pairs = met.select("square", "cell").toArrow()
    square, cell = (pairs[name].to_numpy() for name in ("square", "cell"))
    order = np.lexsort((cell, square))
    count = np.bincount(square, minlength=len(around))
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64), cell[order]


def _boxes(spark: Any, name: str, numbers: Integers, box: Floats) -> Frame:
    table = pa.table({name: pa.array(numbers), **{f"b{n}": pa.array(box[:, n]) for n in range(4)}})
    return spark.createDataFrame(table).selectExpr(name, "ST_PolygonFromEnvelope(b0, b1, b2, b3) AS box")
