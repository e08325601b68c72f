"""The first year of a district in memory, record by record as it was delivered: what the second year grows from."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.sample import controls, papers
from lowland_gis.sample.buildings import raise_buildings
from lowland_gis.sample.dice import Flags, Ints, Shapes, Texts
from lowland_gis.sample.district import District, draw_district
from lowland_gis.sample.firms import enterprise_tables
from lowland_gis.sample.lots import LEGACY, NONE
from lowland_gis.sample.spoil import SpoiltShares, spoil_layer, spoil_parcels
from lowland_gis.sample.survey3 import features_2019

LAST_YEAR = 2023


@dataclass(frozen=True)
class FirstYear:
    """The delivered records that can change (EPSG:4548); the first rows of `parcels` are the lots, in their order.

    `usable` says which lots may change: neither they nor what touches them or stands on them was spoilt. `outlines` are the
    buildings before any was spoilt; `owner` is the lot in which a building stands,
    -1 for one that stands in none; `contracted` the lot of each contract, -1 for a spoilt copy.
    """

    district: District
    parcels: gpd.GeoDataFrame
    faults: dict[str, str]
    buildings: gpd.GeoDataFrame
    outlines: Shapes
    owner: Ints
    supplies: gpd.GeoDataFrame
    contracted: Ints
    firms: pd.DataFrame
    features: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    usable: Flags

    @property
    def codes(self) -> Texts:
        """Return the codes of the lots."""
        return self.district.lots.codes

    def registers(self) -> dict[str, tuple[str, ...]]:
        """Return in which registers each low-efficient parcel is drafted."""
        lots = self.district.lots
        low = ("low_efficiency",)
        return {
            str(code): (*low, "legacy") if kind == LEGACY else low
            for code, kind in zip(lots.codes, lots.kind, strict=True)
            if kind != NONE
        }


def first_year(parcels: int, seed: int, shares: SpoiltShares) -> FirstYear:
    """Draw the first year again, with the same faults as its files have; those of `every_layer` are not planted here."""
    district = draw_district(parcels, seed)
    lots = district.lots
    buildings, built = raise_buildings(district.layout, lots, seed)
    frame = papers.parcel_frame(lots, district.places, district.papers, built, seed)
    frame, faults = spoil_parcels(frame, lots, seed, shares)
    supplies = papers.supplies(lots, district.papers, built, seed)
    contracted = np.flatnonzero(district.papers.supplied)
    owner, outlines = _owners(buildings, lots.shapes), buildings.geometry.to_numpy()
    names = buildings["JZBH"].to_numpy()
    buildings, records = _spoilt("building", buildings, "JZBH", "JZLX", seed, shares)
    usable = _usable(lots.shapes, lots.codes, faults)
    usable[owner[np.isin(names, [name for _, name, _, _ in records]) & (owner >= 0)]] = False
    supplies, _ = _spoilt("supply", supplies, "DZJGH", "TDYT", seed, shares)
    hidden = [code for code, fault in faults.items() if fault == "no_enterprise"]
    firms = enterprise_tables(lots, district.places, seed)[LAST_YEAR]
    areas = controls.admin_areas(district.layout, district.places)
    return FirstYear(
        district,
        frame,
        faults,
        buildings,
        outlines,
        _padded(owner, len(buildings)),
        supplies,
        _padded(contracted, len(supplies)),
        firms[~firms["宗地代码"].isin(hidden)].reset_index(drop=True),
        features_2019(district.layout, district.places),
        areas["town"],
        areas["village"],
        usable,
    )


def _spoilt(
    layer: str, frame: gpd.GeoDataFrame, key: str, code: str, seed: int, shares: SpoiltShares
) -> tuple[gpd.GeoDataFrame, list[tuple[str, str, str, str]]]:
    free = np.ones(len(frame), dtype=bool)
    return spoil_layer(layer, frame, key=key, code=code, free=free, seed=seed, share=shares.other_layers)


def _owners(buildings: gpd.GeoDataFrame, lots: Shapes) -> Ints:
    points = shapely.centroid(buildings.geometry.to_numpy())
    building, lot = shapely.STRtree(lots).query(points, predicate="within")
    owner = np.full(len(buildings), -1, dtype=np.int64)
    owner[building] = lot
    return owner


def _padded(numbers: Ints, count: int) -> Ints:
    """Return the numbers, and -1 for the spoilt copies that stand at the end of a layer."""
    return np.concatenate([numbers, np.full(count - len(numbers), -1, dtype=np.int64)])


def _usable(shapes: Shapes, codes: Texts, faults: dict[str, str]) -> Flags:
    spoilt = np.isin(codes, list(faults))
    usable = ~spoilt
    if spoilt.any():
        reach = shapely.buffer(shapes[spoilt], 3.0)
        _, near = shapely.STRtree(shapes).query(reach, predicate="intersects")
        usable[near] = False
    return np.asarray(usable, dtype=bool)
