"""Buildings inside the lots, with floors, year, use and danger grade that follow from what a lot is planted as."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from lowland_gis.sample.codes import FACILITIES, Purpose
from lowland_gis.sample.dice import Flags, Floats, Ints, Shapes, Texts, drawn, generator
from lowland_gis.sample.geometry import CRS
from lowland_gis.sample.layout import Layout
from lowland_gis.sample.lots import INDUSTRIAL, LEGACY, TOWN, VILLAGE, Lots
from lowland_gis.sample.mesh import polygons
from lowland_gis.sample.places import DISTRICT_CODE

EDGE_M = 1.8
SHOW_L = 0.35
SMALLEST_L_M2 = 300.0
OLD_YEAR, EMPTY_LOT_YEAR = 1986, 2005
CONCRETE_FLOORS = 5
WORN_LOW, WORN_USUAL = 0.5, 0.18
VACANT_LOW, VACANT_USUAL = 0.72, 0.26


@dataclass(frozen=True)
class Style:
    """How lots of one purpose are built: bay size (m), filled share of a bay, floors, years."""

    bay: tuple[float, float]
    fill: tuple[float, float]
    floors: tuple[int, int]
    years: tuple[int, int]
    most: int


STYLES = {
    Purpose.HOME_NEW: Style((60, 38), (0.78, 0.36), (6, 18), (1996, 2021), 12),
    Purpose.HOME_OLD: Style((24, 22), (0.80, 0.66), (1, 4), (1972, 1984), 3),
    Purpose.SHOP: Style((48, 48), (0.72, 0.66), (2, 5), (1992, 2016), 3),
    Purpose.OFFICE: Style((60, 60), (0.62, 0.60), (5, 16), (1996, 2018), 2),
    Purpose.ADMIN: Style((70, 60), (0.62, 0.50), (2, 5), (1988, 2015), 3),
    Purpose.SCHOOL: Style((75, 60), (0.66, 0.44), (2, 5), (1988, 2017), 4),
    Purpose.CLINIC: Style((75, 60), (0.66, 0.52), (3, 8), (1988, 2017), 3),
    Purpose.UTILITY: Style((60, 55), (0.60, 0.56), (2, 3), (1988, 2012), 3),
    Purpose.STATION: Style((80, 60), (0.62, 0.54), (2, 3), (1992, 2014), 3),
    Purpose.WORKS: Style((90, 65), (0.76, 0.66), (1, 3), (1985, 2018), 9),
    Purpose.STORE: Style((95, 70), (0.80, 0.70), (1, 2), (1990, 2018), 6),
    Purpose.RURAL_HOME: Style((17, 19), (0.78, 0.62), (1, 2), (1978, 2012), 3),
}
FARM_STYLE = Style((1e9, 1e9), (0.0, 0.0), (0, 0), (0, 0), 0)


@dataclass(frozen=True)
class Built:
    """What the buildings add up to on each lot: areas in m², mean year (2005 where nothing is built)."""

    footprint: Floats
    floor_area: Floats
    year: Ints


def raise_buildings(layout: Layout, lots: Lots, seed: int) -> tuple[gpd.GeoDataFrame, Built]:
    """Place buildings on the lots and describe them."""
    random = generator(seed, "buildings")
    owner, boxes = _footprints(lots, random)
    shapes = _outlines(layout, lots, owner, boxes, random)
    footprint = np.round(shapely.area(shapes), 2)
    floors = _floors(lots, owner, random)
    floor_area = np.round(footprint * floors, 2)
    years = _years(lots, owner, random)
    worn = _worn(lots, owner, floor_area, years, random)
    vacant = _vacant(lots, owner, floor_area, random)
    count = len(owner)
    frame = gpd.GeoDataFrame(
        {
            "JZBH": [f"{DISTRICT_CODE}F{number:09d}" for number in range(1, count + 1)],
            "JZMJ": floor_area,
            "CS": floors,
            "JCNF": years,
            "JZLX": _structure(floors, lots.purpose[owner], random),
            "LYZT": np.where(vacant, random.choice(["2", "2", "3"], count), "1").astype(object),
            "FWDJ": np.where(
                worn, random.choice(["C", "C", "D"], count), random.choice(["A", "B"], count)
            ).astype(object),
        },
        geometry=shapes,
        crs=CRS,
    )
    ones = np.ones(count)
    number = np.maximum(_summed(ones, owner, len(lots)), 1)
    mean = np.round(_summed(years.astype(np.float64), owner, len(lots)) / number).astype(np.int64)
    sums = _summed(footprint, owner, len(lots)), _summed(floor_area, owner, len(lots))
    return frame, Built(*sums, np.where(mean > 0, mean, EMPTY_LOT_YEAR))


def _style(lots: Lots, part: str, number: int) -> Floats:
    styles = [STYLES.get(purpose, FARM_STYLE) for purpose in Purpose]
    values = np.array([getattr(style, part)[number] for style in styles], dtype=float)
    return values[lots.purpose]


def _low_facility(lots: Lots) -> Flags:
    return np.asarray((lots.kind == TOWN) & (lots.subkind == "facility"), dtype=bool)


def _footprints(lots: Lots, random: np.random.Generator) -> tuple[Ints, Floats]:
    """Return the lot of each building and its box in the plan: bays in rows and columns, filled in part."""
    x0, y0, x1, y1 = (lots.boxes.T + np.array([[EDGE_M], [EDGE_M], [-EDGE_M], [-EDGE_M]])).astype(float)
    sparse = _low_facility(lots)
    most = np.array([STYLES.get(purpose, FARM_STYLE).most for purpose in Purpose])[lots.purpose]
    columns = np.clip(np.round((x1 - x0) / _style(lots, "bay", 0)), 1, None).astype(int)
    rows = np.clip(np.round((y1 - y0) / _style(lots, "bay", 1)), 1, None).astype(int)
    columns = np.minimum(columns, np.maximum(1, most))
    rows = np.clip(rows, 1, np.maximum(1, most // columns))
    columns, rows = np.where(sparse, 1, columns), np.where(sparse, 1, rows)
    count = np.where(most > 0, columns * rows, 0)
    owner = np.repeat(np.arange(len(lots)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    column, row = within % columns[owner], within // columns[owner]
    bay_width, bay_height = ((x1 - x0) / columns)[owner], ((y1 - y0) / rows)[owner]
    size = random.uniform(0.85, 1.1, (2, len(owner)))
    fill_x = np.where(sparse[owner], 0.24, np.minimum(0.94, _style(lots, "fill", 0)[owner] * size[0]))
    fill_y = np.where(sparse[owner], 0.24, np.minimum(0.94, _style(lots, "fill", 1)[owner] * size[1]))
    left = x0[owner] + bay_width * (column + (1 - fill_x) * random.uniform(0.2, 0.8, len(owner)))
    bottom = y0[owner] + bay_height * (row + (1 - fill_y) * random.uniform(0.2, 0.8, len(owner)))
    return owner, np.column_stack([left, bottom, left + bay_width * fill_x, bottom + bay_height * fill_y])


def _outlines(layout: Layout, lots: Lots, owner: Ints, boxes: Floats, random: np.random.Generator) -> Shapes:
    """Return rectangles and L-shapes, moved by the same map as the lots."""
    x0, y0, x1, y1 = boxes.T
    l_shaped = drawn(random, len(owner), SHOW_L) & ((x1 - x0) * (y1 - y0) > SMALLEST_L_M2)
    inner_x = np.where(l_shaped, x0 + (x1 - x0) * random.uniform(0.45, 0.75, len(owner)), x1)
    inner_y = np.where(l_shaped, y0 + (y1 - y0) * random.uniform(0.45, 0.75, len(owner)), y1)
    corners_x = np.column_stack([x0, x1, x1, inner_x, inner_x, x0, x0])
    corners_y = np.column_stack([y0, y0, inner_y, inner_y, y1, y1, y0])
    keep = np.ones(corners_x.shape, dtype=bool)
    keep[~l_shaped, 3:5] = False
    corners_y[~l_shaped, 2] = y1[~l_shaped]
    rows = np.repeat(np.arange(len(owner)), keep.sum(axis=1))
    lot = owner[rows]
    east, north = layout.warp.place(
        corners_x[keep], corners_y[keep], lots.leaf[lot], lots.cell[lot], wobble=False
    )
    return polygons(east, north, np.concatenate([[0], np.cumsum(keep.sum(axis=1))]))


def _floors(lots: Lots, owner: Ints, random: np.random.Generator) -> Ints:
    low, high = _style(lots, "floors", 0), _style(lots, "floors", 1)
    lot_floors = low + np.floor(random.random(len(lots)) * (high - low + 1))
    lot_floors[_low_facility(lots)] = 1
    return np.asarray(np.maximum(lot_floors, 1)[owner], dtype=np.int64)


def _years(lots: Lots, owner: Ints, random: np.random.Generator) -> Ints:
    """Return building years: in line with 2009, and clear of the limits of the rules."""
    low, high = _style(lots, "years", 0), _style(lots, "years", 1)
    new = ~lots.built_2009
    low = np.where(new, 2010, low)
    high = np.where(new, 2021, np.minimum(high, 2009))
    ruined = _low_facility(lots)
    low, high = np.where(ruined, 1972, low), np.where(ruined, 1984, high)
    renewed = lots.of(Purpose.HOME_OLD) & (lots.kind != TOWN) & drawn(random, len(lots), 0.45)
    low, high = np.where(renewed, 1999, low), np.where(renewed, 2008, high)
    year = low + np.floor(random.random(len(lots)) * (high - low + 1))
    spread = np.floor(random.random(len(owner)) * 3) - 1
    return np.asarray(np.clip(year[owner] + spread, low[owner], high[owner]), dtype=np.int64)


def _worn(lots: Lots, owner: Ints, floor_area: Floats, years: Ints, random: np.random.Generator) -> Flags:
    """Return which buildings are graded C or D; low quarters have at least half of their floor area worn."""
    low = ((lots.kind == TOWN) & (lots.subkind == "residential")) | (lots.kind == LEGACY) & lots.of(
        Purpose.HOME_OLD
    )
    ageing = (lots.kind == INDUSTRIAL) | _low_facility(lots)
    chance = np.where(low[owner], 0.75, np.where(ageing[owner], 0.3, np.where(years < OLD_YEAR, 0.1, 0.01)))
    worn = drawn(random, len(owner), chance)
    share = _share(worn, floor_area, owner, len(lots))
    worn |= (low & (share < WORN_LOW))[owner]
    homes = lots.of(Purpose.HOME_OLD, Purpose.HOME_NEW) & ~low
    return np.asarray(worn & ~(homes & (share > WORN_USUAL))[owner], dtype=bool)


def _vacant(lots: Lots, owner: Ints, floor_area: Floats, random: np.random.Generator) -> Flags:
    """Return which buildings are empty; hollow villages and empty offices clearly so, the others clearly not."""
    low = (lots.kind == VILLAGE) | ((lots.kind == TOWN) & (lots.subkind == "commercial"))
    idle = (lots.kind == INDUSTRIAL) & (lots.subkind == "stopped")
    usual = np.where(lots.of(*FACILITIES), 0.02, 0.08)
    vacant = drawn(random, len(owner), np.where(low, 0.85, np.where(idle, 0.7, usual))[owner])
    share = _share(vacant, floor_area, owner, len(lots))
    limited = lots.of(Purpose.RURAL_HOME, Purpose.SHOP, Purpose.OFFICE) & ~low
    vacant |= (low & (share < VACANT_LOW))[owner]
    return np.asarray(vacant & ~(limited & (share > VACANT_USUAL))[owner], dtype=bool)


def _structure(floors: Ints, purpose: Ints, random: np.random.Generator) -> Texts:
    chosen = np.where(floors >= CONCRETE_FLOORS, "2", np.where(drawn(random, len(floors), 0.75), "1", "3"))
    return np.where(np.isin(purpose, (Purpose.WORKS, Purpose.STORE)), "4", chosen).astype(object)


def _summed(values: Floats, owner: Ints, count: int) -> Floats:
    return np.bincount(owner, values, minlength=count).astype(np.float64)


def _share(flags: Flags, floor_area: Floats, owner: Ints, count: int) -> Floats:
    total = np.maximum(_summed(floor_area, owner, count), 1e-9)
    return _summed(flags * floor_area, owner, count) / total
