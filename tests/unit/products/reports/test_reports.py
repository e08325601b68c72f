"""Figures, documents and workbooks of a report: sums hold, texts stay texts, and what a template asks that nobody knows is refused."""

import datetime as dt
import io
import subprocess
import sys
import zipfile

import docx
import openpyxl
import pytest

from lowland_gis.definitions.legend import read_legend
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.products.reports.charts import draw_charts
from lowland_gis.products.reports.document import FOLDER, REPORTS, Photo, Words, fill, template_of
from lowland_gis.products.reports.document import Case as TypicalCase
from lowland_gis.products.reports.figures import Area, Before, Detail, Figures, printed
from lowland_gis.products.reports.workbook import workbook

HOSTILE = '=HYPERLINK("x")&<b>甲镇</b>'


def figures(**changes):
    details = (
        Detail(HOSTILE, "低效工业用地", "区工信局", "草案", Area(2, 12_345.005)),
        Detail("乙镇", "低效工业用地", "区工信局", "再开发中", Area(1, 150.0)),
        Detail("乙镇", "低效村庄用地", "所在镇街", "草案", Area(3, 30_000.125)),
    )
    plan = {
        "town": "乙镇", "projects": 2, "unreported": 1, "not_started": 0, "in_progress": 1, "done": 0, "late": 1,
        "planned_m2": 5000.0, "done_m2": 1250.0, "planned_wan": 100.0, "done_wan": 2.5,
    }  # fmt: skip
    given = {
        "on": dt.date(2026, 11, 30), "run_id": 3, "assessed": Area(10, 1e5), "open": Area(1, 50.0),
        "kinds": ("低效村庄用地", "低效工业用地"), "details": details,
        "registers": (("低效用地数据库", "草案", Area(5, 42_345.13)),), "units": {"低效工业用地": Area(2, 12_345.0)}, "n_units": 1,
        "ended": ("再开发中", "已处置"), "plan_year": 2026, "plan": (plan,), "problems": (("类型：税收", "税务局", 2, 1),),
        "events": (("低效用地数据库", "公示", 4, 0),), "definitions": (("质检", "未运行"), ("坏\x0b字", "a\ud800b")),
    }  # fmt: skip
    return Figures(**(given | changes))


WORDS = Words(
    {
        "title": "工作简报", "period": "2026-11", "period_said": "两月", "recipient": "局 <&>", "district": "北辰区", "data_date": "2023-12-31",
        "due": "2026-11-30", "mark": "", "stale": "",
    },
    ("注 <i>1</i> & 2",),
)  # fmt: skip


def texts(content):
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in document.paragraphs] + cells


def template(folder, text):
    made = docx.Document()
    made.add_paragraph(text)
    made.save(folder / "own.docx")
    return folder / "own.docx"


def test_every_table_sums_to_the_same_total():
    found = figures()
    assert found.low == Area(6, 42_495.14)
    tables = {table.key: table for table in found.tables()}
    for key in ("kinds", "towns", "groups", "states"):
        assert tables[key].rows[-1][-2:] == (6, 42_495.14), key
        assert sum(row[-2] for row in tables[key].rows[:-1]) == 6
    assert [row[0] for row in tables["kinds"].rows] == ["低效村庄用地", "低效工业用地", "合计"]
    assert tables["potential"].rows[-1] == ("合计", 42_495.14, 12_345.0, 150.0, 42_345.14)
    assert found.potential == Area(5, 42_345.14)
    assert tables["kinds"].note == "另有待核 1 宗、0.01 公顷，不计入低效用地。"
    assert tables["plan"].rows[-1][1:4] == (2, 0, 1)


def test_what_was_before_is_held_against_now():
    before = Before(
        "2026-09", dt.date(2026, 9, 30), {"kinds": {"低效工业用地": [5, 20_000.0], "已无": [1, 10.0]}}
    )
    (rows,) = (table.rows for table in figures(before=before).tables() if table.key == "changes")
    assert rows == (
        ("低效村庄用地", 0, 3, 3, 0.0, 30_000.13, 30_000.13),
        ("低效工业用地", 5, 3, -2, 20_000.0, 12_495.01, -7_504.99),
        ("已无", 1, 0, -1, 10.0, 0.0, -10.0),
        ("合计", 6, 6, 0, 20_010.0, 42_495.14, 22_485.14),
    )
    (without,) = (table for table in figures().tables() if table.key == "changes")
    assert (without.rows, without.note) == ((), "没有已登记的上期报告，故不作比较。")


def test_nothing_known_is_no_fault():
    empty = figures(
        details=(), registers=(), units=None, n_units=0, plan=(), problems=(), events=(), open=Area(0, 0.0)
    )
    said = "\n".join(texts(fill(FOLDER / "annual.docx", empty, WORDS, {})))
    for words in (
        "未录入 2026 年度实施计划。",
        "无未决问题。",
        "本期无办理记录。",
        "统计时点无登记条目。",
        "尚未划定再开发单元",
    ):
        assert words in said
    assert openpyxl.load_workbook(io.BytesIO(workbook(empty, "t", "n")))["明细"].max_row == 3


