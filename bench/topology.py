"""Measure the topology checks of a layer against GEOS' coverage validation alone, in turn in one run.

Type: python bench/topology.py [--polygons 100000] [--rounds 3] [--spoilt 0.002]. The polygons are those of the third survey of a
synthetic district, of which a share is swollen over its neighbours.
"""

from __future__ import annotations

import statistics

import numpy as np
import numpy.typing as npt
import shapely
from project import reader, seconds

from lowland_gis.analysis.quality import topology
from lowland_gis.sample.district import draw_district
from lowland_gis.sample.survey3 import features_2019

Geometries = npt.NDArray[np.object_]

# A district has so many features of the third survey to a parcel.
FEATURES_A_PARCEL = 1.62
SWELL_M = 0.8
BAR = 3.0


def polygons(count: int, spoilt: float) -> tuple[Geometries, shapely.Geometry]:
    """Return about `count` polygons, a share of them swollen, and the boundary of the district."""
    district = draw_district(int(count / FEATURES_A_PARCEL), 1)
    shapes = np.array(features_2019(district.layout, district.places).geometry, dtype=object)
    boundary = shapely.coverage_union_all(shapes)
    chosen = np.random.default_rng(1).choice(len(shapes), round(spoilt * len(shapes)), replace=False)
    shapes[chosen] = shapely.buffer(shapes[chosen], SWELL_M, join_style="mitre")
    return shapes, boundary


def every_check(shapes: Geometries, boundary: shapely.Geometry) -> int:
    """Run every topology check as `lowland check` does and return the number of findings."""
    layer, corners = topology.coverage(shapes), topology.corners(shapes)
    found = [
        topology.overlaps(layer, min_area_m2=0.01),
        topology.duplicates(layer),
        topology.gaps(layer, min_area_m2=0.01),
        topology.uncovered(layer, boundary, min_area_m2=0.01),
        topology.outside(layer, boundary, min_area_m2=0.01),
        topology.small_parts(shapes, min_area_m2=10),
        topology.narrow_parts(shapes, min_width_m=1),
        topology.small_rows(shapes, np.full(len(shapes), 200.0)),
        topology.multiparts(shapes),
        topology.holed(shapes),
        topology.short_edges(corners, min_length_m=0.2),
        topology.sharp_angles(corners, min_angle_deg=10),
    ]
    return sum(map(len, found))


def main() -> int:
    """Print both medians and their ratio; exit 1 above the bar."""
    parser = reader(__doc__)
    parser.add_argument("--polygons", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spoilt", type=float, default=0.002)
    options = parser.parse_args()
    shapes, boundary = polygons(options.polygons, options.spoilt)
    alone, checked = [], []
    for _ in range(options.rounds):
        alone.append(seconds(lambda: shapely.coverage_is_valid(shapes)))
        checked.append(seconds(lambda: every_check(shapes, boundary)))
    ratio = statistics.median(checked) / statistics.median(alone)
    print(f"{len(shapes):,} polygons, {len(shapely.get_coordinates(shapes)) / len(shapes):.1f} vertices each")
    print(f"coverage_is_valid alone  {statistics.median(alone):7.2f} s")
    print(
        f"every topology check     {statistics.median(checked):7.2f} s, {every_check(shapes, boundary):,} findings"
    )
    print(f"ratio                    {ratio:7.2f}   (at most {BAR:g})")
    return int(ratio > BAR)


if __name__ == "__main__":
    raise SystemExit(main())
