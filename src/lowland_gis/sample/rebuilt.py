"""What is built, taken down and reclaimed in the second year, and what that makes of the parcels."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.codes import Purpose
from lowland_gis.sample.dice import Flags, Ints, generator
from lowland_gis.sample.geometry import CRS
from lowland_gis.sample.grown import Growth, halves
from lowland_gis.sample.lots import NONE, TOWN, VILLAGE
from lowland_gis.sample.places import DISTRICT_CODE

SECOND_YEAR = 2024
DISTANCE_M, SMALLEST_ROOM_M = 3.0, 5.0
# A facility counts as low below a floor-area ratio of 0.15; what is built lifts it well clear of that.
WANTED_FAR, MOST_FLOORS, LEAST_RISE = 0.6, 12, 0.015
WORN, EMPTY, HOLLOW_MIN = ("C", "D"), ("2", "3"), 0.3
FIELD, WORKS = "0102", "0601"
NEW_PARCEL_M2, TOUCH_M = 1_500.0, 0.001


def build(growth: Growth) -> None:
    """Build on low facilities, so that they are none any more, and on stores, which stay what they are."""
    lots = growth.first.district.lots
    facilities = (lots.kind == TOWN) & (lots.subkind == "facility")
    for topic, candidates, kind in (
        ("facility", facilities, NONE),
        ("store", lots.of(Purpose.STORE) & (lots.kind == NONE), ""),
    ):
        left = growth.count() // 2 + (topic == "store")
        for row in growth.chosen(candidates, len(lots), f"build {topic}"):
            shape = _room(growth, row)
            if left == 0 or shape is None:
                continue
            floors = int(np.ceil(WANTED_FAR * shapely.area(growth.shapes[row]) / shape.area)) if kind else 1
            ratio, density = growth.ratios(
                growth.shapes[row], growth.standing(row), (shape.area, shape.area * floors)
            )
            # A house that is too small to show in the record is no change of it.
            if floors > MOST_FLOORS or density - growth.parcels["JZMD"].iloc[row] < LEAST_RISE:
                continue
            _raise(growth, str(growth.first.codes[row]), shape, floors)
            growth.edit(row, "new_construction", {"RJL": ratio, "JZMD": density}, "新建房屋")
            if kind:
                growth.become(row, kind, "new_construction", "新建后容积率提高，不再粗放利用")
            left -= 1


def _room(growth: Growth, row: int) -> Any:
    """Return a square inside a lot, clear of its edges and buildings; None where there is no room."""
    outlines = growth.first.outlines[growth.standing(row)]
    ground = shapely.buffer(growth.shapes[row], -DISTANCE_M)
    ground = shapely.difference(ground, shapely.union_all(shapely.buffer(outlines, DISTANCE_M)))
    if ground.is_empty:
        return None
    radius = shapely.maximum_inscribed_circle(ground)
    if radius.length < SMALLEST_ROOM_M:
        return None
    x, y = shapely.get_coordinates(radius)[0]
    half = radius.length * 0.7
    return shapely.set_precision(shapely.box(x - half, y - half, x + half, y + half), 0.0001)


def _raise(growth: Growth, code: str, shape: Any, floors: int) -> None:
    first = growth.first.buildings
    last = max(int(name[7:]) for name in first["JZBH"])
    name = f"{DISTRICT_CODE}F{last + 1 + len(growth.buildings_added):09d}"
    footprint = round(shape.area, 2)
    growth.buildings_added.append(
        {"JZBH": name, "JZMJ": round(footprint * floors, 2), "CS": floors, "JCNF": SECOND_YEAR, "JZLX": "2",
         "LYZT": "1", "FWDJ": "A", "geometry": shape}
    )  # fmt: skip
    growth.changes.add(
        "building", "added", "new_construction", after=[name], areas=(0.0, footprint), note=f"宗地{code}新建"
    )


def take_down(growth: Growth) -> None:
    """Take down the worn buildings of old quarters and the empty ones of hollow villages: what is left is not low-efficient."""
    lots, buildings = growth.first.district.lots, growth.first.buildings
    worn = buildings["FWDJ"].isin(WORN).to_numpy()
    empty = buildings["LYZT"].isin(EMPTY).to_numpy()
    for topic, candidates, bad in (
        ("worn", (lots.kind == TOWN) & (lots.subkind == "residential"), worn),
        ("hollow", lots.kind == VILLAGE, empty),
    ):
        left = growth.count() // 2
        for row in growth.chosen(candidates, len(lots), f"down {topic}"):
            standing = growth.standing(row)
            doomed = standing[bad[standing]]
            if left == 0 or not 0 < len(doomed) < len(standing):
                continue
            _demolish(growth, str(growth.first.codes[row]), doomed)
            ratio, density = growth.ratios(growth.shapes[row], growth.standing(row))
            growth.edit(row, "demolished", {"RJL": ratio, "JZMD": density}, "拆除危旧、空置房屋")
            growth.become(row, NONE, "demolished", "危旧、空置房屋已拆除")
            left -= 1


def _demolish(growth: Growth, code: str, rows: Ints) -> None:
    frame = growth.first.buildings
    for number in rows.tolist():
        growth.buildings_gone.add(number)
        area = round(float(shapely.area(growth.first.outlines[number])), 2)
        name = str(frame["JZBH"].iloc[number])
        growth.changes.add(
            "building", "removed", "demolished", before=[name], areas=(area, 0.0), note=f"宗地{code}拆除"
        )


def reclaim(growth: Growth) -> list[tuple[int, int]]:
    """Take hollow homesteads out of the register, their houses with them; return each lot with the survey polygon that it was part of."""
    lots = growth.first.district.lots
    tree = shapely.STRtree(growth.first.features.geometry.to_numpy())
    found: list[tuple[int, int]] = []
    for row in growth.chosen(lots.kind == VILLAGE, len(lots), "reclaim"):
        polygon = _polygon_of(growth, tree, row)
        if len(found) == growth.count() // 2 or polygon is None or polygon in (other for _, other in found):
            continue
        code, area = str(growth.first.codes[row]), growth.area(growth.shapes[row])
        _demolish(growth, code, growth.standing(row))
        growth.drop(row)
        growth.changes.add(
            "parcel",
            "removed",
            "survey_increment",
            before=[code],
            areas=(area, 0.0),
            note="拆旧复垦，宗地注销",
        )
        found.append((row, polygon))
    return found


def _polygon_of(growth: Growth, tree: shapely.STRtree, row: int) -> int | None:
    """Return the survey polygon that holds all of a lot."""
    outline = growth.shapes[row]
    shapes = growth.first.features.geometry.to_numpy()
    for number in tree.query(shapely.point_on_surface(outline), predicate="within").tolist():
        if shapely.covers(shapely.buffer(shapes[number], TOUCH_M), outline):
            return int(number)
    return None


def settle(growth: Growth) -> list[tuple[int, list[Any]]]:
    """Build works on fields where no parcel was: return the survey polygons, and each cut into what is left and what is works by now."""
    features = growth.first.features
    shapes = features.geometry.to_numpy()
    free = _unregistered(growth, (features["DLBM"] == FIELD).to_numpy())
    random = generator(growth.seed, "year settle")
    found: list[tuple[int, list[Any]]] = []
    for number in random.permutation(np.flatnonzero(free)).tolist():
        parts = halves(shapes[number])
        if len(found) == growth.count() // 2 + 1:
            break
        if not parts or parts[-1].area < NEW_PARCEL_M2:
            continue
        piece = parts[-1]
        code = growth.new_code(f"{features['ZLDWDM'].iloc[number][:12]}GB00000")
        _register(growth, code, piece, number)
        found.append((number, parts))
    return found


def _unregistered(growth: Growth, candidates: Flags) -> Flags:
    """Return survey polygons on which no parcel of either year lies."""
    shapes = growth.first.features.geometry.to_numpy()
    lots = growth.first.district.lots.shapes
    polygon, lot = shapely.STRtree(lots).query(shapes, predicate="intersects")
    taken = shapely.area(shapely.intersection(shapes[polygon], lots[lot])) > 0.001  # noqa: PLR2004 - they touch
    free = candidates.copy()
    free[polygon[taken]] = False
    return free


def _register(growth: Growth, code: str, shape: Any, feature: int) -> None:
    first = growth.first
    side = np.sqrt(shape.area) * 0.35
    x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    house = shapely.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    house = shapely.set_precision(shapely.intersection(house, shapely.buffer(shape, -1.0)), 0.0001)
    _raise(growth, code, house, 1)
    place = first.features["ZLDWMC"].iloc[feature]
    area = growth.area(shape)
    growth.kinds[code] = NONE
    growth.added.append(
        {"ZDDM": code, "BDCDYH": f"{code}F00010001", "ZL": f"北辰区{place}新建工业用地", "ZDMJ": area, "YT": WORKS,
         "QLLX": "3", "QLXZ": "102", "QSXZ": "10", "RJL": round(house.area / shape.area, 2),
         "JZMD": round(house.area / shape.area, 2), "QSZT": "1", "SPZZ": "0", "TBDW": "示例企业", "BZ": "合成数据",
         "geometry": shape}
    )  # fmt: skip
    growth.changes.add(
        "parcel", "added", "survey_increment", after=[code], areas=(0.0, area), kind_after=NONE,
        note="农用地转用后新登记宗地",
    )  # fmt: skip


def building_frame(growth: Growth) -> gpd.GeoDataFrame:
    """Return the buildings of the second year."""
    kept = growth.first.buildings.drop(index=sorted(growth.buildings_gone))
    extra = gpd.GeoDataFrame(growth.buildings_added, geometry="geometry", crs=CRS)
    joined = pd.concat([kept, extra], ignore_index=True) if growth.buildings_added else kept
    return gpd.GeoDataFrame(joined.reset_index(drop=True), geometry="geometry", crs=CRS)
