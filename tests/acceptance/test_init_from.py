"""`lowland init --from`: what a bureau's folder becomes, by the real command line and with real files."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import psycopg
import pyogrio
import pytest

from acceptance.conftest import run_lowland
from lowland_gis import sample
from lowland_gis.settings import load

VERDICTS = "SELECT parcel_id, question, answer, rule, trace FROM result.verdict ORDER BY 1, 2"
# What lowland.toml of the demo says of the project that no file can say: written down in docs/own_district.md.
BY_HAND = {"name", "synthetic"}
# As the fixture `demo` makes it.
PARCELS = 400


@pytest.fixture(scope="module")
def incoming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ten offices' files of the sample district, of the demo's size and seed."""
    folder = tmp_path_factory.mktemp("来件 of offices")
    sample.write_district(folder, parcels=PARCELS, seed=1)
    return folder / "incoming"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def init(home: Path, *arguments: str):
    return run_lowland("init", str(home), "--as-of", "2023-12-31", *arguments, dsn="")


def project(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    return load(home / "lowland.toml")


def test_the_demos_own_files_make_a_project_with_the_demos_verdicts(
    demo, incoming, tmp_path, new_database, monkeypatch
):
    before = digests(incoming)
    home = tmp_path / "试点 p"
    done = init(home, "--from", str(incoming))
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(incoming) == before
    assert "db up" in done.stdout
    assert not (home / "mappings").exists()
    ours, theirs = project(home, monkeypatch), load(demo.folder / "lowland.toml")
    changed = BY_HAND | {"delivery"}
    assert ours.project.model_dump(exclude=BY_HAND) == theirs.project.model_dump(exclude=BY_HAND)
    assert ours.model_dump(exclude={"folder", "dsn", "project", *changed}) == theirs.model_dump(
        exclude={"folder", "dsn", "project", *changed}
    )
    layers = [sorted((one.layer, one.part or "") for one in two.delivery) for two in (ours, theirs)]
    assert layers[0] == layers[1]
    with new_database() as dsn:
        ran = run_lowland("--project", str(home / "lowland.toml"), "run", "--to", "classify", dsn=dsn)
        assert ran.returncode in (0, 1), ran.stderr
        with psycopg.connect(dsn) as connection:
            verdicts = connection.execute(VERDICTS).fetchall()
    assert verdicts == demo.rows(VERDICTS)
    assert len(verdicts) > PARCELS


def other_district(incoming: Path, folder: Path, code: str) -> None:
    """Write the parcels again with the codes of another district."""
    parcels = pyogrio.read_dataframe(incoming / "不动产登记中心" / "宗地.shp", encoding="gb18030")
    parcels["ZDDM"] = code + parcels["ZDDM"].str[6:]
    folder.mkdir(parents=True)
    pyogrio.write_dataframe(parcels, folder / "宗地.gpkg")


def test_files_of_two_districts_are_told_apart(incoming, tmp_path, monkeypatch):
    folder = tmp_path / "收件"
    shutil.copytree(incoming, folder)
    other_district(incoming, folder / "武清", "120114")
    done = init(tmp_path / "p", "--from", str(folder))
    assert done.returncode == 3
    assert "2 districts" in done.stderr
    assert "120114: 武清/宗地.gpkg" in done.stderr
    assert re.search(r"120113 北辰区: [^;]*不动产登记中心/宗地\.shp", done.stderr)
    assert not (tmp_path / "p").exists()
    done = init(tmp_path / "p", "--from", str(folder), "--code", "120113")
    assert done.returncode == 1
    text = (tmp_path / "p" / "lowland.toml").read_text(encoding="utf-8")
    assert '# source = "../收件/武清/宗地.gpkg"' in text
    assert "another district (120114)" in done.stdout
    kept = project(tmp_path / "p", monkeypatch).delivery
    assert [one.source for one in kept if one.layer == "parcel"] == ["../收件/不动产登记中心/宗地.shp"]


def test_a_folder_of_one_district_is_not_taken_for_another_silently(incoming, tmp_path):
    done = init(tmp_path / "p", "--from", str(incoming), "--code", "120114", "--name", "武清区")
    assert done.returncode == 1
    assert "begin with 120113, not with 120114" in done.stdout


def test_editions_copies_strange_files_and_missing_parts_are_said(incoming, tmp_path, monkeypatch):
    folder = tmp_path / "收件"
    (folder / "2019").mkdir(parents=True)
    office = incoming / "不动产登记中心"
    for part in office.iterdir():
        if part.suffix != ".prj":
            shutil.copy(part, folder / part.name)
    parcels = pyogrio.read_dataframe(office / "宗地.shp", encoding="gb18030")
    pyogrio.write_dataframe(parcels[:300], folder / "2019" / "宗地2019.gpkg")
    shutil.copytree(incoming / "民政局", folder / "民政局")
    shutil.copy(incoming / "民政局" / "行政区.gpkg", folder / "行政区 副本.gpkg")
    with zipfile.ZipFile(folder / "两层.zip", "w") as packed:
        for name in ("控规用地", "供地合同"):
            for part in (incoming / "规资分局").glob(f"{name}.*"):
                packed.write(part, part.name)
    (folder / "图.dwg").write_bytes(b"AC1027")
    (folder / "坏.gpkg").write_bytes(b"no database")
    (folder / "空.shx").write_bytes(b"")
    (folder / "表.xlsm").write_bytes(b"")
    (folder / "零.xls").write_bytes(b"")
    pyogrio.write_dataframe(parcels[["geometry"]].assign(colour="red"), folder / "杂.gpkg")
    done = init(tmp_path / "p", "--from", str(folder), "--crs", "EPSG:4548")
    assert done.returncode == 1, done.stderr
    kept = {one.layer: one for one in project(tmp_path / "p", monkeypatch).delivery}
    assert kept["parcel"].source == "../收件/2019/宗地2019.gpkg"
    assert kept["plan_parcel"].source == "../收件/两层.zip:控规用地"
    assert kept["supply"].source == "../收件/两层.zip:供地合同"
    assert "lies over the land of" in done.stdout
    assert "has the same records as" in done.stdout
    for shown, why in {
        "图.dwg": "a drawing",
        "坏.gpkg": "not what the name",
        "空.shx": "whose .shp is not there",
        "表.xlsm": "save it as .xlsx",
        "零.xls": "it is empty",
        "杂.gpkg": "colour",
    }.items():
        assert re.search(rf"{shown} *│ [^│]*{why}", done.stdout), shown


def test_a_file_without_a_system_gets_one_that_is_marked_as_a_guess(incoming, tmp_path, monkeypatch):
    folder = tmp_path / "收件"
    shutil.copytree(incoming / "不动产登记中心", folder)
    (folder / "宗地.prj").unlink()
    done = init(tmp_path / "p", "--from", str(folder), "--name", "北辰区")
    assert done.returncode == 2
    assert "--crs" in done.stderr
    done = init(tmp_path / "p", "--from", str(folder), "--name", "北辰区", "--crs", "EPSG:4548")
    assert done.returncode == 1
    assert "the datum is never visible" in done.stdout
    assert project(tmp_path / "p", monkeypatch).delivery[0].src_crs == "EPSG:4548"


def test_other_headings_get_a_mapping_with_the_fields_to_name(incoming, tmp_path, monkeypatch):
    folder = tmp_path / "收件"
    folder.mkdir()
    parcels = pyogrio.read_dataframe(incoming / "不动产登记中心" / "宗地.shp", encoding="gb18030")
    named = parcels.rename(columns={"ZDDM": "宗地代码", "ZL": "ADDRESS"})
    pyogrio.write_dataframe(named, folder / "宗地.gpkg")
    pyogrio.write_dataframe(
        named[["geometry"]].assign(CODE=parcels["ZDDM"], OWNER="甲"), folder / "parcels_old.gpkg"
    )
    (folder / "parcels_old.gpkg").rename(tmp_path / "parcels.gpkg")
    done = init(tmp_path / "p", "--from", str(folder), "--name", "北辰区")
    assert done.returncode == 1, done.stderr
    assert "宗地代码 is taken for ZDDM" in done.stdout
    mapping = (tmp_path / "p" / "mappings" / "parcel.toml").read_text(encoding="utf-8")
    assert '"宗地代码" = "ZDDM"  # proposed: title' in mapping
    assert project(tmp_path / "p", monkeypatch).delivery[0].mapping == "mappings/parcel.toml"
    shutil.rmtree(folder)
    folder.mkdir()
    (tmp_path / "parcels.gpkg").rename(folder / "parcels.gpkg")
    done = init(tmp_path / "q", "--from", str(folder), "--name", "北辰区", "--code", "120113")
    assert "name its ZDDM 宗地代码 in mappings/parcel.toml" in done.stdout
    mapping = (tmp_path / "q" / "mappings" / "parcel.toml").read_text(encoding="utf-8")
    assert '# "CODE" = ""' in mapping
    again = init(tmp_path / "q", "--from", str(folder), "--name", "北辰区", "--code", "120113")
    assert again.returncode == 2


def test_an_empty_folder_and_an_own_name_for_the_district(tmp_path):
    (tmp_path / "空").mkdir()
    done = init(tmp_path / "p", "--from", str(tmp_path / "空"))
    assert done.returncode == 2
    assert "no data that are read" in done.stderr
