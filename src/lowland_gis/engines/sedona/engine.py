"""The question of all engines, answered on Spark: layers are written beside as Parquet, tabulated by the tasks, and read back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lowland_gis.analysis.overlay.tabulate import NOISE_M2, Cover, Overlaps
from lowland_gis.engines.base import Answer, Integers, Layer, Question
from lowland_gis.engines.sedona import faults, job, plan, work
from lowland_gis.engines.sedona.beside import beside, groups, room_told
from lowland_gis.engines.sedona.geoparquet import Portion, of_portions, portions_of
from lowland_gis.engines.sedona.session import MASTER, MEMORY, Place, session
from lowland_gis.errors import LowlandError

_SCHEMA = pa.schema([("number", pa.int64()), ("wkb", pa.binary())])
_MB = 1_000_000


class Sedona:
    """The engine that computes on Spark; `peak_mb` is the most memory that a worker has had, once there are answers."""

    def __init__(
        self,
        _database: Callable[[], str],
        master: str | None = None,
        memory: str | None = None,
        grid: job.Grid | None = None,
    ) -> None:
        """Ask for no database; Spark is started when the first question comes, on `master` with `memory` for the driver and each executor."""
        self.place = Place(master or MASTER, memory or MEMORY)
        self.grid = grid or job.Grid(cell_bytes=self.place.cell_mb * _MB)
        self.peak_mb = 0.0

    def answers(self, question: Question) -> Generator[Answer]:
        """Yield one answer a layer. Polygons pass through this process batch by batch; what was found of a layer is held at once.

        Raises:
            UsageError: Java, a jar or Spark itself is missing or does not fit.
            LowlandError: the master cannot be reached, or a task has failed four times.
        """
        with beside() as folder:
            ours = _written(question.parcels, folder / "parcels", question)
            order = None
            for number, layer in enumerate(question.layers):
                theirs = _written(layer, folder / f"zones-{number}", question, layer.classes)
                if number == 0:
                    order = question.order() if question.order is not None else np.arange(ours)
                found = self._found(folder, number, cover=question.cover)
                shutil.rmtree(folder / f"zones-{number}", ignore_errors=True)
                yield _answer(number, order, found, cover=question.cover)
                question.watch(ours, ours)
                del theirs

    def _found(self, folder: Path, number: int, *, cover: bool) -> pa.Table:
        """Return the rows of a layer, once all of them were written and committed."""
        spark = session(self.place)
        parcels, zones = (
            of_portions(spark, _portions(folder / name), "wkb", "number", pa.int64(), numbered=True)
            for name in ("parcels", f"zones-{number}")
        )
        target = folder / f"found-{number}"
        with faults.told():
            plan.tabulated(spark, parcels, zones, self.grid, cover=cover).rows.write.parquet(str(target))
        if not (target / "_SUCCESS").exists():
            raise LowlandError(
                f"{target}: what Spark has written is not whole, so it is not taken. Run it again."
            )
        table = pq.read_table(target)
        klass = table["klass"].to_numpy()
        self.peak_mb = max(self.peak_mb, table["area_m2"].to_numpy()[klass == work.PEAK].max(initial=0.0))
        return table.filter(pa.array(klass != work.PEAK))


def _written(
    layer: Layer, folder: Path, question: Question, classes: Callable[[], Integers] | None = None
) -> int:
    """Write the polygons of a layer with their numbers, or those of their classes; return how many rows it has.

    The classes of zones are known when all were read, so these are written again with them, row group by row group.
    """
    folder.mkdir()
    rows = 0
    plain = folder / "polygons.parquet"
    with room_told():
        with pq.ParquetWriter(plain, _SCHEMA) as writer:
            for batch in layer.wkb():
                for some in groups(batch):
                    writer.write_batch(_numbered_from(rows, some))
                    rows += len(some)
                    question.watch(rows, None)
        if classes is not None:
            _numbered(plain, classes(), folder / "classed.parquet")
            plain.unlink()
    return rows


def _numbered_from(first: int, shapes: pa.Array) -> pa.RecordBatch:
    numbers = pa.array(np.arange(first, first + len(shapes)))
    return pa.RecordBatch.from_arrays([numbers, shapes.cast(pa.binary())], schema=_SCHEMA)


def _portions(folder: Path) -> tuple[Portion, ...]:
    """Return the portions of what was written into a folder."""
    (file,) = folder.iterdir()
    return tuple(portions_of(str(file), pq.read_metadata(file)))


def _numbered(plain: Path, classes: Integers, target: Path) -> None:
    with pq.ParquetFile(plain) as file, pq.ParquetWriter(target, _SCHEMA) as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            own = pa.array(classes[group["number"].to_numpy()], pa.int64())
            writer.write_table(group.set_column(0, "number", own))


def _answer(number: int, order: Any, found: pa.Table, *, cover: bool) -> Answer:
    """Return the answer of a layer in the order that is wanted; the pieces of a parcel that was cut are one again."""
    parcel, klass, area = (found[name].to_numpy() for name in work.FOUND[:3])
    own = klass == work.ITSELF
    whole = np.full(len(order), np.nan)
    whole[parcel[own]] = found["whole_m2"].to_numpy()[own]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    overlaps = _summed(rank[parcel[~own]], klass[~own], area[~own])
    covered = None
    if cover:
        sums = []
        for name in ("rest_m2", "excess_m2"):
            by_row = np.bincount(parcel[own], found[name].to_numpy()[own], minlength=len(order))[order]
            sums.append(np.where(by_row > NOISE_M2, by_row, 0.0))
        covered = Cover(*sums)
    placed = Overlaps(np.asarray(order)[overlaps.parcel], overlaps.klass, overlaps.area_m2)
    return Answer(number, np.asarray(order), whole[order], placed, covered)


def _summed(place: Integers, klass: Integers, area: Any) -> Overlaps:
    """Return the rows in the order of place and class, those of the same two as one."""
    by_both = np.lexsort((klass, place))
    place, klass, area = place[by_both], klass[by_both], area[by_both]
    first = np.ones(len(place), dtype=bool)
    first[1:] = (place[1:] != place[:-1]) | (klass[1:] != klass[:-1])
    starts = np.flatnonzero(first)
    sums = np.add.reduceat(area, starts) if len(starts) else area
    return Overlaps(place[starts], klass[starts], np.asarray(sums, dtype=np.float64))
