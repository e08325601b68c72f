"""The update of a year by commands, on a small district that is drawn by hand: two states whose changes are known."""

import datetime as dt
import json

import geopandas as gpd
import openpyxl
import pandas as pd
import psycopg
import pytest

from full_disk import full_disk
from lowland_gis.db.guards import NOT_ITSELF
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box
from registered import PROJECT
from two_years import FIRST, TRUTH, District, Parcel, code, named, second, today


@pytest.fixture
def district(project):
    return District(project)


def test_every_change_is_found_with_its_cause_and_none_is_invented(district):
    district.first_year()
    district.second_year()
    said = district.lowland("update", "open", "2025")
    assert "4 entries were filed" in said
    found = district.found()
    assert named(found["changes"]) == TRUTH
    assert all(line["residual_m2"] == 0 for line in found["balance"])
    assert found["doubts"] == []


@pytest.fixture(scope="module")
def opened(new_database, tmp_path_factory):
    """Both years delivered, the line between the towns moved, and the update opened and compared; looked at by many tests."""
    with new_database() as dsn, pytest.MonkeyPatch.context() as patch:
        patch.delenv("LOWLAND_DSN", raising=False)
        folder = tmp_path_factory.mktemp("update")
        (folder / "lowland.toml").write_text(PROJECT.format(dsn=dsn), encoding="utf-8")
        made = District(open_project(folder))
        made.first_year()
        made.second_year(border=320)
        made.lowland("update", "open", "2025")
        yield made


def test_the_balance_is_told_by_town_and_closes(opened):
    lines = {line["town"]: line for line in opened.found()["balance"]}
    assert set(lines) == {"东镇", "西镇", "合计"}
    assert all(line["residual_m2"] == 0 for line in lines.values())
    whole = lines["合计"]
    assert whole["old_m2"] == pytest.approx(170_000, rel=1e-3)
    assert whole["added_m2"] == pytest.approx(10_000, rel=1e-3)
    assert whole["removed_m2"] == pytest.approx(20_000, rel=1e-3)
    # Two corners that lie a little off make two thin triangles each.
    assert 0 < abs(whole["drift_m2"]) < 60
    assert lines["东镇"]["moved_in_m2"] == lines["西镇"]["moved_out_m2"] > 9_000
    assert whole["moved_in_m2"] == 0


def test_evidence_says_fields_measures_limits_and_papers(opened):
    changes = {(each["kind"], each["old_parcels"]): each for each in opened.found()["changes"]}
    assert changes["attribute_changed", code(9)]["evidence"] == "YT: 0601 → 0501"
    by_data = changes["reclassified", code(1)]
    assert by_data["basis"] == "data"
    assert "kind: none → industrial" in by_data["evidence"]
    assert "[registered_far 1 → 0.4]" in by_data["evidence"]
    by_rule = changes["reclassified", code(11)]
    assert by_rule["basis"] == "rule"
    assert "[registered_far 0.6 → 0.6] [界限 0.5 → 0.7]" in by_rule["evidence"]
    assert "津北辰〔2024〕9号" in changes["disposed", code(12)]["evidence"]
    assert "限差 0.5 m" in changes["boundary_drifted", code(10)]["evidence"]
    split = changes["split", code(2)]["evidence"]
    assert f"{code(2)} → {code(21)} 5,999.97 m²" in split


def test_it_is_written_for_excel_and_qgis(opened):
    for suffix in (".csv", ".xlsx", ".parquet", ".gpkg"):
        target = opened.folder / f"变化{suffix}"
        opened.lowland("update", "diff", "-o", target, "--overwrite")
    new = gpd.read_file(opened.folder / "变化.gpkg", layer="new", engine="pyogrio")
    old = gpd.read_file(opened.folder / "变化.gpkg", layer="old", engine="pyogrio")
    split = new[new["kind"] == "split"]
    assert split["parcel_id"].tolist() == [code(21), code(22)]
    assert split.union_all().symmetric_difference(old[old["kind"] == "split"].union_all()).area < 1e-6
    assert new.crs.to_epsg() == 4548
    sheets = openpyxl.load_workbook(opened.folder / "变化.xlsx")
    assert sheets.sheetnames == ["变化清单", "面积平衡", "存疑"]
    assert sheets["变化清单"].max_row == 3 + len(opened.found()["changes"])
    assert "csv" in opened.lowland("update", "diff", "-o", opened.folder / "变化.docx", code=2)


