"""The annual plan: written as a form, filled in, saved by LibreOffice, read back, recorded as a whole or not at all; every fault by its cell."""

import datetime as dt
import json

import openpyxl
import psycopg
import pytest
from openpyxl.utils import get_column_letter

from lowland_gis.cli import main
from lowland_gis.db.private import cluster as clusters
from planned import (
    AREA,
    ELSEWHERE,
    EXCHANGE,
    GOOD,
    OTHER_TOWN,
    PARCELS,
    PROTECTED,
    UNFILED,
    WITHDRAWN,
    by_libreoffice,
    fill,
    found_district,
    measure,
    report,
    row,
)
from registered import PROJECT, TOWN, owned, paper
from role_matrix import accounts


class Place:
    """A project, and its plan by commands."""

    def __init__(self, dsn, folder, capsys):
        self.dsn, self.folder, self.capsys = dsn, folder, capsys
        found_district(dsn, folder)

    def lowland(self, *arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(self.folder / "lowland.toml"), *map(str, arguments)])
        said = self.capsys.readouterr() if self.capsys else None
        out, err = (said.out, said.err) if said else ("", "")
        assert left.value.code == code, out + err
        return out + err if code in (2, 3) else out

    def form(self, year=2026):
        target = self.folder / f"form{year}.xlsx"
        if not target.exists():
            self.lowland("plan", "write", year, "-o", target)
        return target

    def records(self, *arguments, code=0):
        return json.loads(self.lowland("plan", *arguments, "--json", code=code))

    def head(self):
        with psycopg.connect(owned(self.dsn)) as connection:
            return connection.execute("SELECT count(*), max(link_no) FROM registry.link").fetchone()


@pytest.fixture(autouse=True)
def _own_database(monkeypatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)


@pytest.fixture
def place(database, tmp_path, capsys):
    return Place(database, tmp_path, capsys)


@pytest.fixture(scope="module")
def shared(module_database, tmp_path_factory):
    return Place(module_database, tmp_path_factory.mktemp("plan"), None)


@pytest.fixture
def unchanged(shared, capsys):
    """A place in which nothing is recorded, whatever is read."""
    shared.capsys = capsys
    before = shared.head()
    yield shared
    assert shared.head() == before


def test_a_form_is_filled_in_saved_by_libreoffice_and_read_back(place, tmp_path):
    rows = [row(), row(f"{TOWN}-2026-02", **EXCHANGE), row(f"{OTHER_TOWN}-2026-01", ELSEWHERE)]
    fill(place.form(), tmp_path / "plan.xlsx", rows)
    back = by_libreoffice(tmp_path / "plan.xlsx", tmp_path)
    before = place.head()
    place.lowland("plan", "read", 2026, back, "--on", "2025-12-01", "--dry-run")
    assert place.head() == before
    place.lowland("plan", "read", 2026, back, "--on", "2025-12-01")
    found = place.records("show", 2026)
    assert [each["number"] for each in found] == [each["number"] for each in rows]
    for each, wanted in zip(found, rows, strict=True):
        assert {key: each[key] for key in wanted} == {
            key: value.isoformat() if isinstance(value, dt.date) else value for key, value in wanted.items()
        }
        assert (each["plan_state"], each["project_state"], each["status"]) == ("编制", "未实施", None)
    assert [each["number"] for each in place.records("show", 2026, "--town", OTHER_TOWN)] == [
        f"{OTHER_TOWN}-2026-01"
    ]
    recorded = place.head()
    place.lowland("plan", "read", 2026, back)
    assert place.head() == recorded
    place.lowland("registry", "verify")
    # The workbook itself is the paper.
    history = json.loads(place.lowland("registry", "history", TOWN, "--json"))
    place.lowland("registry", "paper", history[0]["document_sha256"], tmp_path / "kept.xlsx")
    assert (tmp_path / "kept.xlsx").read_bytes() == back.read_bytes()


