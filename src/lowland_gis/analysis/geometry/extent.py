"""What coordinate systems an extent can be in: degrees or metres, with or without a zone prefix, swapped or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bounds = tuple[float, float, float, float]

# China, in degrees and in metres of a Gauss-Krüger plane.
_LONGITUDES, _LATITUDES = (73.0, 136.0), (3.0, 54.0)
_EASTINGS, _NORTHINGS = (100_000.0, 900_000.0), (300_000.0, 6_100_000.0)
_ZONE_M = 1e6
# No coordinate of a place on Earth, in degrees or in metres with or without a zone prefix, has nine digits before the point.
FARTHEST = 1e8
_ZONES_3, _ZONES_6 = range(25, 46), range(13, 24)
_MERCATOR_X, _MERCATOR_Y = (8.1e6, 15.2e6), (3.3e5, 7.2e6)
# First EPSG number of each datum: 3° zones with prefix and by meridian, 6° zones with prefix and by meridian.
DATUMS = {
    "CGCS2000": (4513, 4534, 4491, 4502),
    "Xian 1980 (西安80)": (2349, 2370, 2327, 2338),
    "Beijing 1954 (北京54)": (2401, 2422, 21413, 21453),
}


@dataclass(frozen=True)
class Reading:
    """One way to understand an extent: what it would be, and the systems that fit, by datum; a datum is never visible."""

    meaning: str
    systems: dict[str, str]
    swapped: bool = False


def readings(bounds: Bounds, meridian: int | None = None) -> tuple[Reading, ...]:
    """Return every way to understand an extent (west, south, east, north); none if it is nowhere in China.

    `meridian` is the central meridian of the project: without a prefix a plane's zone cannot be seen, so it is proposed.

    >>> readings((39515000, 4345000, 39520000, 4350000))[0].systems["CGCS2000"]
    'EPSG:4527'
    >>> readings((4345000, 515000, 4350000, 520000), 117)[0].swapped
    True
    """
    if not all(map(math.isfinite, bounds)):
        return ()
    west, south, east, north = bounds
    straight = _straight(bounds, meridian, swapped=False)
    turned = _straight((south, west, north, east), meridian, swapped=True)
    return (*straight, *turned)


def _straight(bounds: Bounds, meridian: int | None, *, swapped: bool) -> tuple[Reading, ...]:
    west, south, east, north = bounds
    if _inside(west, east, _LONGITUDES) and _inside(south, north, _LATITUDES):
        systems = {
            "CGCS2000": "EPSG:4490",
            "Xian 1980 (西安80)": "EPSG:4610",
            "Beijing 1954 (北京54)": "EPSG:4214",
        }
        return (Reading("degrees (经纬度)", systems, swapped),)
    if not _inside(south, north, _NORTHINGS):
        return ()
    found = []
    if _inside(west, east, _EASTINGS):
        found.append(Reading(_plain_meaning(meridian), _plain_systems(meridian), swapped))
    zone = int(west // _ZONE_M)
    if _inside(west - zone * _ZONE_M, east - zone * _ZONE_M, _EASTINGS):
        found += _prefixed(zone, swapped=swapped)
    if _inside(west, east, _MERCATOR_X) and _inside(south, north, _MERCATOR_Y):
        found.append(Reading("Web Mercator (网络墨卡托)", {"WGS 84": "EPSG:3857"}, swapped))
    return tuple(found)


def off_plane(bounds: npt.NDArray[np.float64], false_easting_m: float) -> npt.NDArray[np.bool_]:
    """Return which extents (n × west, south, east, north in metres) reach beyond a Gauss-Krüger plane of China.

    So far from its meridian a plane says nothing of areas any more. An extent that is NaN reaches nowhere.
    """
    half = (_EASTINGS[1] - _EASTINGS[0]) / 2
    low = np.array([false_easting_m - half, _NORTHINGS[0]])
    high = np.array([false_easting_m + half, _NORTHINGS[1]])
    beyond: npt.NDArray[np.bool_] = np.any(np.hstack([bounds[:, :2] < low, bounds[:, 2:] > high]), axis=1)
    return beyond


def _inside(low: float, high: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= low and high <= limits[1]


def _plain_meaning(meridian: int | None) -> str:
    seen = "" if meridian is None else f"; with the project's meridian {meridian}°E"
    return f"a Gauss-Krüger plane without zone prefix (无带号), so its zone cannot be seen{seen}"


def _plain_systems(meridian: int | None) -> dict[str, str]:
    if meridian is None or meridian % 3 or meridian // 3 not in _ZONES_3:
        return {}
    return {datum: f"EPSG:{numbers[1] + meridian // 3 - _ZONES_3[0]}" for datum, numbers in DATUMS.items()}


def _prefixed(zone: int, *, swapped: bool) -> list[Reading]:
    found = []
    if zone in _ZONES_3:
        systems = {datum: f"EPSG:{numbers[0] + zone - _ZONES_3[0]}" for datum, numbers in DATUMS.items()}
        found.append(Reading(f"3° zone {zone} with prefix (3度带, {zone * 3}°E)", systems, swapped))
    if zone in _ZONES_6:
        systems = {datum: f"EPSG:{numbers[2] + zone - _ZONES_6[0]}" for datum, numbers in DATUMS.items()}
        found.append(Reading(f"6° zone {zone} with prefix (6度带, {zone * 6 - 3}°E)", systems, swapped))
    return found
