"""Areas on the ellipsoid, computed by tasks: right on polygons of which `ST_AreaSpheroid` of Sedona 1.8.0 says what is not so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyproj
import pytest
import shapely

from lowland_gis import area
from lowland_gis.engines.sedona.session import Place, session

pytestmark = pytest.mark.sedona

# GRS 80 is the ellipsoid of CGCS2000 (1/f = 298.257222101).
ELLIPSOID = pyproj.Geod(ellps="GRS80")
DEGREES = pyproj.Transformer.from_crs(4548, 4490, always_xy=True)
CORNER = (515_000, 4_345_000)


def comb(teeth: int) -> shapely.Polygon:
    points = [(0.0, 0.0)]
    for n in range(teeth):
        points += [(900 * n / teeth, 900.0), (900 * (n + 0.5) / teeth, 9.0)]
    return shapely.Polygon([*points, (900.0, 0.0)])


def star() -> shapely.Polygon:
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    reach = 450 * np.tile([1.0, 0.2], 100)
    return shapely.Polygon(np.stack([450 + reach * np.cos(turn), 450 + reach * np.sin(turn)], axis=1))


WHOLE = shapely.box(0, 0, 900, 900)
SHAPES = {
    "two holes": WHOLE.difference(shapely.box(90, 90, 360, 360)).difference(shapely.box(540, 540, 810, 810)),
    "nine holes": WHOLE.difference(
        shapely.union_all([shapely.box(x, y, x + 99, y + 99) for x in (90, 390, 690) for y in (90, 390, 690)])
    ),
    "a comb": comb(50),
    "a star": star(),
    "two parts, one with a hole": shapely.MultiPolygon(
        [
            shapely.box(0, 0, 360, 360),
            shapely.box(450, 450, 900, 900).difference(shapely.box(540, 540, 810, 810)),
        ]
    ),
}


def turned(shape: shapely.Geometry) -> Iterator[shapely.Geometry]:
    """Yield the shape with its rings as the overlay left them, with holes against the shell, and with holes along it."""
    yield shape
    yield shapely.orient_polygons(shape)
    parts = shapely.get_parts(shapely.orient_polygons(shape))
    along = [shapely.Polygon(part.exterior, [ring.coords[::-1] for ring in part.interiors]) for part in parts]
    yield along[0] if len(along) == 1 else shapely.MultiPolygon(along)


def on_the_ellipsoid(shape: shapely.Geometry) -> float:
    """Return the area between geodesics a metre long, ring by ring: holes are taken away whichever way they run."""
    total = 0.0
    for part in shapely.get_parts(shapely.segmentize(shape, 1.0)):
        shell, *holes = (
            abs(ELLIPSOID.polygon_area_perimeter(*DEGREES.transform(*np.asarray(ring.coords).T))[0])
            for ring in (part.exterior, *part.interiors)
        )
        total += shell - sum(holes)
    return total


@pytest.fixture(scope="module")
def by_tasks() -> dict[tuple[str, int], float]:
    """The areas of all shapes in all turns, each computed by a task from the bytes that a layer has."""
    rows = [
        (name, number, bytes(shapely.to_wkb(shapely.affinity.translate(shape, *CORNER))))
        for name, whole in SHAPES.items()
        for number, shape in enumerate(turned(whole))
    ]

    def areas(batches):
        import pyarrow as pa

        for batch in batches:
            shapes = shapely.from_wkb(batch["wkb"].to_numpy(zero_copy_only=False))
            found = [area(shape, src_crs="EPSG:4548") for shape in shapes]
            yield pa.RecordBatch.from_arrays(
                [batch["name"], batch["number"], pa.array(found, pa.float64())], ["name", "number", "area_m2"]
            )

    table = session(Place("local[1,4]")).createDataFrame(rows, "name string, number int, wkb binary")
    found = table.mapInArrow(areas, "name string, number int, area_m2 double").collect()
    assert len(found) == len(rows)
    return {(row.name, row.number): row.area_m2 for row in found}


@pytest.mark.parametrize("name", SHAPES)
def test_holes_parts_and_teeth_count_for_what_they_are_whichever_way_their_rings_run(name, by_tasks):
    for number, shape in enumerate(turned(SHAPES[name])):
        right = on_the_ellipsoid(shapely.affinity.translate(shape, *CORNER))
        # The formula rounds vertices to 1e-6 arc-second, 0.03 mm, which moves long edges.
        assert by_tasks[name, number] == pytest.approx(right, rel=1e-6), number
