"""Control lines, plans and base maps: red line, farmland, boundary, zones, plan parcels, roads, water, admin areas."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.codes import USE, Leaf, Strip, Zone
from lowland_gis.sample.dice import Flags, Ints, Shapes, Texts, drawn, generator
from lowland_gis.sample.geometry import CRS, ellipsoidal_area, merged_by
from lowland_gis.sample.layout import Layout, boxes_of
from lowland_gis.sample.lots import Lots
from lowland_gis.sample.places import DISTRICT_CODE, DISTRICT_NAME, Places, road_name

RED_MARGIN_M, FARM_MARGIN_M = 14, 3
WOODED_BLOCKS = 3
GRADES = {Strip.ARTERIAL: "主干路", Strip.SECONDARY: "次干路", Strip.COUNTY: "次干路", Strip.STREET: "支路"}
PLANNED = {
    Leaf.OLD: ("070102", "二类城镇住宅用地", 1.8, 30.0, 35.0, 60.0),
    Leaf.HOUSING: ("070102", "二类城镇住宅用地", 2.0, 28.0, 35.0, 80.0),
    Leaf.COMMERCE: ("0902", "商务金融用地", 2.5, 45.0, 25.0, 80.0),
    Leaf.FACILITY: ("0801", "机关团体用地", 1.5, 35.0, 35.0, 36.0),
    Leaf.INDUSTRY: ("100102", "二类工业用地", 1.6, 50.0, 15.0, 30.0),
    Leaf.PARK: ("1401", "公园绿地", 0.0, 2.0, 80.0, 9.0),
    Leaf.VACANT: ("16", "留白用地", 0.0, 0.0, 0.0, 0.0),
    Leaf.VILLAGE: ("0703", "农村宅基地", 0.8, 35.0, 30.0, 12.0),
    Leaf.WORKSHOP: ("100101", "一类工业用地", 1.2, 45.0, 15.0, 24.0),
    Leaf.MEMORIAL: ("1506", "殡葬用地", 0.1, 5.0, 60.0, 9.0),
}


def _outside(count: int) -> Ints:
    return np.full(count, -1, dtype=np.int64)


def _leaf_shapes(layout: Layout, chosen: Ints) -> Shapes:
    return layout.shapes(layout.blocks.inner[chosen], chosen, layout.cell_of_leaf[chosen])


def _grown_lots(layout: Layout, lots: Lots, chosen: Ints, margin: float, others: Shapes) -> Shapes:
    """Return the outlines of planted lots, grown by a margin, as a conflict between two offices looks.

    A lot whose margin would reach into another area of the layer or out of the district keeps its own outline, so that nothing
    overlaps and nothing lies outside.
    """
    own = lots.shapes[chosen]
    grown = np.asarray(shapely.set_precision(shapely.buffer(own, margin, join_style="mitre"), 0.0001))
    first, second = shapely.STRtree(np.concatenate([grown, others])).query(grown, predicate="intersects")
    crowded = np.zeros(len(grown), dtype=bool)
    crowded[first[first != second]] = True
    district = _district(layout)[0]
    shapely.prepare(district)
    crowded |= ~shapely.contains(district, grown)
    return np.where(crowded, own, grown)


def _head(count: int, ysdm: str) -> dict[str, object]:
    return {
        "BSM": [f"{DISTRICT_CODE}{number:012d}" for number in range(1, count + 1)],
        "YSDM": ysdm,
        "XZQDM": DISTRICT_CODE,
        "XZQMC": DISTRICT_NAME,
    }


def red_lines(layout: Layout, lots: Lots) -> gpd.GeoDataFrame:
    """Return the ecological red line (生态保护红线): river, reservoir, some woods, and the planted conflicts."""
    strips = {name: column[layout.strips["kind"] == Strip.RIVER] for name, column in layout.strips.items()}
    river = layout.shapes(boxes_of(strips), _outside(len(strips["x0"])), strips["cell"])
    kind = layout.blocks.kind
    woods = np.flatnonzero(kind == Leaf.WOODS)[::2]
    water = np.flatnonzero(kind == Leaf.RESERVOIR)
    river_parts, _ = merged_by(river, np.zeros(len(river), dtype=np.int64))
    reservoirs, wooded = _leaf_shapes(layout, water), _leaf_shapes(layout, woods)
    planted = np.flatnonzero(lots.subkind == "redline")
    grown = _grown_lots(
        layout, lots, planted, RED_MARGIN_M, np.concatenate([river_parts, reservoirs, wooded])
    )
    groups = (
        (river_parts, "生物多样性维护红线", "河湖滨岸带"),
        (reservoirs, "水源涵养红线", "水库库区"),
        (wooded, "水土保持红线", "林带"),
        (grown, "河湖滨岸带敏感脆弱区红线", "滨岸零散区"),
    )
    shapes = np.concatenate([group for group, _, _ in groups])
    sizes = [len(group) for group, _, _ in groups]
    return gpd.GeoDataFrame(
        {
            **_head(len(shapes), "2090020210"),
            "HXDM": [f"{DISTRICT_CODE}-{number:04d}" for number in range(1, len(shapes) + 1)],
            "HXMC": np.repeat(
                np.array([f"北辰区{place}（示例）" for _, _, place in groups], dtype=object), sizes
            ),
            "LHLX": np.repeat(np.array([name for _, name, _ in groups], dtype=object), sizes),
            "MJ": np.round(ellipsoidal_area(shapes), 2),
            "BZ": "合成数据",
        },
        geometry=shapes,
        crs=CRS,
    )


def farmland(layout: Layout, lots: Lots, features: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    """Return permanent basic farmland (永久基本农田): three of four field features, some of it expired."""
    random = generator(seed, "farmland")
    fields = np.flatnonzero((features["DLBM"] == "0102").to_numpy())
    fields = fields[drawn(random, len(fields), 0.75)]
    lot_leaf = features["_leaf"].to_numpy()[fields]
    open_field = np.isin(layout.blocks.kind[lot_leaf], (Leaf.FIELDS, Leaf.GREENHOUSES))
    fields = fields[open_field]
    planted = np.flatnonzero(np.isin(lots.subkind, ["farmland", "farmland_expired"]))
    source = features.iloc[fields]
    grown = _grown_lots(layout, lots, planted, FARM_MARGIN_M, source.geometry.to_numpy())
    shapes = np.concatenate([source.geometry.to_numpy(), grown])
    count, extra = len(shapes), len(grown)
    expired = drawn(random, count, 0.02)
    expired[len(fields) :] = lots.subkind[planted] == "farmland_expired"
    area = np.round(ellipsoidal_area(shapes), 2)
    units = features["ZLDWDM"].to_numpy(dtype=object)
    names = features["ZLDWMC"].to_numpy(dtype=object)
    near = _nearest_unit(lots, planted, features)
    end = np.where(expired, np.datetime64("2022-12-31", "D"), np.datetime64("2035-12-31", "D"))
    unit = np.concatenate([units[fields], units[near]])
    name = np.concatenate([names[fields], names[near]])
    return gpd.GeoDataFrame(
        {
            **_head(count, "2005010300"),
            "YJJBNTTBBH": [f"{number:08d}" for number in range(1, count + 1)],
            "TBBH": np.concatenate([source["TBBH"].to_numpy(dtype=object), np.full(extra, "", dtype=object)]),
            "DLBM": np.full(count, "0102", dtype=object),
            "DLMC": np.full(count, "水浇地", dtype=object),
            "QSXZ": "30",
            "QSDWDM": unit,
            "QSDWMC": name,
            "ZLDWDM": unit,
            "ZLDWMC": name,
            "YJJBNTTBMJ": area,
            "YJJBNTMJ": area,
            "GDPDJB": "1",
            "WDGD": "1",
            "SJNF": np.full(count, 2023, dtype=np.int32),
            "BHKSSJ": np.full(count, np.datetime64("2017-06-01", "D")),
            "BHJSSJ": end,
            "BZ": np.where(expired, "保护期已届满（合成数据）", "合成数据").astype(object),
        },
        geometry=shapes,
        crs=CRS,
    )


def _nearest_unit(lots: Lots, planted: Ints, features: gpd.GeoDataFrame) -> Ints:
    tree = shapely.STRtree(features.geometry.to_numpy())
    return np.asarray(tree.nearest(shapely.points(lots.x[planted], lots.y[planted])), dtype=np.int64)


def development_boundary(layout: Layout) -> gpd.GeoDataFrame:
    """Return the urban development boundary (城镇开发边界): built cells, an elastic edge, the parks."""
    zones = layout.zones
    cells = _cell_shapes(layout)
    edge = _edge_cells(layout)
    key = np.where(zones != Zone.RURAL, 0, np.where(edge, 1, -1))
    joined, source = merged_by(cells, key)
    number = key[source]
    return gpd.GeoDataFrame(
        {
            **_head(len(joined), "2090020220"),
            "GHFQDM": np.where(number == 0, "510", "520").astype(object),
            "GHFQMC": np.where(number == 0, "城镇集中建设区", "城镇弹性发展区").astype(object),
            "MJ": np.round(ellipsoidal_area(joined), 2),
            "BZ": "合成数据",
        },
        geometry=joined,
        crs=CRS,
    )


def _district(layout: Layout) -> Shapes:
    return layout.shapes(np.array([layout.frame.root]), _outside(1), _outside(1))


def _cell_shapes(layout: Layout) -> Shapes:
    boxes = np.array([cell.admin for cell in layout.frame.cells])
    return layout.shapes(boxes, _outside(len(boxes)), _outside(len(boxes)))


def _edge_cells(layout: Layout) -> Flags:
    """Return which rural cells touch a built one along a road and will be built first (a tenth of them)."""
    boxes = np.array([cell.admin for cell in layout.frame.cells])
    tree = shapely.STRtree(shapely.box(*boxes.T))
    first, second = tree.query(shapely.box(*boxes.T), predicate="intersects")
    near = np.zeros(len(boxes), dtype=bool)
    near[first[layout.zones[second] == Zone.URBAN]] = True
    candidates = np.flatnonzero(near & (layout.zones == Zone.RURAL))
    flags = np.zeros(len(boxes), dtype=bool)
    flags[candidates[:: max(1, len(candidates) // max(1, len(boxes) // 15))]] = True
    return flags


def plan_zones(layout: Layout) -> gpd.GeoDataFrame:
    """Return the planning zones (规划分区) of the territorial plan, which cover the district."""
    kind = layout.blocks.kind
    wooded = np.bincount(layout.cell_of_leaf, np.isin(kind, (Leaf.WOODS, Leaf.RESERVOIR)))
    settled = np.bincount(layout.cell_of_leaf, kind == Leaf.VILLAGE)
    key = np.select(
        [layout.zones != Zone.RURAL, wooded >= WOODED_BLOCKS, settled > 0],
        [0, 1, 2],
        3,
    )
    names = np.array(["城镇发展区", "生态控制区", "乡村发展区", "农田保护区"], dtype=object)
    codes = np.array(["500", "200", "600", "300"], dtype=object)
    towns = np.array(layout.frame.cell_town)
    joined, source = merged_by(_cell_shapes(layout), key + 4 * towns)
    return gpd.GeoDataFrame(
        {
            **_head(len(joined), "2090020610"),
            "GHFQDM": codes[key[source]],
            "GHFQMC": names[key[source]],
            "MJ": np.round(ellipsoidal_area(joined), 2),
            "BZ": "合成数据",
        },
        geometry=joined,
        crs=CRS,
    )


def plan_parcels(layout: Layout, lots: Lots, seed: int) -> gpd.GeoDataFrame:
    """Return detailed-plan parcels (控规用地): whole blocks, lot by lot where a lot is to become green or road."""
    random = generator(seed, "plan parcels")
    kind = layout.blocks.kind
    off_plan = np.zeros(len(kind), dtype=bool)
    off_plan[lots.leaf[lots.subkind == "off_plan"]] = True
    leaves = np.flatnonzero(np.isin(kind, list(PLANNED)) & ~off_plan)
    rows = np.flatnonzero(off_plan[lots.leaf])
    renewal = (kind == Leaf.INDUSTRY) & drawn(random, len(kind), 0.12)
    shown = np.where(renewal, int(Leaf.HOUSING), kind)
    shapes = np.concatenate([_leaf_shapes(layout, leaves), lots.shapes[rows]])
    plans = [PLANNED[Leaf(number)] for number in shown[leaves]]
    fate = np.where(drawn(random, len(rows), 0.6), "1401", "1207")
    for row, code in zip(rows, fate, strict=True):
        leaf_plan = PLANNED[Leaf(kind[lots.leaf[row]])]
        doomed = {
            "1401": ("1401", "公园绿地", 0.0, 2.0, 80.0, 9.0),
            "1207": ("1207", "城镇村道路用地", 0.0, 0.0, 10.0, 0.0),
        }
        plans.append(doomed[str(code)] if lots.subkind[row] == "off_plan" else leaf_plan)
    columns = list(zip(*plans, strict=True))
    return gpd.GeoDataFrame(
        {
            "DKBH": [f"BC-{number:06d}" for number in range(1, len(plans) + 1)],
            "YDDM": columns[0],
            "YDXZ": columns[1],
            "YDMJ": np.round(ellipsoidal_area(shapes), 2),
            "RJL": columns[2],
            "JZMD": columns[3],
            "LDL": columns[4],
            "JZXG": columns[5],
        },
        geometry=shapes,
        crs=CRS,
    )


def roads(layout: Layout) -> gpd.GeoDataFrame:
    """Return road centre lines with grade and width (m)."""
    strips = {
        name: column[np.isin(layout.strips["kind"], list(GRADES))] for name, column in layout.strips.items()
    }
    line = strips["middle"] * 2 + strips["axis"]
    numbers, _ = pd.factorize(line)
    return gpd.GeoDataFrame(
        {
            "MC": [
                road_name(n, across=bool(axis))
                for n, axis in zip(numbers.tolist(), strips["axis"], strict=True)
            ],
            "GRADE": np.array([GRADES[Strip(kind)] for kind in strips["kind"]], dtype=object),
            "WIDTH": strips["width"].astype(float),
        },
        geometry=layout.middle_lines(strips),
        crs=CRS,
    )


def rivers(layout: Layout) -> gpd.GeoDataFrame:
    """Return river, canal and reservoir polygons."""
    names = {Strip.RIVER: "示例河", Strip.CANAL: "示例引河"}
    shapes: list[Shapes] = []
    labels: list[str] = []
    for number, (kind, name) in enumerate(names.items()):
        strips = {key: column[layout.strips["kind"] == kind] for key, column in layout.strips.items()}
        part = layout.shapes(boxes_of(strips), _outside(len(strips["x0"])), strips["cell"])
        joined, _ = merged_by(part, np.full(len(part), number, dtype=np.int64))
        shapes.append(joined)
        labels += [name] * len(joined)
    water = layout.features["use"] == USE["1103"]
    leaf = layout.features["leaf"][water]
    shapes.append(layout.shapes(boxes_of(layout.features)[water], leaf, layout.cell_of_leaf[leaf]))
    labels += ["示例水库"] * int(water.sum())
    return gpd.GeoDataFrame({"MC": labels}, geometry=np.concatenate(shapes), crs=CRS)


def admin_areas(layout: Layout, places: Places) -> dict[str, gpd.GeoDataFrame]:
    """Return district (XZQ), towns (XZ) and villages (CUN); they share every boundary vertex."""
    frame = layout.frame
    root = _district(layout)
    towns = np.array([town.admin for town in frame.towns])
    town_shapes = layout.shapes(towns, _outside(len(towns)), _outside(len(towns)))
    villages, source = merged_by(_cell_shapes(layout), places.village_of_cell)
    village = places.village_of_cell[source]
    return {
        "district": _admin([DISTRICT_CODE], [DISTRICT_NAME], root),
        "town": _admin(places.town_codes, places.town_names, town_shapes),
        "village": _admin(
            np.array([code[:12] for code in places.village_codes[village]], dtype=object),
            places.village_names[village],
            villages,
        ),
    }


def _admin(codes: Texts | list[str], names: Texts | list[str], shapes: Shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"XZQDM": codes, "XZQMC": names}, geometry=shapes, crs=CRS)
