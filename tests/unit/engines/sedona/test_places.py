"""Files of this machine and of an object store are listed and opened alike; what cannot be read is refused by name."""

from __future__ import annotations

import geopandas as gpd
import pyarrow as pa
import pytest
import shapely

from lowland_gis.engines.sedona import geoparquet, places
from lowland_gis.errors import InputRefusedError, UsageError
from store import store


@pytest.fixture
def root(tmp_path):
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b"]}, geometry=[shapely.box(500_000, 4_300_000, 500_100, 4_300_100)] * 2, crs=4548
    )
    (tmp_path / "land" / "parcels" / "town=1").mkdir(parents=True)
    for name in ("a.parquet", "town=1/b.parquet", "_part.parquet", "notes.txt"):
        frame.to_parquet(tmp_path / "land" / "parcels" / name)
    return tmp_path


@pytest.mark.parametrize("start", ["", "file://", "s3://", "s3a://"])
def test_a_folder_is_listed_and_read_wherever_it_lies(root, start):
    with store(root) as options:
        place = (
            f"{start}{root}/land/parcels" if "s3" not in start else f"{start}anonymous@land/parcels?{options}"
        )
        folder = geoparquet.folder(place, "id")
        assert [file.partition("?")[0].rpartition("parcels/")[2] for file in folder.files] == [
            "a.parquet",
            "town=1/b.parquet",
        ]
        batch = pa.RecordBatch.from_pydict({"id": [1, 0]})
        read = list(
            geoparquet.read(
                batch,
                shapes=True,
                portions=folder.portions,
                geometry="geometry",
                field="id",
                kind=folder.kind,
            )
        )
    assert [(rows.where, rows.portion) for rows in read] == [(folder.files[1], 1), (folder.files[0], 0)]
    assert [rows.name.to_pylist() for rows in read] == [["a", "b"]] * 2
    assert shapely.from_wkb(read[0].wkb[0].as_py()).area == 10_000


def test_a_store_that_does_not_answer_and_a_folder_that_is_not_there_are_named(root):
    with (
        store(root) as options,
        pytest.raises(InputRefusedError, match="s3://anonymous@land/nothing.*: there is no such folder"),
    ):
        places.listed(f"s3://anonymous@land/nothing?{options}")
    nobody = "s3://anonymous@land/parcels?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1"
    with pytest.raises(InputRefusedError, match="cannot be listed .*AWS_ENDPOINT_URL"):
        places.listed(nobody)


def test_a_key_in_a_uri_is_refused_and_not_repeated():
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as refused:
        places.listed("s3://me:hidden@land/parcels")
    assert "hidden" not in str(refused.value)


def test_a_store_that_tasks_cannot_read_is_refused_by_name():
    with pytest.raises(UsageError, match="hdfs://a/parcels: tasks cannot read hdfs://"):
        places.listed("hdfs://a/parcels")


def test_row_groups_are_read_a_bearable_number_at_a_time(tmp_path):
    shapes = [shapely.Point(500_000 + n, 4_300_000).buffer(5, quad_segs=400) for n in range(900)]
    gpd.GeoDataFrame({"id": range(900)}, geometry=shapes, crs=4548).to_parquet(
        tmp_path / "a.parquet", row_group_size=300
    )
    (portion,) = geoparquet.folder(tmp_path, "id").portions
    assert portion.groups == (0, 1, 2)
    # 26 kB a polygon, however well they are compressed: not more than 8 MB at a time.
    assert 100 < portion.batch_rows < 400


def test_a_field_of_two_types_is_refused(root):
    file = root / "land" / "parcels" / "a.parquet"
    frame = gpd.read_parquet(file)
    frame.assign(id=[1, 2]).to_parquet(file)
    with pytest.raises(InputRefusedError, match=r"b\.parquet: id is string, in .*a\.parquet it is int64"):
        geoparquet.folder(root / "land" / "parcels", "id")
