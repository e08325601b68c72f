"""What is begun with before the libraries are there is what is asked for later, and nothing of it outlives the block."""

import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from lowland_gis.pipeline.intake.delivery import begun
from lowland_gis.pipeline.threads.ahead import ahead


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    frame = gpd.GeoDataFrame(
        {"ZDDM": [f"甲{number:02d}" for number in range(5)]},
        geometry=[shapely.box(number, 0, number + 1, 1) for number in range(5)],
        crs="EPSG:4548",
    )
    path = tmp_path / "宗地.shp"
    frame.to_file(path, encoding="GBK")
    return path


def test_digest_and_batches_are_those_of_the_file(shapefile):
    with begun(str(shapefile), Path.cwd(), None) as arriving:
        arrived = arriving.received()
        rows = [row for batch in arrived.batches for row in batch.attributes.to_pylist()]
        digest = arriving.digest()
    with opened(str(shapefile), Path.cwd()) as source:
        assert digest == source.sha256
        assert [row["ZDDM"] for row in rows] == list(read(source).attributes["ZDDM"])
    assert arrived.encoding.name == "gb18030"


def test_a_fault_waits_until_it_is_asked_for(shapefile):
    shapefile.with_suffix(".shp").write_bytes(shapefile.read_bytes()[:-40])
    with begun(str(shapefile), Path.cwd(), None) as arriving:
        assert len(arriving.digest()) == 64
        with pytest.raises(InputRefusedError, match="cut off"):
            arriving.received()


def test_leaving_early_leaves_nothing_behind(shapefile, tmp_path):
    packed = tmp_path / "宗地.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in shapefile.parent.glob("宗地.*"):
            if part != packed:
                archive.write(part, part.name)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), begun(str(packed), Path.cwd(), None) as arriving:
        unpacked = arriving.source.path
        assert unpacked.is_file()
        raise KeyboardInterrupt
    assert not unpacked.exists()
    assert threading.active_count() == before


def test_leaving_while_the_first_read_begins_closes_the_file_after_it(shapefile, monkeypatch):
    """The thread has the file open and goes on to read when its owner leaves: what is read must still be there."""
    opened_file, leaving = threading.Event(), threading.Event()
    happened: list[str] = []
    nothing = Received(
        ("ZDDM",),
        has_geometry=False,
        declared_crs=None,
        encoding=None,
        layer=None,
        n_rows=None,
        batches=iter(()),
    )

    @contextmanager
    def received(source, encoding, consents):
        def batches():
            happened.append("read")
            yield Batch.empty(("ZDDM",), has_geometry=False)

        yield replace(nothing, batches=batches())
        happened.append("closed")

    def slowly_ahead(items, depth):
        opened_file.set()
        leaving.wait(timeout=20)
        time.sleep(0.2)
        return ahead(items, depth)

    monkeypatch.setattr("lowland_gis.files.read.received", received)
    monkeypatch.setattr("lowland_gis.pipeline.intake.delivery.ahead", slowly_ahead)
    with begun(str(shapefile), Path.cwd(), None):
        assert opened_file.wait(timeout=20)
        leaving.set()
    assert happened == ["read", "closed"]
