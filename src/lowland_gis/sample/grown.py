"""The register of parcels grows a year: splits, merges, resurveyed points, other uses and users, parcels that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.ops

from lowland_gis.sample.changes import Changes
from lowland_gis.sample.codes import Purpose
from lowland_gis.sample.dice import Flags, Floats, Ints, Shapes, generator
from lowland_gis.sample.first import FirstYear
from lowland_gis.sample.geometry import CRS, ellipsoidal_area
from lowland_gis.sample.lots import INDUSTRIAL, LEGACY, NONE, VILLAGE

LEAST_SHARE, LEAST_SPLIT_M2, LEAST_EDGE_M = 0.3, 500.0, 0.5
CUTS = (0.5, 0.47, 0.53, 0.44, 0.56)
LEAST_DRIFT_M, MOST_DRIFT_M = 0.03, 0.4
SHARE = 0.006
OTHER_USES = {"0501": "0505", "0505": "0501", "0801": "0803", "0803": "0801", "0604": "0601"}


@dataclass
class Growth:
    """The second year as it grows out of the first: what is changed, and which lots are still free to change."""

    first: FirstYear
    seed: int
    changes: Changes
    parcels: gpd.GeoDataFrame
    shapes: Shapes
    free: Flags
    kinds: dict[str, str]
    gone: set[int] = field(default_factory=set)
    added: list[dict[str, Any]] = field(default_factory=list)
    buildings_gone: set[int] = field(default_factory=set)
    buildings_added: list[dict[str, Any]] = field(default_factory=list)
    children: dict[int, list[str]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, first: FirstYear, seed: int) -> Growth:
        """Begin with everything as it was; lots with an open contract are left to the contracts."""
        lots = first.district.lots
        kinds = dict(zip(lots.codes.tolist(), lots.kind.tolist(), strict=True))
        free = first.usable.copy()
        open_ones = first.supplies["SJDGSJ"].isna().to_numpy() & (first.contracted >= 0)
        free[first.contracted[open_ones]] = False
        shapes = first.parcels.geometry.to_numpy().copy()
        growth = cls(
            first, seed, Changes(dict(kinds), first.registers()), first.parcels.copy(), shapes, free, kinds
        )
        for code in lots.codes.tolist():
            growth._numbers[code[:12]] = max(growth._numbers.get(code[:12], 0), int(code[14:]))
        return growth

    def count(self, least: int = 2) -> int:
        """Return how many changes of one sort a district of this size has."""
        return max(least, round(SHARE * len(self.first.codes)))

    def chosen(self, candidates: Flags, count: int, topic: str) -> list[int]:
        """Draw free lots among candidates, in the order that they were drawn; they are free still."""
        places = np.flatnonzero(candidates & self.free)
        order = generator(self.seed, f"year {topic}").permutation(places)
        return [int(row) for row in order[:count]]

    def new_code(self, like: str) -> str:
        """Return a code that no parcel of the village has had."""
        self._numbers[like[:12]] = self._numbers.get(like[:12], 0) + 1
        return f"{like[:14]}{self._numbers[like[:12]]:05d}"

    def record(self, row: int) -> dict[str, Any]:
        """Return the record of a lot."""
        return dict(self.parcels.iloc[row].drop("geometry"))

    def area(self, *shapes: Any) -> float:
        """Return the area of some shapes on the ellipsoid, m²."""
        return float(np.round(ellipsoidal_area(np.array(shapes, dtype=object)), 2).sum())

    def standing(self, row: int) -> Ints:
        """Return the buildings that stand on a lot."""
        rows = np.flatnonzero(self.first.owner == row)
        return np.array([number for number in rows if number not in self.buildings_gone], dtype=np.int64)

    def ratios(
        self, shape: Any, buildings: Ints, more: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[float, float]:
        """Return RJL and JZMD of an outline with its buildings, and with `more` footprint and floor area (m²)."""
        frame = self.first.buildings.iloc[buildings]
        outlines = self.first.outlines[buildings]
        part = shapely.area(shapely.intersection(outlines, shape))
        floors = frame["CS"].to_numpy(dtype=float)
        area = shapely.area(shape)
        return (
            round((float((part * floors).sum()) + more[1]) / area, 2),
            round((float(part.sum()) + more[0]) / area, 2),
        )

    def become(self, row: int, kind: str, cause: str, note: str) -> None:
        """List that a parcel is of another kind by now."""
        code = str(self.first.codes[row])
        self.kinds[code] = kind
        area = self.area(self.shapes[row])
        self.changes.add(
            "parcel", "reclassified", cause, before=[code], after=[code], areas=(area, area), kind_after=kind,
            note=note,
        )  # fmt: skip

    def edit(self, row: int, cause: str, values: dict[str, Any], note: str) -> None:
        """Change fields of a record and list which."""
        before = self.record(row)
        fields = [f"{name}:{before[name]}>{value}" for name, value in values.items() if before[name] != value]
        for name, value in values.items():
            self.parcels.loc[row, name] = value
        code, area = str(self.first.codes[row]), self.area(self.shapes[row])
        self.free[row] = False
        self.changes.add(
            "parcel", "attribute_changed", cause, before=[code], after=[code], areas=(area, area),
            kind_after=self.kinds[code], fields=fields, note=note,
        )  # fmt: skip

    def replace(self, rows: list[int], shapes: list[Any], change: str, cause: str, note: str) -> list[str]:
        """Take parcels out and put new ones in their place, with new codes and the first one's record."""
        codes = [str(self.first.codes[row]) for row in rows]
        old = self.record(rows[0])
        standing = np.concatenate([self.standing(row) for row in rows])
        new = []
        for number, shape in enumerate(shapes, start=1):
            ratio, density = self.ratios(shape, standing)
            code = self.new_code(codes[0])
            unit = None if pd.isna(old["BDCDYH"]) else f"{code}{old['BDCDYH'][19:]}"
            place = f"{old['ZL']}之{number}" if len(shapes) > 1 else old["ZL"]
            self.added.append(
                {**old, "ZDDM": code, "BDCDYH": unit, "ZL": place, "ZDMJ": self.area(shape), "RJL": ratio,
                 "JZMD": density, "geometry": shape}
            )  # fmt: skip
            new.append(code)
            self.kinds[code] = self.kinds[codes[0]]
        kind = self.kinds[codes[0]]
        for row in rows:
            self.drop(row)
            self.children[row] = new
        areas = self.area(*self.shapes[rows]), self.area(*shapes)
        self.changes.add(
            "parcel", change, cause, before=codes, after=new, areas=areas, kind_after=kind, note=note
        )
        return new

    def drop(self, row: int) -> None:
        """Take a parcel out of the register."""
        self.gone.add(row)
        self.free[row] = False
        self.kinds.pop(str(self.first.codes[row]))

    def frame(self) -> gpd.GeoDataFrame:
        """Return the parcels of the second year."""
        kept = self.parcels.set_geometry(gpd.GeoSeries(self.shapes, crs=CRS)).drop(index=sorted(self.gone))
        if not self.added:
            return kept.reset_index(drop=True)
        extra = gpd.GeoDataFrame(self.added, geometry="geometry", crs=CRS)[list(kept.columns)]
        return gpd.GeoDataFrame(pd.concat([kept, extra], ignore_index=True), geometry="geometry", crs=CRS)