def test_no_file_of_people_is_written_over_and_a_full_disk_leaves_nothing(opened, capsys):
    file = opened.folder / "手工.csv"
    file.write_text("by hand\n", encoding="utf-8")
    opened.lowland("update", "diff", "-o", file, code=2)
    opened.lowland("update", "diff", "-o", opened.folder / "lowland.toml", "--overwrite", code=2)
    assert file.read_text(encoding="utf-8") == "by hand\n"
    (opened.folder / "full").mkdir()
    for suffix in (".csv", ".xlsx", ".gpkg"):
        target = opened.folder / "full" / f"out{suffix}"
        with full_disk(20):
            said = opened.lowland("update", "diff", "-o", target, code=3)
        assert f"{target}: cannot be written" in said
    assert list((opened.folder / "full").iterdir()) == []


def test_a_terminal_gets_sums_by_kind_and_the_balance(opened):
    said = opened.lowland("update", "diff")
    assert all(words in said for words in ("宗地分割", "规则修订", "合计"))
    assert code(22) in opened.lowland("update", "diff", "--kind", "split")


def test_the_same_is_not_compared_twice(opened):
    before = opened.rows("SELECT count(*), max(run_id) FROM result.run WHERE stage = 'update'")
    opened.lowland("update", "diff")
    assert opened.rows("SELECT count(*), max(run_id) FROM result.run WHERE stage = 'update'") == before


def test_what_cannot_be_opened_is_refused_with_what_to_type(opened):
    assert "was opened on" in opened.lowland("update", "open", "2025", code=2)
    assert "is still open" in opened.lowland("update", "open", "2026", code=2)
    assert "is no year" in opened.lowland("update", "open", "25", code=2)
    rows = opened.rows("SELECT count(*) FROM registry.annual_update")
    assert rows == [(1,)]


def test_nothing_filed_is_a_clear_answer(district):
    district.deliver(FIRST, "2023-12-31")
    district.judge()
    assert "Nothing is filed yet" in district.lowland("update", "open", "2025", code=2)
    assert "No update is open" in district.lowland("update", "diff", code=2)


def test_years_and_days_that_do_not_fit_are_refused(district):
    district.first_year()
    assert "Nothing was classified since" in district.lowland("update", "open", "2025", code=2)
    district.second_year()
    assert "has no base" in district.lowland("update", "open", "2023", code=2)
    assert "none of the update of 2027" in district.lowland("update", "open", "2027", code=2)
    assert district.rows("SELECT count(*) FROM registry.annual_update") == [(0,)]


def test_deliveries_older_than_the_base_are_refused(district):
    district.first_year()
    (district.folder / "parcel-2023-12-31.gpkg").unlink()
    district.deliver(second(), "2024-12-31")
    path = district.folder / "old.gpkg"
    (district.folder / "parcel-2024-12-31.gpkg").rename(path)
    ingest(
        district.project,
        DeliverySettings(layer="parcel", source=f"{path}:parcel", as_of="2022-12-31", allow_older=True),
    )
    district.judge()
    assert "are older than those" in district.lowland("update", "open", "2025", code=3)


def test_a_delivery_meanwhile_and_a_move_meanwhile_are_told(district):
    district.first_year()
    district.second_year()
    district.lowland("update", "open", "2025")
    district.lowland("update", "diff")
    later = second()
    del later[code(8)]
    (district.folder / "parcel-2024-12-31.gpkg").unlink()
    district.deliver(later, "2024-12-31")
    said = district.lowland("update", "diff", code=3)
    assert "out of date" in said
    assert "lowland update open 2025 --again" in said
    district.judge()
    assert "lowland update open 2025 --again" in district.lowland("update", "diff", code=3)
    district.lowland("update", "open", "2025", "--again", "--reason", "宗地重新交付")
    assert named(district.found()["changes"]) == TRUTH - {("added", (), (8,), "survey_increment")}
    runs = district.rows("SELECT count(*) FROM result.run WHERE stage = 'update'")
    on = today() + dt.timedelta(days=1)
    district.lowland("registry", "dispose", code(13), "--document", district.paper("d2"), "--on", on)
    assert ("disposed", (13,), (13,), "decision") in named(district.found()["changes"])
    assert district.rows("SELECT count(*) FROM result.run WHERE stage = 'update'") == [(runs[0][0] + 1,)]


def test_doubts_become_issues_and_are_told(district):
    district.first_year()
    rows = second()
    # The number of the parcel that is gone comes back elsewhere, and a new parcel lies on one that did not change.
    rows[code(7)] = Parcel(box(0, 500))
    rows[code(77)] = Parcel(box(10, 310, 50, 50))
    district.pack(0.7)
    district.deliver(rows, "2024-12-31")
    district.judge()
    district.lowland("update", "open", "2025")
    found = district.found()
    assert {(each["rule"], each["key"]) for each in found["doubts"]} == {
        ("lineage_number_elsewhere", code(7)), ("lineage_double_claim", code(77)),
    }  # fmt: skip
    assert "doubts" in district.lowland("update", "diff")
    assert code(77) in district.lowland("layers", "rejects", "parcel")
    assert all(line["residual_m2"] == 0 for line in found["balance"])


