"""Tabulate two plain files, with no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis import repair
from lowland_gis.analysis.polygons import Geometries, polygon_rings
from lowland_gis.analysis.rings import Rings
from lowland_gis.analysis.tabulate import Cover, Floats, Integers
from lowland_gis.engines.local import tabulated, together
from lowland_gis.engines.spool import Spool
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files.read import Batch, Received, bounds, received
from lowland_gis.files.source import opened
from lowland_gis.pipeline.project import Tell, silent

ALL = "all"
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class _Layer:
    """The polygons of a file, the values of one field (None where none was named), and the system they are in."""

    polygons: Spool
    values: pa.Array | None
    system: reference.Reference


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
    cover: bool = False,
    threads: int = 1,
    tell: Tell = silent,
) -> Tabulated:
    """Return parcel_id, code, area_m2 and share of two vector files, sorted by the first two.

    With `cover` also parcel_id, area_m2, rest_m2 (what no zone covers) and excess_m2 (what zones cover beyond once).

    Areas are in m² on the plane of the parcels; zones in another system are brought there. Without `id_field` the parcel is
    its 0-based row number, without `by_field` there is one code `all`; a zone without a code has an empty one. Memory does not
    grow with the vertices: beyond a limit they lie in the temporary folder.

    Raises:
        InputRefusedError: a file cannot be read, the parcels are in degrees, or the datums differ.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(_layer(parcels, id_field, None, tell))
        theirs = stack.enter_context(_layer(zones, by_field, ours.system, tell))
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
            "parcel_id": ids.take(pa.array(parcel)),
            "code": names.take(pa.array(klass)),
            "area_m2": shared,
            "share": shared / area[parcel],
        }
        return Tabulated(pa.table(overlaps), None if covered is None else _cover_table(ids, area, covered))


def _cover_table(ids: pa.Array, area: Floats, cover: Cover) -> pa.Table:
    order = pc.sort_indices(ids)
    columns = {"parcel_id": ids, "area_m2": area, "rest_m2": cover.rest_m2, "excess_m2": cover.excess_m2}
    return pa.table(columns).take(order)


@contextmanager
def _layer(name: str, field: str | None, plane: reference.Reference | None, tell: Tell) -> Iterator[_Layer]:
    """Read a file batch by batch into a spool of polygons on a plane, its own where none is given."""
    fields = [] if field is None else [field]
    with Spool() as polygons:
        with (
            opened(name, Path.cwd()) as source,
            received(source, fields=fields, batch_rows=BATCH_ROWS) as arrived,
        ):
            _refuse_unfit(name, field, arrived)
            way = _Way(name, arrived.declared_crs, plane)
            values: list[pa.Array] = []
            faults = Counter[str]()
            for batch in arrived.batches:
                polygons.add(_rings(batch, way, faults))
                values += [] if field is None else batch.attributes.column(field).chunks
        for fault, count in faults.items():
            tell(f"{name}: {count:,} × {repair.FAULTS[fault]}")
        yield _Layer(polygons, None if field is None else _together(values), way.target)


def _refuse_unfit(name: str, field: str | None, arrived: Received) -> None:
    if not arrived.has_geometry:
        raise InputRefusedError(f"{name}: it holds no geometries. Name a vector file, or FILE:LAYER.")
    if field is not None and field not in arrived.columns:
        raise InputRefusedError(f"{name}: there is no field {field!r}. It has: {', '.join(arrived.columns)}.")


class _Way:
    """Brings the batches of a file to a plane, its own where none is given, and holds each against its declaration."""

    def __init__(self, name: str, declared: str | None, plane: reference.Reference | None) -> None:
        self._name, self._declared = name, declared
        system = reference.resolve(declared, None, np.full(4, np.nan), name)
        if plane is None and system.crs.is_geographic:
            raise InputRefusedError(
                f"{name}: the parcels are in degrees ({system.name}), which have no square metres."
                " Bring them to a plane first, for example EPSG:4548."
            )
        self.target = plane or system
        self._path = reference.path_between(system, self.target, name)

    @property
    def to_plane(self) -> Callable[[Geometries], Geometries] | None:
        """Return what moves geometries; None where they are on the plane already."""
        return None if self._path is None else self._moved

    def check(self, extent: npt.NDArray[np.float64]) -> None:
        """Refuse an extent that contradicts the declared system."""
        reference.resolve(self._declared, None, extent, self._name)

    def _moved(self, geometries: Geometries) -> Geometries:
        self.check(bounds(geometries))
        return reference.transformed(geometries, self._path)


def _rings(batch: Batch, way: _Way, faults: Counter[str]) -> Rings:
    """Return the polygons of a batch on the plane, and count what was wrong with them."""
    rings, found = polygon_rings(batch.shapes, deviation=batch.deviation, to_plane=way.to_plane)
    faults.update(found)
    if way.to_plane is None and not np.isnan(rings.box).all():
        low, high = np.nanmin(rings.box[:, :2], axis=0), np.nanmax(rings.box[:, 2:], axis=0)
        way.check(np.concatenate([low, high]))
    return rings


def _together(values: list[pa.Array]) -> pa.Array:
    if not values:
        return pa.array([], pa.string())
    return pa.chunked_array(values).combine_chunks()


def _ids(layer: _Layer, field: str | None, name: str) -> pa.Array:
    """Return what names each parcel.

    Raises:
        InputRefusedError: several parcels have one name.
    """
    if layer.values is None:
        return pa.array(np.arange(len(layer.polygons.described.box)))
    names = layer.values
    if pc.count_distinct(names, mode="all").as_py() != len(names):
        counts = names.value_counts()
        doubled = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
        raise InputRefusedError(
            f"{name}: {len(doubled)} values of {field} stand for several parcels, for example {doubled[0].as_py()!r}."
            " Name a field with one value a parcel, or leave --id away."
        )
    return names


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
