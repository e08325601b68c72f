"""The question of two frames of polygons, for specifications and cross-checks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.analysis.geometry.short_rings import without_empty_holes
from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.analysis.overlay.tabulate import Objects, class_numbers
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines.base import Answer, Engine, Integers, Layer, Question, Room, Watch, unwatched
from lowland_gis.engines.parts import Part, Parts

_POLYGONAL = 2


class FrameLayer(Layer):
    """The geometries of a frame; points and lines, missing and empty ones are no polygons."""

    def __init__(self, shapes: npt.NDArray[np.object_], classes: Integers | None = None) -> None:
        """Take geometries, and of zones the number of each one's class.

        Raises:
            ValueError: a geometry is invalid.
        """
        self._shapes, self._classes = shapes, classes
        self._rings = rings_of(shapes)

    def portions(self, _room: Room, threads: int) -> Parts[Rings, Rings]:
        """Return the one portion of a frame."""
        return Parts([Part(1, iter([self._rings]))], lambda rings: rings, threads=threads)

    def took(self, done: Rings) -> Rings:
        """Return the polygons."""
        return done

    def wkb(self) -> Iterator[pa.Array]:
        """Yield the polygons as WKB."""
        areal = without_empty_holes(self._shapes)[0].copy()
        areal[shapely.get_dimensions(areal) != _POLYGONAL] = None
        yield pa.array(shapely.to_wkb(areal, byte_order=1, output_dimension=2), pa.large_binary())

    def classes(self) -> Integers:
        """Return the number of each zone's class."""
        return super().classes() if self._classes is None else self._classes


def overlaps(
    engine: Engine,
    parcels: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    threads: int = 1,
    watch: Watch = unwatched,
) -> pd.DataFrame:
    """Return parcel_id, code, area_m2 and share, sorted by the first two.

    `parcels` has the column `parcel_id`, `zones` the column `code`, both in one plane and valid. `area_m2` is in m² on
    that plane, `share` is of the parcel's own planar area. Parcels that no zone meets have no row; what is no polygon meets
    nothing; a zone without a code has an empty one.

    Raises:
        ValueError: a geometry is invalid.
    """
    names, answers = _asked(engine, parcels, zones, cover=False, threads=threads, watch=watch)
    ids = parcels["parcel_id"].to_numpy(dtype=object)
    parts = [pd.DataFrame({"parcel_id": [], "code": [], "area_m2": [], "share": []}, dtype=object)]
    for answer in answers:
        parcel, klass, area = answer.overlaps
        whole = np.full(len(ids), np.nan)
        whole[answer.rows] = answer.area_m2
        columns = {
            "parcel_id": ids[parcel],
            "code": names[klass],
            "area_m2": area,
            "share": area / whole[parcel],
        }
        parts.append(pd.DataFrame(columns))
    found = pd.concat(parts[1:] or parts, ignore_index=True)
    kinds = {"area_m2": np.float64, "share": np.float64}
    return found.astype(kinds).sort_values(["parcel_id", "code"], kind="stable", ignore_index=True)


def cover(engine: Engine, parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return parcel_id, rest_m2 (what no zone covers) and excess_m2 (what zones cover beyond once) of every parcel, sorted.

    Raises:
        ValueError: a geometry is invalid.
    """
    _, answers = _asked(engine, parcels, zones, cover=True, threads=1, watch=unwatched)
    ids = parcels["parcel_id"].to_numpy(dtype=object)
    parts = [
        pd.DataFrame({"parcel_id": ids[answer.rows], **answer.cover._asdict()})
        for answer in answers
        if answer.cover is not None
    ]
    return pd.concat(parts, ignore_index=True).sort_values("parcel_id", kind="stable", ignore_index=True)


def _asked(
    engine: Engine,
    parcels: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    cover: bool,
    threads: int,
    watch: Watch,
) -> tuple[Objects, Iterator[Answer]]:
    numbers, names = class_numbers(zones["code"].to_numpy(dtype=object))
    ours = FrameLayer(np.asarray(parcels.geometry, dtype=object))
    theirs = FrameLayer(np.asarray(zones.geometry, dtype=object), numbers)
    order = partial(np.arange, len(parcels))
    question = Question(ours, [theirs], order, cover=cover, threads=threads, watch=watch)
    return names, engine.answers(question)
