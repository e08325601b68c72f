"""Units that were drawn by hand in QGIS: crossed outlines are mended as parcels are, and what has no area is named."""

import geopandas as gpd
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.units import read_edited

# Two squares of 10 m that overlap by half, drawn as one multipolygon: 150 m², of which 50 lie under both.
TWICE = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10)])
BOW_TIE = shapely.Polygon([(0, 20), (10, 30), (10, 20), (0, 30)])


def drawing(path, *shapes):
    gpd.GeoDataFrame(
        {"unit_id": [f"u{at}" for at in range(len(shapes))]}, geometry=list(shapes), crs=4548
    ).to_file(path)
    return path


def test_parts_that_overlap_and_crossed_outlines_keep_their_ground(tmp_path):
    drawn = read_edited(drawing(tmp_path / "a.gpkg", TWICE, BOW_TIE), None, srid=4548).polygons
    assert drawn.geometry.area.tolist() == pytest.approx([150, 50])
    assert drawn.geometry.is_valid.all()


def test_a_line_that_was_drawn_as_a_unit_is_named_by_its_row(tmp_path):
    path = drawing(tmp_path / "a.gpkg", shapely.box(0, 0, 10, 10), shapely.LineString([(0, 0), (10, 0)]))
    with pytest.raises(InputRefusedError, match=r"without a unit_id or a shape \(rows 1\)"):
        read_edited(path, None, srid=4548)
