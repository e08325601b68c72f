"""What is wrong with the outlines of a delivered layer: missing, of another kind, invalid, twice, of another area, in another plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.geodesy import ellipsoidal_areas
from lowland_gis.definitions.package import FILEGDB, LayerDefinition, PackageDefinition
from lowland_gis.errors import LowlandError
from lowland_gis.files.batches import bounds
from lowland_gis.files.crs import reference, resolve
from lowland_gis.files.dbf_table import Cell
from lowland_gis.files.write import POLYGONAL
from lowland_gis.products.judging.delivered import Arrived
from lowland_gis.products.judging.findings import Finding
from lowland_gis.products.judging.values import RowFault
from lowland_gis.settings import gauss_plane

# A geodatabase keeps coordinates on a grid of 0.1 mm.
_CELL_M = {FILEGDB: 1e-4}

Shapes = npt.NDArray[np.object_]


def shape_faults(shapes: Shapes) -> Iterator[RowFault]:
    """Yield rows whose shape is missing, no polygon, invalid, or the same as that of an earlier row."""
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    polygonal = np.isin(shapely.get_type_id(shapes), POLYGONAL)
    for row in np.flatnonzero(missing).tolist():
        yield row, "", "geometry_missing", "polygon"
    for row in np.flatnonzero(~missing & ~polygonal).tolist():
        yield row, "", "geometry_kind", "polygon"
    invalid = ~missing & polygonal & ~shapely.is_valid(shapes)
    for row in np.flatnonzero(invalid).tolist():
        yield row, "", "geometry_invalid", str(shapely.is_valid_reason(shapes[row]))
    rows = np.flatnonzero(~missing)
    first: dict[bytes, int] = {}
    for row, outline in zip(rows.tolist(), shapely.to_wkb(shapely.normalize(shapes[rows])), strict=True):
        earlier = first.setdefault(outline, row)
        if earlier != row:
            yield row, "", "geometry_twice", f"row {earlier + 1} has the same"


def area_faults(
    shapes: Shapes,
    form: str,
    columns: Mapping[str, Sequence[Cell]],
    crs: str,
    layer: LayerDefinition,
    definition: PackageDefinition,
) -> Iterator[RowFault]:
    """Yield rows whose stated area is not the ellipsoidal area of the outline, as far as the form keeps it; a plane without one is passed over."""
    fields = [field for field in layer.fields if field.of_shape and field.name in columns]
    if not fields:
        return
    try:
        plane = gauss_plane(crs)
    except ValueError:
        return
    # Every vertex may lie half a cell beside its place.
    grid = _CELL_M.get(form, 0.0) * np.nan_to_num(shapely.length(shapes))
    valid = shapely.is_valid(shapes) & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    measured = np.full(len(shapes), np.nan)
    measured[valid] = ellipsoidal_areas(shapes[valid], plane)
    allowed = definition.tolerances
    for field in fields:
        stated = np.array(
            [np.nan if value is None else field.in_m2(float(str(value))) for value in columns[field.name]]
        )
        # Half of the last digit that is written, in m².
        rounding = field.in_m2(0.5 * 10.0**-field.decimals)
        limit = np.maximum(allowed.area_m2, allowed.area_share * measured) + rounding + grid
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(np.abs(stated - measured) > limit)
        for row in rows.tolist():
            expected = field.written(float(measured[row]), "m²")
            yield row, field.name, "area", f"{expected:.{field.decimals}f}"


def plane_findings(arrived: Arrived, layer: LayerDefinition, wanted: str | None) -> Iterator[Finding]:
    """Yield what is wrong with the system of a layer: none, another one than `wanted`, or one that its coordinates contradict."""
    file, name = arrived.held.file, layer.name
    if not arrived.crs:
        yield Finding("crs_missing", file, name, expected=wanted or "CGCS2000 / 3-degree Gauss-Kruger")
        return
    try:
        found = reference(arrived.crs, file)
    except LowlandError:
        yield Finding("crs_other", file, name, value=arrived.crs[:80], expected=wanted or "")
        return
    if wanted is not None and found.name != wanted:
        yield Finding("crs_other", file, name, value=called(found.name), expected=wanted)
    elif wanted is None and not _is_gauss(arrived.crs):
        yield Finding(
            "crs_other", file, name, value=called(found.name), expected="CGCS2000 / 3-degree Gauss-Kruger"
        )
    if arrived.shapes is not None:
        try:
            resolve(arrived.crs, None, bounds(arrived.shapes), file)
        except LowlandError as error:
            said = str(error).removeprefix(f"{file}: ").partition(" Give the right")[0]
            yield Finding("crs_contradicts", file, name, value=said, expected=called(found.name))


def called(system: str) -> str:
    """Return what a system is called where it has no number: the name at the beginning of its WKT."""
    return system if system.startswith("EPSG:") else system.split('"')[1] if '"' in system else system[:40]


def _is_gauss(crs: str) -> bool:
    try:
        gauss_plane(crs)
    except ValueError:
        return False
    return True


def places(shapes: Shapes | None, rows: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Return where rows lie: a point on each shape that has one."""
    if shapes is None or not rows:
        return {}
    chosen = shapes[list(rows)]
    some = ~shapely.is_missing(chosen) & ~shapely.is_empty(chosen)
    points = {}
    for row, shape, has in zip(rows, chosen, some, strict=True):
        if has:
            place = shapely.point_on_surface(shape)
            if not place.is_empty:
                points[row] = (float(place.x), float(place.y))
    return points


def total_area(shapes: Shapes | None) -> float:
    """Return the summed plane area of all shapes, 0 for a table."""
    return 0.0 if shapes is None else float(np.nansum(shapely.area(shapes)))
