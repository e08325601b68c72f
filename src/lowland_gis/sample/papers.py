"""Legal papers: registration of the parcels, approvals of land use (用地审批) and supply contracts (供地合同)."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample.buildings import Built
from lowland_gis.sample.codes import FARMING, PURPOSES, Purpose
from lowland_gis.sample.dice import Dates, Flags, Ints, Shapes, Texts, drawn, generator, nullable
from lowland_gis.sample.geometry import CRS, ellipsoidal_area
from lowland_gis.sample.lots import INDUSTRIAL, LEGACY, Lots
from lowland_gis.sample.places import Places

AS_OF = np.datetime64("2023-12-31", "D")
ZONE_PREFIX_M = 39_000_000.0
YEAR_DAYS = 365


@dataclass(frozen=True)
class Papers:
    """Which papers each lot has; every built lot that is not legacy has at least one."""

    registered: Flags
    approved: Flags
    supplied: Flags


def hand_out(lots: Lots, seed: int) -> Papers:
    """Decide the papers of every lot."""
    random = generator(seed, "papers")
    farming, legacy = lots.of(*FARMING), lots.kind == LEGACY
    eligible = ~farming & ~legacy
    late = lots.subkind == "overdue"
    state = ~lots.collective
    approved = eligible & (~lots.built_2009 | drawn(random, len(lots), 0.25))
    trade = lots.of(Purpose.WORKS, Purpose.STORE, Purpose.SHOP, Purpose.OFFICE, Purpose.HOME_NEW)
    supplied = eligible & (late | (state & trade & drawn(random, len(lots), 0.6)))
    registered = eligible & (drawn(random, len(lots), np.where(state, 0.9, 0.75)))
    without = eligible & ~approved & ~supplied & ~registered
    return Papers(registered | without, approved, supplied)


def parcel_frame(lots: Lots, places: Places, papers: Papers, built: Built, seed: int) -> gpd.GeoDataFrame:
    """Return the cadastral parcels (宗地) with the fields of the delivery."""
    random = generator(seed, "parcels")
    count = len(lots)
    commodity = lots.of(Purpose.HOME_NEW)
    state = ~lots.collective
    granted = papers.supplied | drawn(random, count, 0.4)
    right = nullable(state, np.where(granted, "102", "101"))
    right[lots.kind == LEGACY] = None
    right[lots.of(*FARMING)] = None
    house = np.where(built.footprint > 0, "F00010001", "W00000000")
    units = lots.codes + house.astype(object)
    register = np.array([codes.register for codes in PURPOSES], dtype=object)
    return gpd.GeoDataFrame(
        {
            "ZDDM": lots.codes,
            "BDCDYH": nullable(papers.registered, units),
            "ZL": _addresses(lots, places),
            "ZDMJ": np.round(ellipsoidal_area(lots.shapes), 2),
            "YT": register[lots.purpose],
            "QLLX": np.where(state, "3", np.where(lots.of(Purpose.RURAL_HOME), "5", "7")).astype(object),
            "QLXZ": right,
            "QSXZ": np.where(state, "10", "30").astype(object),
            "RJL": np.round(built.floor_area / lots.area, 2),
            "JZMD": np.round(built.footprint / lots.area, 2),
            "QSZT": np.where(papers.registered, "1", "0").astype(object),
            "SPZZ": np.where(commodity, "1", "0").astype(object),
            "TBDW": _owners(lots, places),
            "BZ": np.full(count, "合成数据", dtype=object),
        },
        geometry=lots.shapes,
        crs=CRS,
    )


def _addresses(lots: Lots, places: Places) -> Texts:
    towns, villages = places.town_names[lots.town], places.village_names[lots.village]
    numbers = pd.Series(lots.village).groupby(lots.village).cumcount() + 1
    return np.array(
        [
            f"北辰区{town}{village}{number}号"
            for town, village, number in zip(towns, villages, numbers, strict=True)
        ],
        dtype=object,
    )


def _owners(lots: Lots, places: Places) -> Texts:
    village = places.village_names[lots.village] + "村民委员会（示例）"
    state = np.where(
        lots.of(Purpose.WORKS, Purpose.STORE, Purpose.SHOP, Purpose.OFFICE), "示例企业", "示例单位"
    )
    return np.where(lots.collective, village, state).astype(object)


def approvals(lots: Lots, papers: Papers, built: Built, seed: int) -> gpd.GeoDataFrame:
    """Return the approvals: one polygon a lot, dated before the building (still in the storage CRS)."""
    random = generator(seed, "approvals")
    chosen = np.flatnonzero(papers.approved)
    year = np.where(lots.built_2009[chosen], np.clip(built.year[chosen] - 2, 1987, 2008), 2010)
    year = np.where(lots.built_2009[chosen], year, np.clip(built.year[chosen] - 1, 2010, 2020))
    date = _dates(year, random)
    batch = 1 + lots.leaf[chosen] % 400
    planned = np.array([codes.planned_name for codes in PURPOSES], dtype=object)
    number = [f"津政地〔{y}〕{b}号（示例）" for y, b in zip(year, batch, strict=True)]
    return gpd.GeoDataFrame(
        {
            "PZWH": number,
            "PZRQ": date,
            "PCMC": [f"北辰区{y}年第{b}批次（示例）" for y, b in zip(year, batch, strict=True)],
            "DKMJ": np.round(ellipsoidal_area(lots.shapes[chosen]), 2),
            "YT": planned[lots.purpose[chosen]],
        },
        geometry=lots.shapes[chosen],
        crs=CRS,
    )


def _dates(years: Ints, random: np.random.Generator) -> Dates:
    start = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray(start + random.integers(0, YEAR_DAYS, len(years)).astype("timedelta64[D]"))


def supplies(lots: Lots, papers: Papers, built: Built, seed: int) -> gpd.GeoDataFrame:
    """Return the supply contracts; only the planted overdue ones are late by more than two years."""
    random = generator(seed, "supplies")
    chosen = np.flatnonzero(papers.supplied)
    late = (lots.kind[chosen] == INDUSTRIAL) & (lots.subkind[chosen] == "overdue")
    running = ~late & ~lots.built_2009[chosen] & drawn(random, len(chosen), 0.08)
    year = np.clip(built.year[chosen] - 2, 1993, 2019)
    contract = _dates(year, random)
    start = contract + random.integers(60, 300, len(chosen))
    finish = start + random.integers(500, 1100, len(chosen))
    finish[late] = np.datetime64("2017-06-01") + random.integers(0, 1300, late.sum())
    finish[running] = np.datetime64("2022-10-01") + random.integers(0, 900, running.sum())
    moved = late | running
    contract[moved] = finish[moved] - random.integers(1000, 1500, moved.sum())
    start[moved] = contract[moved] + random.integers(60, 300, moved.sum())
    begun = start + random.integers(-20, 200, len(chosen))
    done = np.minimum(np.maximum(finish + random.integers(-120, 400, len(chosen)), begun + 60), AS_OF - 30)
    done[moved] = np.datetime64("NaT")
    area = ellipsoidal_area(lots.shapes[chosen])
    planned = np.array([codes.planned_name for codes in PURPOSES], dtype=object)
    return gpd.GeoDataFrame(
        {
            "DZJGH": [
                f"120113{y}B{number:05d}"
                for number, y in enumerate(contract.astype("datetime64[Y]").astype(str), 1)
            ],
            "HTQDRQ": contract,
            "YDJDSJ": start,
            "YDDGSJ": finish,
            "SJJDSJ": begun,
            "SJDGSJ": done,
            "GYFS": random.choice(["挂牌出让", "挂牌出让", "拍卖出让", "协议出让"], len(chosen)).astype(
                object
            ),
            "TDYT": planned[lots.purpose[chosen]],
            "GYMJ": np.round(area, 2),
            "HTTZ": np.round(area * random.uniform(0.2, 0.6, len(chosen)), 1),
            "BZ": np.where(late, "逾期未竣工（合成数据）", "合成数据").astype(object),
        },
        geometry=_inset(lots.shapes[chosen]),
        crs=CRS,
    )


def _inset(shapes: Shapes) -> Shapes:
    """Draw contract outlines a little inside the parcel, as surveyed by somebody else."""
    return np.asarray(shapely.set_precision(shapely.buffer(shapes, -0.25, join_style="mitre"), 0.0001))


def with_zone_prefix(shapes: Shapes) -> Shapes:
    """Move shapes of EPSG:4548 to EPSG:4527, which differs by the zone number before the easting."""
    return np.asarray(shapely.transform(shapes, lambda points: points + np.array([ZONE_PREFIX_M, 0.0])))
