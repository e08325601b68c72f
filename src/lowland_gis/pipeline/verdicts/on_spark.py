"""The stage classify on Spark: parcels in parts, each decided by a task; what hangs on all of them is found in passes before.

| pass | what | where it is needed |
|---|---|---|
| points | exact sums of the points that are known | a score fills what is missing with their mean |
| scores | the score of each parcel, and its rank among all | the pack ranks |
| verdicts | every question of every parcel | always |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lowland_gis.analysis.rules.derived import Place as Term
from lowland_gis.analysis.rules.means import Summed, together
from lowland_gis.engines.sedona import faults, job
from lowland_gis.engines.sedona.beside import batches, committed
from lowland_gis.engines.sedona.place import Place
from lowland_gis.engines.sedona.ranks import ranked
from lowland_gis.engines.sedona.session import session
from lowland_gis.pipeline.verdicts import part_tasks
from lowland_gis.pipeline.verdicts.part_tasks import COLUMNS, LIES, PARCEL, RANK, VALUES, Known

Frame = Any

# So many bytes has what is known of a parcel: 70 measures and some bands. A part may have as many as a cell.
_PARCEL_BYTES = 800


@dataclass(frozen=True)
class Found:
    """Folders of Parquet that the tasks read, each with the columns of `part_tasks.COLUMNS` that its kind has.

    `parcels`: parcel, town; `lies`: layer, parcel, code, area, share of towns and plan zones; `values`: parcel_id, value, banded, low, high.
    """

    parcels: Path
    lies: Path
    values: Path
    n_parcels: int


@dataclass(frozen=True)
class Decided:
    """Verdicts and derived values that the tasks wrote to a folder (`part_tasks.DECIDED`), and the numbers of the derived ones that are known of any."""

    folder: Path
    derived: tuple[int, ...]
    n_parts: int


def decided(place: Place, found: Found, known: Known, beside: Path) -> Decided:
    """Write the verdicts of all parcels to a folder beside and say what it is.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit.
        LowlandError: the master cannot be reached, or a task has failed four times.
    """
    with faults.told():
        return _Deciding(place, found, known, beside).verdicts()


def rows(found: Decided, at_once: int) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield verdicts, and parcels with what was derived of them, so many at a time."""
    for batch in batches(found.folder, at_once):
        there = batch.filter(batch["parcel_id"].is_valid())
        asked = there["question"].is_valid()
        yield there.filter(asked), there.filter(there["question"].is_null())


class _Deciding:
    """The passes over the evidence of one run."""

    def __init__(self, place: Place, found: Found, known: Known, beside: Path) -> None:
        self._spark, self._found, self._known, self._beside = session(place), found, known, beside
        self._parts = 1 + int(found.n_parcels * _PARCEL_BYTES // (place.cell_mb * 1e6))

    def verdicts(self) -> Decided:
        means = self._means()
        known = replace(self._known, means=means)
        frames = [*self._frames(), *self._ranks(known)]
        target = self._beside / "decided"
        task = partial(part_tasks.decided, known=known)
        self._in_parts(frames).mapInArrow(task, part_tasks.DECIDED).write.parquet(str(target))
        committed(target)
        told = self._spark.read.parquet(str(target)).where("parcel_id IS NULL").select("value").collect()
        derived = {number for row in told for number, any_known in enumerate(row["value"], 1) if any_known}
        return Decided(target, tuple(sorted(derived)), self._parts)

    def _means(self) -> dict[Term, float]:
        """Return the mean points of all parcels, by exact sums: the same whatever the parts."""
        if all(score.missing != "mean" for score in self._known.pack.score):
            return {}
        task = partial(part_tasks.points, known=self._known)
        found: dict[Term, list[Summed]] = {}
        for row in self._in_parts(self._frames()).mapInArrow(task, part_tasks.POINTS).collect():
            found.setdefault((row["score"], row["term"]), []).append(Summed(row["number"], int(row["total"])))
        return {term: together(parts).mean for term, parts in found.items()}

    def _ranks(self, known: Known) -> Iterator[Frame]:
        """Yield the ranks of parcels as rows."""
        if not known.pack.rank:
            return
        target = self._beside / "scores"
        task = partial(part_tasks.scored, known=known)
        self._in_parts(self._frames()).mapInArrow(task, part_tasks.SCORES).write.parquet(str(target))
        committed(target)
        scores = self._spark.read.parquet(str(target))
        for number, rank in enumerate(known.pack.rank):
            some = scores.where(scores["name"] == rank.name)
            placed = ranked(self._spark, some, self._beside / f"ranked-{number}")
            # The number of the rank in the pack stands for its name, which may hold anything.
            yield placed.selectExpr("parcel", "rank AS share", f"'{number}' AS code", f"{RANK} AS kind")

    def _frames(self) -> list[Frame]:
        read = self._spark.read.parquet
        return [
            read(str(self._found.parcels)).selectExpr("*", f"{PARCEL} AS kind"),
            read(str(self._found.lies)).selectExpr("*", f"{LIES} AS kind"),
            read(str(self._found.values)).where("parcel_id IS NOT NULL").selectExpr(
                "parcel_id AS parcel", "value", "banded", "low", "high", f"{VALUES} AS kind"
            ),
        ]  # fmt: skip

    def _in_parts(self, frames: Sequence[Frame]) -> Frame:
        """Return the rows of all frames, those of a part in one partition and in the order of their kinds and parcels."""
        part = f"pmod(xxhash64(parcel), {self._parts})"
        alike = [
            frame.selectExpr(
                *(
                    f"CAST({part if name == 'part' else name if name in frame.columns else 'NULL'} AS {kind}) AS {name}"
                    for name, kind in COLUMNS.items()
                )
            )
            for frame in frames
        ]
        whole = alike[0]
        for more in alike[1:]:
            whole = whole.unionByName(more)
        count = min(job.MOST_PARTITIONS, self._parts)
        return whole.repartition(count, "part").sortWithinPartitions("part", "kind", "parcel", "code")
