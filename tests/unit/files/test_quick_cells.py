"""Cells that are written as usual are read by a pattern, as a parser of XML reads them; all others are left to the parser."""

import zipfile

import pytest

from lowland_gis.analysis.fields.spreadsheet import stored
from lowland_gis.files.spreadsheet import plain_cells
from lowland_gis.files.spreadsheet.marks import marks
from lowland_gis.files.spreadsheet.plain_cells import plain_rows
from lowland_gis.files.spreadsheet.quick_cells import Meaning, quick_rows

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PART = "xl/worksheets/sheet1.xml"
MEANING = Meaning(
    ["甲", "a_x0041_b", ""],
    lambda style: lambda values: [stored(v, ("General", "0000")[style]) for v in values],
)
USUAL = [
    '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>',
    '<row r="2" spans="1:3" x="0.25"><c r="A2" s="1"><v>12</v></c><c r="C2" t="b"><v>1</v></c></row>',
    '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>\n<row r="4"><c r="AB4" t="str"><v>x</v></c></row>',
    '<row><c r="A1"><v>1e3</v></c></row><row><c r="A2"><v>-1.5</v></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a&amp;lt;&lt; </t></is></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><is><t>_x0041_</t></is></c><c r="B1" t="s"><v>1</v></c></row>',
    '<row r="1"><c r="A1" s="1"/><c r="B1"><v></v></c></row><row r="2"></row>',
    '<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
    '<row r="1"><c r="A1"><v>1234567890123456</v></c><c r="B1"><v>2.0</v></c></row>',
    '<row r="1"><c r="A1" t="s"><v>2</v></c></row>',
    "",
]
UNUSUAL = [
    '<row r="1"><!-- <c r="A1"><v>9</v></c> --><c r="A1"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v><![CDATA[x]]></v></c></row>',
    '<row r="1"><c t="n" r="A1"><v>1</v></c></row>',
    '<row r="1"/><row r="2"><c r="A2"><v>1</v></c></row>',
    '<row r="1"><c><v>1</v></c></row>',
    '<row spans="1:1" r="3"><c r="A3"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>a&#65;</v></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><is><t></t></is></c></row>',
    '<row r="1"><c r="A1" t="str"><v>a\r\nb</v></c></row>',
    '<row r="1"><c r="A1" t="n" ><v>1</v></c><x:c xmlns:x="urn:other" r="B1"/></row>',
]
# What neither reads: it is broken, or a formula, an error or rich text, which mean something else.
LEFT = [
    '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>',
    '<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r></is></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>a & b</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>a]]>b</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>\x01</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></row>',
    '<row r="1"><c r="A1"><v>x</v></c></row>',
]


def workbook(
    folder, rows, *, head="", tail="", declared='<?xml version="1.0" encoding="UTF-8"?>', encoding="utf-8"
):
    path = folder / "表.xlsx"
    sheet = f'{declared}<worksheet xmlns="{MAIN}">{head}<sheetData>{rows}</sheetData>{tail}</worksheet>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(PART, sheet.encode(encoding))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="urn:r"><sheets><sheet name="S" r:id="i"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="i" Target="worksheets/sheet1.xml"/></Relationships>',
        )
    return path


def parsed(path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(plain_cells, "quick_rows", lambda *_: None)
        return plain_rows(path, PART, MEANING)


@pytest.mark.parametrize("rows", USUAL)
def test_what_is_written_as_usual_is_read_as_a_parser_reads_it(tmp_path, monkeypatch, rows):
    path = workbook(tmp_path, rows)
    found = quick_rows(path, PART, MEANING)
    assert found is not None
    assert repr(found) == repr(parsed(path, monkeypatch))


@pytest.mark.parametrize("rows", UNUSUAL)
def test_what_is_written_otherwise_is_left_to_the_parser(tmp_path, monkeypatch, rows):
    path = workbook(tmp_path, rows)
    assert quick_rows(path, PART, MEANING) is None
    found = plain_rows(path, PART, MEANING)
    assert found
    assert repr(found) == repr(parsed(path, monkeypatch))


@pytest.mark.parametrize("rows", LEFT)
def test_what_is_no_plain_cell_or_broken_is_read_by_neither(tmp_path, rows):
    path = workbook(tmp_path, rows)
    assert quick_rows(path, PART, MEANING) is None
    assert plain_rows(path, PART, MEANING) is None


@pytest.mark.parametrize(
    "sheet",
    [
        {"declared": '<?xml version="1.0" encoding="GBK"?>', "encoding": "gbk"},
        {"declared": "<!DOCTYPE worksheet>"},
        {"head": '<x xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'},
    ],
)
def test_a_sheet_of_an_unusual_head_is_left_to_the_parser(tmp_path, sheet):
    assert quick_rows(workbook(tmp_path, USUAL[0], **sheet), PART, MEANING) is None


def test_blocks_end_between_rows(tmp_path, monkeypatch):
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="str"><v>北仓镇{n}</v></c></row>'
        for n in range(1, 40_000)
    )
    path = workbook(tmp_path, rows)
    found = quick_rows(path, PART, MEANING)
    assert found == [[n, f"北仓镇{n}"] for n in range(1, 40_000)]
    assert found == parsed(path, monkeypatch)


HIDDEN = '<row r="2" hidden="1"><c r="A2"><v>1</v></c></row><row hidden="true"><c r="A3"><v>1</v></c></row><row r="9" hidden="0"></row>'


@pytest.mark.parametrize("rows", [HIDDEN, f"<!-- a parser reads this -->{HIDDEN}"])
def test_marks_are_the_same_by_pattern_and_by_parser(tmp_path, rows):
    around = {
        "head": '<cols><col min="2" max="3" hidden="1"/></cols>',
        "tail": '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>',
    }
    found = marks(workbook(tmp_path, rows, **around), "S")
    assert found.hidden_rows == [2, 3]
    assert found.n_hidden_columns == 2
    assert [(item.top, item.bottom, item.left, item.right) for item in found.merged] == [(0, 1, 0, 1)]


def test_a_broken_frame_is_told(tmp_path):
    with pytest.raises(ValueError, match="mismatched tag"):
        marks(workbook(tmp_path, USUAL[0], tail="</x>"), "S")
