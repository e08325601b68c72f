"""`area`: the ellipsoidal area of the land surveys."""

from __future__ import annotations

from typing import overload

import geopandas as gpd
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas
from lowland_gis.api.layers import Layer
from lowland_gis.api.said import warned
from lowland_gis.api.shapes import shapes
from lowland_gis.errors import InputRefusedError
from lowland_gis.settings import gauss_plane


@overload
def area(geometry: shapely.Geometry, *, src_crs: str) -> float: ...


@overload
def area(geometry: Layer, *, src_crs: str | None = None) -> pd.Series[float]: ...


def area(geometry: Layer | shapely.Geometry, *, src_crs: str | None = None) -> pd.Series[float] | float:
    """Return the ellipsoidal area (椭球面积) of polygons in m², by the formula of the national land surveys.

    Source: 国土调查办发〔2008〕32号 《图斑椭球面积计算公式及要求》, carried on by TD/T 1055-2019: coordinates with 4 decimals on the plane, edges over
    70 m divided, latitude and longitude to 1e-6 arc-second, the area rounded to 0.01 m². Holes are subtracted.

    Args:
        geometry: a GeoSeries, GeoDataFrame, Arrow table or file of polygons, or one shapely geometry.
        src_crs: a CGCS2000 Gauss-Krüger plane as `EPSG:4548`, where the layer declares none; one geometry needs it.

    Returns:
        One number a row under the row's label, NaN where there is no usable polygon and 0 where it is empty; of one geometry a float.

    Raises:
        InputRefusedError: the system is unknown, in degrees, or no CGCS2000 Gauss-Krüger plane.

    Invalid polygons are repaired first, as ingest does it; a `LowlandWarning` says how many.

    >>> import geopandas, shapely
    >>> from lowland_gis import area
    >>> square = shapely.box(511_000, 4_345_000, 511_020, 4_345_010)
    >>> area(square, src_crs="EPSG:4548")
    200.0
    >>> area(geopandas.GeoSeries([square, shapely.Polygon(square.exterior.coords[::-1])], index=["a", "b"], crs=4548))
    a    200.0
    b    200.0
    Name: area_m2, dtype: float64
    """
    alone = isinstance(geometry, shapely.Geometry)
    asked = gpd.GeoSeries([geometry]) if isinstance(geometry, shapely.Geometry) else geometry
    with warned() as tell:
        found = shapes(asked, "geometry", id_field=None, fields=[], src_crs=src_crs, tell=tell)
    areas = pd.Series(
        ellipsoidal_areas(found.geometries, _plane(found.plane.name, found.file.name)),
        index=found.index,
        name="area_m2",
    )
    return float(areas.iloc[0]) if alone else areas


def _plane(system: str, where: str) -> GaussPlane:
    try:
        return gauss_plane(system)
    except ValueError as error:
        raise InputRefusedError(
            f"{where}: {error}. The survey formula takes coordinates on such a plane; bring the layer there, for example to EPSG:4548."
        ) from error