def test_closing_links_entries_proposes_and_files_what_has_changed(district):
    district.first_year()
    district.second_year()
    district.lowland("update", "open", "2025")
    assert "not compared yet" in district.lowland("update", "close", code=3)
    district.lowland("update", "diff")
    events = district.rows("SELECT count(*) FROM registry.event")
    assert "would be closed" in district.lowland("update", "close", "--dry-run")
    assert district.rows("SELECT count(*) FROM registry.annual_update WHERE step = 'closed'") == [(0,)]
    said = district.lowland("update", "close", "--proposals", district.folder / "撤销.csv")
    assert "2 rows of lineage" in said
    linked = district.rows(
        "SELECT child.subject, parent.subject FROM registry.lineage JOIN registry.entry AS child USING (entry_id)"
        " JOIN registry.entry AS parent ON parent.entry_id = part_of ORDER BY 1"
    )
    assert linked == [(code(21), code(2)), (code(22), code(2))]
    # Nothing is withdrawn by the program: people confirm, with their paper.
    assert district.rows("SELECT count(*) FROM registry.event") == events
    list_ = district.folder / "撤销-low_efficiency.csv"
    rows = pd.read_csv(list_, dtype=str).to_dict("records")
    assert [(row["subject"], row["reason"]) for row in rows] == [
        (code(2), f"宗地已分割为 {code(21)}、{code(22)}"), (code(17), "宗地已灭失"),
    ]  # fmt: skip
    on = today() + dt.timedelta(days=1)
    district.lowland(
        "registry",
        "withdraw",
        "--file",
        list_,
        "--document",
        district.paper("w"),
        "--reason",
        "年度更新",
        "--on",
        on,
    )
    assert "was closed on" in district.lowland("update", "open", "2025", code=2)
    assert "No update is open" in district.lowland("update", "close", code=2)
    assert "0 findings" not in district.lowland("registry", "verify")
    shown = district.lowland("registry", "show", code(21))
    assert code(2) in shown


def test_the_package_holds_what_has_changed_only(district):
    district.first_year()
    district.second_year()
    district.lowland("update", "open", "2025")
    district.lowland("update", "diff")
    district.lowland("update", "close")
    target = district.folder / "out" / "changes-2025"
    assert "100 / 100" in district.lowland("package", "check", target)
    changed = gpd.read_file(next(target.rglob("BGTB.shp")), engine="pyogrio", encoding="GBK")
    gone = gpd.read_file(next(target.rglob("SCTB.shp")), engine="pyogrio", encoding="GBK")
    assert dict(zip(changed["ZDDM"], changed["BGLX"], strict=True)) == {
        code(1): "新增", code(11): "新增", code(21): "新增", code(22): "新增",
    }  # fmt: skip
    assert dict(zip(gone["ZDDM"], gone["BGLX"], strict=True)) == {
        code(2): "宗地已不存在", code(12): "已处置", code(17): "宗地已不存在",
    }  # fmt: skip
    assert changed.set_index("ZDDM").loc[code(21), "LYZD"] == code(2)
    assert gone.set_index("ZDDM").loc[code(2), "QXZD"] == f"{code(21)}、{code(22)}"
    assert gone.set_index("ZDDM").loc[code(2)].geometry.area == pytest.approx(10_000)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["provenance"]["update"]["year"] == 2025


def test_an_entry_that_goes_on_was_part_of_later_ones_by_now(district):
    district.first_year()
    parcels = second()
    # Four parcels in a column become one, and it keeps the number of the oldest entry.
    for number in (21, 22, 8):
        del parcels[code(number)]
    del parcels[code(12)]
    parcels[code(2)] = Parcel(box(100, 0, 100, 400), far=0.3)
    district.pack(0.7)
    district.deliver(parcels, "2024-12-31")
    district.judge()
    district.lowland("update", "open", "2025")
    assert ("merged", (2, 7, 12, 17), (2,), "joined") in named(district.found()["changes"])
    assert "2 rows of lineage" in district.lowland("update", "close")
    linked = district.rows(
        "SELECT child.subject, parent.subject, parent.entry_id > child.entry_id FROM registry.lineage"
        " JOIN registry.entry AS child USING (entry_id) JOIN registry.entry AS parent ON parent.entry_id = part_of ORDER BY 2"
    )
    assert linked == [(code(2), code(12), True), (code(2), code(17), True)]
    assert f"{code(12)}、{code(17)}（来源）" in district.lowland("registry", "show", code(2))
    # Lineage goes in no circle: neither to itself, nor back by way of others, within one statement either.
    entries = dict(
        district.rows("SELECT subject, entry_id FROM registry.entry WHERE register = 'low_efficiency'")
    )
    two, twelve, thirteen = (entries[code(number)] for number in (2, 12, 13))
    for rows in ([(two, two)], [(twelve, two)], [(twelve, thirteen), (thirteen, two)]):
        with (
            psycopg.connect(district.project.dsn) as connection,
            pytest.raises(psycopg.Error, match="lineage goes in no circle") as refused,
        ):
            connection.execute(
                "INSERT INTO registry.lineage (entry_id, part_of) SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
                [[row[0] for row in rows], [row[1] for row in rows]],
            )
        assert refused.value.sqlstate == NOT_ITSELF
    assert len(district.rows("SELECT FROM registry.lineage")) == 2


