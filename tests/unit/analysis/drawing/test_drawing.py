"""Escapes, arcs, blocks within blocks, units and hatches of drawings."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.drawing import polylines
from lowland_gis.analysis.drawing.blocks import Block, circle, counted
from lowland_gis.analysis.drawing.escapes import shown, unescaped
from lowland_gis.analysis.drawing.units import unit


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\")))
@settings(max_examples=100)
def test_a_text_comes_back_from_its_escapes_and_without_any_it_stays(text):
    units16 = text.encode("utf-16-be")
    escaped = "".join(f"\\U+{units16[at : at + 2].hex().upper()}" for at in range(0, len(units16), 2))
    assert unescaped(escaped) == text
    assert unescaped(text) == text


@given(st.text("\\U+M5D7A0123%cdpuo宗", max_size=40))
@settings(max_examples=200)
def test_any_text_is_read_and_can_be_written(text):
    for one in (unescaped(text), shown(text)):
        one.encode("utf-8")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\U+5b97地", "宗地"), (r"\M+5D7DA", "宗"), (r"\M+2A4A4", "中"), (r"\U+D83D", r"\U+D83D"), (r"\u+5B97", r"\u+5B97"),
        (r"C:\User", r"C:\User"), ("%%%", "%"), ("%%C50", "Ø50"), ("100%%", "100%%"),
    ],
)  # fmt: skip
def test_escapes(written, read):
    assert shown(written) == read


@given(
    st.lists(
        st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2, max_size=6, unique=True
    ),
    st.lists(st.floats(-3, 3), min_size=6, max_size=6),
)
@settings(max_examples=100, deadline=None)
def test_arcs_keep_their_ends_and_their_area_whichever_way_they_are_drawn(corners, bulges):
    points = np.array(corners, dtype=float)
    bulges = [0.0 if abs(bulge) < 1e-3 else bulge for bulge in bulges]
    made = polylines.straightened(points, bulges, closed=True)
    assert {tuple(point) for point in points} <= {tuple(point) for point in made}
    ring = np.concatenate([points, points[:1]])
    area = _signed(ring)
    for (start, end), bulge in zip(pairwise(ring), bulges, strict=False):
        area += _segment(math.dist(start, end), bulge)
    longest = sum(np.hypot(*np.diff(made, axis=0).T))
    assert _signed(made) == pytest.approx(area, abs=1e-6 * longest**1 + 1e-4)
    number = len(points)
    # Backwards the vertices turn round, and each bulge lies before its vertex and on the other side.
    back = [-bulges[(number - 2 - place) % number] for place in range(number)]
    again = polylines.straightened(points[::-1], back, closed=True)
    assert shapely.hausdorff_distance(shapely.LineString(made), shapely.LineString(again)) < 1e-6


def _signed(ring):
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def _segment(chord, bulge):
    if bulge == 0:
        return 0.0
    sweep = 4 * math.atan(abs(bulge))
    radius = chord / 2 / math.sin(sweep / 2)
    return math.copysign(radius**2 / 2 * (sweep - math.sin(sweep)), bulge)


def test_rings_lines_and_what_was_meant_to_close():
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0.0005)])
    assert polylines.is_ring(square)
    assert not polylines.is_ring(square + np.array([[0, 0]] * 4 + [[0, 0.001]]))
    assert polylines.nearly_closed(square + np.array([[0, 0]] * 4 + [[0, 3]]))
    assert not polylines.nearly_closed(np.array([(0, 0), (10, 0), (20, 0.0)]))
    # There and back again bounds nothing.
    assert not polylines.is_ring(np.array([(0, 0), (10, 0), (0, 0.0)]))


@pytest.mark.parametrize(
    ("style", "area"),
    [(polylines.EVEN_ODD, 100 - 36 + 4), (polylines.OUTERMOST, 64), (polylines.ALL_FILLED, 100)],
)
def test_a_hatch_is_filled_by_its_style(style, area):
    loops = [np.array(shapely.box(at, at, 10 - at, 10 - at).exterior.coords) for at in (2, 4, 0)]
    assert polylines.filled(loops, style).area == area
    assert polylines.filled(loops[::-1], style).area == area


names = st.sampled_from("abcdef")
graphs = st.dictionaries(
    names, st.builds(Block, st.integers(0, 3), st.dictionaries(names, st.integers(1, 4), max_size=3))
)


@given(graphs)
@settings(max_examples=200)
def test_blocks_have_a_circle_or_a_number_of_parts(blocks):
    found = circle(blocks)
    if found is not None:
        assert all(
            each in blocks[one].inserted for one, each in zip(found, [*found[1:], found[0]], strict=True)
        )
        return
    totals = counted(blocks)

    def parts(name):
        block = blocks[name]
        return block.parts + sum(
            times * parts(held) for held, times in block.inserted.items() if held in blocks
        )

    assert totals == {name: parts(name) for name in blocks}


def test_blocks_nested_deeper_than_python_calls_are_counted():
    deep = {f"b{depth}": Block(0, {f"b{depth + 1}": 1}) for depth in range(50_000)} | {"b50000": Block(1, {})}
    assert circle(deep) is None
    assert counted(deep)["b0"] == 1


def test_units():
    assert unit(6, (515_000, 4_345_000)).factor == unit(0, None).factor == 1
    assert unit(2, (515_000 / 0.3048, 4_345_000 / 0.3048)).factor == 0.3048
    assert unit(4, (117.2, 39.3)).factor == 1
    assert unit(0, (10, 20)).words is None
    assert unit(4, (10, 20)) is None
