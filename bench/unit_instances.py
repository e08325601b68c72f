"""Instances for `bench/units.py`: generated districts, the sample district, and what momepy, libpysal and gerrychain install."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.ground import Limits, Weights
from lowland_gis.sample.controls import admin_areas, roads
from lowland_gis.sample.district import draw_district
from lowland_gis.sample.lots import NONE

ORIGIN = np.array([515_000.0, 4_345_000.0])
BLOCK_M, ROAD_M = 520.0, 24.0
PARCELS_A_BLOCK = 43.0


@dataclass(frozen=True)
class Instance:
    """Parcels, blocks, barriers and towns under a name, with the limits and weights that fit."""

    name: str
    parcels: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    barriers: npt.NDArray[np.object_]
    towns: gpd.GeoDataFrame
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    weights: Weights = Weights()  # noqa: RUF009 - frozen


def generated(count: int, seed: int = 1, block_m: float = BLOCK_M) -> Instance:
    """Return blocks cut at random into parcels of 0.5 to 1.4 ha with lanes; 45 % of them low-efficiency, in clusters."""
    random = np.random.default_rng(seed)
    blocks = max(1, round(count / PARCELS_A_BLOCK / (block_m / BLOCK_M) ** 2))
    side = int(np.ceil(np.sqrt(blocks)))
    pitch = block_m + ROAD_M
    boxes = []
    for at in range(blocks):
        west, south = at % side * pitch, at // side * pitch
        boxes += _cut(random, west, south, west + block_m, south + block_m)
    shapes = shapely.box(*np.array(boxes).T)
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    wave = _noise(centres, 300, seed) + 0.6 * random.normal(size=len(shapes))
    area = shapely.area(shapes)
    low = wave > np.quantile(wave, 0.55)
    kinds = np.array(["industrial", "town", "village"])
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"P{number:07d}" for number in range(len(shapes))],
            "area_m2": area,
            "low_m2": np.where(low, area, 0.0),
            "kind": kinds[np.digitize(_noise(centres, 900, seed + 1), [-0.5, 0.5])],
            "zone": np.array(list("ABCD"))[np.digitize(_noise(centres, 800, seed + 2), [-0.7, 0.0, 0.7])],
            "reason": None,
        },
        geometry=shapely.transform(shapes, lambda points: points + ORIGIN),
        crs=4548,
    )
    ends = np.arange(side + 1) * pitch - ROAD_M / 2
    whole = side * pitch
    lines = [shapely.LineString([(x, -50), (x, whole + 50)]) for x in ends]
    lines += [shapely.LineString([(-50, y), (whole + 50, y)]) for y in ends]
    barriers = shapely.transform(np.array(lines, dtype=object), lambda points: points + ORIGIN)
    town = shapely.transform(shapely.box(-40, -40, whole + 40, whole + 40), lambda points: points + ORIGIN)
    towns = gpd.GeoDataFrame({"town_code": ["120113100"]}, geometry=[town], crs=4548)
    return Instance(f"generated {len(parcels):,}", parcels, barrier_cells(towns, barriers), barriers, towns)


def _cut(
    random: np.random.Generator, west: float, south: float, east: float, north: float
) -> list[tuple[float, ...]]:
    if (east - west) * (north - south) < random.uniform(5_000, 14_000):
        return [(west, south, east, north)]
    lane, part = float(random.choice([0.0, 0.0, 4.0, 7.0])) / 2, float(random.uniform(0.35, 0.65))
    if east - west >= north - south:
        middle = west + (east - west) * part
        halves = ((west, south, middle - lane, north), (middle + lane, south, east, north))
    else:
        middle = south + (north - south) * part
        halves = ((west, south, east, middle - lane), (west, middle + lane, east, north))
    return [box for half in halves for box in _cut(random, *half)]


def _noise(places: npt.NDArray[np.float64], wavelength: float, seed: int) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(seed)
    waves = random.normal(size=(40, 2)) / wavelength * 2
    return np.cos(places @ waves.T + random.uniform(0, 2 * np.pi, 40)).sum(axis=1) / np.sqrt(20)


def sample_district(count: int, seed: int = 1) -> Instance:
    """Return the sample district in memory: its lots with the planted truth, its main roads, its towns."""
    district = draw_district(count, seed)
    lots = district.lots
    low = lots.kind != NONE
    area = shapely.area(lots.shapes)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": lots.codes,
            "area_m2": area,
            "low_m2": np.where(low, area, 0.0),
            "kind": np.where(low, lots.kind, None),
            "zone": district.layout.zones[lots.cell].astype(str),
            "reason": np.where(np.isin(lots.subkind, ["redline", "farmland"]), "protected", None),
        },
        geometry=lots.shapes,
        crs=4548,
    )
    towns = admin_areas(district.layout, district.places)["town"].rename(columns={"XZQDM": "town_code"})
    lines = roads(district.layout)
    barriers = lines.geometry.to_numpy()[lines["GRADE"].isin(["主干路", "次干路"]).to_numpy()]
    towns = towns[["town_code", "geometry"]]
    return Instance(f"sample {len(parcels):,}", parcels, barrier_cells(towns, barriers), barriers, towns)


def bubenec_small() -> Instance:
    """Return bubenec with units from half a hectare and a light outline, so that there is much to choose."""
    whole = bubenec()
    return replace(
        whole,
        name=f"{whole.name}, from 0.5 ha, outline 5",
        limits=Limits(min_ha=0.5),
        weights=Weights(outline=5.0),
    )


def bubenec() -> Instance:
    """Return the cadastre that momepy ships: its plots as parcels, its streets as barriers, low-efficiency drawn."""
    import momepy  # noqa: PLC0415 - a peer

    path = momepy.datasets.get_path("bubenec")
    plots = gpd.read_file(path, layer="plots").explode(ignore_index=True)
    streets = gpd.read_file(path, layer="streets").to_crs(plots.crs)
    centres = shapely.get_coordinates(shapely.centroid(plots.geometry.to_numpy()))
    wave = _noise(centres - centres.mean(axis=0), 150, 3)
    area = plots.area.to_numpy()
    low = wave > np.quantile(wave, 0.4)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"B{number:04d}" for number in range(len(plots))],
            "area_m2": area,
            "low_m2": np.where(low, area, 0.0),
            "kind": np.where(wave > np.quantile(wave, 0.7), "old", "worn"),
            "zone": np.where(centres[:, 0] > np.median(centres[:, 0]), "E", "W"),
            "reason": None,
        },
        geometry=plots.geometry.to_numpy(),
        crs=plots.crs,
    )
    hull = shapely.buffer(shapely.convex_hull(shapely.union_all(plots.geometry.to_numpy())), 20)
    towns = gpd.GeoDataFrame({"town_code": ["bubenec"]}, geometry=[hull], crs=plots.crs)
    barriers = streets.geometry.to_numpy()
    return Instance(f"bubenec {len(parcels)}", parcels, barrier_cells(towns, barriers), barriers, towns)


def pysal_example(name: str) -> Instance:
    """Return an example of libpysal as parcels of about a hectare: columbus, mexico, sids2 or georgia."""
    import libpysal  # noqa: PLC0415 - a peer

    files = {
        "columbus": "columbus.shp",
        "mexico": "mexicojoin.shp",
        "sids2": "sids2.shp",
        "georgia": "G_utm.shp",
    }
    frame = gpd.read_file(libpysal.examples.get_path(files[name]))
    shapes = frame.geometry.make_valid().to_numpy()
    centre, scale = _scale(shapes)
    shapes = shapely.transform(shapes, lambda points: (points - centre) * scale + ORIGIN)
    area = shapely.area(shapes)
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    wave = _noise(centres - ORIGIN, 300, 5)
    low = wave > np.quantile(wave, 0.4)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"{name}{number:04d}" for number in range(len(shapes))],
            "area_m2": area,
            "low_m2": np.where(low, area, 0.0),
            "kind": "k",
            "zone": np.where(wave > np.median(wave), "A", "B"),
            "reason": None,
        },
        geometry=shapes,
        crs=4548,
    )
    hull = shapely.buffer(shapely.convex_hull(shapely.union_all(shapes)), 5)
    towns = gpd.GeoDataFrame({"town_code": [name]}, geometry=[hull], crs=4548)
    nothing = np.empty(0, dtype=object)
    return Instance(f"libpysal {name} {len(parcels)}", parcels, barrier_cells(towns, nothing), nothing, towns)


def gerrymandria() -> Instance:
    """Return gerrychain's Gerrymandria as squares of a hectare: its counties as plan zones, its towns as kinds.

    The example is a graph of 8 × 8 precincts with places and no shapes; where low-efficiency land lies is drawn.
    """
    from gerrychain.examples import gerrymandria as example  # noqa: PLC0415 - a peer

    graph = example()
    places = pd.DataFrame([graph.node_data(node) for node in graph.node_indices])
    west, south = (ORIGIN[axis] + 100.0 * places[name].to_numpy() for axis, name in enumerate("xy"))
    shapes = shapely.box(west, south, west + 100, south + 100)
    wave = _noise(np.column_stack([west, south]) - ORIGIN, 300, 5)
    area = shapely.area(shapes)
    low = wave > np.quantile(wave, 0.4)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"G{number:02d}" for number in places["precinct"]],
            "area_m2": area,
            "low_m2": np.where(low, area, 0.0),
            "kind": places["muni"],
            "zone": places["county"],
            "reason": None,
        },
        geometry=shapes,
        crs=4548,
    )
    town = shapely.buffer(shapely.union_all(shapes), 5)
    towns = gpd.GeoDataFrame({"town_code": ["gerrymandria"]}, geometry=[town], crs=4548)
    nothing = np.empty(0, dtype=object)
    return Instance(
        f"gerrychain gerrymandria {len(parcels)}", parcels, barrier_cells(towns, nothing), nothing, towns
    )


def gerrymandria_links() -> set[tuple[str, str]]:
    """Return which precincts gerrychain's example says are neighbours, as sorted pairs of the codes of `gerrymandria`."""
    from gerrychain.examples import gerrymandria as example  # noqa: PLC0415 - a peer

    graph = example()
    codes = {node: f"G{graph.node_data(node)['precinct']:02d}" for node in graph.node_indices}
    return {tuple(sorted((codes[one], codes[other]))) for one, other in graph.edges}


def _scale(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.float64], float]:
    whole = shapely.union_all(shapes)
    centre = shapely.get_coordinates(shapely.centroid(whole))[0]
    return centre, float(np.sqrt(10_000.0 * len(shapes) / shapely.area(whole)))


def members_table(ids: npt.NDArray[np.object_], labels: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return labels (below 0: in no unit) as a membership table."""
    return pd.DataFrame(
        {"parcel_id": ids, "unit_id": [None if label < 0 else f"u{label:06d}" for label in labels]}
    )
