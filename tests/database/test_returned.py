"""Deliveries are marked, and what is wrong goes back to the supplier under his own headings, row by row."""

import json
import subprocess
import unicodedata

import geopandas as gpd
import openpyxl
import pyogrio
import pytest

from lowland_gis.cli import main
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box

N = 40
MAPPING = """supplier = "示例咨询"
layer = "approval"
[rename]
"批准文号" = "PZWH"
"批准用途" = "YT"
"批准面积" = "DKMJ"
"""


@pytest.fixture
def lowland(project, capsys):
    """Run a command on the project and return its exit code and what it said."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(project.settings.folder / "lowland.toml"), *map(str, arguments)])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture
def supplied(project, tmp_path):
    """Forty approvals of 100 m² under a supplier's own headings: one of another stated area, two that lie on one another."""
    shapes = [box(50 * number, 0, 10, 10) for number in range(N)]
    shapes[20] = box(50 * 19 + 5, 0, 10, 10)
    areas = [100.0] * N
    areas[7] = 250.0
    rows = gpd.GeoDataFrame(
        {"批准文号": [f"文{number}" for number in range(N)], "批准用途": ["工业用地"] * N, "批准面积": areas},
        geometry=shapes,
        crs=4548,
    )
    rows.to_file(tmp_path / "顾问.gpkg")
    (tmp_path / "顾问.toml").write_text(MAPPING, encoding="utf-8")
    ingest(project, DeliverySettings(layer="approval", source="顾问.gpkg", mapping="顾问.toml"))
    return project


def test_a_report_names_rows_and_fields_as_the_supplier_does(supplied, lowland, tmp_path):
    code, out, _ = lowland("check", "--mark", "--json", "--report", tmp_path / "退回.xlsx")
    assert code == 1
    (line,) = json.loads(out)
    # One area in forty (class B, 12 points, half of the share that takes all), one overlap in forty (class D, 1 point, half).
    assert (line["supplier"], line["records"], line["faults"], line["mark"]) == (
        "示例咨询",
        40,
        2,
        100 - 6 - 0.5,
    )
    assert line["grade"] == "优"
    book = openpyxl.load_workbook(tmp_path / "退回.xlsx")
    assert [row[1:8] for row in book["得分"].iter_rows(min_row=4, values_only=True)] == [
        ("顾问.gpkg", "示例咨询", 40, 0, 2, 93.5, "优")
    ]
    overlap, area = list(book["检查结果"].iter_rows(min_row=4, values_only=True))
    assert overlap[:7] == (
        "overlap_papers", "D", "审批、供地、房屋图形重叠", "顾问.gpkg", "顾问", 20, "文19、文20",
    )  # fmt: skip
    assert area[5:9] == (8, "文7", "批准面积", "250")
    assert area[9].startswith("批准面积 is 250 m², the geometry has")


def test_a_document_opens_in_libreoffice_with_the_same_words(supplied, lowland, tmp_path):
    code, _, err = lowland("check", "--mark", "--report", tmp_path / "退回.docx")
    assert code == 1, err
    first = (tmp_path / "退回.docx").read_bytes()
    lowland("check", "--mark", "--report", tmp_path / "退回.docx")
    assert (tmp_path / "退回.docx").read_bytes() == first, "the same again is the same bytes"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf", "--outdir",
         str(tmp_path), str(tmp_path / "退回.docx")],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    read = subprocess.run(["pdftotext", "-raw", tmp_path / "退回.pdf", "-"], check=True, capture_output=True)
    # A cell may be too narrow for its text in one line.
    text = "".join(unicodedata.normalize("NFKC", read.stdout.decode()).split())
    for words in ("数据质量检查退回单", "示例咨询", "93.5", "批准面积", "文7", "250", "示例"):
        assert words in text


def test_places_open_in_other_software_on_the_plane_of_the_project(supplied, lowland, tmp_path):
    lowland("check", "--mark", "--gpkg", tmp_path / "退回.gpkg")
    faults = pyogrio.read_dataframe(tmp_path / "退回.gpkg")
    assert faults.crs.to_epsg() == 4548
    assert list(faults["row"]) == [20, 8]
    wrong = box(50 * 7, 0, 10, 10)
    assert faults.geometry[1].within(wrong)


def test_what_is_not_in_order_is_refused_before_a_check_runs(supplied, lowland, tmp_path):
    taken = tmp_path / "别人.xlsx"
    taken.write_bytes(b"of somebody else")
    for options, words in (
        (("--report", "退回.xlsx"), "Type: --mark"),
        (("--mark", "--report", tmp_path / "退回.pdf"), ".xlsx, .docx, .csv"),
        (("--mark", "--gpkg", tmp_path / "退回.shp"), ".gpkg"),
        (("--mark", "--report", taken), "别人.xlsx"),
    ):
        code, out, err = lowland("check", *options)
        assert (code, out) == (2, ""), err
        assert words in err
    assert taken.read_bytes() == b"of somebody else"
    assert lowland("check", "show", "overlap_papers")[0] == 2, "no check has run"
    code, _, err = lowland("check", "--mark", "--layer", "approvals")
    assert code == 2
    assert "There is no layer approvals" in err
    assert lowland("check", "--mark", "--layer", "parcel")[0] == 2


def test_a_record_that_was_set_aside_and_a_delivery_without_faults(supplied, lowland, tmp_path):
    shapes = [box(50 * number, 500, 10, 10) for number in range(4)]
    rows = gpd.GeoDataFrame(
        {"XZQDM": ["120113101"] * 4, "XZQMC": ["甲镇"] * 4}, geometry=[*shapes[:3], None], crs=4548
    )
    rows.to_file(tmp_path / "镇.gpkg")
    ingest(supplied, DeliverySettings(layer="town", source="镇.gpkg"))
    _, out, _ = lowland("check", "--mark", "--json", "--layer", "town")
    (line,) = json.loads(out)
    assert (line["set_aside"], line["records"]) == (1, 4)
    assert line["mark"] < 100
    lowland("check", "--mark", "--layer", "town", "--report", tmp_path / "镇.csv")
    lines = (tmp_path / "镇.csv").read_text(encoding="utf-8-sig").splitlines()
    aside = [one for one in lines if ":rejected" in one]
    assert len(aside) == 1
    assert ",4," in aside[0]
