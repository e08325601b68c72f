"""Write rows with geometries to a file, under its name only when it is whole."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_target
from lowland_gis.files.whole import refused, whole


def write_features(rows: gpd.GeoDataFrame, target: Path) -> None:
    """Write rows with geometries as a GeoPackage.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    with whole(target) as partial, gdal_target(partial) as path, refused(target, *GDAL_ERRORS):
        partial.unlink()
        rows.to_file(path, driver="GPKG", layer=target.stem)
