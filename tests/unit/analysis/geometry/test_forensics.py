"""Facts of geometries are counted right, batch by batch, and an extent is read in every way it can be."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.geometry import forensics
from lowland_gis.analysis.geometry.extent import readings
from lowland_gis.analysis.geometry.repair import decode


def seen(*texts: str | None, first_row: int = 0) -> forensics.Shapes:
    with np.errstate(invalid="ignore"):
        geometries = np.array(
            [None if text is None else shapely.from_wkt(text) for text in texts], dtype=object
        )
    fault = np.array(["geometry_missing" if text is None else "" for text in texts], dtype=object)
    return forensics.shapes(geometries, fault, first_row=first_row)


BOX = "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"
SAME_BOX = "POLYGON ((1 1, 1 0, 0 0, 0 1, 1 1))"
BOW_TIE = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"


def test_faults_are_counted():
    facts = seen(BOX, BOW_TIE, None, "POLYGON EMPTY", "POLYGON ((0 0, NaN 0, 1 1, 0 0))")
    assert (facts.n_rows, facts.n_invalid, facts.n_null, facts.n_empty, facts.n_not_finite) == (5, 1, 1, 1, 1)
    assert facts.reasons == {"Self-intersection": 1}
    assert facts.places == {"Self-intersection": "row 1 at 1 1"}
    assert facts.bounds == (0, 0, 2, 2)


def test_an_unreadable_row_is_counted_apart():
    two_points = shapely.to_wkb(shapely.from_wkt(BOX))[:5] + bytes([1, 0, 0, 0, 2, 0, 0, 0]) + bytes(32)
    wkb = np.array([two_points, shapely.to_wkb(shapely.from_wkt(BOX))], dtype=object)
    facts = forensics.shapes(*decode(wkb))
    assert (facts.n_unreadable, facts.n_invalid, facts.n_rows) == (1, 0, 2)


def test_duplicates_are_found_across_batches_and_beginnings():
    facts = seen(BOX, "POLYGON ((0 0, 1 0, 1 1, 0 0))") + seen(SAME_BOX, BOX, first_row=2)
    assert facts.n_duplicates == 2
    assert facts.n_rows == 4
    assert seen().n_duplicates == 0


def test_batches_add_up_to_the_whole():
    rows = [BOX, BOW_TIE, None, SAME_BOX, BOW_TIE]
    whole, parts = seen(*rows), seen(*rows[:2]) + seen(*rows[2:], first_row=2)
    for name in (
        "n_rows",
        "n_null",
        "n_invalid",
        "n_duplicates",
        "reasons",
        "places",
        "bounds",
        "largest_ring",
    ):
        assert getattr(whole, name) == getattr(parts, name), name


def test_a_huge_ring():
    angles = np.linspace(0, 2 * np.pi, forensics.LARGE_RING + 1, endpoint=False)
    circle = shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]))
    facts = forensics.shapes(np.array([circle], dtype=object), np.array([""], dtype=object))
    assert facts.n_large_rings == 1
    assert facts.largest_ring == forensics.LARGE_RING + 2


def test_kinds_heights_and_measures():
    made = shapely.from_wkt(["POINT (0 0)", "POINT Z (0 0 1)", "POINT M (0 0 1)", "POINT ZM (0 0 1 2)"])
    for flavor in ("iso", "extended"):
        wkb = np.array([*shapely.to_wkb(made, output_dimension=4, flavor=flavor), None], dtype=object)
        found = forensics.kinds(wkb)
        assert (dict(found.kinds), found.n_z, found.n_m, found.n_curves) == ({"Point": 4}, 2, 2, 0), flavor
    assert (found + found).kinds == {"Point": 8}


BEICHEN = (515_000.0, 4_345_000.0, 520_000.0, 4_350_000.0)


@pytest.mark.parametrize(
    ("bounds", "system", "swapped"),
    [
        (BEICHEN, "EPSG:4548", False),
        ((39_515_000, 4_345_000, 39_520_000, 4_350_000), "EPSG:4527", False),
        ((20_515_000, 4_345_000, 20_520_000, 4_350_000), "EPSG:4498", False),
        ((117.1, 39.1, 117.3, 39.3), "EPSG:4490", False),
        ((39.1, 117.1, 39.3, 117.3), "EPSG:4490", True),
        ((4_345_000, 515_000, 4_350_000, 520_000), "EPSG:4548", True),
        ((4_345_000, 39_515_000, 4_350_000, 39_520_000), "EPSG:4527", True),
        ((13_040_000, 4_750_000, 13_060_000, 4_770_000), None, False),
    ],
)
def test_an_extent_is_read(bounds, system, swapped):
    found = readings(bounds, 117)
    assert (found[0].systems.get("CGCS2000"), found[0].swapped) == (system, swapped)
    assert len(found) == 1


def test_web_mercator_and_nowhere():
    assert readings((13_040_000, 4_750_000, 13_060_000, 4_770_000))[0].systems == {"WGS 84": "EPSG:3857"}
    assert readings((-2e6, 0, -1e6, 1e5)) == ()
    assert readings((np.inf, np.inf, -np.inf, -np.inf)) == ()


def test_without_a_meridian_no_plane_is_proposed():
    assert readings(BEICHEN)[0].systems == {}
