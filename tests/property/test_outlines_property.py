"""The outline of a unit holds all its parcels, lanes and what they enclose, and no land of others, whatever the parcels look like.

`make test-outlines EXAMPLES=5000` draws as many plots as you like.
"""

import os

import numpy as np
import shapely
from hypothesis import event, given, settings

from lowland_gis.analysis.units.ground import Limits
from lowland_gis.analysis.units.outline import outlines
from unit_plots import Plot, plots

EXAMPLES = int(os.environ.get("EXAMPLES", "150"))
REACH_M = Limits(gap_m=10.0).reach_m
# m²: what rounding moves along some hundred metres of outline.
NOTHING_M2 = 1e-3
# Ground counts as enclosed where its opening is narrower than twice this, in m.
CRACK_M = 0.06


def filled(shape: shapely.Geometry) -> shapely.Geometry:
    """Return an area with what it encloses."""
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(shape))))


@settings(max_examples=EXAMPLES)
@given(plots())
def test_an_outline_is_valid_and_holds_its_parcels_their_lanes_and_no_land_of_others(plot: Plot) -> None:
    made, drawn = outlines(plot.shapes, plot.units, plot.cells, REACH_M)
    assert drawn.all()
    for unit, outline, cell in zip(plot.units, made, plot.cells, strict=True):
        assert shapely.get_type_id(outline) == shapely.GeometryType.MULTIPOLYGON
        assert outline.is_valid
        assert not outline.is_empty
        own = shapely.union_all(plot.shapes[unit])
        others = shapely.union_all(np.delete(plot.shapes, unit))
        assert shapely.difference(own, outline).area < NOTHING_M2
        # What a neighbour shares with a member by its own digitising is no more for the outline.
        taken = shapely.intersection(outline, others).area - shapely.intersection(own, others).area
        assert taken < NOTHING_M2
        # Every part holds something of the unit's own.
        assert all(shapely.intersection(part, own).area > 0 for part in outline.geoms)
        beside = shapely.difference(outline, own)
        event("closes a lane" if beside.area > 1 else "closes nothing")
        near = own.buffer(REACH_M + CRACK_M)
        # Beyond the width of a lane lies only what the unit encloses.
        held = filled(shapely.union(own, shapely.intersection(beside, near)).buffer(CRACK_M))
        assert shapely.difference(shapely.difference(beside, near), held).area < NOTHING_M2
        if cell is not None:
            assert shapely.difference(beside, cell).area < NOTHING_M2


def test_plots_have_every_form_that_the_outlines_are_to_stand():
    """What is drawn holds holes, parts, slivers, corners that are shared, and units whose lanes are closed."""
    seen: set[str] = set()

    @settings(max_examples=150, derandomize=True, database=None)
    @given(plots())
    def looked_at(plot: Plot) -> None:
        parts = shapely.get_parts(plot.shapes)
        seen.update(
            name
            for name, there in {
                "hole": (shapely.get_num_interior_rings(parts) > 0).any(),
                "parts": (shapely.get_num_geometries(plot.shapes) > 1).any(),
                "sliver": (shapely.minimum_clearance(plot.shapes) < 0.1).any(),
                "two units": len(plot.units) > 1,
                "bound": not shapely.is_missing(plot.cells).any(),
                "corner": _meets_in_a_corner(plot.shapes),
            }.items()
            if there
        )

    looked_at()
    assert seen == {"hole", "parts", "sliver", "two units", "bound", "corner"}


def _meets_in_a_corner(shapes: np.ndarray) -> bool:
    one, other = shapely.STRtree(shapes).query(shapes, predicate="touches")
    return bool((shapely.get_dimensions(shapely.intersection(shapes[one], shapes[other])) == 0).any())
