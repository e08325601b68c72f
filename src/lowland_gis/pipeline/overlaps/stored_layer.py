"""A layer of the database, or outlines made of one, as engines read it: valid polygons with a name or a code each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely

from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M
from lowland_gis.analysis.overlay.polygons import polygon_rings
from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.analysis.overlay.tabulate import Objects
from lowland_gis.engines.base import Integers, Layer, Room, Rows
from lowland_gis.engines.parts import Part, Parts


class Labelled(NamedTuple):
    """Rows: what each is called, and its WKB (of PostGIS too)."""

    labels: list[str]
    shapes: pa.Array


class _Decoded(NamedTuple):
    labels: list[str]
    rings: Rings


class StoredLayer(Layer):
    """Rows that come batch by batch from what reads them, when an engine asks; a connection reads one layer at a time."""

    alone = True

    def __init__(self, read: Callable[[], Iterator[Labelled]]) -> None:
        """Take what reads the rows; `keep` may be set to what takes the zones that an engine has made ready."""
        self._read = read
        self.keep: Callable[[object], None] | None = None
        self._labels: list[list[str]] = []

    def portions(self, room: Room, threads: int) -> Parts[Labelled, _Decoded]:
        """Return calls that decode a batch each; one of them reads at a time."""

        def decoded(rows: Labelled) -> _Decoded:
            rings, _ = polygon_rings(rows.shapes, deviation=MAX_DEVIATION_M, xy_room=room)
            return _Decoded(rows.labels, rings)

        return Parts([Part(1, self._read())], decoded, threads=threads)

    def took(self, done: _Decoded) -> Rings:
        """Return the polygons of a batch, and keep what its rows are called."""
        self._labels.append(done.labels)
        return done.rings

    def wkb(self) -> Iterator[pa.Array]:
        """Yield the polygons as plain WKB batch by batch."""
        for labels, shapes in self.rows():
            self._labels.append(labels)
            yield shapes

    def rows(self) -> Iterator[Labelled]:
        """Yield the rows as plain WKB batch by batch, for who keeps the labels."""
        for labels, shapes in self._read():
            plain = shapely.from_wkb(np.array(shapes.to_pylist(), dtype=object))
            wkb = shapely.to_wkb(plain, byte_order=1, output_dimension=2)
            yield Labelled(labels, pa.array(wkb, pa.large_binary()))

    def made(self, ready: object) -> None:
        """Hand on what an engine has made of the rows."""
        if self.keep is not None:
            self.keep(ready)

    def names(self) -> Objects:
        """Return what each row is called, once all were read."""
        return self._named

    @cached_property
    def _named(self) -> Objects:
        return np.array([label for batch in self._labels for label in batch], dtype=object)

    def order(self) -> Rows:
        """Return the rows in the order in which they came."""
        return np.arange(len(self._named))

    def codes(self) -> tuple[Integers, Objects]:
        """Return the number of each row's code among the sorted codes, and these."""
        return self._numbered

    @cached_property
    def _numbered(self) -> tuple[Integers, Objects]:
        # A code that comes a million times is kept once.
        seen: dict[str, int] = {}
        parts = [
            np.array([seen.setdefault(code, len(seen)) for code in batch], dtype=np.int64)
            for batch in self._labels
        ]
        names = np.array(list(seen), dtype=object)
        order = np.argsort(names, kind="stable")
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        return rank[np.concatenate([np.empty(0, dtype=np.int64), *parts])], names[order]

    def classes(self) -> Integers:
        """Return the number of each row's code."""
        return self._numbered[0]


def of_geometries(labels: Sequence[str], geometries: Any) -> Iterator[Labelled]:
    """Return geometries that are at hand as one batch."""
    shapes = shapely.to_wkb(np.asarray(geometries, dtype=object), byte_order=1, output_dimension=2)
    yield Labelled(list(labels), pa.array(shapes, pa.large_binary()))
