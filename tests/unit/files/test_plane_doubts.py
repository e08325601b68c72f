"""What speaks against areas on a plane at a place."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod
from pyproj.transformer import Transformer

from lowland_gis.files.crs import reference
from lowland_gis.files.plane_doubts import plane_doubts


def hectare(system: str, longitude: float, latitude: float) -> tuple[np.ndarray, float]:
    """A box of 100 m on a plane, and its true area on the ellipsoid."""
    forth = Transformer.from_crs(reference(system, "a").crs.geodetic_crs, system, always_xy=True)
    x, y = forth.transform(longitude, latitude)
    box = np.array([x, y, x + 100, y + 100])
    xs, ys = box[[0, 2, 2, 0]], box[[1, 1, 3, 3]]
    ground = Geod(ellps="WGS84").polygon_area_perimeter(*forth.transform(xs, ys, direction="INVERSE"))[0]
    return box, abs(ground)


@pytest.mark.parametrize(
    ("system", "error"),
    [("EPSG:3857", "large"), ("EPSG:32650", "small"), ("EPSG:32651", "large"), ("EPSG:32648", "large")],
)
def test_the_error_of_an_area_is_that_of_the_ellipsoid(system: str, error: str):
    box, ground = hectare(system, 117.1, 39.2)
    words = plane_doubts(reference(system, "a"), box)[-1]
    assert f"{abs(1e4 / ground - 1):.2%} too {error}" in words
    assert "EPSG:4548" in words


def test_web_mercator_at_39_degrees_north_is_two_thirds_too_large():
    """By hand: a²/(M N cos²φ) with M = 6,360,934 m and N = 6,386,684 m is 1.6675."""
    box, _ = hectare("EPSG:3857", 117.1, 39.2)
    (words,) = plane_doubts(reference("EPSG:3857", "a"), box)
    assert "66.75% too large (1.6675 m² for each m² of the ground)" in words


@pytest.mark.parametrize("longitude", [115.5, 117.0, 118.5])
def test_a_survey_plane_in_its_zone_is_not_doubted(longitude: float):
    box, _ = hectare("EPSG:4548", longitude, 39.2)
    assert plane_doubts(reference("EPSG:4548", "a"), box) == []


def test_nor_is_a_plane_that_is_true_to_area():
    box, _ = hectare("EPSG:6933", 117.1, 39.2)
    assert plane_doubts(reference("EPSG:6933", "a"), box) == []


def test_another_part_of_the_earth_is_named():
    """The numbers of Philadelphia in UTM 18 north lie near Beijing in EPSG:4548, those of Perth lie nowhere in China."""
    box = np.array([390_000, 6_460_000, 391_000, 6_461_000]) * [1, -1, 1, -1]
    words = plane_doubts(reference("EPSG:4548", "a"), np.sort(box.reshape(2, 2), axis=0).ravel())
    assert "is for 115.50° … 118.50°, 22.60° … 49.88°" in words[0]
    assert "--src-crs parcels=EPSG:…" in words[0]


def test_without_a_place_there_is_nothing_to_say():
    assert plane_doubts(reference("EPSG:3857", "a"), np.full(4, np.nan)) == []
    assert plane_doubts(reference("EPSG:4490", "a"), np.array([117.0, 39, 118, 40])) == []
