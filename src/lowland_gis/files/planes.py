"""Planes of CGCS2000 that fit the area of another coordinate system, and how data gets into one."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from pyproj import CRS
from pyproj.exceptions import CRSError

from lowland_gis.files.crs import Reference
from lowland_gis.files.transform import null_shift, old_datum, path_between

# EPSG codes of the 3-degree planes: by central meridian 75°E to 135°E, without and with the zone number before x.
_FIRST_MERIDIAN, _LAST_MERIDIAN, _WIDTH = 75, 135, 3
_FIRST_PLAIN, _FIRST_NUMBERED, _FIRST_ZONE = 4534, 4513, 25
# Between these datums and CGCS2000 lie tens of metres that only the bureau's own parameters bridge.
_OLD_DATUMS = ("Xian 1980", "Beijing 1954", "New Beijing")


def advice(crs: str) -> str:
    """Say which CGCS2000 planes fit the area of a system that is none, and the line that brings data into one."""
    try:
        system = CRS.from_user_input(crs)
    except CRSError:
        return "An EPSG code looks like EPSG:4548."
    area = system.area_of_use
    if area is None:
        return "Its area of use is unknown, so no plane can be proposed. For 117°E it is EPSG:4548."
    planes = fitting(area.west, area.east)
    if not planes:
        return (
            f"Its area lies from {area.west:g}° to {area.east:g}°E, where CGCS2000 has no plane "
            f"({_FIRST_MERIDIAN}° to {_LAST_MERIDIAN}°E with half a belt on both sides), and areas by the survey formula need one."
        )
    listed = ", ".join(planes[:6]) + (f" … and {len(planes) - 6} more" if len(planes) > 6 else "")  # noqa: PLR2004 - as many as one line holds
    return f"Planes of CGCS2000 that fit its area: {listed}. {_way(system, planes[0].split()[0])}"


def fitting(west: float, east: float) -> list[str]:
    """Return the 3-degree planes whose belt meets a range of longitudes, each with its central meridian.

    >>> fitting(116.6, 117.4)
    ['EPSG:4548 (117°E)', 'EPSG:4527 (117°E, zone 39 before x)']
    """
    found = []
    for number, meridian in enumerate(range(_FIRST_MERIDIAN, _LAST_MERIDIAN + 1, _WIDTH)):
        if meridian - _WIDTH / 2 < east and west < meridian + _WIDTH / 2:
            found.append(f"EPSG:{_FIRST_PLAIN + number} ({meridian}°E)")
            found.append(
                f"EPSG:{_FIRST_NUMBERED + number} ({meridian}°E, zone {_FIRST_ZONE + number} before x)"
            )
    return found


def _way(system: CRS, plane: str) -> str:
    datum = "" if system.datum is None else system.datum.name
    if any(old in datum for old in _OLD_DATUMS):
        return (
            f"Data in it stay as they are: give the bureau's parameters when they come in ({datum} lies tens of metres off): "
            "lowland ingest LAYER FILE --datum FILE"
        )
    return f"Data in it can be brought there, for example: ogr2ogr -t_srs {plane} NEW.gpkg OLD.gpkg"


_CGCS2000 = "China 2000"


@dataclass(frozen=True)
class Delivered:
    """A file as it came: its path and layer, the system that was named for it, and whether the bureau's parameters or cells come with it."""

    file: str
    layer: str | None = None
    given: str | None = None
    parameters: bool = False
    raster: bool = False


def other_system(system: Reference, target: Reference, came: Delivered) -> str | None:
    """Say that data is in another system than a plane, what ingest does about it and the line that brings it there by hand.

    None where it is in the plane.
    """
    datum = "" if system.crs.datum is None else str(system.crs.datum.name)
    foreign = "" if _CGCS2000 in datum else f" and not CGCS2000 (its datum is {datum or 'unknown'})"
    named = system.name if system.name.startswith("EPSG:") else "no EPSG code"
    said = f"It is in {system.crs.name} ({named}), not in the plane {target.name}{foreign}."
    if old_datum(system, target):
        if came.parameters:
            return f"{said} Ingest brings it there by the bureau's parameters."
        return f"{said} Only the bureau's own parameters lead there: lowland ingest LAYER FILE --datum FILE"
    if path_between(system, target, came.file) is None:
        return None
    if came.raster:
        return f"{said} Ingest takes it as soon as it is: {_line('gdalwarp', target.name, came, 'NEW.tif')}"
    taken = ", taking its datum for that of the plane" if null_shift(system, target) else ""
    return f"{said} Ingest brings it there{taken}; by hand: {_line('ogr2ogr', target.name, came, 'NEW.gpkg')}"


def _line(program: str, plane: str, came: Delivered, new: str) -> str:
    file = f"/vsizip/{came.file}" if came.file.lower().endswith(".zip") else came.file
    source = [file, *((came.layer,) if came.layer and not came.raster else ())]
    words = [program, *(("-s_srs", came.given) if came.given else ()), "-t_srs", plane]
    return shlex.join([*words, *((*source, new) if came.raster else (new, *source))])
