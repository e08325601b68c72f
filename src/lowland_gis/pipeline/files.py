"""Tabulate two plain files, with no database."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis import strips
from lowland_gis.analysis.tabulate import Cover, Floats, Integers
from lowland_gis.analysis.wkb import rings_of
from lowland_gis.engines.local import tabulated, together
from lowland_gis.engines.spool import Spool
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.project import Tell, silent
from lowland_gis.pipeline.vector_file import VectorFile, column, refuse_doubled, tell_faults, vector_file

ALL = "all"


@dataclass(frozen=True)
class _Layer:
    """A file, its polygons, the values of one field (None where none was named), and how many rows had which fault."""

    file: VectorFile
    polygons: Spool
    values: pa.Array | None
    faults: Counter[str]


@dataclass(frozen=True)
class Tabulated:
    """The overlaps of two files, and how the parcels are covered where that was asked for."""

    overlaps: pa.Table
    cover: pa.Table | None


def tabulate_files(
    parcels: str,
    zones: str,
    *,
    id_field: str | None,
    by_field: str | None,
    width_field: str | None = None,
    cover: bool = False,
    threads: int = 1,
    tell: Tell = silent,
) -> Tabulated:
    """Return parcel_id, code, area_m2 and share of two vector files, sorted by the first two.

    With `cover` also parcel_id, area_m2, rest_m2 (what no zone covers) and excess_m2 (what zones cover beyond once).

    With `width_field` the zones are lines, and each is a strip of that width in metres; where two cross, the wider has the ground.

    Areas are in m² on the plane of the parcels; zones in another system are brought there. Without `id_field` the parcel is
    its 0-based row number, without `by_field` there is one code `all`; a zone without a code has an empty one. Memory does not
    grow with the vertices: beyond a limit they lie in the temporary folder.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
    """
    with ExitStack() as stack:
        ours, theirs = _layers(stack, parcels, id_field, zones, by_field, width_field, threads=threads)
        for layer in (ours, theirs):
            tell_faults(layer.file, layer.faults, tell)
        ids = _ids(ours, id_field, parcels)
        classes, names = _classes(theirs)
        found, covered = together(
            tabulated(
                ours.polygons,
                theirs.polygons,
                classes,
                np.arange(len(names)).astype(object),
                cover=cover,
                threads=threads,
            ),
            len(ids),
        )
        area = ours.polygons.described.area
        order = _by_id(ids, found.parcel)
        parcel, klass, shared = found.parcel[order], found.klass[order], found.area_m2[order]
        overlaps = {
            "parcel_id": _numbered(ids, parcel),
            "code": _numbered(names, klass),
            "area_m2": shared,
            "share": shared / area[parcel],
        }
        return Tabulated(pa.table(overlaps), None if covered is None else _cover_table(ids, area, covered))


def _numbered(values: pa.Array, numbers: Integers) -> pa.Array:
    """Return a value for each number; the few distinct ones stand once, as Parquet writes them too."""
    if values.null_count:
        return values.take(pa.array(numbers))
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), values)


def _cover_table(ids: pa.Array, area: Floats, cover: Cover) -> pa.Table:
    order = pc.sort_indices(ids)
    columns = {"parcel_id": ids, "area_m2": area, "rest_m2": cover.rest_m2, "excess_m2": cover.excess_m2}
    return pa.table(columns).take(order)


def _layers(
    stack: ExitStack,
    parcels: str,
    id_field: str | None,
    zones: str,
    by_field: str | None,
    width_field: str | None,
    *,
    threads: int,
) -> tuple[_Layer, _Layer]:
    """Read both files, at the same time where there are threads for it; the fault of the first one is told first."""
    ours = stack.enter_context(vector_file(parcels, _named(id_field), None))
    theirs = stack.enter_context(vector_file(zones, _named(by_field, width_field), ours.plane))
    room = [stack.enter_context(Spool()) for _ in range(2)]
    pool = None if threads == 1 else stack.enter_context(ThreadPoolExecutor(threads))
    first = partial(_polygons, ours, id_field, room[0], threads, pool)
    second = (
        partial(_polygons, theirs, by_field, room[1], threads, pool)
        if width_field is None
        else partial(_strips, theirs, by_field, width_field, room[1])
    )
    if threads == 1:
        return first(), second()
    with ThreadPoolExecutor(max_workers=1) as reader:
        other = reader.submit(second)
        return first(), other.result()


def _named(*fields: str | None) -> list[str]:
    return [field for field in fields if field is not None]


def _polygons(
    file: VectorFile, field: str | None, polygons: Spool, threads: int, pool: ThreadPoolExecutor | None
) -> _Layer:
    """Read a file batch by batch into a spool of polygons on a plane."""
    batches, faults = [], Counter[str]()
    for batch, found in file.polygons(polygons, threads, pool):
        faults.update(found)
        batches.append(batch)
    return _Layer(file, polygons, column(batches, field), faults)


def _strips(file: VectorFile, field: str | None, width: str, polygons: Spool) -> _Layer:
    """Read a file of lines and make each a strip of its own width; a line without a width meets nothing."""
    batches = list(file.batches)
    read = [file.geometries(batch, "line") for batch in batches]
    lines = np.concatenate([np.empty(0, dtype=object), *(shapes for shapes, _ in read)])
    widths = _widths(column(batches, width), width, file.name)
    polygons.add(rings_of(strips.of_lines(lines, widths)))
    faults = sum((faults for _, faults in read), Counter[str]())
    return _Layer(file, polygons, column(batches, field), faults)


def _widths(values: pa.Array | None, field: str, name: str) -> Floats:
    """Return widths in metres, NaN where there is none."""
    try:
        return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise InputRefusedError(
            f"{name}: the field {field} holds something else than widths ({error}). Name the field with the widths in metres."
        ) from error


def _ids(layer: _Layer, field: str | None, name: str) -> pa.Array:
    """Return what names each parcel.

    Raises:
        InputRefusedError: several parcels have one name.
    """
    if layer.values is None:
        return pa.array(np.arange(len(layer.polygons.described.box)))
    refuse_doubled(layer.values, field, name)
    return layer.values


def _classes(layer: _Layer) -> tuple[Integers, pa.Array]:
    """Return the number of each zone's code among the sorted codes, and these.

    Numbers are sorted as numbers; a zone without a code has an empty one, which comes first and makes texts of all.
    """
    if layer.values is None:
        return np.zeros(len(layer.polygons.described.box), dtype=np.int64), pa.array([ALL])
    codes = layer.values
    distinct = codes.drop_null().unique()
    names = distinct.take(pc.sort_indices(distinct))
    numbers = pc.index_in(codes, names)
    if codes.null_count:
        if "" not in (texts := names.cast(pa.string())).to_pylist():
            texts = pa.concat_arrays([pa.array([""]), texts])
            numbers = pc.add(numbers, 1)
        names = texts
    return pc.fill_null(numbers, 0).to_numpy().astype(np.int64), names


def _by_id(ids: pa.Array, parcel: Integers) -> npt.NDArray[np.intp]:
    """Return the order that sorts rows, which are in the order of the parcels as they came, by the names of these."""
    rank = np.empty(len(ids), dtype=np.int64)
    rank[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    return np.argsort(rank[parcel], kind="stable")
