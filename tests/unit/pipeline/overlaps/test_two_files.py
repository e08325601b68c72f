"""Two plain files are read, put in order and tabulated beside each other: the same rows come, whatever is done at the same time."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.engines import local, spool
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.overlaps.two_files import tabulate_files
from made_files import box
from odd_shapes import head, points, several, write_odd
from scattered import field

BOWTIE = shapely.Polygon([(10, 10), (30, 30), (30, 10), (10, 30), (10, 10)])
FIELDS = {"id_field": "ZDDM", "by_field": "DLBM"}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A hundred parcels whose names are in no order, and zones, in row groups of 17; one of each is invalid and one missing."""
    parcels, zones = field(100, 100, 1), field(80, 80, 2)
    parcels[40], parcels[41], zones[20], zones[21] = BOWTIE, None, BOWTIE, None
    names = [f"P{number:03}" for number in np.random.default_rng(3).permutation(len(parcels))]
    codes = [None, *(f"0{n % 3}01" for n in range(1, len(zones)))]
    gpd.GeoDataFrame({"ZDDM": names}, geometry=parcels, crs=4548).to_parquet(
        tmp_path / "parcels.parquet", row_group_size=17
    )
    gpd.GeoDataFrame({"DLBM": codes}, geometry=zones, crs=4548).to_parquet(
        tmp_path / "zones.parquet", row_group_size=17
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tabulated(*files: str, **named) -> tuple[list, pa.Table, pa.Table, list[str]]:
    said: list[str] = []
    parts = list(tabulate_files(*files, **(FIELDS | named), cover=True, tell=said.append))
    whole = [
        pa.concat_tables(tables).unify_dictionaries()
        for tables in zip(*((p.overlaps, p.cover) for p in parts), strict=True)
    ]
    return parts, *whole, said


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kept_bytes", [spool.KEPT_BYTES, 4_000])
@pytest.mark.parametrize("zones", ["zones.parquet", "zones.gpkg"])
def test_the_rows_are_the_same_whatever_is_done_at_once(files, monkeypatch, threads, kept_bytes, zones):
    gpd.read_parquet("zones.parquet").to_file("zones.gpkg")
    _, overlaps, cover, said = tabulated("parcels.parquet", "zones.parquet")
    monkeypatch.setattr(tabulate, "CHUNK", 4)
    monkeypatch.setattr(local, "PART_PARCELS", 8)
    monkeypatch.setattr(local, "STRIP_PARCELS", 13)
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (kept_bytes,))
    parts, other, other_cover, told = tabulated("parcels.parquet", zones, threads=threads)
    assert len(parts) == (13 if kept_bytes == spool.KEPT_BYTES else 1)
    assert other.to_pylist() == overlaps.to_pylist() != []
    # A parcel without a shape has no area, and that is not equal to itself.
    assert repr(other_cover.to_pylist()) == repr(cover.to_pylist())
    assert told == [words.replace("zones.parquet", zones) for words in said]
    assert [words.split(" × ")[0] for words in said if " × " in words] == [
        *["parcels.parquet: 1"] * 2,
        *["zones.parquet: 1"] * 2,
    ]


