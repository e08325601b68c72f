"""What a person reads when units cannot be drawn: the rule, how many parcels it holds back, and one of them by its code."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from lowland_gis.analysis.units.overlaps import overlapping
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.units.draw import drawn_from, said_of_necks, summary
from lowland_gis.pipeline.units.ground import UnitInputs
from lowland_gis.settings import DelineateSettings

RED = "touches the ecological red line (生态保护红线)"
CELLS = gpd.GeoDataFrame(
    {"cell": [0], "town_code": ["120113100"]}, geometry=[shapely.box(-1_000, -1_000, 9_000, 9_000)], crs=4548
)
NOTHING = gpd.GeoDataFrame({"layer": [], "code": []}, geometry=[], crs=4548)


def inputs(
    *shapes: shapely.Geometry, reasons: tuple[str | None, ...] = (), missing: tuple[str, ...] = ()
) -> UnitInputs:
    """Return low-efficiency parcels P0, P1 … in one block."""
    whys = [*reasons, *[None] * (len(shapes) - len(reasons))]
    frame = gpd.GeoDataFrame(
        {"parcel_id": [f"P{at}" for at in range(len(shapes))], "reason": whys, "kind": "industrial"},
        geometry=list(shapes),
        crs=4548,
    )
    area = frame.area.astype(float)
    parcels = frame.assign(area_m2=area, low_m2=area)
    towns = CELLS[["town_code", "geometry"]]
    return UnitInputs(parcels, CELLS, NOTHING, towns, (), missing, overlapping(parcels))


def square(x: float, y: float = 0, size: float = 100) -> shapely.Geometry:
    return shapely.box(x, y, x + size, y + size)


def said(given: UnitInputs, **limits: float) -> str:
    """Return what is said of a draft under some limits."""
    return summary(drawn_from(given, DelineateSettings(rounds=0, **limits)), given)


def test_parcels_that_are_all_red_lined_are_refused_with_the_rule():
    with pytest.raises(InputRefusedError) as refused:
        said(inputs(square(0), square(100), reasons=(RED, RED)))
    assert str(refused.value).startswith(
        "None of the 2 parcels may be in a unit, so there is nothing to draw"
    )
    assert f"({RED}: 2, for example P0)" in str(refused.value)
    assert "protected_max" in str(refused.value)


def test_parcels_that_touch_nothing_say_what_they_are_short_of():
    text = said(inputs(*[square(300 * at) for at in range(4)]))
    assert text.startswith("0 units")
    assert (
        "No unit can be drawn: 4 parcels by min_ha (for example P0: min_ha: all it hangs together with"
        in text
    )
    assert "1.00 ha, less than 2 ha" in text


def test_a_least_area_beyond_every_block_says_so():
    text = said(inputs(*[square(100 * at) for at in range(4)]), min_ha=50, max_ha=60)
    assert (
        "4 parcels by min_ha (for example P0: min_ha: all it hangs together with has 4.00 ha, less than 50 ha"
        in text
    )


def test_barriers_that_were_not_delivered_are_named():
    text = said(inputs(square(0), square(100), square(200), missing=("rail", "river")))
    assert text.endswith("; barriers not delivered, so nothing divides along them: rail, river")


def test_parcels_that_overlap_are_set_aside_and_named_while_the_rest_is_drawn():
    text = said(inputs(square(0), square(60), square(160), square(260), square(360)))
    assert text.startswith("1 units")
    assert "1 pairs of parcels share ground, so they are in no unit, for example P0, P1" in text


def test_parcels_that_all_overlap_are_refused_with_the_command_that_lists_them():
    with pytest.raises(InputRefusedError) as refused:
        said(inputs(square(0), square(60)))
    assert "(overlaps another parcel: 2, for example P0)" in str(refused.value)
    assert "lowland check show overlap" in str(refused.value)


def test_a_draft_names_the_units_that_hang_together_by_a_neck():
    given = inputs(square(0), square(100, 80))
    drawn = drawn_from(given, DelineateSettings(rounds=0))
    (name,) = drawn.units["unit_id"]
    assert said_of_necks(drawn, 30.0) == (
        f"1 of 1 units hang together by less than 30 m at one parcel: {name} (20.0 m) (all of them: neck_m in lowland unit metrics)"
    )
    assert said_of_necks(drawn, 20.0) == ""
