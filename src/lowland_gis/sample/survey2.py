"""The second survey (二调, 2009-12-31): earlier, coarser and a little displaced; country roads are lines in it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.codes import SECOND_SURVEY_NAMES, Leaf, Strip
from lowland_gis.sample.dice import Flags, Ints, Shapes, Texts, drawn, generator
from lowland_gis.sample.geometry import CRS, ellipsoidal_area, merged_by
from lowland_gis.sample.layout import Layout, boxes_of
from lowland_gis.sample.places import CITY_TOWNS, Places
from lowland_gis.sample.warp import drift

DRIFT_M = 0.9
MOSTLY = 0.55
OLD_OPEN = {
    Leaf.PONDS: "114",
    Leaf.GREENHOUSES: "122",
    Leaf.WOODS: "031",
    Leaf.ORCHARD: "021",
    Leaf.RESERVOIR: "113",
    Leaf.MEMORIAL: "205",
}
OLD_STRIPS = {
    Strip.RIVER: "111",
    Strip.CANAL: "117",
    Strip.RAILWAY: "101",
    Strip.ARTERIAL: "102",
    Strip.SECONDARY: "102",
}
LINE_STRIPS = {Strip.COUNTY: "102", Strip.LANE: "104", Strip.DITCH: "117"}


def classes_2009(layout: Layout, places: Places, seed: int) -> Texts:
    """Return the 2009 class of every block: what is built today was partly still field."""
    random = generator(seed, "2009")
    kind = layout.blocks.kind
    cell = layout.cell_of_leaf
    town = places.village_town[places.village_of_cell[cell]]
    urban = np.where(places.town_city[town], "201", "202").astype(object)
    field = random.choice(["012", "012", "012", "013", "011", "033"], size=len(kind)).astype(object)
    old_share = np.select(
        [kind == Leaf.OLD, kind == Leaf.VILLAGE, kind == Leaf.WORKSHOP, kind == Leaf.INDUSTRY],
        [2.0, 2.0, 0.75, 0.62],
        0.66,
    )
    growth = 0.6 * random.random(layout.blocks.cell.max() + 1)[cell] + 0.4 * random.random(len(kind))
    built = growth < old_share
    settled = np.select(
        [kind == Leaf.VILLAGE, kind == Leaf.WORKSHOP],
        ["203", np.where(drawn(random, len(kind), 0.4), "204", "203")],
        urban,
    ).astype(object)
    classes = np.where(built, settled, field)
    for leaf, code in OLD_OPEN.items():
        classes[kind == leaf] = code
    classes[kind == Leaf.FIELDS] = field[kind == Leaf.FIELDS]
    return np.asarray(classes, dtype=object)


def polygons_2009(layout: Layout, places: Places, classes: Texts, seed: int) -> gpd.GeoDataFrame:
    """Return dltb2: settlements as envelopes with their lanes, coarse fields, wide roads and waters."""
    strips = {name: column[layout.strips["polygon2"] == 1] for name, column in layout.strips.items()}
    strip_classes = _strip_classes(layout, strips, classes)
    boxes = np.concatenate([layout.blocks.old, boxes_of(strips, "o")])
    cell = np.concatenate([layout.cell_of_leaf, strips["cell"]])
    shapes = layout.shapes(boxes, np.full(len(boxes), -1), cell, old=True)
    codes = np.concatenate([classes, strip_classes])
    village = np.concatenate(
        [places.village_of_cell[layout.cell_of_leaf], _near_village(layout, places, strips)]
    )
    town = places.village_town[village]
    key = np.where(
        np.isin(codes, ["201", "202"]), town, np.where(codes == "203", len(places.town_codes) + village, -1)
    )
    joined, parts = merged_by(shapes, key)
    shapes = drifted(np.concatenate([shapes[key < 0], joined]), seed)
    first = np.concatenate([np.flatnonzero(key < 0), parts])
    return dltb2_frame(shapes, codes[first], village[first], places)


def _strip_classes(layout: Layout, strips: dict[str, Ints], classes: Texts) -> Texts:
    codes = np.array([OLD_STRIPS.get(Strip(kind), "") for kind in strips["kind"]], dtype=object)
    left, right = layout.sides(strips)
    settled = np.isin(classes, ["201", "202"])
    share = np.bincount(layout.cell_of_leaf, settled) / np.bincount(layout.cell_of_leaf)
    both = (left >= 0) & (right >= 0) & (share[left] > MOSTLY) & (share[right] > MOSTLY)
    towns = np.array(layout.frame.cell_town)
    inside = both & (towns[left] == towns[right]) & (codes == "102")
    codes[inside] = np.where(towns[left[inside]] < CITY_TOWNS, "201", "202")
    return codes


def _near_village(layout: Layout, places: Places, strips: dict[str, Ints]) -> Ints:
    left, right = layout.sides(strips)
    return places.village_of_cell[np.where(left >= 0, left, np.maximum(right, 0))]


def drifted(shapes: Shapes, seed: int) -> Shapes:
    """Displace shapes by the smooth drift of the older survey; topology stays as it is."""
    coordinates = shapely.get_coordinates(shapes)
    east, north = drift(coordinates[:, 0], coordinates[:, 1], size_m=DRIFT_M, seed=seed)
    return np.asarray(shapely.set_coordinates(shapes, np.column_stack([east, north])))


def dltb2_frame(shapes: Shapes, codes: Texts, village: Ints, places: Places) -> gpd.GeoDataFrame:
    """Return the second-survey polygons with the fields of the standard."""
    area = np.round(ellipsoidal_area(shapes), 2)
    settled = np.isin(codes, ["201", "202", "101", "102"])
    count = len(codes)
    return gpd.GeoDataFrame(
        {
            "BSM": np.arange(1, count + 1),
            "YSDM": "2001010100",
            "TBYBH": "",
            "TBBH": _numbers(village),
            "DLBM": codes,
            "DLMC": [SECOND_SURVEY_NAMES[code] for code in codes],
            "QSXZ": np.where(settled, "10", "30"),
            "QSDWDM": places.village_codes[village],
            "QSDWMC": places.village_names[village],
            "ZLDWDM": places.village_codes[village],
            "ZLDWMC": places.village_names[village],
            "TBMJ": area,
            "XZDWMJ": 0.0,
            "LXDWMJ": 0.0,
            "TKMJ": 0.0,
            "TBDLMJ": area,
            "BGRQ": np.datetime64("2009-12-31", "D"),
        },
        geometry=shapes,
        crs=CRS,
    )


def _numbers(village: Ints) -> Texts:
    """Number features within their village, as the standard does."""
    ranks = pd.Series(village).groupby(village).cumcount() + 1
    return ranks.astype(str).to_numpy(dtype=object)


def lines_2009(layout: Layout, classes: Texts, places: Places, seed: int) -> gpd.GeoDataFrame:
    """Return xzdw2: country roads, lanes and ditches as centre lines with a width (KD, metres)."""
    strips = {name: column[_is_line(layout, classes)] for name, column in layout.strips.items()}
    shapes = drifted(layout.middle_lines(strips), seed)
    codes = np.array([LINE_STRIPS[Strip(kind)] for kind in strips["kind"]], dtype=object)
    width = strips["width"].astype(float)
    length = np.round(shapely.length(shapes), 1)
    village = _near_village(layout, places, strips)
    return gpd.GeoDataFrame(
        {
            "BSM": np.arange(1, len(codes) + 1),
            "YSDM": "2001010200",
            "DLBM": codes,
            "DLMC": [SECOND_SURVEY_NAMES[code] for code in codes],
            "CD": length,
            "KD": width,
            "XZDWMJ": np.round(length * width, 2),
            "QSXZ": "30",
            "QSDWDM1": places.village_codes[village],
            "KCBL": 1.0,
        },
        geometry=shapes,
        crs=CRS,
    )


def _is_line(layout: Layout, classes: Texts) -> Flags:
    strips = layout.strips
    left, right = layout.sides(strips)
    settled = np.isin(classes, ["201", "202"])
    share = np.bincount(layout.cell_of_leaf, settled) / np.bincount(layout.cell_of_leaf)
    urban = (share[left] > MOSTLY) & (share[right] > MOSTLY)
    narrow = np.isin(strips["kind"], list(LINE_STRIPS))
    return np.asarray(narrow & (strips["polygon2"] == 0) & ~urban, dtype=bool)
