"""Layers that stand for themselves: each says its file, the faults that are planted in it and how it is drawn, and nothing else names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from lowland_gis.sample.codes import Leaf, Zone
from lowland_gis.sample.dice import Flags, Ints, Shapes, Texts, generator
from lowland_gis.sample.geometry import CRS, ellipsoidal_area, merged_by
from lowland_gis.sample.layout import Layout
from lowland_gis.sample.lots import INDUSTRIAL, TOWN, Lots
from lowland_gis.sample.places import DISTRICT_CODE, DISTRICT_NAME
from lowland_gis.sample.spoil import SHAPE, Planted

INSET_M = -0.25
MADE_UP = "合成数据"
# Cells are put together to a planning unit until they have so much, in m².
UNIT_M2 = 400_000.0
_MONITORED = "规资分局/变更调查专项.gpkg"


@dataclass(frozen=True)
class Further:
    """A layer of the sample: its key, its file (`file:layer`), its planted faults, and the frame that is delivered (EPSG:4548)."""

    key: str
    source: str
    planted: Planted
    draw: Callable[[Layout, Lots, int], gpd.GeoDataFrame]


def _numbers(count: int) -> list[str]:
    return [f"{DISTRICT_CODE}{number:012d}" for number in range(1, count + 1)]


def _blocks(layout: Layout, *kinds: Leaf) -> Shapes:
    """Return the outlines of the blocks that are filled with some kinds."""
    chosen = np.flatnonzero(np.isin(layout.blocks.kind, kinds))
    return layout.shapes(layout.blocks.inner[chosen], chosen, layout.cell_of_leaf[chosen])


def _inset(shapes: Shapes) -> Shapes:
    """Draw outlines a little inside, as surveyed by somebody else."""
    return np.asarray(shapely.set_precision(shapely.buffer(shapes, INSET_M, join_style="mitre"), 0.0001))


def _unfinished(lots: Lots, part: int) -> Ints:
    """Return every second of the works that were agreed long ago and never finished."""
    return np.flatnonzero((lots.kind == INDUSTRIAL) & (lots.subkind == "overdue"))[part::2]


def approved_unbuilt(layout: Layout, lots: Lots, seed: int) -> gpd.GeoDataFrame:
    """Return approved land that is not built on (批准未建设土地): reserved blocks, and works that never came."""
    random = generator(seed, "approved unbuilt")
    works, vacant = _inset(lots.shapes[_unfinished(lots, 0)]), _inset(_blocks(layout, Leaf.VACANT))
    shapes = np.concatenate([works, vacant])
    area = np.round(ellipsoidal_area(shapes), 2)
    years = random.integers(2012, 2020, len(shapes))
    return gpd.GeoDataFrame(
        {
            "BSM": _numbers(len(shapes)),
            "TBBH": [f"{number:08d}" for number in range(1, len(shapes) + 1)],
            "XJXZQHDM": DISTRICT_CODE,
            "XJXZQHMC": DISTRICT_NAME,
            "BZXMMC": [f"北辰区{year}年批次（示例）" for year in years],
            "BZPZWH": [f"津政地〔{year}〕{number}号（示例）" for number, year in enumerate(years, start=1)],
            "BZPZRQ": (years - 1970).astype("datetime64[Y]").astype("datetime64[D]"),
            "PZYT": np.repeat(
                np.array(["工业用地", "其他建设用地"], dtype=object), [len(works), len(vacant)]
            ),
            "PZMJ": area,
            "BZTBMJ": area,
            "BZ": MADE_UP,
        },
        geometry=shapes,
        crs=CRS,
    )


def parks(layout: Layout, _lots: Lots, _seed: int) -> gpd.GeoDataFrame:
    """Return the development parks (开发园区): each industrial cell of the plan is one."""
    boxes = np.array([cell.admin for cell in layout.frame.cells])[layout.zones == Zone.INDUSTRY]
    outside = np.full(len(boxes), -1, dtype=np.int64)
    shapes = layout.shapes(boxes, outside, outside)
    count = len(shapes)
    reduced = np.arange(count) % 3 == 2  # noqa: PLR2004 - every third park is to shrink
    return gpd.GeoDataFrame(
        {
            "BSM": _numbers(count),
            "YSDM": "2099060000",
            "KFYQMC": [f"北辰第{number}园区（示例）" for number in range(1, count + 1)],
            "KFYQLX": _either(reduced, "减量调整类", "提升类"),
            "KFYQXZ": "区级",
            "KFYQMJ": np.round(ellipsoidal_area(shapes), 2),
            "BZ": MADE_UP,
        },
        geometry=shapes,
        crs=CRS,
    )


def _either(flags: Flags, one: str, other: str) -> Texts:
    return np.where(flags, one, other).astype(object)


def demolitions(_layout: Layout, lots: Lots, _seed: int) -> gpd.GeoDataFrame:
    """Return where demolition stopped half-way (拆除未尽区): on every fourth old house that is planted as low-efficiency."""
    chosen = np.flatnonzero((lots.kind == TOWN) & (lots.subkind == "residential"))[::4]
    return _plain(_inset(lots.shapes[chosen]), "2099090000")


def bulldozed(layout: Layout, lots: Lots, _seed: int) -> gpd.GeoDataFrame:
    """Return land that lies bulldozed (推土区): works that were begun and never finished, and every third orchard."""
    works, orchards = _inset(lots.shapes[_unfinished(lots, 1)]), _inset(_blocks(layout, Leaf.ORCHARD))[::3]
    return _plain(np.concatenate([works, orchards]), "2099080000")


def _plain(shapes: Shapes, ysdm: str) -> gpd.GeoDataFrame:
    area = np.round(ellipsoidal_area(shapes), 2)
    columns = {"BSM": _numbers(len(shapes)), "YSDM": ysdm, "ZDMJ": area, "BZ": MADE_UP}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def renewal_units(layout: Layout, _lots: Lots, seed: int) -> gpd.GeoDataFrame:
    """Return the units of the urban renewal plan (城市更新单元): old quarters, village workshops and every second row of shops."""
    random = generator(seed, "renewal plan")
    groups = [_blocks(layout, kind) for kind in (Leaf.OLD, Leaf.WORKSHOP, Leaf.COMMERCE)]
    shapes = np.concatenate([groups[0], groups[1], groups[2][::2]])
    rebuilt = random.random(len(shapes)) < 0.5  # noqa: PLR2004 - half of them are to be rebuilt
    return gpd.GeoDataFrame(
        {
            "GXDYBH": [f"BCGX-{number:03d}" for number in range(1, len(shapes) + 1)],
            "GXDYMC": [f"北辰更新单元{number}（示例）" for number in range(1, len(shapes) + 1)],
            "GXFS": _either(rebuilt, "拆除重建", "综合整治"),
            "GXDYMJ": np.round(ellipsoidal_area(shapes), 2),
            "SSQX": _either(rebuilt, "2021-2025", "2026-2030"),
            "PFWH": "津北政更〔2022〕1号（示例）",
            "PFRQ": np.full(len(shapes), np.datetime64("2022-06-30", "D")),
            "BZ": MADE_UP,
        },
        geometry=shapes,
        crs=CRS,
    )


def planning_units(layout: Layout, _lots: Lots, _seed: int) -> gpd.GeoDataFrame:
    """Return the units of the detailed plan (规划单元), which tile the towns: cells beside each other, put together up to a least size."""
    cells = np.array([cell.admin for cell in layout.frame.cells])
    outside = np.full(len(cells), -1, dtype=np.int64)
    towns, group = np.array(layout.frame.cell_town), _neighbouring(cells, layout.frame.cell_town)
    shapes, first = merged_by(layout.shapes(cells, outside, outside), group)
    count, quarters = len(shapes), towns[first] + 1
    return gpd.GeoDataFrame(
        {
            "DYBH": [f"BCGH-{number:03d}" for number in range(1, count + 1)],
            "DYMC": [f"北辰规划单元{number}（示例）" for number in range(1, count + 1)],
            "PQBH": [f"BC-{number:02d}" for number in quarters],
            "PQMC": [f"北辰第{number}片区（示例）" for number in quarters],
            "XZQDM": DISTRICT_CODE,
            "DYMJ": np.round(ellipsoidal_area(shapes), 2),
            "BZ": MADE_UP,
        },
        geometry=shapes,
        crs=CRS,
    )


def _neighbouring(cells: Ints, towns: Sequence[int]) -> Ints:
    """Return groups of cells (x0, y0, x1, y1) of one town that lie side by side: the last group takes cells up to `UNIT_M2`."""
    group, sizes = np.zeros(len(cells), dtype=np.int64), [0.0]
    for at in range(len(cells)):
        x0, y0, x1, y1 = cells[at]
        last = np.flatnonzero(group[:at] == group[at - 1]) if at else np.empty(0, dtype=np.int64)
        across = np.minimum(cells[last, 2], x1) - np.maximum(cells[last, 0], x0)
        along = np.minimum(cells[last, 3], y1) - np.maximum(cells[last, 1], y0)
        beside = ((across == 0) & (along > 0)) | ((along == 0) & (across > 0))
        goes_on = at > 0 and towns[at] == towns[at - 1] and sizes[-1] < UNIT_M2 and bool(beside.any())
        if at and not goes_on:
            sizes.append(0.0)
        group[at] = len(sizes) - 1
        sizes[-1] += float((x1 - x0) * (y1 - y0))
    return group


FURTHER = (
    Further(
        "approved_unbuilt",
        f"{_MONITORED}:PZWJSTD",
        Planted("BSM", (("wrong_area", "BZTBMJ"), ("missing_value", "PZYT"))),
        approved_unbuilt,
    ),
    Further("park", f"{_MONITORED}:KFYQ", Planted("BSM", (("missing_value", "KFYQMC"),)), parks),
    Further(
        "demolition",
        f"{_MONITORED}:CCWJQ",
        Planted("BSM", (("wrong_area", "ZDMJ"), ("twice", SHAPE))),
        demolitions,
    ),
    Further("bulldozed", f"{_MONITORED}:TTQ", Planted("BSM", (("twice", SHAPE),)), bulldozed),
    Further(
        "renewal_plan",
        "住建委/城市更新专项规划.gpkg:GXDY",
        Planted("GXDYBH", (("wrong_area", "GXDYMJ"), ("missing_value", "GXFS"))),
        renewal_units,
    ),
    Further(
        "planning_unit",
        "规资分局/控规单元.gpkg:GHDY",
        Planted("DYBH", (("wrong_area", "DYMJ"), ("missing_value", "PQMC"))),
        planning_units,
    ),
)
