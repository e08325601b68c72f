"""Tabulate two plain files, or layers in memory, with any engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lowland_gis.analysis.fields.columns import numbers
from lowland_gis.analysis.overlay.tabulate import Cover, Integers, no_overlaps
from lowland_gis.engines import named
from lowland_gis.engines.base import Answer, Engine, Question
from lowland_gis.files.in_memory import InMemory
from lowland_gis.pipeline.base.telling import Tell, Watch, silent, unwatched
from lowland_gis.pipeline.intake.given_crs import NONE_GIVEN, GivenCrs
from lowland_gis.pipeline.overlaps.file_layer import FileLayer
from lowland_gis.pipeline.overlaps.vector_file import order_of_names, vector_file


@dataclass(frozen=True)
class Tabulated:
    """Overlaps of some parcels, and how these are covered where that was asked for."""

    overlaps: pa.Table
    cover: pa.Table | None


def tabulate_files(
    parcels: str | InMemory,
    zones: str | InMemory,
    *,
    id_field: str | None,
    by_field: str | None,
    width_field: str | None = None,
    cover: bool = False,
    given: GivenCrs = NONE_GIVEN,
    engine: Engine | None = None,
    threads: int = 1,
    tell: Tell = silent,
    watch: Watch = unwatched,
) -> Iterator[Tabulated]:
    """Yield parcel_id, code, area_m2 and share of two vector files, sorted by the first two, in one table or several.

    With `cover` also parcel_id, area_m2, rest_m2 (what no zone covers) and excess_m2 (what zones cover beyond once).

    With `width_field` the zones are lines, and each is a strip of that width in metres; where two cross, the wider has the ground.

    Areas are in m² on the plane of the parcels; zones in another system are brought there. Without `id_field` the parcel is
    its 0-based row number, or the label of its row in a frame, without `by_field` there is one code `all`; a zone without a code has an empty one. By the
    local engine, which computes where none is given, memory does not grow with the vertices: beyond a limit they lie in the temporary folder.
    Tables come while later ones are computed. `given` are coordinate systems that the files do not declare, or wrongly.

    `watch` is told how many rows were read, and then how many parcels of all were tabulated.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
        DatabaseError: the engine computes in a database that cannot be reached, or has no PostGIS.
    """
    with ExitStack() as stack:
        fields = [field for field in (by_field, width_field) if field is not None]
        ours = stack.enter_context(vector_file(parcels, [id_field] if id_field else [], None, given))
        theirs = stack.enter_context(vector_file(zones, fields, ours.plane, given))
        given.refuse_unused([ours.declared, theirs.declared])
        layers = FileLayer(ours, id_field), FileLayer(theirs, by_field, width_field)

        def order() -> npt.NDArray[np.intp]:
            for each in layers:
                each.tell(tell)
            layers[0].tell_plane(tell)
            return order_of_names(layers[0].names(), id_field or "the index", ours.name)

        question = Question(layers[0], [layers[1]], order, cover=cover, threads=threads, watch=watch)
        answers = stack.enter_context(closing((engine or named.without_database()).answers(question)))
        ids = names = None
        for answer in _one_at_least(answers, cover=cover):
            if ids is None:
                # Everything has been read when the first answer is there.
                ids, (_, names) = layers[0].names(), layers[1].codes()
            yield Tabulated(_overlap_table(answer, ids, names), _cover_table(answer, ids))


def _one_at_least(answers: Iterator[Answer], *, cover: bool) -> Iterator[Answer]:
    """Yield the answers; where there are no parcels, one without any, since a table has columns all the same."""
    nothing = np.empty(0)
    covered = Cover(nothing, nothing) if cover else None
    yield next(answers, Answer(0, np.empty(0, np.intp), nothing, no_overlaps(), covered))
    yield from answers


def _overlap_table(answer: Answer, ids: pa.Array, names: pa.Array) -> pa.Table:
    parcel, klass, shared = answer.overlaps
    place = np.empty(len(ids), dtype=np.int64)
    place[answer.rows] = np.arange(len(answer.rows))
    columns = {
        "parcel_id": _numbered(ids.take(numbers(answer.rows)), place[parcel]),
        "code": _numbered(names, klass),
        "area_m2": numbers(shared),
        "share": numbers(shared / answer.area_m2[place[parcel]]),
    }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _cover_table(answer: Answer, ids: pa.Array) -> pa.Table | None:
    if answer.cover is None:
        return None
    rest, excess = answer.cover
    names = ids.take(numbers(answer.rows))
    figures = [numbers(column) for column in (answer.area_m2, rest, excess)]
    return pa.Table.from_arrays([names, *figures], names=["parcel_id", "area_m2", "rest_m2", "excess_m2"])


def _numbered(values: pa.Array, places: Integers) -> pa.Array:
    """Return a value for each number; the few distinct ones stand once, as Parquet writes them too."""
    if values.null_count:
        return values.take(numbers(places))
    return pa.DictionaryArray.from_arrays(numbers(places.astype(np.int32)), values)
