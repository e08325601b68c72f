"""Tabulate two plain files, or layers in memory, with no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.columns import array, number, numbers, text
from lowland_gis.analysis.fields.plain_values import plain_values
from lowland_gis.analysis.geometry import strips
from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.crew import done_in_order
from lowland_gis.analysis.overlay.tabulate import Cover, Floats, Integers, no_overlaps
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines import local
from lowland_gis.engines.spool import Spool
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch
from lowland_gis.files.in_memory import InMemory
from lowland_gis.pipeline.base.telling import Tell, Watch, silent, unwatched
from lowland_gis.pipeline.intake.given_crs import NONE_GIVEN, GivenCrs
from lowland_gis.pipeline.overlaps.vector_file import (
    Done,
    VectorFile,
    column,
    order_of_names,
    tell_faults,
    tell_plane,
    vector_file,
)
from lowland_gis.pipeline.threads.parts import Outcome, Parts, Portion, in_file_order

ALL = "all"
# So many portions wait for a thread or for their turn: enough for the others while one puts a layer in order.
_WAITING = 12
# No portion makes this: it stands after the last one of a layer.
_END: Outcome[Done] = Outcome(-1, -1)


@dataclass(frozen=True)
class Tabulated:
    """Overlaps of some parcels, and how these are covered where that was asked for."""

    overlaps: pa.Table
    cover: pa.Table | None


@dataclass(frozen=True)
class _Asked:
    """What is wanted of a file: its polygons, and the values of a field (None where none is named)."""

    file: VectorFile
    field: str | None
    polygons: Spool
    portions: Parts[Batch, Done] | Generator[Portion[Done]]


@dataclass(frozen=True)
class _Layer:
    """A file that was read: its polygons, the values of one field (None where none was named), and how many rows had which fault."""

    file: VectorFile
    polygons: Spool
    values: pa.Array | None
    faults: Counter[str]


def tabulate_files(
    parcels: str | InMemory,
    zones: str | InMemory,
    *,
    id_field: str | None,
    by_field: str | None,
    width_field: str | None = None,
    cover: bool = False,
    given: GivenCrs = NONE_GIVEN,
    threads: int = 1,
    tell: Tell = silent,
    watch: Watch = unwatched,
) -> Iterator[Tabulated]:
    """Yield parcel_id, code, area_m2 and share of two vector files, sorted by the first two, in one table or several.

    With `cover` also parcel_id, area_m2, rest_m2 (what no zone covers) and excess_m2 (what zones cover beyond once).

    With `width_field` the zones are lines, and each is a strip of that width in metres; where two cross, the wider has the ground.

    Areas are in m² on the plane of the parcels; zones in another system are brought there. Without `id_field` the parcel is
    its 0-based row number, or the label of its row in a frame, without `by_field` there is one code `all`; a zone without a code has an empty one. Memory does not
    grow with the vertices: beyond a limit they lie in the temporary folder. Tables come while later ones are computed.
    `given` are coordinate systems that the files do not declare, or wrongly.

    `watch` is told how many rows were read, and then how many parcels of all were tabulated.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(vector_file(parcels, _named(id_field), None, given))
        theirs = stack.enter_context(vector_file(zones, _named(by_field, width_field), ours.plane, given))
        given.refuse_unused([ours.declared, theirs.declared])
        spools = [stack.enter_context(Spool()) for _ in range(2)]
        asked = (
            _Asked(theirs, by_field, spools[0], _portions(theirs, spools[0], width_field, threads)),
            _Asked(ours, id_field, spools[1], _portions(ours, spools[1], None, threads)),
        )
        # Closed before the files are, which the threads may still read.
        layers = stack.enter_context(closing(_layers(asked, threads, watch, cover=cover)))
        for reading in asked:
            stack.callback(reading.portions.close)
        # The zones come first: while they are put in order here, the threads read the parcels.
        zone_layer = next(layers)
        classes, names = _classes(zone_layer)
        layer = local.zone_layer(zone_layer.polygons, classes, np.arange(len(names)).astype(object))
        parcel_layer = next(layers)
        for each in (parcel_layer, zone_layer):
            tell_faults(each.file, each.faults, tell)
        tell_plane(ours, parcel_layer.polygons.described.box, tell)
        ids = _ids(parcel_layer)
        parts = local.tabulated_in_order(
            parcel_layer.polygons,
            layer,
            order_of_names(ids, id_field or "the index", ours.name),
            cover=cover,
            threads=threads,
            progress=_counted(len(ids), watch),
        )
        found = stack.enter_context(closing(parts))
        area = parcel_layer.polygons.described.area
        for part in _one_at_least(found, cover=cover):
            yield Tabulated(_overlap_table(part, ids, names, area), _cover_table(part, ids, area))