def test_what_was_moved_or_delivered_since_the_comparison_is_refused(district):
    district.first_year()
    district.second_year()
    district.lowland("update", "open", "2025")
    district.lowland("update", "diff")
    on = today() + dt.timedelta(days=1)
    district.lowland("registry", "dispose", code(13), "--document", district.paper("d2"), "--on", on)
    assert "lowland update diff" in district.lowland("update", "close", code=3)
    district.lowland("update", "diff")
    later = second()
    del later[code(8)]
    (district.folder / "parcel-2024-12-31.gpkg").unlink()
    district.deliver(later, "2024-12-31")
    assert "lowland update open 2025 --again" in district.lowland("update", "close", code=3)
    assert district.rows("SELECT count(*) FROM registry.lineage") == [(0,)]


def test_a_balance_that_does_not_close_is_refused(district):
    district.first_year()
    district.second_year()
    district.lowland("update", "open", "2025")
    district.lowland("update", "diff")
    with psycopg.connect(district.project.dsn) as connection:
        connection.execute("UPDATE result.change_balance SET residual_m2 = 0.02 WHERE town_code IS NULL")
    assert "does not close" in district.lowland("update", "diff", code=1)
    assert "its balance does not close: 0.02 m²" in district.lowland("update", "close", code=3)
    with psycopg.connect(district.project.dsn) as connection:
        connection.execute("UPDATE result.change_balance SET residual_m2 = 0")
        connection.execute("UPDATE result.change SET old_parcels = '{}' WHERE kind = 'split'")
    assert "no parents" in district.lowland("update", "close", code=3)
    assert district.rows("SELECT count(*) FROM registry.annual_update WHERE step = 'closed'") == [(0,)]


def test_a_parcel_that_was_disposed_of_is_entered_again_under_its_own_number(district):
    district.first_year()
    again = code(12)
    district.lowland("registry", "survey", again, "--on", "2020-01-01", code=3)
    district.lowland("registry", "survey", again, "--on", today() + dt.timedelta(days=1))
    rows = district.rows(
        "SELECT entry_id, ordinal, state FROM registry.current_entry WHERE subject = %s AND register = 'low_efficiency' ORDER BY ordinal",
        again,
    )
    assert [row[1:] for row in rows] == [(1, "disposed"), (2, "survey")]
    assert district.rows("SELECT entry_id, part_of FROM registry.lineage") == [(rows[1][0], rows[0][0])]
    shown = district.lowland("registry", "show", again)
    assert "第2次登记" in shown
    assert f"{again}（来源）" in shown
    # The second entry goes on by itself; the first one stays as it ended.
    district.lowland("registry", "enter", again, "--on", today() + dt.timedelta(days=1))
    assert "is no move" not in district.lowland(
        "registry", "list", "--register", "low_efficiency", "--state", "draft"
    )
    said = district.lowland("registry", "survey", again, "--on", today() + dt.timedelta(days=1), code=3)
    assert "it stands at draft" in said
    assert "sound" not in district.lowland("registry", "verify")


def test_a_split_is_not_entered_without_its_parents(district):
    district.first_year()
    parcels = second()
    # The children are not low-efficient by the rules, so the program drafts nothing for them.
    parcels[code(21)].far = parcels[code(22)].far = 1.0
    district.pack(0.7)
    district.deliver(parcels, "2024-12-31")
    district.judge()
    district.lowland("update", "open", "2025")
    district.lowland("update", "diff")
    said = district.lowland("registry", "survey", code(21), code=3)
    assert f"--part-of {code(2)}" in said
    assert "split without its parents" in district.lowland(
        "registry", "survey", code(21), "--part-of", code(7), code=3
    )
    assert district.rows("SELECT count(*) FROM registry.entry WHERE subject = %s", code(21)) == [(0,)]
    district.lowland("registry", "survey", code(21), code(22), "--part-of", code(2))
    assert f"{code(2)}（来源）" in district.lowland("registry", "show", code(22))
    assert f"{code(21)}、{code(22)}（去向）" in district.lowland("registry", "show", code(2))
    assert "is in the register already" in district.lowland(
        "registry", "enter", code(21), "--part-of", code(2), code=2
    )
