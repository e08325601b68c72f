"""Hold a raster against what will be measured on it: on the project's plane, north up, with what stands for no value declared."""

from __future__ import annotations

from dataclasses import dataclass

from lowland_gis.analysis.geometry.extent import off_plane
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files.raster_header import RasterHeader, Suspect, raster_header, suspects
from lowland_gis.files.source import Source
from lowland_gis.files.transform import old_datum
from lowland_gis.settings import gauss_plane


@dataclass(frozen=True)
class CheckedRaster:
    """The coordinate system of a raster that can be measured, its box, and the doubts about it: rule and words."""

    system: str
    header: RasterHeader
    doubts: tuple[tuple[str, str], ...]


def checked_raster(source: Source, plane: str, src_crs: str | None) -> CheckedRaster:
    """Return what is known of a raster that is to be measured on a plane.

    Raises:
        InputRefusedError: it lies in a zip, cannot be read, does not say where it lies, lies elsewhere, is turned or upside down, is in another system, or
            holds undeclared numbers for no value; with the line that mends it.
    """
    if source.unpacked:
        raise InputRefusedError(
            f"{source.name}: a raster stays a file that is read again, so it cannot stay inside a zip. Unzip it, and deliver the .tif."
        )
    header = raster_header(source.path, source.name)
    _refuse_unplaced(source.name, header, plane)
    system = reference.resolve(header.declared_crs, src_crs, header.bounds, source.name)
    _refuse_other_plane(source.name, system, plane)
    if off_plane(header.bounds[None], gauss_plane(plane).false_easting_m)[0]:
        raise InputRefusedError(
            f"{source.name}: the raster lies outside China or far outside the zone of the project's plane (x {header.bounds[0]:,.0f} …"
            f" {header.bounds[2]:,.0f}, y {header.bounds[1]:,.0f} … {header.bounds[3]:,.0f} m), so its coordinate system is not the one"
            " that was declared or given. Give the right one with --src-crs, or name the right file."
        )
    if not header.north_up:
        raise InputRefusedError(
            f"{source.name}: the raster is turned or upside down (its rows do not go from north to south), and what lies under a parcel"
            f" cannot be measured on it. {_warp(plane)}"
        )
    found = suspects(source.path, source.name)
    for each in found:
        if each.sure:
            raise InputRefusedError(
                f"{source.name}: {_held(each)}, which stands for no value but is not declared (nodata), so it would be measured as a value."
                f" Type: gdal_translate -a_nodata {each.value:.17g} IN OUT"
            )
    doubts = [("raster_nodata", _full_words(each)) for each in found]
    if header.n_bands > 1:
        doubts.append(("raster_bands", f"it has {header.n_bands} bands, and only the first one is measured"))
    return CheckedRaster(system.name, header, tuple(doubts))


def _refuse_unplaced(name: str, header: RasterHeader, plane: str) -> None:
    if not header.placed:
        raise InputRefusedError(
            f"{name}: the raster does not say where it lies (it has no world file, and no geotransform inside). Ask for it with its"
            f" .tfw, or, if it has control points, type: gdalwarp -t_srs {plane} IN OUT"
        )


def _refuse_other_plane(name: str, system: reference.Reference, plane: str) -> None:
    target = reference.reference(plane, "the project")
    if reference.plane_of(system.crs) == reference.plane_of(target.crs):
        return
    says = f"{name}: the raster is in {system.crs.name} ({system.name[:20]}), the project in {plane}"
    if old_datum(system, target):
        raise InputRefusedError(
            f"{says}, and from one to the other only a ballpark shift is known, which gdalwarp would apply without a word and which may be"
            " wrong by a hundred metres. Have it converted with the bureau's own parameters."
        )
    raise InputRefusedError(f"{says}; a raster is not resampled without being asked. {_warp(plane)}")


def _warp(plane: str) -> str:
    return f"Type: gdalwarp -t_srs {plane} IN OUT"


def _held(suspect: Suspect) -> str:
    return f"{suspect.cells:,} cells ({suspect.share:.1%}) hold {suspect.value:g}"


def _full_words(suspect: Suspect) -> str:
    return (
        f"{_held(suspect)}, which often stands for no value, but none is declared, so it is measured as a value. If it stands for none,"
        f" type: gdal_translate -a_nodata {suspect.value:.17g} IN OUT – and deliver OUT"
    )
