"""What speaks against measuring areas on a plane at a place: it is not true to area there, or it is made for another part of the Earth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod
from pyproj.transformer import Transformer

from lowland_gis.files.crs import Reference

# A Gauss-Krüger plane is 0.041 % too large at the edge of its zone (1.5° from the meridian, at 39° N), which nobody is told.
LEAST_ERROR = 0.0005
# So much beyond the stated area of a system a layer may reach, in degrees: it is not cut at the edge of a zone.
_BEYOND_DEG = 3.0
_SIDE_M = 100.0
_ZONES_3 = range(25, 46)
_FIRST_CGCS2000 = 4534


def plane_doubts(system: Reference, box: npt.NDArray[np.float64]) -> list[str]:
    """Return in words what is doubtful about areas on a plane within a box (west, south, east, north, in its unit); none for NaN."""
    geodetic = system.crs.geodetic_crs
    if geodetic is None or not system.is_plane or not np.isfinite(box).all():
        return []
    back = Transformer.from_crs(system.crs, geodetic, always_xy=True, allow_ballpark=False)
    west, south, east, north = box.tolist()
    middle = back.transform((west + east) / 2, (south + north) / 2)
    if not np.isfinite(middle).all():
        return [f"No place on Earth has these coordinates in {system.crs.name}: {_ASK}"]
    return [*_elsewhere(system, middle), *_not_true_to_area(system, geodetic, back, box, middle[0])]


_ASK = "is it the right system? If not, type --src-crs parcels=EPSG:… with the right one."


def _elsewhere(system: Reference, middle: tuple[float, float]) -> list[str]:
    use = system.crs.area_of_use
    if use is None:
        return []
    longitude, latitude = middle
    far = (longitude - (use.west + use.east) / 2 + 180) % 360 - 180
    half = ((use.east - use.west) % 360 or 360) / 2 + _BEYOND_DEG
    if abs(far) <= half and use.south - _BEYOND_DEG <= latitude <= use.north + _BEYOND_DEG:
        return []
    words = (
        f"The parcels lie at {longitude:.2f}°, {latitude:.2f}° (east, north), but {system.crs.name} is for {use.west:.2f}° …"
        f" {use.east:.2f}°, {use.south:.2f}° … {use.north:.2f}°: {_ASK}"
    )
    return [words]


def _not_true_to_area(
    system: Reference, geodetic: CRS, back: Transformer, box: npt.NDArray[np.float64], longitude: float
) -> list[str]:
    west, south, east, north = box.tolist()
    places = [(x, y) for x in (west, (west + east) / 2, east) for y in (south, (south + north) / 2, north)]
    errors = [_area_error(system, geodetic, back, place) for place in places]
    worst = max(errors, key=abs)
    if abs(worst) < LEAST_ERROR:
        return []
    zone = round(longitude / 3)
    better = f", for example to EPSG:{_FIRST_CGCS2000 + zone - _ZONES_3[0]}" if zone in _ZONES_3 else ""
    words = (
        f"{system.crs.name} is not true to area: at this place areas on it are {abs(worst):.2%} too"
        f" {'large' if worst > 0 else 'small'} ({1 + worst:.4f} m² for each m² of the ground). Shares are right; for areas bring"
        f" the parcels to another plane{better}."
    )
    return [words]


def _area_error(system: Reference, geodetic: CRS, back: Transformer, place: tuple[float, float]) -> float:
    """Return by which share an area on a plane at a place exceeds that on the ellipsoid; 0 where the place is none."""
    ellipsoid = geodetic.ellipsoid
    if ellipsoid is None:
        return 0.0
    half = _SIDE_M / 2 / system.unit_m
    x, y = place
    longitudes, latitudes = back.transform(
        [x - half, x + half, x + half, x - half], [y - half, y - half, y + half, y + half]
    )
    geod = Geod(a=ellipsoid.semi_major_metre, rf=ellipsoid.inverse_flattening)
    ground = abs(geod.polygon_area_perimeter(longitudes, latitudes)[0])
    return _SIDE_M**2 / ground - 1 if np.isfinite(ground) and ground > 0 else 0.0