@pytest.mark.parametrize("name", REPORTS)
def test_a_document_has_the_words_of_its_tables_as_they_are(name):
    content = fill(FOLDER / f"{name}.docx", figures(), WORDS, {})
    said = texts(content)
    assert HOSTILE in said
    assert "注 <i>1</i> & 2" in said
    assert "报送：局 <&>　　统计时点：2026-11-30　　数据时点：2023-12-31" in said
    assert "坏\ufffd字" in said
    assert "a\ufffdb" in said
    assert not any("{" in text or "}" in text for text in said)
    assert any("低效用地 6 宗、4.25 公顷（63.74 亩）" in text for text in said)
    assert content == fill(FOLDER / f"{name}.docx", figures(), WORDS, {})


def test_pictures_and_cases_stand_in_the_document():
    charts = draw_charts(figures(), read_legend(), {"低效工业用地": "#8F5FA8"})
    assert set(charts) == {"kinds", "towns", "plan"}
    case = {key: key for key in ("parcel", "location", "town", "kind", "group", "state", "ha", "mu")}
    shown = Photo("改造前", charts["plan"], FOLDER / "x.png")
    content = fill(
        FOLDER / "bulletin.docx",
        figures(),
        Words(WORDS.said, (), (TypicalCase(case, charts["kinds"], (shown,)),)),
        charts,
    )
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        pictures = [name for name in parts.namelist() if name.startswith("word/media/")]
    # The chart of the plan is the photo too, that of the kinds the map: the same picture is kept once.
    assert len(pictures) == 3
    assert "改造前" in texts(content)
    broken = Photo("改造前", b"no photo", FOLDER / "坏.jpg")
    with pytest.raises(InputRefusedError, match="坏.jpg"):
        fill(
            FOLDER / "bulletin.docx",
            figures(),
            Words(WORDS.said, (), (TypicalCase(case, charts["kinds"], (broken,)),)),
            charts,
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ titel }} {{ low.n }} {{ nothing_like_it }}", r"titel \(did you mean title\?\)"),
        ("{{ low.hectares }}", "asks for what is not there"),
        ("{{ kinds.rows[0].hectares }}", "asks for what is not there"),
        ("{{ title ", "cannot be read"),
        ("{% for row in kinds.rows %}", "cannot be read"),
        ("{{ title.__class__.__mro__ }}", "cannot be read|not there"),
        ("{{ low.n() }}", "cannot be read|not there"),
    ],
)
def test_a_placeholder_that_does_not_exist_is_refused(tmp_path, text, said):
    with pytest.raises(InputRefusedError, match=said) as refused:
        fill(template(tmp_path, text), figures(), WORDS, {})
    assert "own.docx" in str(refused.value)


def test_a_template_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no such template"):
        fill(tmp_path / "not.docx", figures(), WORDS, {})
    (tmp_path / "text.docx").write_text("no zip", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="no Word document"):
        fill(tmp_path / "text.docx", figures(), WORDS, {})
    with zipfile.ZipFile(tmp_path / "zip.docx", "w") as made:
        made.writestr("a.txt", "a")
    with pytest.raises(InputRefusedError, match="no Word document"):
        fill(tmp_path / "zip.docx", figures(), WORDS, {})
    own = template(tmp_path, "{{ title }}：{{ low.ha }}")
    assert template_of("bulletin", own) == own
    assert texts(fill(own, figures(), WORDS, {})) == ["工作简报：4.25"]


def test_the_workbook_has_formulas_over_texts_that_stay_texts():
    content = workbook(figures(), "简报", "注")
    assert content == workbook(figures(), "简报", "注")
    values, formulas = (openpyxl.load_workbook(io.BytesIO(content), data_only=only) for only in (True, False))
    sheet, typed = values["分镇街、类型"], formulas["分镇街、类型"]
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    (hostile,) = (row for row in rows if row[0] == HOSTILE)
    assert hostile == (HOSTILE, "低效工业用地", 2, 12_345.01, 1.23, 18.52)
    place = rows.index(hostile) + 4
    assert typed.cell(place, 1).data_type == "s"
    assert str(typed.cell(place, 4).value).startswith("=SUMPRODUCT(")
    assert str(typed.cell(place, 5).value) == f"=ROUND(D{place}/10000,2)"
    assert rows[-1][2:] == (6, 42_495.14, 4.25, 63.74)
    assert formulas["数据说明"]["A4"].value == "质检"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [(0.5, "share", "50.0%"), (1234567.005, "wan", "1,234,567.01"), (0, "count", "0"), ("=a", "text", "=a")],
)
def test_values_are_printed_in_one_way(value, kind, text):
    assert printed(value, kind) == text


def test_shipped_templates_are_those_of_the_script():
    done = subprocess.run(
        [sys.executable, "scripts/make_report_templates.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