def test_a_towns_clerk_reads_the_form_of_the_own_town_and_of_no_other(place, cluster, tmp_path):
    """The form is written, filled in by LibreOffice and read by the clerk's own account, whose rows alone the database lets through."""
    settings = place.folder / "lowland.toml"
    with accounts(place.dsn) as people:
        clusters.known(cluster)
        settings.write_text(PROJECT.format(dsn=people["town"]), encoding="utf-8")
        form = place.form()
        fill(form, tmp_path / "plan.xlsx", [row(), row(f"{OTHER_TOWN}-2026-01", ELSEWHERE)])
        before = place.head()
        said = place.lowland("plan", "read", 2026, by_libreoffice(tmp_path / "plan.xlsx", tmp_path), code=3)
        assert "A5" in said or "B5" in said
        assert place.head() == before
        fill(form, tmp_path / "own.xlsx", [row()])
        saved = by_libreoffice(tmp_path / "own.xlsx", tmp_path)
        # Whether control lines stand against it is for the analyst to see.
        place.lowland("plan", "read", 2026, saved, "--on", "2025-12-01", code=1)
        assert "where a town's clerk does not see" in place.lowland("plan", "check", 2026, "--json", code=1)
        assert [each["number"] for each in place.records("show", 2026)] == [f"{TOWN}-2026-01"]
        settings.write_text(PROJECT.format(dsn=people["town elsewhere"]), encoding="utf-8")
        assert place.records("show", 2026) == []
        settings.write_text(PROJECT.format(dsn=people["reader"]), encoding="utf-8")
        said = place.lowland("plan", "read", 2026, tmp_path / "own.xlsx", code=3)
        assert "recording plans of towns, which may: town, analyst" in said
        with psycopg.connect(owned(place.dsn)) as connection:
            who = connection.execute("SELECT DISTINCT recorded_by FROM registry.plan_row").fetchall()
        assert who == [(psycopg.conninfo.conninfo_to_dict(people["town"])["user"],)]


def test_a_form_that_is_written_again_holds_what_was_recorded(place, tmp_path):
    rows = [row(), row(f"{TOWN}-2026-05", **EXCHANGE)]
    fill(place.form(), tmp_path / "plan.xlsx", rows)
    place.lowland("plan", "read", 2026, tmp_path / "plan.xlsx", "--on", "2025-12-01")
    before = place.records("show", 2026)
    again = tmp_path / "again.xlsx"
    place.lowland("plan", "write", 2026, "-o", again, "--town", TOWN)
    place.lowland("plan", "read", 2026, again, "--on", "2025-12-02")
    assert place.records("show", 2026) == before
    sheet = openpyxl.load_workbook(again)["计划"]
    numbers = [sheet[f"B{n}"].value for n in range(4, 16)]
    assert sheet["B4"].value == f"{TOWN}-2026-01"
    assert len(set(numbers)) == len(numbers) == 12


def test_every_drop_down_list_code_and_heading_is_kept_by_libreoffice(place, tmp_path):
    for file in (place.form(), by_libreoffice(place.form(), tmp_path)):
        book = openpyxl.load_workbook(file)
        assert book.sheetnames == ["计划", "进度", "说明", "选项"]
        sheet = book["计划"]
        lists = {
            str(rule.sqref).split(":")[0]: rule
            for rule in sheet.data_validations.dataValidation
            if rule.type == "list"
        }
        assert set(lists) == {"A4", "D4", "E4", "H4", "K4"}
        named = lists["E4"].formula1.replace("'", "").removeprefix("选项!").replace("$", "")
        units = [cell.value for (cell,) in book["选项"][named]]
        assert units == [unit for unit in PARCELS if unit != WITHDRAWN]
        assert (sheet["A4"].value, sheet["A4"].number_format) == (TOWN, "@")
        assert sheet.protection.sheet
        assert sheet["A3"].protection.locked
        assert not sheet["A4"].protection.locked
        assert "拆除验收单" in "".join(str(cell.value) for line in book["说明"] for cell in line)


def edited(place, tmp_path, rows, reports=None):
    return fill(place.form(), tmp_path / "back.xlsx", rows, reports)


def faults_of(place, tmp_path, book):
    book.save(tmp_path / "back.xlsx")
    said = place.lowland("plan", "read", 2026, tmp_path / "back.xlsx", "--on", "2026-12-01", code=3)
    return [line.strip(" -") for line in said.splitlines() if line.startswith("  - ")]