def halves(shape: Any) -> list[Any]:
    """Cut a polygon in two across its longer side, near the middle; nothing where that gives no two fair pieces without short edges.

    >>> [round(part.area) for part in halves(shapely.box(0, 0, 40, 10))]
    [200, 200]
    """
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))[:4]
    if len(corners) < 4:  # noqa: PLR2004 - a rectangle
        return []
    sides = np.diff(np.vstack([corners, corners[:1]]), axis=0)
    first = 0 if np.hypot(*sides[0]) >= np.hypot(*sides[1]) else 1
    across = sides[first + 1]
    for share in CUTS:
        middle = corners[first] + share * sides[first]
        cut = shapely.LineString([middle - 0.2 * across, middle + 1.2 * across])
        parts = list(shapely.ops.split(shape, cut).geoms)
        if len(parts) == 2 and all(_fair(part, shape) for part in parts):  # noqa: PLR2004 - two pieces
            return sorted(parts, key=lambda part: (-part.area, part.bounds))
    return []


def _fair(part: Any, whole: Any) -> bool:
    edges = np.diff(shapely.get_coordinates(part), axis=0)
    return bool(part.area >= LEAST_SHARE * whole.area and np.hypot(*edges.T).min() >= LEAST_EDGE_M)


def split_parcels(growth: Growth) -> None:
    """Split some legacy parcels, low works, and new housing and stores of which each piece has a building."""
    lots = growth.first.district.lots
    large = lots.area > LEAST_SPLIT_M2
    groups = (
        ("legacy", (lots.kind == LEGACY) & (lots.subkind == "plain") & large),
        ("works", (lots.kind == INDUSTRIAL) & (lots.subkind == "tax") & lots.of(Purpose.WORKS) & large),
        ("calm", (lots.kind == NONE) & lots.of(Purpose.STORE, Purpose.HOME_NEW) & large),
    )
    for topic, candidates in groups:
        left = max(1, growth.count() // 2)
        for row in growth.chosen(candidates, len(lots), f"split {topic}"):
            parts = halves(growth.shapes[row])
            if left == 0 or not parts or (topic == "calm" and not _each_built(growth, row, parts)):
                continue
            growth.replace([row], parts, "split", "subdivided", "宗地分割")
            left -= 1


def _each_built(growth: Growth, row: int, parts: list[Any]) -> bool:
    outlines = growth.first.outlines[growth.standing(row)]
    return all(shapely.area(shapely.intersection(outlines, part)).sum() > 50.0 for part in parts)  # noqa: PLR2004


def merge_parcels(growth: Growth) -> None:
    """Join neighbours of one kind and purpose, as the register does when one owner takes over the other."""
    lots = growth.first.district.lots
    homes = lots.of(Purpose.RURAL_HOME)
    for topic, candidates in (("low", homes & (lots.kind == VILLAGE)), ("calm", homes & (lots.kind == NONE))):
        left = max(1, growth.count() // 2)
        for row in growth.chosen(candidates, len(lots), f"merge {topic}"):
            if left == 0:
                break
            for other, whole in _joinable(growth, row, candidates):
                growth.replace([row, other], [whole], "merged", "joined", "宗地合并")
                left -= 1
                break


def _joinable(growth: Growth, row: int, candidates: Flags) -> Iterator[tuple[int, Any]]:
    if not growth.free[row]:
        return
    lots = growth.first.district.lots
    near = np.flatnonzero(candidates & growth.free & (lots.leaf == lots.leaf[row]))
    for other in near[near != row].tolist():
        edge = shapely.intersection(growth.shapes[row], growth.shapes[other])
        if shapely.length(edge) < 3.0 or lots.codes[row][:14] != lots.codes[other][:14]:  # noqa: PLR2004 - a corner is no edge
            continue
        whole = shapely.coverage_union(growth.shapes[row], growth.shapes[other])
        whole = whole.geoms[0] if whole.geom_type == "MultiPolygon" and len(whole.geoms) == 1 else whole
        if whole.geom_type == "Polygon" and not whole.interiors:
            yield other, whole


def drift_points(growth: Growth) -> None:
    """Move boundary points that neighbours share, as a resurvey does; each parcel round a point has its row."""
    first = growth.first
    count = len(first.codes)
    points, owner = shapely.get_coordinates(growth.shapes[:count], return_index=True)
    frame = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "lot": owner}).drop_duplicates()
    frame["free"] = growth.free[frame["lot"]]
    by_point = frame.groupby(["x", "y"])
    shared = by_point.agg(lots=("lot", "size"), free=("free", "all"))
    places = np.array(shared.index[(shared["lots"] >= 2) & shared["free"]].tolist())  # noqa: PLR2004 - neighbours
    random = generator(growth.seed, "year drift")
    left = growth.count()
    for place in places[random.permutation(len(places))] if len(places) else []:
        holders = by_point.get_group((place[0], place[1]))["lot"].tolist()
        if left == 0:
            break
        if not growth.free[holders].all():
            continue
        angle, reach = random.uniform(0, 2 * np.pi), random.uniform(LEAST_DRIFT_M, MOST_DRIFT_M)
        target = np.round(place + reach * np.array([np.cos(angle), np.sin(angle)]), 4)
        moved = [_moved(growth.shapes[lot], place, target) for lot in holders]
        if not all(shape.is_valid for shape in moved):
            continue
        for lot, shape in zip(holders, moved, strict=True):
            _drifted(growth, lot, shape, float(np.hypot(*(target - place))))
        left -= 1


