"""The third survey (三调, 2019-12-31): a full coverage of features and the settlements round them (CZCDYD)."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.codes import URBAN_LEAVES, USE, USE_CODES, USE_NAMES, Leaf, Strip, Zone
from lowland_gis.sample.dice import Flags, Floats, Ints, Shapes, Texts, nullable
from lowland_gis.sample.geometry import CRS, ellipsoidal_area, merged_by
from lowland_gis.sample.layout import Layout, boxes_of
from lowland_gis.sample.places import DISTRICT_CODE, Places

WIDTH_USES = ("1001", "1003", "1004", "1006", "1101", "1107")
STRIP_USES = {
    Strip.RIVER: "1101",
    Strip.CANAL: "1107",
    Strip.RAILWAY: "1001",
    Strip.ARTERIAL: "1003",
    Strip.SECONDARY: "1003",
    Strip.COUNTY: "1003",
    Strip.STREET: "1004",
    Strip.LANE: "1006",
    Strip.DITCH: "1107",
}


def features_2019(layout: Layout, places: Places) -> gpd.GeoDataFrame:
    """Return dltb3 with the fields of the standard; CZCSXM says in which kind of settlement a feature lies."""
    strips, fills = layout.strips, layout.features
    strip_use, strip_code, strip_cell = _strips(layout, places)
    boxes = np.concatenate([boxes_of(strips), boxes_of(fills)])
    leaf = np.concatenate([np.full(len(strip_use), -1), fills["leaf"]])
    fill_cell = layout.cell_of_leaf[fills["leaf"]]
    shapes = layout.shapes(boxes, leaf, np.concatenate([strips["cell"], fill_cell]))
    use = np.concatenate([strip_use, fills["use"]])
    czc = np.concatenate([strip_code, _fill_codes(layout, places)])
    village = places.village_of_cell[np.concatenate([strip_cell, fill_cell])]
    width = np.concatenate(
        [strips["width"].astype(float), np.where(fills["use"] == USE["1004"], 4.0, np.nan)]
    )
    width[~np.isin(use, [USE[code] for code in WIDTH_USES])] = np.nan
    frame = _dltb3(shapes, use, czc, village, places, width=width)
    frame["_leaf"] = leaf
    return frame


def _strips(layout: Layout, places: Places) -> tuple[Ints, Texts, Ints]:
    """Return use, CZCSXM and the cell that counts as the place of every strip."""
    strips = layout.strips
    left, right = layout.sides(strips)
    cell = np.where(left >= 0, left, np.maximum(right, 0))
    use = np.array([USE[STRIP_USES[Strip(kind)]] for kind in strips["kind"]])
    built = layout.zones != Zone.RURAL
    inside = (left >= 0) & (right >= 0) & built[left] & built[right]
    street = inside & np.isin(strips["kind"], (Strip.ARTERIAL, Strip.SECONDARY, Strip.COUNTY, Strip.STREET))
    use[street] = USE["1004"]
    return use, np.where(street, town_codes(layout, places)[cell], "").astype(object), cell


def town_codes(layout: Layout, places: Places) -> Texts:
    """Return 201 (城市) or 202 (建制镇) for every cell by its town."""
    city = places.town_city[np.array(layout.frame.cell_town)]
    return np.where(city, "201", "202").astype(object)


def _fill_codes(layout: Layout, places: Places) -> Texts:
    leaf = layout.features["leaf"]
    kind = layout.blocks.kind[leaf]
    settled = layout.features["settled"] == 1
    codes = np.select(
        [np.isin(kind, URBAN_LEAVES), kind == Leaf.WORKSHOP, kind == Leaf.MEMORIAL, kind == Leaf.VILLAGE],
        [town_codes(layout, places)[layout.cell_of_leaf[leaf]], "203A", "205", "203"],
        "",
    )
    return np.where(settled, codes, "").astype(object)


def _dltb3(
    shapes: Shapes, use: Ints, czc: Texts, village: Ints, places: Places, *, width: Floats
) -> gpd.GeoDataFrame:
    codes, area = USE_CODES[use], np.round(ellipsoidal_area(shapes), 2)
    count = len(use)
    arable = np.char.startswith(codes.astype(str), "01")
    state = np.isin(czc, ["201", "202"]) | np.isin(codes, ["1001", "1003", "1101"])
    empty = np.full(count, None, dtype=object)
    return gpd.GeoDataFrame(
        {
            "BSM": [f"{DISTRICT_CODE}{number:012d}" for number in range(1, count + 1)],
            "YSDM": "2001010100",
            "TBYBH": empty,
            "TBBH": (pd.Series(village).groupby(village).cumcount() + 1).astype(str).to_numpy(dtype=object),
            "DLBM": codes,
            "DLMC": USE_NAMES[use],
            "QSXZ": np.where(state, "10", "30").astype(object),
            "QSDWDM": places.village_codes[village],
            "QSDWMC": places.village_names[village],
            "ZLDWDM": places.village_codes[village],
            "ZLDWMC": places.village_names[village],
            "TBMJ": area,
            "KCDLBM": empty,
            "KCXS": np.where(arable, 0.0, np.nan),
            "KCMJ": 0.0,
            "TBDLMJ": area,
            "GDLX": nullable(arable, "PD"),
            "GDPDJB": nullable(arable, "1"),
            "XZDWKD": width,
            "TBXHDM": empty,
            "TBXHMC": empty,
            "ZZSXDM": nullable(arable, "LS"),
            "ZZSXMC": nullable(arable, "种植粮食作物"),
            "GDDB": pd.Series(nullable(arable, 11)).astype("Int32"),
            "FRDBS": empty,
            "CZCSXM": nullable(czc != "", czc),
            "SJNF": np.full(count, 2019, dtype=np.int32),
            "MSSM": "00",
            "HDMC": empty,
            "BZ": empty,
        },
        geometry=shapes,
        crs=CRS,
    )


def settlements_2019(features: gpd.GeoDataFrame, places: Places) -> gpd.GeoDataFrame:
    """Return czcdyd3: the features of one settlement joined; no polygon has a hole."""
    codes = features["CZCSXM"].fillna("").to_numpy(dtype=object)
    units = features["ZLDWDM"].to_numpy(dtype=object)
    shapes = features.geometry.to_numpy()
    leaf = features["_leaf"].to_numpy()
    town = np.isin(codes, ["201", "202"])
    owner = np.array([unit[:9] for unit in units], dtype=object)
    labels = np.where(town, codes + owner, np.where(codes == "", "", codes + leaf.astype(str)))
    joined, source = _whole_or_by_village(shapes, labels, units, town)
    return _czcdyd(joined, codes[source], units[source], places)


def _whole_or_by_village(shapes: Shapes, labels: Texts, units: Texts, town: Flags) -> tuple[Shapes, Ints]:
    joined, source = merged_by(shapes, _keys(labels))
    ringed = np.unique(labels[source[shapely.get_num_interior_rings(joined) > 0]])
    if len(ringed) == 0:
        return joined, source
    split = np.isin(labels, ringed) & town
    return merged_by(shapes, _keys(np.where(split, labels + units, labels)))


def _keys(labels: Texts) -> Ints:
    numbers, _ = pd.factorize(nullable(labels != "", labels))
    return np.asarray(numbers, dtype=np.int64)


def _czcdyd(shapes: Shapes, codes: Texts, units: Texts, places: Places) -> gpd.GeoDataFrame:
    town_names = dict(zip(places.town_codes, places.town_names, strict=True))
    village_names = dict(zip(places.village_codes, places.village_names, strict=True))
    marks, names = [], []
    for code, unit in zip(codes, units, strict=True):
        marks.append({"201": unit[:6] + "0" * 13, "202": unit[:9] + "0" * 10}.get(code, unit))
        names.append(town_names[unit[:9]] if code in ("201", "202") else village_names[unit])
    return gpd.GeoDataFrame(
        {
            "BSM": [f"{DISTRICT_CODE}{number:012d}" for number in range(1, len(codes) + 1)],
            "YSDM": "2001010400",
            "CZCLX": codes,
            "CZCDM": marks,
            "CZCMC": names,
            "CZCMJ": np.round(ellipsoidal_area(shapes), 2),
        },
        geometry=shapes,
        crs=CRS,
    )
