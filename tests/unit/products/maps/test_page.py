"""What the page is made of: whole numbers that come back, texts that stay texts, libraries as they were published."""

import base64
import hashlib
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import shapely

from lowland_gis.products.maps.page import build
from lowland_gis.products.maps.page.encode import PER_METRE, shapes, simplified, varints

ROOT = Path(__file__).parents[4]
NASTY = "</script><script>window.hit=1</script><!-- <b>&amp;\u2028"
DATA = {"title": NASTY, "parcels": {"location": [NASTY]}}


def numbers(text):
    """Read varints one by one, as the page does."""
    found, value, place = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << (7 * place)
        place += 1
        if not byte & 128:
            found.append(value >> 1 if value % 2 == 0 else -(value >> 1) - 1)
            value, place = 0, 0
    return found


def rings_of(text):
    """Return the rings of each shape as points in metres from the corner."""
    steps = np.array(numbers(text["xy"]), dtype=float).reshape(-1, 2)
    points = np.cumsum(steps, axis=0) / PER_METRE
    cut = np.split(points, np.cumsum(numbers(text["points"]))[:-1])
    at, found = 0, []
    for count in numbers(text["rings"]):
        found.append(cut[at : at + count])
        at += count
    return found


@pytest.mark.parametrize("given", [[], [0], [-1, 1, 63, 64, -64, -65, 8191, 8192, 2**31, -(2**40)]])
def test_numbers_come_back(given):
    assert numbers(varints(given)) == given


def test_shapes_come_back_with_holes_parts_and_lines():
    holed = shapely.box(0, 0, 10, 10).difference(shapely.box(2, 2, 3, 3))
    two = shapely.MultiPolygon([shapely.box(20, 0, 25, 5), shapely.box(30, 0, 35.3, 5)])
    line = shapely.LineString([(1, 1), (2, 5), (1, 1)])
    read = rings_of(shapes(np.array([holed, shapely.Polygon(), two, line]), (0, 0)))
    assert [[len(ring) for ring in rings] for rings in read] == [[4, 4], [], [4, 4], [3]]
    outer, hole = (shapely.Polygon(ring) for ring in read[0])
    assert outer.difference(hole).equals(holed)
    assert shapely.union_all([shapely.Polygon(ring) for ring in read[2]]).equals(two)
    assert shapely.LineString(read[3][0]) == line


def test_neighbours_keep_their_common_line_and_nothing_is_lost():
    bent = [(5, 0), (5.05, 1), (4.97, 2), (5, 3), (5.04, 4), (5, 10)]
    left = shapely.Polygon([(0, 0), *bent, (0, 10)])
    right = shapely.Polygon([*bent, (9, 10), (9, 0)])
    tiny = shapely.box(20, 0, 20.1, 0.1)
    found = simplified(np.array([left, right, tiny]), 0.5)
    assert shapely.get_num_coordinates(found[0]) < shapely.get_num_coordinates(left)
    assert found[0].intersection(found[1]).area == 0
    assert shapely.union_all(found[:2]).area == pytest.approx(90, abs=1e-9)
    assert not found[2].is_empty


def test_no_text_ends_the_script_that_holds_it():
    page = build.page(DATA)
    assert NASTY not in page
    assert page.count("</script>") == page.count("<script>") + page.count("<script type")
    assert len(re.findall("<!--", page)) == 0
    (held,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(held)["parcels"] == DATA["parcels"]


def test_the_policy_lets_nothing_run_but_what_stands_in_the_page():
    page = build.page({"title": "x"})
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == len(build.SCRIPTS) + 1
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "sourceMappingURL" not in page


def test_libraries_are_as_they_were_published_and_their_notices_stand_in_page_and_third_party():
    listed = tomllib.loads((build.FOLDER / "vendored.toml").read_text(encoding="utf-8"))["part"]
    digests = {name: digest for part in listed for name, digest in part.get("files", {}).items()}
    there = {path.name for path in build.VENDORED.iterdir()}
    assert there == digests.keys() | {part["notice"] for part in listed}
    for name, digest in digests.items():
        assert hashlib.sha256((build.VENDORED / name).read_bytes()).hexdigest() == digest
    third_party = (ROOT / "THIRD_PARTY").read_text(encoding="utf-8")
    page = build.page({"title": "x"})
    (held,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert build.notices() in third_party
    assert json.loads(held)["notices"] == build.notices()
    for part in build.parts():
        assert "opyright" in part.notice
