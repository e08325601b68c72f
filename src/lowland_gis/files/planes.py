"""Planes of CGCS2000 that fit the area of another coordinate system, and how data gets into one."""

from __future__ import annotations

from pyproj import CRS
from pyproj.exceptions import CRSError

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