# What is wrong with one cell, how it is written, and what is said of it.
CELLS = [
    ("A4", 120113101, "a spreadsheet has made a number of the code (120113101)"),
    ("A4", "120113999", "there is no town 120113999"),
    ("B4", 1, "a spreadsheet has made a number of the code (1)"),
    ("B4", "一号", "'一号' is no number of a project"),
    ("B4", f"{OTHER_TOWN}-2026-01", f"is a number of the town {OTHER_TOWN}"),
    ("B4", f"{TOWN}-2027-01", "is a number of a later year than 2026"),
    ("C4", None, "项目名称 is empty"),
    ("C4", "=A1", "it is a formula (=A1)"),
    ("D4", "城市更薪", "did you mean '城市更新'?"),
    ("E4", PROTECTED, f"{PARCELS[PROTECTED][0]} touches protected land (生态保护红线占比 eco_share)"),
    ("E4", UNFILED, f"holds 2 low-efficiency parcel(s) that are not filed (备案): {PARCELS[UNFILED][0]} 公示"),
    ("E4", WITHDRAWN, "is not frozen any more: 边界有误"),
    ("E4", "X-9", "there is no frozen unit X-9"),
    ("E4", ELSEWHERE, f"lies in the town {OTHER_TOWN}"),
    ("E4", None, "城市更新 is carried out in a frozen unit, and none is named"),
    ("H4", 1, "'1' is none of the list"),
    ("I4", "2026-03-01", "'2026-03-01' is a text, not a day"),
    ("I4", 46082, "46082 is a number, not a day"),
    ("I4", dt.date(2027, 1, 1), "2027-01-01 lies after the year 2026"),
    ("J4", dt.date(2026, 1, 1), "lies before the beginning (2026-03-01)"),
    ("J4", dt.date(2025, 12, 31), "2025-12-31 lies before the year 2026"),
    ("K4", "回迁安置", "'回迁安置' is no step of 城市更新"),
    ("L4", AREA + 0.02, f"30,000.02 m² is more than the unit {GOOD} has (30,000.00 m²)"),
    ("L4", 0, "a project without area is none"),
    ("L4", "1.2万平方米", "'1.2万平方米' is a text, not a number"),
    ("L4", "=SUM(L5:L9)", "it is a formula (=SUM(L5:L9))"),
    ("M4", -1, "-1 is less than nothing"),
    ("N4", 5, "only 增减挂钩 has it, and this is 城市更新"),
    ("R6", "另注", "it stands beside the form"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "value", "said"), CELLS)
def test_each_fault_of_a_cell_is_named_by_its_cell(unchanged, tmp_path, cell, value, said):
    book = edited(unchanged, tmp_path, [row()])
    book["计划"][cell].number_format = "General"
    book["计划"][cell] = value
    faults = faults_of(unchanged, tmp_path, book)
    assert [fault for fault in faults if fault.startswith(f"计划!{cell}: ") and said in fault], faults
    # What is said of other cells follows from that one: the town and number of a row hang together.
    others = {fault.split(":")[0] for fault in faults} - {f"计划!{cell}"}
    assert others <= {"计划!B4", "计划!E4", "计划!A4"}, faults


@pytest.mark.parametrize("cell", ["A4", "B4", "E4"])
def test_a_code_that_libreoffice_saved_as_a_number_is_named(unchanged, tmp_path, cell):
    book = edited(unchanged, tmp_path, [row()])
    book["计划"][cell].number_format = "0"
    book["计划"][cell] = 120113101
    book.save(tmp_path / "back.xlsx")
    saved = by_libreoffice(tmp_path / "back.xlsx", tmp_path)
    said = unchanged.lowland("plan", "read", 2026, saved, code=3)
    assert f"计划!{cell}: " in said
    assert "a spreadsheet has made a number of the code" in said


