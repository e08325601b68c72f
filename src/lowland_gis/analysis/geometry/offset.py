"""Tell whether a layer lies beside its district as maps of the internet do: shifted by GCJ-02 (火星坐标); arrays in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane, gauss_inverse

Floats = npt.NDArray[np.float64]

# Survey layers meet the boundary within decimetres; a shift by GCJ-02 is about 300 to 700 m.
TOLERANCE_M = 5.0
# So few places outside are strays, and so much fewer there must be once the shift is undone.
LEAST_OUTSIDE_SHARE = 0.005
LEAST_OUTSIDE = 5
# A stray or two lie together; a whole layer that is shifted leaves the district on a long front.
LEAST_FRONT_SHARE = 0.25
EXPLAINED = 0.25

# The ellipsoid of the public formula, which is that of Krasovsky.
_AXIS_M, _E2 = 6378245.0, 0.00669342162296594323
_ROUNDS = 3


@dataclass(frozen=True)
class Offset:
    """A shift that explains why places lie outside: who is shifted, how far, and the shares outside before and after."""

    shifted: Literal["layer", "boundary"]
    east_m: float
    north_m: float
    outside_share: float
    outside_share_undone: float
    place: shapely.Point


def gcj02_offset(places: Floats, boundary: shapely.Geometry, plane: GaussPlane) -> Offset | None:
    """Return the shift by GCJ-02 that places (n, 2) on the plane show against the district they should lie in, or None.

    Places inside the boundary tell nothing, so a layer that stays clear of it is never suspected. Places that are NaN are left out.
    """
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) == 0 or shapely.is_empty(boundary):
        return None
    outside = _outside(places, boundary)
    share = float(outside.mean())
    front = _diagonal(places[outside].min(axis=0), places[outside].max(axis=0)) if outside.any() else 0.0
    west, south, east, north = shapely.bounds(boundary).tolist()
    long_enough = front >= LEAST_FRONT_SHARE * _diagonal(np.array([west, south]), np.array([east, north]))
    if share < LEAST_OUTSIDE_SHARE or outside.sum() < LEAST_OUTSIDE or not long_enough:
        return None
    shift = gcj02_shift(places, plane)
    # The layer may have come from a map of the internet, or the boundary that it is held against.
    for shifted, sign in (("layer", -1.0), ("boundary", 1.0)):
        undone = float(_outside(places + sign * shift, boundary).mean())
        if undone <= EXPLAINED * share:
            east_m, north_m = np.median(shift, axis=0).tolist()
            place = shapely.Point(np.median(places[outside], axis=0))
            return Offset(
                "layer" if shifted == "layer" else "boundary", east_m, north_m, share, undone, place
            )
    return None


def gcj02_shift(places: Floats, plane: GaussPlane) -> Floats:
    """Return how far GCJ-02 moves what now lies at each place, in metres east and north on the plane, shape (n, 2).

    >>> gcj02_shift(np.array([[514_950.0, 4_345_000.0]]), GaussPlane(117.0, 500_000.0)).round().tolist()
    [[550.0, 130.0]]
    """
    latitude, longitude = gauss_inverse(places[:, 0], places[:, 1], plane)
    true_latitude, true_longitude = latitude, longitude
    for _ in range(_ROUNDS):
        d_latitude, d_longitude = _shift_rad(true_latitude, true_longitude)
        true_latitude, true_longitude = latitude - d_latitude, longitude - d_longitude
    root = 1 - _E2 * np.sin(true_latitude) ** 2
    east = d_longitude * _AXIS_M / np.sqrt(root) * np.cos(true_latitude)
    north = d_latitude * _AXIS_M * (1 - _E2) / root**1.5
    # The grid of the plane is turned against the meridian.
    turn = (true_longitude - np.radians(plane.central_meridian_deg)) * np.sin(true_latitude)
    return np.column_stack(
        [east * np.cos(turn) - north * np.sin(turn), east * np.sin(turn) + north * np.cos(turn)]
    )


def _diagonal(lower: Floats, upper: Floats) -> float:
    return float(np.hypot(*(upper - lower)))


def _outside(places: Floats, boundary: shapely.Geometry) -> npt.NDArray[np.bool_]:
    whole = shapely.buffer(boundary, TOLERANCE_M)
    shapely.prepare(whole)
    inside: npt.NDArray[np.bool_] = shapely.contains_xy(whole, places[:, 0], places[:, 1])
    return ~inside


def _shift_rad(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Return the shift of true places in radians by the formula that is public since about 2010."""
    x, y = np.degrees(longitude) - 105, np.degrees(latitude) - 35
    waves = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi / 3 * y)) * 2 / 3
    north += (160 * np.sin(np.pi / 12 * y) + 320 * np.sin(np.pi / 30 * y)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi / 3 * x)) * 2 / 3
    east += (150 * np.sin(np.pi / 12 * x) + 300 * np.sin(np.pi / 30 * x)) * 2 / 3
    root = 1 - _E2 * np.sin(latitude) ** 2
    return north * root**1.5 / (_AXIS_M * (1 - _E2)), east * np.sqrt(root) / (_AXIS_M * np.cos(latitude))
