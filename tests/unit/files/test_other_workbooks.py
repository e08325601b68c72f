"""The other kinds of workbooks – .xls, .et, .xlsb, .ods – give what the same .xlsx gives, value by value and doubt by doubt."""

import datetime as dt
import re
import struct
import sys
import zipfile

import openpyxl
import pytest
import xlwt

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet import other_book
from lowland_gis.files.spreadsheet.book import read_cells, sheet_names
from workbook_traps import FIRST, KINDS, SECOND, TRAPS, grown, page, plain
from workbook_traps import PAGE as DESCRIBED
from workbooks import container, saved_as, write_xlsb


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every trap in every kind; .et once as an .xls under that name."""
    folder = tmp_path_factory.mktemp("workbooks")
    originals = []
    for number, trap in enumerate(TRAPS):
        originals.append(folder / f"t{number}.xlsx")
        trap.make().save(originals[-1])
        write_xlsb(trap.make(), folder / f"t{number}.xlsb")
    for suffix in (".xls", ".ods"):
        saved_as(suffix, folder, *originals)
    for path in folder.glob("*.xls"):
        path.with_suffix(".et").write_bytes(path.read_bytes())
    return folder


def read(path):
    with opened(str(path), path.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
        rules = sorted((doubt.row, doubt.rule, without_digits(doubt.words)) for doubt in batch.doubts)
        return {
            "values": batch.attributes.to_pydict(),
            "doubts": rules,
            "aside": batch.aside,
            "whole": [*source.doubts, *arrived.doubts],
            "sheet": arrived.layer,
            "stated": arrived.stated,
        }


def without_digits(words):
    """Each program rounds a number of 18 digits in its own way; that it is lost stands behind it."""
    return re.sub(r"\d{16,}(?= is a number of more)", "N", words)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_it_is_read_as_the_same_xlsx_is(made, trap, kind):
    stem = f"t{TRAPS.index(trap)}"
    expected = read(made / f"{stem}.xlsx")
    assert expected["values"]
    found = read(made / f"{stem}{kind}")
    assert found == expected
    rules = (
        {rule for _, rule, _ in found["doubts"]}
        | {item.rule for item in found["aside"]}
        | {rule for rule, _ in found["whole"]}
    )
    assert rules == set(trap.rules)


def test_the_page_says_what_is_tested():
    assert DESCRIBED.read_text(encoding="utf-8") == page()


def test_what_is_compared_is_what_was_typed(made):
    at = {trap.name: read(made / f"t{number}.xls") for number, trap in enumerate(TRAPS)}
    assert list(zip(*at["codes as text, days, numbers"]["values"].values(), strict=True)) == [
        tuple(FIRST),
        tuple(SECOND),
    ]
    assert at["numbers with zeros before them (format 0000)"]["values"]["地类编码"] == ["0601", "0602"]
    lost = at["codes of 18 digits typed as numbers"]
    assert lost["values"]["宗地代码"] == [None, None]
    assert [rule for _, rule, _ in lost["doubts"]] == ["digits_lost"] * 2
    assert "sheet row 2" in lost["doubts"][0][2]
    assert [rule for rule, _ in at["hidden rows and columns"]["whole"]] == ["rows_hidden", "columns_hidden"]
    assert [(row, rule) for row, rule, _ in at["#N/A and #DIV/0!"]["doubts"]] == [
        (0, "cell_error"),
        (1, "cell_error"),
    ]
    assert len(at["cells merged over two records"]["doubts"]) == 2
    assert "sheet row 60000" in at["60,000 rows between the table and its total"]["aside"][0].words


def test_a_wps_table_that_is_an_xlsx_inside(made):
    inside = made / "inside.et"
    inside.write_bytes((made / "t0.xlsx").read_bytes())
    assert read(inside) == read(made / "t0.xlsx")


@pytest.mark.parametrize(
    ("kind", "name"), [(".xlsx", "n.xls"), (".xls", "n.xlsx"), (".ods", "n.xls"), (".xlsb", "n.xlsx"), (".xlsx", "n.ods")]
)  # fmt: skip
def test_a_workbook_under_the_name_of_another_kind_is_read_and_told(made, tmp_path, kind, name):
    (tmp_path / name).write_bytes((made / f"t0{kind}").read_bytes())
    found = read(tmp_path / name)
    assert [rule for rule, _ in found["whole"]] == ["suffix_other"]
    assert f"holds a workbook of the kind {kind}" in found["whole"][0][1]
    assert found | {"whole": []} == read(made / f"t0{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_sheets_are_named_where_there_are_several(tmp_path, kind):
    book = plain()
    book.create_sheet("乙")["A1"] = "说明"
    book.save(tmp_path / "t.xlsx")
    path = tmp_path / f"t{kind}"
    if kind == ".xlsb":
        write_xlsb(book, path)
    else:
        (first,) = saved_as(".ods" if kind == ".ods" else ".xls", tmp_path, tmp_path / "t.xlsx")
        first.rename(path)
    with opened(str(path), tmp_path) as source:
        assert sheet_names(source) == ("企业", "乙")
    with pytest.raises(InputRefusedError, match="name one of its sheets: 企业, 乙 – as FILE:SHEET"):
        read(path)
    with opened(f"{path}:乙", tmp_path) as source, received(source) as arrived:
        assert arrived.columns == ("说明",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_that_comes_back_is_an_xlsx(made, kind):
    with (
        opened(str(made / f"t0{kind}"), made) as source,
        pytest.raises(InputRefusedError, match=r"comes back as \.xlsx"),
    ):
        read_cells(source)


def written(path, *, from_1904=False):
    book = xlwt.Workbook()
    book.dates_1904 = from_1904
    sheet = book.add_sheet("企业")
    for at, heading in enumerate(["宗地代码", "税收", "日期"]):
        sheet.write(0, at, heading)
    sheet.write(1, 0, "A1")
    sheet.write(1, 1, xlwt.Formula("1+2"))
    sheet.write(1, 2, dt.date(2023, 5, 1), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    book.save(str(path))
    return path


@pytest.mark.parametrize("from_1904", [False, True])
def test_days_count_from_1900_or_1904(tmp_path, from_1904):
    assert read(written(tmp_path / "t.xls", from_1904=from_1904))["values"]["日期"] == [dt.date(2023, 5, 1)]


def test_days_of_an_xlsb_that_counts_from_1904(tmp_path):
    book = plain()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    found = read(write_xlsb(book, tmp_path / "t.xlsb", from_1904=True))
    assert found["values"]["成立日期"] == [FIRST[3], SECOND[3]]


@pytest.mark.parametrize("form", [14, 31, 57, 58])
@pytest.mark.parametrize(("from_1904", "number"), [(False, 43539), (True, 42077)])
def test_days_of_a_chinese_edition_in_an_xlsb(tmp_path, form, from_1904, number):
    book = grown(["代码", "日期"], ["A1", number])
    book.active["B2"].number_format = f"built-in {form}"
    found = read(write_xlsb(book, tmp_path / "t.xlsb", from_1904=from_1904))
    assert found["values"]["日期"] == [dt.date(2019, 3, 15)]


@pytest.mark.parametrize("form", [14, 31, 57, 58])
def test_days_of_a_chinese_edition_in_an_xls(tmp_path, form):
    book = xlwt.Workbook()
    sheet = book.add_sheet("企业")
    for at, value in enumerate(["代码", "日期"]):
        sheet.write(0, at, value)
    sheet.write(1, 0, "A1")
    sheet.write(1, 1, 43539, xlwt.easyxf(num_format_str="M/D/YY"))
    book.save(str(tmp_path / "t.xls"))
    content = (tmp_path / "t.xls").read_bytes()
    # The format 14 of the cell's style becomes another one that no file names.
    changed, times = re.subn(
        rb"(\xe0\x00\x14\x00..)\x0e\x00",
        lambda found: found[1] + struct.pack("<H", form),
        content,
        flags=re.DOTALL,
    )
    assert times == 1
    (tmp_path / "t.xls").write_bytes(changed)
    assert read(tmp_path / "t.xls")["values"]["日期"] == [dt.date(2019, 3, 15)]


def test_a_formula_that_was_never_calculated_is_told(tmp_path):
    found = read(written(tmp_path / "t.xls"))
    assert found["values"]["税收"] == [None]
    assert [(row, rule) for row, rule, _ in found["doubts"]] == [(0, "formula_without_result")]


@pytest.mark.parametrize("kind", [".xls", ".ods"])
def test_results_of_formulas_are_believed_0_among_them(tmp_path, kind):
    grown(["代码", "和", "差"], ["A1", "=1+2", "=2-2"]).save(tmp_path / "t.xlsx")
    found = read(saved_as(kind, tmp_path, tmp_path / "t.xlsx")[0])
    assert found["values"] == {"代码": ["A1"], "和": [3], "差": [0]}
    assert not found["doubts"]


def test_a_formula_of_an_xlsb_without_result_is_told(tmp_path):
    path = write_xlsb(grown(["代码", "和"], ["A1", "=1+2"]), tmp_path / "t.xlsb")
    assert [rule for _, rule, _ in read(path)["doubts"]] == ["formula_without_result"]


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("suffix", [".xls", ".et", ".xlsx", ".xlsb", ".ods"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "a web page with its parts (MHTML)"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "XML table of Excel 2003"),
        ("宗地代码,税收\nA1,2\n".encode("gbk"), "plain text .* commas between them"),
        ("宗地代码\t税收\nA1\t2\n".encode(), "plain text .* tabs between them"),
        (container("EncryptedPackage", "EncryptionInfo"), "protected by a password"),
        (container("WordDocument"), "holds no workbook"),
        (b"", "it is empty"),
        (b"%PDF-1.4\n", "plain text|is not what the name"),
    ],
    ids=["page with parts", "XML 2003", "commas", "tabs", "password", "text of Word", "empty", "PDF"],
)  # fmt: skip
def test_what_is_no_workbook_is_named(tmp_path, suffix, content, words):
    (tmp_path / f"n{suffix}").write_bytes(content)
    with (
        pytest.raises(InputRefusedError, match=words.replace("(", r"\(").replace(")", r"\)")) as refused,
        opened(f"n{suffix}", tmp_path),
    ):
        pass
    assert str(refused.value).startswith(f"{tmp_path / f'n{suffix}'}: ")


def test_a_table_with_a_password_of_openoffice_is_named(made, tmp_path):
    path = tmp_path / "t.ods"
    path.write_bytes((made / "t0.ods").read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    with pytest.raises(InputRefusedError, match="protected by a password"):
        read(path)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A table of 20,000 rows in each kind."""
    folder = tmp_path_factory.mktemp("wide")
    book = openpyxl.Workbook()
    for number in range(20_000):
        book.active.append([f"120113001001{number:06d}", f"公司{number}", number * 1.5, *range(12)])
    book.save(folder / "t.xlsx")
    write_xlsb(book, folder / "t.xlsb")
    for suffix in (".xls", ".ods"):
        saved_as(suffix, folder, folder / "t.xlsx")
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
@pytest.mark.parametrize(("kind", "megabytes"), [(".xls", 80), (".xlsb", 80)])
def test_what_takes_too_much_memory_is_refused(wide, monkeypatch, kind, megabytes):
    assert len(read(wide / f"t{kind}")["values"]["公司0"]) == 19_999
    monkeypatch.setattr(other_book, "MEMORY_BYTES", megabytes * 1_000_000)
    with pytest.raises(InputRefusedError, match=rf"takes more than 0.0{megabytes // 10} GB of memory"):
        read(wide / f"t{kind}")


