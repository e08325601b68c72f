"""What coordinate system a file is in: as it declares or as the user says, never against what its coordinates show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.exceptions import CRSError

from lowland_gis.errors import InputRefusedError

# A plane's x and y are rarely beyond this; a zone prefix puts eight digits before the decimal point of x.
_PREFIXED_EASTING = 1e7
# The prefix counts millions of metres.
_ZONE_WIDTH_M = 1e6
# No place of a zone lies farther from its central meridian.
_FARTHEST_M = 1e6
_MIN_CONFIDENCE = 70
_BOUNDS = 4


@dataclass(frozen=True)
class Reference:
    """A coordinate system as it is used: `EPSG:…` where it has a number, else its WKT.

    What coordinates are checked by is asked of PROJ once, since each thread that asks it opens its database anew: whether they
    are in degrees or on a plane, the false easting in metres of a transverse Mercator plane, None on others, and how many
    metres the unit of a plane has (1 for degrees).
    """

    name: str
    crs: CRS
    in_degrees: bool
    is_plane: bool
    false_easting: float | None
    unit_m: float = 1.0


@lru_cache(maxsize=64)
def reference(text: str, where: str) -> Reference:
    """Return the coordinate system that a text (EPSG code or WKT) means; Esri spellings become their EPSG code.

    Of a system with heights it is the horizontal part; a shift to WGS 84 that a file brings along (TOWGS84) is left out.

    Raises:
        InputRefusedError: nobody knows the system, or it has no two horizontal axes.
    """
    try:
        crs = _horizontal(CRS.from_user_input(text))
    except CRSError as error:
        raise InputRefusedError(
            f"{where}: {text[:80]!r} is no known coordinate system. Give it with --src-crs, for example --src-crs EPSG:4548."
        ) from error
    number = _own_number(crs) or crs.to_epsg(min_confidence=_MIN_CONFIDENCE)
    used = CRS.from_epsg(number) if number else crs
    name = f"EPSG:{number}" if number else crs.to_wkt()
    if used.is_geocentric or used.is_vertical:
        raise InputRefusedError(
            f"{where}: {used.name} is no system of places on a map, but {used.type_name.removesuffix(' CRS').lower()}."
            " Give the right one with --src-crs, for example --src-crs EPSG:4548."
        )
    unit = 1.0 if used.is_geographic else _metres(used)
    return Reference(name, used, used.is_geographic, used.is_projected, _false_easting(used), unit)


def _horizontal(crs: CRS) -> CRS:
    """Return the part of a system that says where a place lies on the map.

    The parameters of a TOWGS84 are a program's default as often as a bureau's, so they are no way between two datums.
    """
    while crs.is_bound or crs.is_compound:
        part = crs.source_crs if crs.is_bound else crs.sub_crs_list[0]
        if part is None:
            return crs
        crs = part
    return crs


def _metres(crs: CRS) -> float:
    """Return how many metres the unit of the axes of a plane has."""
    return float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0


def in_metres(system: Reference) -> Reference:
    """Return the same plane with axes in metres; a system in metres or degrees is its own."""
    if system.in_degrees or system.unit_m == 1:
        return system
    content = system.crs.to_json_dict()
    content.pop("id", None)
    content["name"] = f"{system.crs.name} in metres"
    for axis in content["coordinate_system"]["axis"]:
        axis["unit"] = "metre"
    return reference(CRS.from_json_dict(content).to_wkt(), system.name)


def _false_easting(crs: CRS) -> float | None:
    operation = crs.coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator":
        return None
    eastings = (each for each in operation.params if each.name == "False easting")
    return next((float(each.value) * float(each.unit_conversion_factor) for each in eastings), 0.0)


def _own_number(crs: CRS) -> int | None:
    """Return the EPSG code that a WKT carries, if the system behind the code is the one that the WKT spells out.

    Several codes mean one plane (4509 and 4548, one of 6° and one of 3° zones), so looking it up could give the other one.
    """
    carried = crs.to_json_dict().get("id") or {}
    if carried.get("authority") != "EPSG":
        return None
    number = int(carried["code"])
    return number if plane_of(CRS.from_epsg(number)) == plane_of(crs) else None


def plane_of(crs: CRS) -> tuple[object, ...]:
    """Return what makes a system: datum, ellipsoid, projection and its numbers; not its name or the order of axes."""
    datum = crs.geodetic_crs.datum if crs.geodetic_crs else None
    operation = crs.coordinate_operation
    numbers = {parameter.name: parameter.value for parameter in operation.params} if operation else {}
    ellipsoid, meridian = crs.ellipsoid, crs.prime_meridian
    return (
        datum.name if datum else None,
        (ellipsoid.semi_major_metre, ellipsoid.inverse_flattening) if ellipsoid else None,
        meridian.longitude if meridian else None,
        operation.method_name if operation else None,
        tuple(sorted(numbers.items())),
        tuple(sorted(axis.unit_name for axis in crs.axis_info)),
    )


def resolve(
    declared: str | None, given: str | None, bounds: npt.NDArray[np.float64], where: str
) -> Reference:
    """Return the coordinate system of a file: what the user gave, else what the file declares.

    Raises:
        InputRefusedError: there is none, or the coordinates contradict it.
    """
    text = given or declared
    if not text:
        raise InputRefusedError(
            f"{where}: the coordinate system is unknown, because no .prj or equal came with it."
            " Give it with --src-crs, for example --src-crs EPSG:4548."
        )
    found = reference(text, where)
    _refuse_contradiction(found, bounds, where)
    return found


def _refuse_contradiction(found: Reference, bounds: npt.NDArray[np.float64], where: str) -> None:
    if bounds.size != _BOUNDS or not np.isfinite(bounds).all():
        return
    west, south, east, north = bounds
    looks_like_degrees = max(abs(west), abs(east)) <= 360 and max(abs(south), abs(north)) <= 90  # noqa: PLR2004
    extent = f"x {west:.6g} … {east:.6g}, y {south:.6g} … {north:.6g}"
    if found.in_degrees and not looks_like_degrees:
        raise InputRefusedError(
            f"{where}: declared as degrees ({found.name}), but the coordinates are metres ({extent})."
            " Give the right system with --src-crs."
        )
    if found.is_plane and looks_like_degrees:
        raise InputRefusedError(
            f"{where}: declared as metres ({found.name}), but the coordinates are degrees ({extent})."
            " Give the right system with --src-crs, for example --src-crs EPSG:4490."
        )
    _refuse_other_zone(found, west * found.unit_m, south * found.unit_m, extent, where)


def _refuse_other_zone(found: Reference, west: float, south: float, extent: str, where: str) -> None:
    if (false_easting := found.false_easting) is None:
        return
    prefixed = false_easting > _PREFIXED_EASTING
    far_in_x = abs(west - false_easting) > _FARTHEST_M
    if far_in_x and (abs(south - false_easting) < _FARTHEST_M or south > _PREFIXED_EASTING):
        raise InputRefusedError(f"{where}: x and y look swapped ({extent}). Ask for the file with x first.")
    if prefixed != (west > _PREFIXED_EASTING):
        have, want = ("with", "without") if west > _PREFIXED_EASTING else ("without", "with")
        raise InputRefusedError(
            f"{where}: the coordinates come {have} a zone prefix ({extent}), but {found.name} is {want} one."
            " Give the right system with --src-crs, for example EPSG:4527 with and EPSG:4548 without the prefix of zone 39."
        )
    if prefixed and int(west // _ZONE_WIDTH_M) != int(false_easting // _ZONE_WIDTH_M):
        raise InputRefusedError(
            f"{where}: the coordinates are of zone {int(west // _ZONE_WIDTH_M)} ({extent}), but {found.name} is zone"
            f" {int(false_easting // _ZONE_WIDTH_M)}. Give the right system with --src-crs."
        )
