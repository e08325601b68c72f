"""Small layers near Beichen, written as offices write them."""

from pathlib import Path

import geopandas as gpd
import shapely


def box(x: float, y: float, width: float = 100, height: float = 100) -> shapely.Polygon:
    """A rectangle near Beichen, placed from a corner of its own."""
    return shapely.box(515_000 + x, 4_345_000 + y, 515_000 + x + width, 4_345_000 + y + height)


def write_parcels(path: Path, rows: dict[str, shapely.Geometry], **columns: list[object]) -> Path:
    """Write a parcel shapefile in GBK without a .cpg, as offices do."""
    frame = gpd.GeoDataFrame(
        {"ZDDM": list(rows), "ZL": ["北辰区示例路"] * len(rows), **columns},
        geometry=list(rows.values()),
        crs=4548,
    )
    frame.to_file(path, encoding="GBK", engine="pyogrio")
    path.with_suffix(".cpg").unlink()
    return path