def _moved(shape: Any, place: Floats, target: Floats) -> Any:
    def step(points: Floats) -> Floats:
        return np.where((points == place).all(axis=1)[:, None], target, points)

    return shapely.transform(shape, step)


def _drifted(growth: Growth, lot: int, shape: Any, reach: float) -> None:
    code, before = str(growth.first.codes[lot]), growth.area(growth.shapes[lot])
    growth.shapes[lot] = shape
    growth.free[lot] = False
    growth.parcels.loc[lot, "ZDMJ"] = growth.area(shape)
    growth.changes.add(
        "parcel", "boundary_drifted", "resurvey", before=[code], after=[code], areas=(before, growth.area(shape)),
        kind_after=growth.kinds[code], note=f"界址点重测，移动{reach:.2f}米",
    )  # fmt: skip


def change_records(growth: Growth) -> None:
    """Change the use of some parcels and the user of others, as the register does without a survey."""
    lots = growth.first.district.lots
    uses = np.isin(growth.parcels["YT"].to_numpy(dtype=object)[: len(lots)], list(OTHER_USES))
    for row in growth.chosen(
        uses & (lots.kind == NONE) & ~lots.of(Purpose.WORKS), growth.count() // 2 + 1, "use"
    ):
        use = str(growth.parcels["YT"].iloc[row])
        growth.edit(row, "use_changed", {"YT": OTHER_USES[use]}, "登记用途变更")
    for row in growth.chosen(lots.of(Purpose.STORE, Purpose.OFFICE, Purpose.SHOP, Purpose.HOME_OLD), growth.count() // 2 + 1, "user"):  # fmt: skip
        growth.edit(row, "use_changed", {"TBDW": "示例新用户单位"}, "土地使用人变更")