def test_rows_that_do_not_go_together_are_named_each(unchanged, tmp_path):
    rows = [row(), row(f"{TOWN}-2026-02"), row(f"{TOWN}-2026-02", **EXCHANGE), {"town_code": "合计", "area_m2": 24001.0}]  # fmt: skip
    faults = faults_of(unchanged, tmp_path, edited(unchanged, tmp_path, rows))
    assert faults == [
        f"计划!E4: {GOOD} stands in 2 rows: one unit is one row",
        f"计划!E5: {GOOD} stands in 2 rows: one unit is one row",
        f"计划!B5: {TOWN}-2026-02 stands in 2 rows: one project is one row",
        f"计划!B6: {TOWN}-2026-02 stands in 2 rows: one project is one row",
        "计划!A7: this is a row of totals, and no record: delete it",
    ]


def test_of_many_cells_with_the_same_fault_each_is_named(unchanged, tmp_path):
    rows = [
        row(f"{TOWN}-2026-{n:02}", kind="其他", unit=None, goal="准备", start_on="2026.3.1")
        for n in range(1, 41)
    ]
    (fault,) = faults_of(unchanged, tmp_path, edited(unchanged, tmp_path, rows))
    assert fault.startswith("计划开工日期: '2026.3.1' is a text, not a day")
    assert fault.split(" times: ")[1].split("; ") == [f"计划!I{n}" for n in range(4, 44)]


def insert_column(sheet):
    """Insert a column as Excel does: openpyxl moves no rules, which do not matter here."""
    sheet.insert_cols(5)
    sheet["E3"] = "备注"
    return ["E3", "added"]


def move_column(sheet):
    for number in range(3, sheet.max_row + 1):
        kept = sheet[f"C{number}"].value
        for place in range(3, 7):
            left, right = (f"{get_column_letter(p)}{number}" for p in (place, place + 1))
            sheet[left] = sheet[right].value if place < 6 else kept
    return ["F3", "the column '项目名称' was moved: in the form it is column C"]


def merge(sheet):
    sheet.merge_cells("C4:C5")
    return ["C4", "the cells C4:C5 are merged"]


def rename(sheet):
    sheet["L3"] = "面积（亩）"
    return [
        "L3",
        "the heading is not '计划面积（m²）' any more, here stands '面积（亩）'",
    ]


def other_year(sheet):
    sheet["A1"] = "北辰区2025年度实施计划"
    return ["A1", "is it the form of another year?"]


@pytest.mark.parametrize("change", [insert_column, move_column, merge, rename, other_year])
def test_a_changed_form_is_named_by_cell(unchanged, tmp_path, change):
    book = edited(unchanged, tmp_path, [row()])
    cell, words = change(book["计划"])
    faults = faults_of(unchanged, tmp_path, book)
    assert [fault for fault in faults if fault.startswith(f"计划!{cell}: ") and words in fault], faults
    assert len(faults) == 1, faults


def test_sheets_that_are_missing_or_strange_are_named(unchanged, tmp_path):
    book = edited(unchanged, tmp_path, [row()])
    book["进度"].title = "进展"
    assert faults_of(unchanged, tmp_path, book) == [
        "进度!A1: the sheet is missing: it was deleted or renamed",
        "进展!A1: the sheet is none of the form, so it would not be read: delete it",
    ]
    book = edited(unchanged, tmp_path, [])
    assert faults_of(unchanged, tmp_path, book) == ["计划!A4: nothing is filled in"]


def test_exchanged_land_that_is_not_balanced_is_refused(unchanged, tmp_path):
    rows = [row(**{**EXCHANGE, "built_m2": 8000.02}), row(f"{TOWN}-2026-02", **{**EXCHANGE, "quota_no": None})]  # fmt: skip
    faults = faults_of(unchanged, tmp_path, edited(unchanged, tmp_path, rows))
    assert faults == [
        (
            "计划!O4: 8,000.02 m² are built on and only 8,000.00 m² reclaimed: 复垦面积 ≥ 建新面积（城乡建设用地增减挂钩试点管理办法"
            "（国土资发〔2008〕138号），2008-06-27）"
        ),
        "计划!P5: 村庄增减挂钩 needs it, and it is empty",
    ]


