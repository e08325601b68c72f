"""The way from a file's coordinate system to the project's plane: exact, or none at all; never a datum by guess."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError
from pyproj.transformer import Transformer, TransformerGroup

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.crs import Reference, plane_of

# Frames of satellites, which differ from CGCS2000 (ITRF97 at 2000.0) by what the ground has moved since: some centimetres a year.
_OF_SATELLITES = ("World Geodetic System 1984", "International Terrestrial Reference Frame")
_CGCS2000 = "China 2000"
NULL_SHIFT = "datum_null_shift"


class Way(Protocol):
    """A way between two systems, whatever computes it."""

    def transform(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return x and y in the target system."""


class _OneAtATime:
    """A transformation that several threads may ask for: PROJ's own keeps the error of one thread where others read it."""

    def __init__(self, transformer: Transformer) -> None:
        self._transformer = transformer
        self._lock = threading.Lock()

    def transform(self, x: Any, y: Any) -> tuple[Any, Any]:
        with self._lock:
            return self._transformer.transform(x, y)


@dataclass(frozen=True)
class _Chain:
    """One way after the other."""

    ways: tuple[Way, ...]

    def transform(self, x: Any, y: Any) -> tuple[Any, Any]:
        for way in self.ways:
            x, y = way.transform(x, y)
        return x, y


def path_between(source: Reference, target: Reference, where: str) -> Way | None:
    """Return the transformation between two systems, or None when they are the same.

    WGS 84 or ITRF and CGCS2000 are taken for one datum; `null_shift` says so in words for whoever keeps the result.

    Raises:
        InputRefusedError: the datums differ otherwise, and only a ballpark shift is known.
    """
    if source.name == target.name or plane_of(source.crs) == plane_of(target.crs):
        return None
    exact = _exact(source.crs, target.crs)
    if exact is not None:
        return exact
    first, last = source.crs.geodetic_crs, target.crs.geodetic_crs
    if first is not None and last is not None and _nearly_one(first, last):
        # Longitude and latitude of the one frame are used as those of the other.
        ways = (_within(source.crs, first), _within(last, target.crs))
        return _Chain(tuple(way for way in ways if way is not None))
    raise InputRefusedError(
        f"{where}: it is in {source.crs.name}, and from there to {target.crs.name} only a ballpark shift is known,"
        " which may be wrong by a hundred metres. Have it converted with the bureau's own parameters, or, if the datum"
        " is declared wrongly, give the right one with --src-crs."
    )


def null_shift(source: Reference, target: Reference) -> str | None:
    """Return in words that one datum is taken for the other, None where there is one datum or a published way."""
    first, last = source.crs.geodetic_crs, target.crs.geodetic_crs
    if (
        first is None
        or last is None
        or not _nearly_one(first, last)
        or _exact(source.crs, target.crs) is not None
    ):
        return None
    return (
        f"{first.name} was taken for {last.name} without a shift: the two differ by some decimetres, by the day of the survey."
        " Maps of the internet say WGS 84 as well and may be shifted by hundreds of metres (GCJ-02, 火星坐标)."
    )


def old_datum(source: Reference, target: Reference) -> bool:
    """Tell whether only a ballpark shift is known between two systems, so that no program may be asked to convert."""
    try:
        path_between(source, target, source.name)
    except InputRefusedError:
        return True
    return False


def _exact(source: CRS, target: CRS) -> Way | None:
    try:
        group = TransformerGroup(source, target, always_xy=True, allow_ballpark=False)
    except ProjError:
        return None
    return _OneAtATime(group.transformers[0]) if group.transformers else None


def _within(source: CRS, target: CRS) -> Way | None:
    """Return the way between a plane and the degrees of its own datum, None where it is these already."""
    if source.equals(target):
        return None
    return _OneAtATime(Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False))


def _nearly_one(one: CRS, other: CRS) -> bool:
    names = sorted((_datum(one), _datum(other)), key=lambda name: name == _CGCS2000)
    return names[1] == _CGCS2000 and names[0].startswith(_OF_SATELLITES)


def _datum(crs: CRS) -> str:
    return "" if crs.datum is None else str(crs.datum.name)


def transformed(geometries: npt.NDArray[np.object_], transformer: Way | None) -> npt.NDArray[np.object_]:
    """Return geometries in the target system; without a transformer they come back bit for bit."""
    if transformer is None:
        return geometries
    moved: npt.NDArray[np.object_] = shapely.transform(geometries, transformer.transform, interleaved=False)
    return moved
