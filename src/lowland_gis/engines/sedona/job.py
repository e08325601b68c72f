"""The plan of a tabulation on Spark: counted by squares, cut into cells, brought together once, tabulated where it lies.

Sedona's own way with large layers is a join: it puts both sides into the partitions of a KDB-tree, where a parcel that crosses an
edge stands several times, and hands on pairs of geometries. Here no pair leaves a task and each parcel stands once. Sedona
tells which zones meet the window of which cell (it broadcasts an index over the windows).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from lowland_gis.analysis.overlay.cells import Cells, cells, united
from lowland_gis.analysis.overlay.wkb import Floats
from lowland_gis.engines.sedona import work
from lowland_gis.errors import InputRefusedError

Frame = Any

# The squares in which is counted what lies where, in metres.
SQUARE_M = 1_000.0
# A parcel whose box is longer than so many squares is cut along the edges of cells: else the window of one cell would be as large.
WIDE_SQUARES = 2.0
# A zone of more bytes goes to a cell as what its window sees of it: 4,000 vertices.
LARGE_BYTES = 64_000
# More cells than this share a partition, one after the other.
MOST_PARTITIONS = 4_096


@dataclass(frozen=True)
class Grid:
    """How the plane is cut: squares of so many metres, cells of at most so many bytes, zones that are large from so many bytes on.

    Zones come to a cell as far as `reach_m` beyond its parcels. Without `cut` a wide parcel stays whole, in the cell of its corner.
    """

    cell_bytes: float
    square_m: float = SQUARE_M
    large_bytes: int = LARGE_BYTES
    reach_m: float = 0.0
    cut: bool = True


@dataclass(frozen=True)
class Planned:
    """The rows that tasks will find (`work.FOUND`), whether some parcels are cut, how many parcels have a polygon, and the cells."""

    rows: Frame
    cut: bool
    n_parcels: int
    n_cells: int


@dataclass(frozen=True)
class _Counted:
    squares: pa.Table
    wide: Floats
    large: bool
    n_parcels: int


def tabulated(
    spark: Any, parcels: Frame, zones: Frame, grid: Grid, *, cover: bool, layers: bool = False
) -> Planned:
    """Return what parcels share with the classes of zones.

    `parcels` has parcel, wkb and x0, y0, x1, y1 (the box; null where there is no polygon), `zones` has klass, wkb and the box; all on one
    plane. A parcel that was cut has rows of each of its pieces. With `layers` the zones are of several ones (`work.layer_of` their
    classes), of which each has its own cover. Where zones have a `row`, those of a class are added up in its order.
    The layers are counted here, so jobs run before this returns.

    Raises:
        InputRefusedError: a box is not finite.
    """
    parcels, zones = (frame.where("x0 IS NOT NULL") for frame in (parcels, zones))
    counted = _counted(parcels, zones, grid)
    plane = _cells(counted, grid)
    zones = _in_rows(zones)
    kind = next(field.dataType for field in parcels.schema.fields if field.name == "parcel")
    rows = (
        _in_one(parcels, zones, kind)
        if len(plane.core) == 1
        else _in_cells(spark, parcels, zones, plane, counted, grid)
    )
    parts = max(2, min(MOST_PARTITIONS, len(plane.core)))
    # Zones of a class that came in another order would give other last digits.
    shuffled = rows.repartition(parts if len(plane.core) > 1 else 1, "cell").sortWithinPartitions(
        "cell", "kind", "row", "klass", "wkb"
    )
    task = partial(work.tabulated, cores=plane.core, cover=cover, layers=layers)
    schema = f"parcel {kind.simpleString()}, klass long, " + ", ".join(
        f"{name} double" for name in work.FOUND[2:]
    )
    cut = len(plane.core) > 1 and len(counted.wide) > 0
    return Planned(shuffled.mapInArrow(task, schema), cut, counted.n_parcels, len(plane.core))


def _counted(parcels: Frame, zones: Frame, grid: Grid) -> _Counted:
    """Return what lies in each square, by the lower left corners of boxes."""
    side = grid.square_m
    square = [f"CAST(floor(x0 / {side}) AS long) AS i", f"CAST(floor(y0 / {side}) AS long) AS j"]
    wide = _is_wide(grid)
    box = [
        f"{call}(CASE WHEN NOT {wide} THEN {name} END) AS {name}"
        for call, name in (("min", "x0"), ("min", "y0"), ("max", "x1"), ("max", "y1"))
    ]
    ours = _grouped(
        parcels,
        square,
        ["CAST(sum(length(wkb)) AS double) AS weight", f"count_if({wide}) AS odd", "count(*) AS n", *box],
    )
    large = grid.large_bytes
    theirs = _grouped(
        zones,
        square,
        [
            f"CAST(sum(least(length(wkb), {large})) AS double) AS weight",
            f"count_if(length(wkb) > {large}) AS odd",
            "count(*) AS n",
            *[f"CAST(NULL AS double) AS {name}" for name in ("x0", "y0", "x1", "y1")],
        ],
    )
    table = (
        ours.selectExpr("*", "true AS ours").unionByName(theirs.selectExpr("*", "false AS ours")).toArrow()
    )
    places = np.stack([table[name].to_numpy() for name in ("i", "j")]).astype(np.float64)
    if not np.isfinite(places).all() or np.abs(places).max(initial=0) > 1e12:  # noqa: PLR2004 - a sum of inf
        raise InputRefusedError(
            "A polygon has a vertex that is not finite, so nothing was computed. Repair the layer first."
        )
    odd, mine = table["odd"].to_numpy(), table["ours"].to_numpy(zero_copy_only=False).astype(bool)
    wide_boxes = np.empty((0, 4))
    if odd[mine].any():
        found = parcels.where(wide).select("x0", "y0", "x1", "y1").toArrow()
        wide_boxes = np.stack([column.to_numpy() for column in found.columns], axis=1)
    return _Counted(table, wide_boxes, bool(odd[~mine].any()), int(table["n"].to_numpy()[mine].sum()))


def _is_wide(grid: Grid) -> str:
    return f"(greatest(x1 - x0, y1 - y0) > {WIDE_SQUARES * grid.square_m})" if grid.cut else "false"


def _in_rows(zones: Frame) -> Frame:
    """Return zones with the number of their row, null where they came without one."""
    return zones if "row" in zones.columns else zones.selectExpr("*", "CAST(NULL AS long) AS row")


def _grouped(frame: Frame, keys: list[str], values: list[str]) -> Frame:
    from pyspark.sql.functions import expr

    return frame.groupBy(*(expr(key) for key in keys)).agg(*(expr(value) for value in values))


def _cells(counted: _Counted, grid: Grid) -> Cells:
    return cells_of(counted.squares, counted.wide, grid)


def cells_of(table: pa.Table, wide: Floats, grid: Grid) -> Cells:
    """Return the cells of squares (i, j, weight and the box of their parcels); a window holds the boxes of its parcels and, of wide ones, what lies on its ground."""
    i, j = (table[name].to_numpy().astype(np.int64) for name in ("i", "j"))
    box = np.stack([table[name].to_numpy(zero_copy_only=False) for name in ("x0", "y0", "x1", "y1")], axis=1)
    plane = cells(
        i, j, table["weight"].to_numpy(), box.astype(np.float64), side=grid.square_m, limit=grid.cell_bytes
    )
    if len(plane.core) == 1:
        return plane
    window = plane.window + np.array([-1.0, -1.0, 1.0, 1.0]) * grid.reach_m
    for ground in wide:
        core = plane.core
        met = (
            (core[:, 0] <= ground[2])
            & (core[:, 2] >= ground[0])
            & (core[:, 1] <= ground[3])
            & (core[:, 3] >= ground[1])
        )
        for number in np.flatnonzero(met):
            low, high = np.maximum(core[number, :2], ground[:2]), np.minimum(core[number, 2:], ground[2:])
            window[number] = united(np.stack([window[number], np.concatenate([low, high])]))
    return plane._replace(window=window)


def _in_one(parcels: Frame, zones: Frame, kind: Any) -> Frame:
    """Return the rows where one cell is all."""
    return _zone_rows(zones, "0", kind, work.ZONE).unionByName(_parcel_rows(parcels, "0"))


def _in_cells(spark: Any, parcels: Frame, zones: Frame, plane: Cells, counted: _Counted, grid: Grid) -> Frame:
    """Return the rows of all cells: parcels by their squares, zones by the windows that they meet, what is wide or large cut before."""
    kind = next(field.dataType for field in parcels.schema.fields if field.name == "parcel")
    wide = _is_wide(grid)
    rows = [_parcel_rows(_by_square(spark, parcels.where(f"NOT {wide}"), plane, counted, grid), "cell")]
    if len(counted.wide):
        cut = partial(work.parcels_cut, core=plane.core, numbers=np.arange(len(plane.core), dtype=np.int64))
        rows.append(parcels.where(wide).select("parcel", "wkb").mapInArrow(cut, _shuffled(kind)))
    return _united([*rows, *_zones_in_cells(spark, zones, plane, counted, grid, kind)])


def _shuffled(kind: Any) -> str:
    """Return the types of the rows that are shuffled (`work.SHUFFLED`), where parcels are named by values of a kind."""
    return f"cell int, kind int, parcel {kind.simpleString()}, klass long, whole double, wkb binary, row long"


def _united(frames: list[Frame]) -> Frame:
    whole = frames[0]
    for more in frames[1:]:
        whole = whole.unionByName(more)
    return whole


def _by_square(spark: Any, parcels: Frame, plane: Cells, counted: _Counted, grid: Grid) -> Frame:
    """Return parcels with the cell of the square in which their corner lies."""
    from pyspark.sql.functions import broadcast

    side = grid.square_m
    keys = counted.squares.select(["i", "j"]).append_column("cell", pa.array(plane.cell, pa.int32()))
    keys = keys.group_by(["i", "j"]).aggregate([("cell", "min")]).rename_columns(["i", "j", "cell"])
    placed = parcels.selectExpr(
        "*", f"CAST(floor(x0 / {side}) AS long) AS i", f"CAST(floor(y0 / {side}) AS long) AS j"
    )
    return placed.join(broadcast(spark.createDataFrame(keys)), ["i", "j"])


def _zones_in_cells(
    spark: Any, zones: Frame, plane: Cells, counted: _Counted, grid: Grid, kind: Any
) -> list[Frame]:
    """Return the rows of zones of all cells whose windows they meet; of large ones what a window sees of them."""
    from pyspark.sql.functions import broadcast, expr

    rows = []
    numbers = np.flatnonzero(~np.isnan(plane.window[:, 0])).astype(np.int64)
    window = plane.window[numbers]
    if len(numbers):
        some = pa.table(
            {
                "cell": pa.array(numbers, pa.int32()),
                **{f"w{n}": pa.array(window[:, n]) for n in range(4)},
            }
        )
        windows = spark.createDataFrame(some).selectExpr(
            "cell", "ST_PolygonFromEnvelope(w0, w1, w2, w3) AS seen"
        )
        whole = zones.where(f"length(wkb) <= {grid.large_bytes}").selectExpr(
            "*", "ST_PolygonFromEnvelope(x0, y0, x1, y1) AS around"
        )
        met = whole.join(broadcast(windows), expr("ST_Intersects(around, seen)"))
        rows.append(_zone_rows(met, "cell", kind, work.ZONE))
        if counted.large:
            seen = partial(work.zones_seen, window=window, numbers=numbers, parcel=_arrow(kind))
            large = zones.where(f"length(wkb) > {grid.large_bytes}").select("klass", "row", "wkb")
            large = large.repartition(spark.sparkContext.defaultParallelism)
            rows.append(large.mapInArrow(seen, _shuffled(kind)))
    return rows


def placed(spark: Any, parcels: Frame, zones: Frame | None, grid: Grid) -> tuple[Frame, Frame | None, int]:
    """Return parcels with the `cell` of each, the rows of the zones that reach there (`work.SHUFFLED`), and how many cells there are.

    As in `tabulated`, but each parcel is whole and keeps its columns; without zones there are no rows of them. What is counted is
    counted here, so jobs run before this returns.
    """
    parcels = parcels.where("x0 IS NOT NULL")
    none = parcels.limit(0).selectExpr("CAST(0 AS long) AS klass", "wkb", "x0", "y0", "x1", "y1")
    theirs = none if zones is None else zones.where("x0 IS NOT NULL")
    counted = _counted(parcels, theirs, grid)
    plane = _cells(counted, grid)
    kind = next(field.dataType for field in parcels.schema.fields if field.name == "parcel")
    if len(plane.core) == 1:
        here = parcels.selectExpr("*", "CAST(0 AS int) AS cell")
        there = None if zones is None else _zone_rows(_in_rows(theirs), "0", kind, work.ZONE)
        return here, there, 1
    rows = [] if zones is None else _zones_in_cells(spark, _in_rows(theirs), plane, counted, grid, kind)
    return (
        _by_square(spark, parcels, plane, counted, grid).drop("i", "j"),
        _united(rows) if rows else None,
        len(plane.core),
    )


def _arrow(kind: Any) -> pa.DataType:
    from pyspark.sql.pandas.types import to_arrow_type

    return to_arrow_type(kind)


def _parcel_rows(frame: Frame, cell: str) -> Frame:
    return frame.selectExpr(
        f"CAST({cell} AS int) AS cell", f"{work.PARCEL} AS kind", "parcel", "CAST(NULL AS long) AS klass",
        "CAST(NULL AS double) AS whole", "wkb", "CAST(NULL AS long) AS row",
    )  # fmt: skip


def _zone_rows(frame: Frame, cell: str, kind: Any, number: int) -> Frame:
    return frame.selectExpr(
        f"CAST({cell} AS int) AS cell", f"{number} AS kind", f"CAST(NULL AS {kind.simpleString()}) AS parcel", "klass",
        "CAST(NULL AS double) AS whole", "wkb", "row",
    )  # fmt: skip
