"""What `check` and `check show` say before a run, without layers, and of fields that a delivery does not have at all."""

import json

import pytest

from lowland_gis.cli import main
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.quality.findings import listed_findings
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

CODES = [f"120113100001GB{number:05d}" for number in range(1, 61)]


@pytest.fixture
def lowland(project, capsys):
    """Run a command on the project and return its exit code and what it said."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(project.settings.folder / "lowland.toml"), *arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def deliver(project, tmp_path, name="宗地.shp", **columns):
    shapes = {code: box(200 * number, 0) for number, code in enumerate(CODES)}
    columns = {"ZDMJ": [10_000.0] * len(shapes), **columns}
    return ingest(
        project,
        DeliverySettings(layer="parcel", source=str(write_parcels(tmp_path / name, shapes, **columns))),
    )


def test_what_was_never_checked_is_not_free_of_findings(project, tmp_path, lowland):
    code, out, err = lowland("check", "show", "overlap")
    assert (code, out) == (2, "")
    assert "parcel 宗地" in err
    assert "of which nothing was delivered" in err
    deliver(project, tmp_path)
    for more in ((), ("--all",), ("--json",), ("-o", str(tmp_path / "found.csv"))):
        code, out, err = lowland("check", "show", "overlap", *more)
        assert (code, out) == (2, ""), more
        assert err == (
            "Error: The check overlap 图形重叠 was not run yet on parcel 宗地, so nothing is known of them. Type: lowland check run\n"
        )
    assert not (tmp_path / "found.csv").exists()
    assert lowland("check", "--suite", "attributes")[0] == 1
    assert "was not run yet" in lowland("check", "show", "overlap")[2]
    lowland("check")
    code, _, err = lowland("check", "show", "overlap")
    assert (code, err) == (0, "")


def test_a_delivery_after_the_check_makes_its_findings_old(project, tmp_path, lowland):
    deliver(project, tmp_path)
    lowland("check")
    deliver(project, tmp_path, "新宗地.shp", BZ=["2"] * len(CODES))
    code, _, err = lowland("check", "show", "overlap")
    assert code == 1
    assert "out of date" in err
    assert "宗地 parcel: version 2" in err


def test_a_check_against_a_layer_that_is_missing_says_so(project, tmp_path, lowland):
    deliver(project, tmp_path)
    code, _, err = lowland("check")
    assert code == 1
    assert "dltb3 三调地类图斑 was not delivered, so these checks say nothing: parcel_outside_survey3" in err
    code, _, err = lowland("check", "show", "parcel_outside_survey3")
    assert code == 0
    assert "holds layers against dltb3 三调地类图斑, which was not delivered, so it says nothing" in err


def test_a_check_that_is_switched_off_says_so(project, tmp_path, lowland):
    deliver(project, tmp_path)
    file = tmp_path / "lowland.toml"
    file.write_text(file.read_text(encoding="utf-8") + "[check.overlap]\nenabled = false\n", encoding="utf-8")
    code, _, err = lowland("check", "show", "overlap")
    assert code == 0
    assert "The check overlap is switched off in lowland.toml" in err


def test_a_field_that_no_record_has_is_one_finding_beside_the_real_ones(project, tmp_path, lowland):
    """Optional fields that were left out do not drown the parcels that overlap."""
    uses = ["0701", None, *["0701"] * 58]
    deliver(project, tmp_path, YT=uses)
    check(project)
    with project.transaction() as connection:
        found = listed_findings(connection, ["mandatory"]).set_index("subject")
    assert found["keys"].to_dict() == {"YT": [CODES[1]], "QSXZ": ["all records"]}
    assert found.loc["QSXZ", "message"] == "必填项为空: QSXZ is empty in all 60 records"
    assert found["east_m"].isna().to_dict() == {"YT": False, "QSXZ": True}
    _, out, _ = lowland("check", "--json")
    (row,) = [row for row in json.loads(out) if row["rule"] == "mandatory"]
    assert (row["open"], row["share"]) == (2, 1.0)
    # It is the same finding in a delivery with more records, and the fields of one record still count one by one.
    number = int(found.loc["QSXZ", "finding_id"])
    deliver(project, tmp_path, "新宗地.shp", YT=uses, BZ=["2"] * 60)
    check(project)
    with project.transaction() as connection:
        again = listed_findings(connection, ["mandatory"]).set_index("subject")
    assert int(again.loc["QSXZ", "finding_id"]) == number


def test_the_share_of_records_stands_beside_the_count(project, tmp_path, lowland):
    deliver(project, tmp_path, YT=["0701"] * 60, QSXZ=["10"] * 60, ZDMJ=[9_000.0] * 6 + [10_000.0] * 54)
    _, out, _ = lowland("check", "--json")
    (row,) = [row for row in json.loads(out) if row["rule"] == "area_survey"]
    assert row["open"] == 6
    assert row["share"] == pytest.approx(0.1)