def test_rows_are_sorted_by_names_and_codes_and_the_cover_has_every_parcel(files):
    _, overlaps, cover, _ = tabulated("parcels.parquet", "zones.parquet")
    keys = list(zip(overlaps["parcel_id"].to_pylist(), overlaps["code"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    assert cover["parcel_id"].to_pylist() == [f"P{number:03}" for number in range(100)]


def test_a_vertex_that_cannot_be_moved_spoils_nothing_in_another_thread(tmp_path, monkeypatch):
    """The zones come from a neighbouring plane; one vertex of each row group lies where that plane has no place."""
    monkeypatch.chdir(tmp_path)
    shapes = [box(n % 20 * 400, n // 20 * 400, 390).segmentize(0.5) for n in range(120)]
    gpd.GeoDataFrame({"ZDDM": range(120)}, geometry=shapes, crs=4548).to_parquet("parcels.parquet")
    zones = gpd.GeoSeries(shapes, crs=4548).to_crs(4547)
    far = [*shapely.get_coordinates(zones[0])[:3], (3e7, 4_400_000.0)]
    rows = [shapely.Polygon(far) if n % 10 == 0 else zone for n, zone in enumerate(zones)]
    gpd.GeoDataFrame({"DLBM": ["a"] * 120}, geometry=rows, crs=4547).to_parquet(
        "zones.parquet", row_group_size=10
    )
    _, one, _, said = tabulated("parcels.parquet", "zones.parquet")
    for _ in range(3):
        _, two, _, told = tabulated("parcels.parquet", "zones.parquet", threads=2)
        assert (two.to_pylist(), told) == (one.to_pylist(), said)


@pytest.mark.parametrize("threads", [1, 2])
def test_no_parcels_give_a_table_without_rows(files, threads):
    pq.write_table(pq.read_table("parcels.parquet").slice(0, 0), "none.parquet")
    parts, overlaps, cover, _ = tabulated("none.parquet", "zones.parquet", threads=threads)
    assert (len(parts), overlaps.num_rows, cover.num_rows) == (1, 0, 0)
    assert overlaps.column_names == ["parcel_id", "code", "area_m2", "share"]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("names", [["b", "a", "b"], [None, "a", None], [2, 1, 2], [1.5, 2.5, 1.5]])
def test_a_name_that_stands_twice_is_refused(files, names, threads):
    said = "2 parcels have no ZDDM" if None in names else "1 values of ZDDM stand for several parcels"
    shapes = [box(n * 100, 0, 50) for n in range(3)]
    gpd.GeoDataFrame({"ZDDM": names}, geometry=shapes, crs=4548).to_parquet("twice.parquet")
    with pytest.raises(InputRefusedError, match=said):
        tabulated("twice.parquet", "zones.parquet", threads=threads)


def test_progress_counts_rows_that_are_read_and_then_parcels(files, monkeypatch):
    monkeypatch.setattr(tabulate, "CHUNK", 30)
    seen: list[tuple[int, int | None]] = []
    list(tabulate_files("parcels.parquet", "zones.parquet", **FIELDS, watch=lambda *told: seen.append(told)))
    assert [told for told in seen if told[1] is None][-1] == (180, None)
    assert [told for told in seen if told[1]] == [(30, 100), (60, 100), (90, 100), (100, 100)]


def test_neighbours_along_an_arc_cover_each_other_nowhere_and_leave_nothing(tmp_path):
    """Left and right of an arc through (50, 0), (60, 50), (50, 100): what lies beside its chord follows from r = 130 and sin a = 50 / 130."""
    arc = [(50, 0), (60, 50), (50, 100)]
    half = [[(50, 100), (0, 100), (0, 0), (50, 0)], [(50, 0), (100, 0), (100, 100), (50, 100)]]

    def side(way, back):
        curve = several(head(8) + points(way), head(2) + points(back), kind=9)
        return several(curve, kind=10)

    left, right = side(arc, half[0]), side(arc[::-1], half[1])
    write_odd(tmp_path / "parcels.parquet", [left, right], ZDDM=["L", "R"])
    write_odd(tmp_path / "zones.parquet", [right, left], DLBM=["right", "left"])
    _, overlaps, cover, _ = tabulated(str(tmp_path / "parcels.parquet"), str(tmp_path / "zones.parquet"))
    beside = 130**2 * np.arcsin(50 / 130) - 50 * 120
    assert list(zip(overlaps["parcel_id"].to_pylist(), overlaps["code"].to_pylist(), strict=True)) == [
        ("L", "left"),
        ("R", "right"),
    ]
    assert overlaps["area_m2"].to_pylist() == pytest.approx([5_000 + beside, 5_000 - beside], abs=1e-3)
    assert np.abs([cover["rest_m2"].to_numpy(), cover["excess_m2"].to_numpy()]).max() < 1e-6