def _counted(of: int, watch: Watch) -> local.Progress:
    """Return what is told of so many more, and tells how many they are together."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        watch(done, of)

    return more


def _one_at_least(parts: Iterator[local.Part], *, cover: bool) -> Iterator[local.Part]:
    """Yield the parts; where there are no parcels, one without any, since a table has columns all the same."""
    nothing = np.empty(0)
    yield next(
        parts, local.Part(np.empty(0, np.intp), no_overlaps(), Cover(nothing, nothing) if cover else None)
    )
    yield from parts


def _overlap_table(part: local.Part, ids: pa.Array, names: pa.Array, area: Floats) -> pa.Table:
    parcel, klass, shared = part.overlaps
    place = np.empty(len(ids), dtype=np.int64)
    place[part.rows] = np.arange(len(part.rows))
    columns = {
        "parcel_id": _numbered(ids.take(numbers(part.rows)), place[parcel]),
        "code": _numbered(names, klass),
        "area_m2": numbers(shared),
        "share": numbers(shared / area[parcel]),
    }
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _cover_table(part: local.Part, ids: pa.Array, area: Floats) -> pa.Table | None:
    if part.cover is None:
        return None
    rest, excess = part.cover
    names = ids.take(numbers(part.rows))
    figures = [numbers(column) for column in (area[part.rows], rest, excess)]
    return pa.Table.from_arrays([names, *figures], names=["parcel_id", "area_m2", "rest_m2", "excess_m2"])


def _numbered(values: pa.Array, places: Integers) -> pa.Array:
    """Return a value for each number; the few distinct ones stand once, as Parquet writes them too."""
    if values.null_count:
        return values.take(numbers(places))
    return pa.DictionaryArray.from_arrays(numbers(places.astype(np.int32)), values)


def _layers(asked: Sequence[_Asked], threads: int, watch: Watch, *, cover: bool) -> Generator[_Layer]:
    """Yield the layers in their order, each as soon as it is read; meanwhile the threads go on with the next one."""

    def decoding() -> None:
        rings_of(np.empty(0, dtype=object))

    def summing() -> None:
        tabulate.ready(cover=cover)

    # Machine code is loaded by one thread at a time, while the others read or, for the second, put the zones in order.
    loads: tuple[Portion[Done], ...] = (decoding, summing)
    portions = chain.from_iterable(
        chain([load], each.portions, [_end]) for load, each in zip(loads, asked, strict=True)
    )
    rows = 0
    with closing(done_in_order(portions, _done, threads=threads, held=threads + _WAITING)) as done:
        for each in asked:
            batches, faults = list[Batch](), Counter[str]()
            for some in in_file_order(iter(partial(next, done), _END)):
                each.polygons.add(some.rings)
                batches += some.batches
                faults.update(some.faults)
                rows += sum(len(batch.attributes) for batch in some.batches)
                watch(rows, None)
            yield _Layer(each.file, each.polygons, column(batches, each.field, each.file.name), faults)


def _end() -> Outcome[Done]:
    """Return what tells that a layer has no more portions."""
    return _END


def _done(portion: Portion[Done]) -> Outcome[Done] | None:
    return portion()


def _portions(
    file: VectorFile, polygons: Spool, width: str | None, threads: int
) -> Parts[Batch, Done] | Generator[Portion[Done]]:
    """Return what is to be done to read polygons, or lines of which each becomes a strip as wide as a field says."""
    if width is None:
        return file.portions(polygons, threads)
    return (strips for strips in [partial(_strips, file, width)])


def _named(*fields: str | None) -> list[str]:
    return [field for field in fields if field is not None]


def _strips(file: VectorFile, width: str) -> Outcome[Done]:
    """Read a file of lines and make each a strip of its own width; a line without a width meets nothing."""
    batches = list(file.batches)
    read = [file.geometries(batch, "line") for batch in batches]
    lines = np.concatenate([np.empty(0, dtype=object), *(shapes for shapes, _ in read)])
    widths = _widths(column(batches, width, file.name), width, file.name)
    faults = sum((faults for _, faults in read), Counter[str]())
    made = strips.of_lines(lines, widths)
    faults.update(geometry_derived=int(made.failed.sum()))
    return Outcome(0, 0, Done(batches, rings_of(made.geometries), +faults))


def _widths(values: pa.Array | None, field: str, name: str) -> Floats:
    """Return widths in metres, NaN where there is none."""
    try:
        return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise InputRefusedError(
            f"{name}: the field {field} holds something else than widths ({error}). Name the field with the widths in metres."
        ) from error


def _ids(layer: _Layer) -> pa.Array:
    """Return what names each parcel."""
    if layer.values is not None:
        return layer.values
    if layer.file.row_names is not None:
        return plain_values(layer.file.row_names)
    return numbers(np.arange(len(layer.polygons.described.box)))


def _classes(layer: _Layer) -> tuple[Integers, pa.Array]:
    """Return the number of each zone's code among the sorted codes, and these.

    Numbers are sorted as numbers; a zone without a code has an empty one, which comes first and makes texts of all.
    """
    if layer.values is None:
        return np.zeros(len(layer.polygons.described.box), dtype=np.int64), text(ALL)
    codes = layer.values
    distinct = codes.drop_null().unique()
    names = distinct.take(pc.sort_indices(distinct))
    places = pc.index_in(codes, names)
    if codes.null_count:
        if "" not in (texts := names.cast(pa.string())).to_pylist():
            texts = pa.concat_arrays([text(""), texts])
            places = pc.add(places, number(1))
        names = texts
    return array(pc.fill_null(places, number(0).cast(places.type))).astype(np.int64), names