REPORTS = [
    ("A4", f"{TOWN}-2026-09", "there is no project"),
    ("C4", "0 未实施", "D4: what has not begun needs its reason"),
    ("C4", "进行中", "is none of the list"),
    ("C4", "2 已完成", "H4: it is said to be finished, and the day is empty"),
    ("B4", dt.date(2027, 6, 1), "2027-06-01 lies in the future"),
    ("G4", None, "it is said to have begun, and the day is empty"),
    ("G4", dt.date(2026, 11, 2), "lies after the day of the report (2026-11-01)"),
    ("F4", "回迁安置", "'回迁安置' is no step of 城市更新"),
    ("K4", 5, "only 增减挂钩 has it"),
]


@pytest.mark.parametrize(("cell", "value", "said"), REPORTS)
def test_each_fault_of_a_report_is_named_by_its_cell(unchanged, tmp_path, cell, value, said):
    book = edited(unchanged, tmp_path, [row()], [report()])
    book["进度"][cell] = value
    faults = faults_of(unchanged, tmp_path, book)
    assert [fault for fault in faults if said in fault and fault.startswith("进度!")], faults
    if said[1] != "4":
        assert [fault for fault in faults if fault.startswith(f"进度!{cell}: ")], faults


def test_progress_is_held_against_the_plan_of_the_year_before(place, tmp_path):
    fill(place.form(), tmp_path / "p.xlsx", [row(), row(f"{TOWN}-2026-02", **EXCHANGE), row(f"{OTHER_TOWN}-2026-01", ELSEWHERE)])  # fmt: skip
    place.lowland("plan", "read", 2026, tmp_path / "p.xlsx", "--on", "2025-12-01")
    assert place.records("check", 2026, "--on", "2026-02-28") == []
    found = place.records("check", 2026, "--on", "2026-11-02", code=1)
    assert {each["what"] for each in found} == {"not_reported"}
    place.form(2027)
    reports = [
        report(step="更新意愿征集", area_m2=15000.0),
        report(f"{TOWN}-2026-02", step="立项", reclaimed_m2=1000.0, built_m2=2000.0),
        {"number": f"{OTHER_TOWN}-2026-01", "as_of": dt.date(2026, 11, 1), "status": "0 未实施", "reason": "2 企业原因"},
    ]  # fmt: skip
    assert [openpyxl.load_workbook(place.form(2027))["进度"][f"A{n}"].value for n in (4, 5, 6, 7)] == [
        *(each["number"] for each in reports), None
    ]  # fmt: skip
    fill(place.form(2027), tmp_path / "q.xlsx", [], reports)
    place.lowland("plan", "read", 2027, tmp_path / "q.xlsx", "--on", "2026-12-01")
    found = place.records("check", 2026, "--on", "2027-11-02", code=1)
    assert {(each["number"][-2:] + each["number"][8], each["what"]) for each in found} == {
        ("011", "behind"), ("011", "larger"), ("011", "overdue"), ("011", "unproven"),
        ("021", "behind"), ("021", "overdue"), ("021", "unbalanced"), ("021", "unproven"),
        ("012", "behind"), ("012", "overdue"), ("012", "late_start"),
    }  # fmt: skip
    assert any("2 企业原因" in each["words"] for each in found)
    shown = place.records("show", 2026)
    assert [(each["status"], each["done_m2"], each["as_of"]) for each in shown] == [
        ("1 正在实施", 15000.0, "2026-11-01"), ("1 正在实施", 4000.0, "2026-11-01"), ("0 未实施", None, "2026-11-01"),
    ]  # fmt: skip
    quotas = place.records("quotas", 2026, code=1)
    assert [(each["level"], each["holds"], each["holds_now"], each["done_balance_m2"]) for each in quotas] == [
        ("项目", True, False, -1000.0), ("镇街", True, False, -1000.0), ("全区", True, False, -1000.0),
    ]  # fmt: skip
    # The register says what papers prove; then nothing is unproven any more.
    for number in ("01", "02"):
        proof = paper(tmp_path, f"开工{number}")
        place.lowland(
            "registry", "start", f"{TOWN}-2026-{number}", "--register", "project", "--document", proof
        )
    found = place.records("check", 2026, "--on", "2027-11-02", code=1)
    assert "unproven" not in {each["what"] for each in found}


