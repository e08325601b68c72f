"""The demo makes its district in a folder of its own: what offices sent is never taken for it."""

import json

import pytest

from lowland_gis.errors import UsageError
from lowland_gis.pipeline import demo
from lowland_gis.sample import write_district
from lowland_gis.sample.district import INCOMING, NOTICE, NOTICE_FILE


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}  # fmt: skip


@pytest.mark.parametrize("mark", [None, '{"parcels": 300}', "no mark", "[]", '{"unfinished": true}'])
def test_a_project_of_people_is_left_as_it_is(tmp_path, mark):
    """A project is what the demo's own folder looks like, but for the mark."""
    (tmp_path / "incoming" / "规资分局").mkdir(parents=True)
    (tmp_path / "incoming" / "规资分局" / "三调.gpkg").write_bytes(b"of an office")
    for name in ("lowland.toml", "truth.csv", "spoilt.csv"):
        (tmp_path / name).write_text(f"of people: {name}", encoding="utf-8")
    if mark is not None:
        (tmp_path / demo.MARK).write_text(mark, encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="Name another folder"):
        demo.prepare(tmp_path, parcels=200, seed=1)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["incoming", "truth.csv", "spoilt.csv"])
def test_a_district_is_not_written_over_files_of_its_names(tmp_path, name):
    if name == INCOMING:
        (tmp_path / name).mkdir()
        (tmp_path / name / NOTICE_FILE).write_text("另一个说明", encoding="utf-8")
    else:
        (tmp_path / name).write_text("of people", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=f"{name} are there and not the sample's"):
        write_district(tmp_path, parcels=200)
    assert contents(tmp_path) == before


def test_a_district_written_again_leaves_what_somebody_laid_beside_it(tmp_path):
    folder = tmp_path / INCOMING
    (folder / "不动产登记中心").mkdir(parents=True)
    (folder / NOTICE_FILE).write_text(NOTICE, encoding="utf-8")
    beside = folder / "不动产登记中心" / "宗地.docx"
    beside.write_bytes(b"of people")
    write_district(tmp_path, parcels=200)
    once = contents(tmp_path)
    write_district(tmp_path, parcels=200)
    # A GeoPackage holds the time at which it was made.
    sizes = [{name: len(content) for name, content in made.items()} for made in (once, contents(tmp_path))]
    assert sizes[0] == sizes[1]
    assert beside.read_bytes() == b"of people"


def test_a_demo_that_was_left_half_way_is_made_again(tmp_path, monkeypatch):
    class Stopped(Exception):  # noqa: N818
        pass

    def stopped(*_, **__):
        raise Stopped

    monkeypatch.setattr(demo.sample, "write_district", stopped)
    for _ in range(2):
        with pytest.raises(Stopped):
            demo.prepare(tmp_path / "d", parcels=200, seed=1)
    assert json.loads((tmp_path / "d" / demo.MARK).read_text())["unfinished"]
    with pytest.raises(UsageError, match="other settings"):
        demo.prepare(tmp_path / "d", parcels=201, seed=1)


def test_a_size_that_no_district_has_leaves_no_folder(tmp_path):
    with pytest.raises(UsageError, match="--parcels"):
        demo.prepare(tmp_path / "d", parcels=3, seed=1)
    assert not (tmp_path / "d").exists()
