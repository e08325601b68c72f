"""Parcels drawn in and drawn out, and what of them lies in the layers: what a drift of the layers can make of a share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.derived import areas
from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.overlay.near import NEAR, surroundings
from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines import local
from lowland_gis.engines.spool import Spool

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Drawn:
    """Outlines that are drawn in or out: their areas (m², NaN where one cannot be drawn), and their overlaps by layer."""

    area: Floats
    overlaps: Mapping[str, LayerOverlaps]


@dataclass(frozen=True)
class Moved:
    """What lies in some layers when the parcels at `rows` are drawn in and drawn out by a distance.

    With all other parcels the layers may move so far without a change: the whole surroundings lie in one zone, or in none.
    """

    rows: Rows
    inner: Drawn
    outer: Drawn


@dataclass(frozen=True)
class Drift:
    """Parcels that are drawn in and out; what was asked for once is kept.

    `zones` gives the zones of a layer that was `delivered`, to be asked once; `threads` may be used, and the figures are the same with any number.
    """

    shapes: Shapes
    delivered: Collection[str]
    zones: Callable[[str], AbstractContextManager[local.Layer]]
    threads: int = 1
    _moved: dict[tuple[tuple[str, ...], float], Moved] = field(default_factory=dict)

    @cached_property
    def area(self) -> Floats:
        """Return the planar areas of the parcels (m²)."""
        return np.asarray(shapely.area(self.shapes))

    @cached_property
    def perimeter(self) -> Floats:
        """Return the perimeters of the parcels (m)."""
        return np.asarray(shapely.length(self.shapes))

    def moved(self, layers: Sequence[str], distance: float) -> Moved:
        """Return what lies in those of the layers that were delivered."""
        there = tuple(layer for layer in layers if layer in self.delivered)
        key = (there, distance)
        if key not in self._moved:
            with ExitStack() as held:
                zones = {layer: held.enter_context(self.zones(layer)) for layer in there}
                self._moved[key] = self._tabulated(zones, distance)
        return self._moved[key]

    @cached_property
    def _rings(self) -> Rings:
        return rings_of(self.shapes)

    def _tabulated(self, zones: Mapping[str, local.Layer], distance: float) -> Moved:
        rows = self._touched(list(zones.values()), distance)
        inner, outer = (
            _drawn(self.shapes[rows], away, zones, self.threads) for away in (-distance, distance)
        )
        return Moved(rows, inner, outer)

    def _touched(self, zones: Sequence[local.Layer], distance: float) -> Rows:
        """Return the parcels that a drift of the zones may concern: all of them where the vertices of zones lie in a file."""
        count = np.zeros(len(self.shapes), dtype=np.int64)
        for layer in zones:
            if layer.whole is None:
                return np.arange(len(self.shapes))
            around = surroundings(self._rings, distance, layer.whole.rings, layer.whole.tree)
            count += around
        # Two layers that both cover a parcel are as good as two zones of one.
        return np.flatnonzero(count >= NEAR)


def _drawn(shapes: Shapes, distance: float, zones: Mapping[str, local.Layer], threads: int) -> Drawn:
    """Draw outlines out by some metres, or in where the distance is below 0, and tabulate what can be drawn as a valid area."""
    outlines = areas(partial(shapely.buffer, distance=distance, join_style="mitre"), shapes).geometries
    with Spool() as spool:
        spool.add(rings_of(outlines))
        overlaps = {layer: _overlaps(spool, asked, threads) for layer, asked in zones.items()}
    return Drawn(np.asarray(shapely.area(outlines)), overlaps)


def _overlaps(outlines: Spool, zones: local.Layer, threads: int) -> LayerOverlaps:
    own = outlines.described.area
    found, _ = local.together(local.tabulated(outlines, zones, threads=threads), len(own))
    share = found.area_m2 / own[found.parcel]
    return LayerOverlaps(
        len(own), tuple(map(str, zones.names)), found.parcel, found.klass, found.area_m2, share
    )
