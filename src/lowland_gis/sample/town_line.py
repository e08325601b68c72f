"""The line between two towns is moved a little in the second year, and the increment (XZQGX, XZQGXGC) says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops

from lowland_gis.sample.dice import generator
from lowland_gis.sample.geometry import CRS, ellipsoidal_area
from lowland_gis.sample.grown import Growth
from lowland_gis.sample.places import DISTRICT_CODE
from lowland_gis.sample.resurvey import DAY, INSIDE, SHAPE

LINE_M, LINE_LENGTH_M = 4.0, 60.0
TOWN_FIELDS = ("BSM", "XZQDM", "XZQMC", "DCMJ", "JSMJ", "MSSM", "HDMC", "BZ")


@dataclass(frozen=True)
class MovedLine:
    """Towns and villages of the second year, and the increment: the towns that changed (XZQGX) and the pieces of old ∩ new (XZQGXGC)."""

    towns: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    changed: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame


def move_line(growth: Growth) -> MovedLine:
    """Move a stretch of the line between two towns, where no parcel lies."""
    towns, villages = growth.first.towns.copy(), growth.first.villages.copy()
    strip, giver, taker = _strip(growth, towns.geometry.to_numpy())
    changed = _handed_over(growth, "town", towns, strip, giver, taker)
    shapes = villages.geometry.to_numpy()
    part = shapely.area(shapely.intersection(shapes, strip))
    from_village = int(np.argmax(part))
    of_taker = villages["XZQDM"].str.startswith(str(towns["XZQDM"].iloc[taker])).to_numpy()
    to_village = int(
        np.argmax(
            np.where(of_taker, shapely.area(shapely.intersection(shapes, shapely.buffer(strip, 1.0))), -1.0)
        )
    )
    _handed_over(growth, "village", villages, strip, from_village, to_village)
    before = _surveyed(growth.first.towns.iloc[changed])
    now = _surveyed(towns.iloc[changed]).assign(GXSJ=np.full(len(changed), DAY))
    went = _pieces(before, now, strip, changed.index(giver), changed.index(taker))
    return MovedLine(towns, villages, now, went)


def _strip(growth: Growth, towns: Any) -> tuple[Any, int, int]:
    """Return ground along the line between two towns that belongs to one village and to no parcel, its town, and the one that takes it."""
    lots = shapely.STRtree(growth.first.district.lots.shapes)
    villages = growth.first.villages.geometry.to_numpy()
    random = generator(growth.seed, "year line")
    pairs = [(one, other) for one in range(len(towns)) for other in range(len(towns)) if one != other]
    for place in random.permutation(len(pairs)).tolist():
        one, other = pairs[place]
        line = shapely.line_merge(shapely.intersection(towns[one], towns[other]))
        for part in shapely.get_parts(line):
            for along in np.arange(LINE_LENGTH_M, part.length - 2 * LINE_LENGTH_M, LINE_LENGTH_M):
                stretch = shapely.ops.substring(part, along, along + LINE_LENGTH_M)
                ground = shapely.intersection(towns[one], shapely.buffer(stretch, LINE_M, cap_style="flat"))
                whole = ground.geom_type == "Polygon" and shapely.covers(villages, ground).any()
                near = shapely.buffer(ground, 1.0)
                sides = (shapely.area(shapely.intersection(villages, near)) > 0).sum()
                if whole and sides == 2 and not len(lots.query(ground, predicate="intersects")):  # noqa: PLR2004 - giver and taker
                    return ground, one, other
    raise ValueError("no stretch between two towns is free of parcels")


def _handed_over(
    growth: Growth, layer: str, areas: gpd.GeoDataFrame, strip: Any, giver: int, taker: int
) -> list[int]:
    shapes = areas.geometry.to_numpy().copy()
    before = shapes.copy()
    shapes[giver] = shapely.difference(shapes[giver], strip)
    shapes[taker] = shapely.union(shapes[taker], strip)
    areas["geometry"] = gpd.GeoSeries(shapes, crs=CRS)
    for row in (giver, taker):
        name = str(areas["XZQDM"].iloc[row])
        measured = np.round(ellipsoidal_area(np.array([before[row], shapes[row]], dtype=object)), 2).tolist()
        growth.changes.add(
            layer,
            "boundary_drifted",
            "boundary_moved",
            before=[name],
            after=[name],
            areas=(measured[0], measured[1]),
            note="界线调整",
        )
    return sorted((giver, taker))


def _surveyed(towns: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return towns with the fields that the survey delivers."""
    area = np.round(ellipsoidal_area(towns.geometry.to_numpy()), 2)
    return gpd.GeoDataFrame(
        {
            "BSM": [f"{DISTRICT_CODE}{number:012d}" for number in range(1, len(towns) + 1)],
            "YSDM": "1000600100",
            "XZQDM": towns["XZQDM"].to_numpy(dtype=object),
            "XZQMC": towns["XZQMC"].to_numpy(dtype=object),
            "DCMJ": area,
            "JSMJ": area,
            "MSSM": "00",
            "HDMC": None,
            "BZ": "合成数据",
        },
        geometry=towns.geometry.to_numpy(),
        crs=CRS,
    )


def _pieces(
    before: gpd.GeoDataFrame, now: gpd.GeoDataFrame, strip: Any, giver: int, taker: int
) -> gpd.GeoDataFrame:
    """Return the pieces of old ∩ new (XZQGXGC): what both towns kept, and the strip that went over."""
    shapes = {
        (giver, giver): now.geometry.iloc[giver],
        (taker, taker): before.geometry.iloc[taker],
        (giver, taker): strip,
    }
    rows = []
    for number, ((old, new), shape) in enumerate(sorted(shapes.items()), start=1):
        record: dict[str, Any] = {
            "BSM": f"{DISTRICT_CODE}{number:012d}", "YSDM": "1000600100", "BGXW": SHAPE, "XZQTZLX": INSIDE, "GXSJ": DAY, "geometry": shape,
        }  # fmt: skip
        for side, one in (("BGQ", before.iloc[old]), ("BGH", now.iloc[new])):
            record |= {f"{side}{name}": one[name] for name in TOWN_FIELDS}
        rows.append(record)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
