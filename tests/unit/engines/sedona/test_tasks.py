"""What tasks do with rows, without Spark: they are read, counted, placed, packed and unpacked, and none is lost or comes twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from lowland_gis.engines.sedona import counting, packed, placing, work
from lowland_gis.engines.sedona.polygons import Rows, boxed, together
from lowland_gis.engines.sedona.refusal import RowsRefusedError

CORNER = np.array([500_000.0, 4_300_000.0])


def rows(shapes, names=None, portion=0) -> Rows:
    wkb = pa.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], pa.binary())
    return Rows("a.parquet", portion, pa.array(names or [f"p{n}" for n in range(len(shapes))]), wkb)


def box(x, y, width, height):
    return shapely.box(*CORNER + [x, y], *CORNER + [x + width, y + height])


def test_rows_without_a_polygon_are_left_out_and_others_have_their_boxes():
    multi = shapely.MultiPolygon([box(0, 0, 1, 1), box(5, 5, 1, 2)])
    big_endian = shapely.to_wkb(box(3, 3, 1, 1), byte_order=0)
    wkb = [
        shapely.to_wkb(multi),
        None,
        shapely.to_wkb(shapely.Point(1, 2)),
        shapely.to_wkb(shapely.Polygon()),
        big_endian,
    ]
    some, found = boxed(Rows("a", 0, pa.array(list("abcde")), pa.array(wkb, pa.binary())))
    assert some.name.to_pylist() == ["a", "e"]
    assert (found - np.tile(CORNER, 2)).tolist() == [[0, 0, 6, 7], [3, 3, 4, 4]]
    assert some.wkb[1].as_py() == shapely.to_wkb(box(3, 3, 1, 1), byte_order=1)


def test_what_has_heights_has_the_box_of_its_plan():
    high = shapely.force_3d(box(1, 2, 3, 4), 99.0)
    _, found = boxed(rows([high]))
    assert (found - np.tile(CORNER, 2)).tolist() == [[1, 2, 4, 6]]


@pytest.mark.parametrize("byte_order", [0, 1])
def test_a_vertex_that_is_not_finite_is_refused_with_the_file_and_the_name(byte_order):
    wrong = shapely.Polygon([(0, 0), (1, np.inf), (1, 1)])
    wkb = pa.array(
        [shapely.to_wkb(box(0, 0, 1, 1)), shapely.to_wkb(wrong, byte_order=byte_order)], pa.binary()
    )
    with pytest.raises(RowsRefusedError, match=r"a\.parquet: q has a vertex that is not finite"):
        boxed(Rows("a.parquet", 0, pa.array(["p", "q"]), wkb))


def test_bytes_that_are_no_geometry_are_refused_with_the_file_and_the_name():
    with pytest.raises(RowsRefusedError, match=r"b\.parquet: what p has is no geometry"):
        boxed(Rows("b.parquet", 0, pa.array(["p"]), pa.array([b"\x01\x03\x00\x00\x00\x09"], pa.binary())))


def test_pieces_of_one_portion_come_together_and_those_of_two_do_not():
    some = [rows([box(n, 0, 1, 1)], [f"p{n}"], portion=n // 3) for n in range(5)]
    assert [each.name.to_pylist() for each in together(iter(some))] == [["p0", "p1", "p2"], ["p3", "p4"]]


def test_squares_hold_all_that_was_counted():
    shapes = [box(10, 10, 20, 20), box(30, 15, 10, 10), box(210, 10, 5, 5), box(0, 0, 900, 5)]
    (squares, wide) = counting.parcels_counted(
        iter([rows(shapes)]), side=200.0, wide_m=400.0, kind=pa.string()
    )
    table = squares.to_pydict()
    assert sorted(zip(table["n"], table["odd"], strict=True)) == [(1, 0), (3, 1)]
    assert sum(table["weight"]) == sum(len(shapely.to_wkb(shape)) for shape in shapes)
    whole = table["n"].index(3)
    # The box of the square is that of the parcels that are not wide.
    assert [table[name][whole] for name in ("x0", "y0", "x1", "y1")] == [
        500_010,
        4_300_010,
        500_040,
        4_300_030,
    ]
    assert [wide[name][0].as_py() for name in ("what", "x0", "x1")] == [counting.WIDE, 500_000, 500_900]


def test_classes_of_zones_without_a_polygon_count_too():
    some = rows([box(0, 0, 1, 1), None], ["0601", None])
    counted = list(
        counting.zones_counted(iter([some]), side=200.0, large_bytes=1000, kind=pa.string(), numbered=False)
    )
    assert counted[-1]["name"].to_pylist() == ["0601", None]


def plane(**changed) -> placing.Plane:
    """Return two cells, west and east of x = 200 m, of squares of 200 m."""
    column = int(CORNER[0] // 200)
    row = int(CORNER[1] // 200)
    keys = counting.key_of(np.array([column, column + 1]), np.array([row, row]))
    line = CORNER[0] + 200
    given = {
        "side": 200.0, "wide_m": 400.0, "large_bytes": 10_000, "parcel_key": keys, "parcel_cell": np.array([0, 1]), "zone_key": keys,
        "near_start": np.array([0, 2, 4]), "near_cell": np.array([0, 1, 0, 1]),
        "core": np.array([[-np.inf, -np.inf, line, np.inf], [line, -np.inf, np.inf, np.inf]]),
        "window": np.array([[*CORNER, *CORNER + [210, 100]], [line, CORNER[1], *CORNER + [400, 100]]]),
    }  # fmt: skip
    return placing.Plane(**(given | changed))


def unpacked(batches) -> list[tuple]:
    return [
        (cell, kind, parcel, klass, whole, shapely.from_wkb(wkb).area)
        for batch in packed.unpacked(iter(batches), pa.string())
        for cell, kind, parcel, klass, whole, wkb in zip(*batch.to_pydict().values(), strict=True)
    ]


def test_a_parcel_goes_to_the_cell_of_its_corner_once():
    shapes = [box(190, 0, 20, 20), box(200, 0, 10, 10), box(10, 10, 10, 10)]
    found = unpacked(placing.parcels_placed(iter([rows(shapes)]), plane=plane(), kind=pa.string()))
    assert found == [
        (0, work.PARCEL, "p0", None, None, 400.0), (0, work.PARCEL, "p2", None, None, 100.0), (1, work.PARCEL, "p1", None, None, 100.0),
    ]  # fmt: skip


def test_a_wide_parcel_goes_to_cells_as_pieces_with_the_area_of_the_whole():
    found = unpacked(
        placing.parcels_placed(iter([rows([box(0, 0, 500, 10)])]), plane=plane(), kind=pa.string())
    )
    assert found == [
        (0, work.PARCEL, "p0", None, 5000.0, 2000.0),
        (1, work.PARCEL, "p0", None, 5000.0, 3000.0),
    ]


def test_a_zone_goes_to_each_cell_whose_window_it_meets_and_not_to_others():
    shapes = [box(0, 0, 10, 10), box(195, 0, 10, 10), box(150, 150, 9, 9)]
    codes, numbers = pa.array(["a", "b"]), pa.array([0, 1])
    found = unpacked(
        placing.zones_placed(
            iter([rows(shapes, ["b", "a", "a"])]),
            plane=plane(),
            kind=pa.string(),
            codes=codes,
            numbers=numbers,
        )
    )
    assert found == [
        (0, work.ZONE, None, 1, None, 100.0), (0, work.ZONE, None, 0, None, 100.0), (1, work.ZONE, None, 0, None, 100.0),
    ]  # fmt: skip


def test_a_large_zone_goes_as_what_windows_see_and_an_invalid_one_is_refused_with_its_file():
    star = shapely.Point(*CORNER + 50).buffer(300, quad_segs=500)
    some = rows([star], ["a"])
    codes, numbers = pa.array(["a"]), pa.array([0])
    found = unpacked(
        placing.zones_placed(iter([some]), plane=plane(), kind=pa.string(), codes=codes, numbers=numbers)
    )
    assert [(cell, kind) for cell, kind, *_ in found] == [(0, work.SEEN), (1, work.SEEN)]
    bow_tie = shapely.Polygon([CORNER, CORNER + [9, 9], CORNER + [9, 0], CORNER + [0, 9]])
    with pytest.raises(RowsRefusedError, match=r"a\.parquet: 1 zone is no valid polygon, near 500000\.00"):
        list(
            placing.zones_placed(
                iter([rows([bow_tie], ["a"])]),
                plane=plane(large_bytes=10),
                kind=pa.string(),
                codes=codes,
                numbers=numbers,
            )
        )


def test_packed_values_are_not_heavier_than_is_said_and_keep_their_turn(monkeypatch):
    monkeypatch.setattr(packed, "MOST_BYTES", 250)
    some = rows([box(n, 0, 1, 1) for n in range(10)], portion=3)
    packer = packed.Packer(pa.string())
    values = packer.parcels(some.portion, np.array([1, 0] * 5), some.name, some.wkb)
    assert values["cell"].to_pylist() == [0, 0, 0, 1, 1, 1]
    assert values["turn"].to_pylist() == [(3 << 32) + n for n in range(6)]
    names = [row[2] for row in unpacked([values])]
    assert names == ["p1", "p3", "p5", "p7", "p9", "p0", "p2", "p4", "p6", "p8"]
    again = packer.parcels(some.portion, np.zeros(10, dtype=np.int64), some.name, some.wkb)
    assert again["turn"][0].as_py() == (3 << 32) + 6


def test_nothing_packed_is_nothing():
    packer = packed.Packer(pa.int64())
    assert (
        packer.zones(
            0, np.empty(0, dtype=np.int64), pa.array([], pa.int64()), pa.array([], pa.binary())
        ).num_rows
        == 0
    )