@pytest.mark.parametrize("kind", [".xls", ".xlsb", ".ods"])
def test_what_takes_too_much_time_is_refused(wide, monkeypatch, kind):
    monkeypatch.setattr(other_book, "SECONDS", 0.03)
    with pytest.raises(InputRefusedError, match="it was not read within"):
        read(wide / f"t{kind}")


# ------------------------------------------------------------------ web pages under the name of a workbook

WEB = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta http-equiv=Content-Type content="text/html; charset={}">
<style>td {{mso-number-format:"@"}}</style></head><body><table id="税收">
<tr><th colspan=3>企业纳税情况表（单位：万元）</th></tr>
<tr><td rowspan=2>宗地代码<td colspan=2>税收&nbsp;</td></tr><tr><td>2022<td>2023</tr>
<tr style="display: none"><td>120113100001GB00001<td>007<td>1<br>2</tr>
<tr><td>120113100001GB00002</td><td></td><td>&lt;5 &amp; 更多</td>
</table></body></html>"""


@pytest.mark.parametrize("suffix", [".xls", ".et", ".xlsx"])
@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("gb2312", "gb18030"), ("utf-8", "utf-8-sig"), ("utf-8", "utf-8"), ("unicode", "utf-16"), ("utf-8", "gbk"), ("gb2312", "utf-8")],
)  # fmt: skip
def test_a_web_page_gives_its_cells_as_they_are_written(tmp_path, suffix, charset, encoding):
    """Also where the page says another encoding than it has: offices put a table into a page of another system."""
    (tmp_path / f"税{suffix}").write_bytes(WEB.format(charset).encode(encoding))
    with opened(f"税{suffix}", tmp_path) as source:
        assert sheet_names(source) == ("税收",)
        assert [rule for rule, _ in source.doubts] == ["suffix_other"]
        (sheet,) = other_book.stored_sheets(source)
    assert sheet.rows == [
        ["企业纳税情况表（单位：万元）", None, None],
        ["宗地代码", "税收", None],
        [None, "2022", "2023"],
        ["120113100001GB00001", "007", "1 2"],
        ["120113100001GB00002", None, "<5 & 更多"],
    ]
    assert sheet.merged == [(0, 0, 0, 2), (1, 2, 0, 0), (1, 1, 1, 2)]
    assert sheet.hidden_rows == [3]


def test_a_table_inside_a_cell_is_one_of_its_own(tmp_path):
    page = "<table><tr><td>外<table name=内><tr><td>a<td>b</table>面<td>c</table><table></table>"
    (tmp_path / "p.xls").write_text(page, encoding="utf-8")
    with opened("p.xls", tmp_path) as source:
        outer, inner = other_book.stored_sheets(source)
    assert (outer.rows, inner.rows, inner.name) == ([["外面", "c"]], [["a", "b"]], "内")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html><table><tr><td>宗地代码</td></tr>".encode(), "ends within a table"),
        (b"<html><body>nothing</body></html>", "without a table"),
        (b"<table><tr><td>\xff\xff\xff</table>", "neither in gb18030"),
        (b"<table>" + b"<tr><td colspan=1000>" * 20_001 + b"</table>", "more than can be read at once"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(tmp_path, page, words):
    (tmp_path / "p.xls").write_bytes(page)
    with opened("p.xls", tmp_path) as source, pytest.raises(InputRefusedError, match=words):
        other_book.stored_sheets(source)


def test_a_page_that_libreoffice_wrote_is_the_workbook_again(tmp_path):
    book = openpyxl.Workbook()
    for row in (["宗地代码", "行业", "税收总额"], ["120113100001GB00001", "0601", "12.5"]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    (page,) = saved_as(".html", tmp_path / "page", tmp_path / "t.xlsx")
    page.rename(tmp_path / "p.xls")
    assert read(tmp_path / "p.xls")["values"] == read(tmp_path / "t.xlsx")["values"]