def test_a_plan_is_checked_against_what_is_there_now(place, tmp_path):
    fill(place.form(), tmp_path / "p.xlsx", [row(), row(f"{OTHER_TOWN}-2026-01", ELSEWHERE)])
    place.lowland("plan", "read", 2026, tmp_path / "p.xlsx", "--on", "2025-12-01")
    with psycopg.connect(place.dsn) as connection:
        connection.execute(
            "INSERT INTO registry.unit (number, unit_id, town_code, parcels, area_m2, low_share, value_m2, ledger, geom, state, reason, run_id,"
            " recorded_at, recorded_by) SELECT number, unit_id, town_code, parcels, area_m2, low_share, value_m2, ledger, geom, 'withdrawn',"
            " '重划', run_id, now(), recorded_by FROM registry.unit WHERE number = %s",
            [GOOD],
        )
        measure(connection, without="eco_share")
    found = place.records("check", 2026, "--on", "2026-01-01", code=1)
    assert [(each["number"], each["what"], each["column"]) for each in found] == [
        (f"{TOWN}-2026-01", "fault", "单元编号"), (f"{OTHER_TOWN}-2026-01", "unknown", "单元编号"),
    ]  # fmt: skip
    assert "重划" in found[0]["words"]
    # What is not known is said, and no fault: the plan is recorded.
    fill(place.form(), tmp_path / "q.xlsx", [row(f"{OTHER_TOWN}-2026-01", ELSEWHERE)])
    before = place.head()
    place.lowland("plan", "read", 2026, tmp_path / "q.xlsx", "--on", "2025-12-02", code=1)
    assert place.head() != before


def test_an_approved_plan_is_drafted_anew_only_once_it_was_returned(place, tmp_path):
    fill(place.form(), tmp_path / "p.xlsx", [row()])
    place.lowland("plan", "read", 2026, tmp_path / "p.xlsx", "--on", "2025-12-01")
    plan = [TOWN, "--register", "plan", "--matter", "2026"]
    place.lowland(
        "registry", "approve", *plan, "--document", paper(tmp_path, "审定"), "--on", "2025-12-20"
    )  # fmt: skip
    fill(place.form(), tmp_path / "q.xlsx", [row(f"{TOWN}-2026-03", title="另一项目")])
    before = place.head()
    said = place.lowland("plan", "read", 2026, tmp_path / "q.xlsx", "--on", "2025-12-21", code=3)
    assert f"计划!A4: the plan of {TOWN} 2026: it stands at consolidated" in said
    assert place.head() == before
    place.lowland("registry", "return", *plan, "--reason", "换项目", "--on", "2025-12-21")
    place.lowland("plan", "read", 2026, tmp_path / "q.xlsx", "--on", "2025-12-22")
    assert [each["number"] for each in place.records("show", 2026)] == [f"{TOWN}-2026-03"]
    with psycopg.connect(place.dsn) as connection:
        kept = connection.execute("SELECT number FROM registry.plan_row ORDER BY row_id").fetchall()
    assert [number for (number,) in kept] == [f"{TOWN}-2026-01", f"{TOWN}-2026-03"]


def test_the_unit_of_another_plan_of_the_year_is_taken(place, tmp_path):
    fill(place.form(), tmp_path / "p.xlsx", [row(unit=GOOD)])
    place.lowland("plan", "read", 2026, tmp_path / "p.xlsx", "--on", "2025-12-01")
    fill(place.form(), tmp_path / "q.xlsx", [row(f"{OTHER_TOWN}-2026-01", GOOD)])
    said = place.lowland("plan", "read", 2026, tmp_path / "q.xlsx", code=3)
    assert f"计划!E4: {GOOD} is in the plan of the year already, as project {TOWN}-2026-01" in said


def test_a_year_alone_shows_the_plan(place):
    assert "number" in place.lowland("plan", "2026")
    assert "Usage" in place.lowland("plan", "20x6", code=2)
    assert "There is no town '天津'" in place.lowland(
        "plan", "write", 2026, "-o", place.folder / "x.xlsx", "--town", "天津", code=2
    )
    assert not (place.folder / "x.xlsx").exists()
