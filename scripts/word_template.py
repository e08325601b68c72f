"""The shapes that the shipped Word templates are made of: pages, fonts, tables with repeated headings, conditions, and how they are saved."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

FOLDER = Path(__file__).resolve().parent.parent / "src/lowland_gis/products/reports/templates"
HEAD, BODY = "黑体", "宋体"
RED = RGBColor(0xB0, 0x2A, 0x1E)
_NO_DAY = (1980, 1, 1, 0, 0, 0)
Align = Literal["left", "right", "centre"]
# Heading, placeholder of a cell, its width in cm and how it stands.
Cells = Sequence[tuple[str, str, float, Align]]
_SIDES = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "centre": WD_ALIGN_PARAGRAPH.CENTER,
}


def write(templates: Mapping[str, Callable[[], Any]], arguments: Sequence[str]) -> int:
    """Write templates by name, or with `--check` say which are stale; 1 where some are and nothing may be written."""
    checks, stale = "--check" in arguments, []
    for name, make in templates.items():
        content, path = _saved(make()), FOLDER / f"{name}.docx"
        if path.is_file() and _texts(path.read_bytes()) == _texts(content):
            continue
        stale.append(path.name)
        if not checks:
            FOLDER.mkdir(exist_ok=True)
            path.write_bytes(content)
    if stale:
        print(f"{'stale' if checks else 'written'}: {', '.join(stale)}")
    return int(bool(stale) and checks)


def begun(margins_cm: tuple[float, float, float], size: float, headings: Mapping[int, float]) -> Any:
    """Return an empty A4 document: margins at the sides, above and below, the size of its text, and those of headings by level."""
    made = Document()
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(margins_cm[0])
    section.top_margin, section.bottom_margin = Cm(margins_cm[1]), Cm(margins_cm[2])
    _font(made.styles["Normal"], BODY, size)
    for level, points in headings.items():
        _font(made.styles[f"Heading {level}"], HEAD, points)
    return made


def when(made: Any, name: str) -> None:
    """Begin what stands there only where a placeholder holds something."""
    made.add_paragraph(f"{{%p if {name} %}}")


def otherwise(made: Any) -> None:
    """Begin what stands there where it holds nothing."""
    made.add_paragraph("{%p else %}")


def end(made: Any) -> None:
    """End what `when` began."""
    made.add_paragraph("{%p endif %}")


def each(made: Any, item: str, items: str) -> None:
    """Begin what stands there once for each item."""
    made.add_paragraph(f"{{%p for {item} in {items} %}}")


def end_each(made: Any) -> None:
    """End what `each` began."""
    made.add_paragraph("{%p endfor %}")


def marks(made: Any, size: float) -> None:
    """Add the marks of made-up and of outdated data, in red."""
    for name in ("mark", "stale"):
        when(made, name)
        centred(made, f"【{{{{ {name} }}}}】", size, HEAD, RED)
        end(made)


def centred(made: Any, text: str, size: float, font: str, colour: RGBColor | None = None) -> None:
    """Add a line in the middle."""
    line = made.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run(line, text, font, size, colour)


def table(
    made: Any, rows: str, cells: Cells, size: float, *, around_pt: float = 1, shaded: bool = False
) -> None:
    """Add a table of rows: its headings stand on every page, and no row is cut in two."""
    made_table = made.add_table(4, len(cells), style="Table Grid")
    made_table.alignment = WD_TABLE_ALIGNMENT.CENTER
    made_table.autofit = False
    for place, (heading, name, width, side) in enumerate(cells):
        # Word takes the widths of cells, LibreOffice those of columns.
        made_table.columns[place].width = Cm(width)
        for row in made_table.rows:
            row.cells[place].width = Cm(width)
        _cell(made_table.rows[0].cells[place], heading, (HEAD, size), "centre", around_pt)
        _cell(made_table.rows[2].cells[place], f"{{{{ row.{name} }}}}", (BODY, size), side, around_pt)
    _cell(made_table.rows[1].cells[0], f"{{%tr for row in {rows} %}}", (BODY, size), "left", around_pt)
    _cell(made_table.rows[3].cells[0], "{%tr endfor %}", (BODY, size), "left", around_pt)
    if shaded:
        for cell in made_table.rows[0].cells:
            _shade(cell)
    made_table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in made_table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", "E7ECEF")):
        shade.set(qn(name), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _cell(cell: Any, text: str, letters: tuple[str, float], side: Align, around_pt: float) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(around_pt)
    paragraph.alignment = _SIDES[side]
    run(paragraph, text, *letters)


def numbered(made: Any) -> None:
    """Put the number of the page below each."""
    paragraph = made.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        letters = paragraph.add_run()
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        letters._r.append(part)


def run(paragraph: Any, text: str, font: str, size: float, colour: RGBColor | None = None) -> None:
    """Add letters of a font and size (points) to a paragraph."""
    letters = paragraph.add_run(text)
    _font(letters, font, size)
    if colour is not None:
        letters.font.color.rgb = colour


def _font(item: Any, name: str, size: float) -> None:
    item.font.name, item.font.size = name, Pt(size)
    item.font.color.rgb = RGBColor(0, 0, 0)
    properties = (
        item.element.get_or_add_rPr()
        if hasattr(item.element, "get_or_add_rPr")
        else item._element.get_or_add_rPr()
    )
    fonts = properties.get_or_add_rFonts()
    for side in ("w:eastAsia", "w:ascii", "w:hAnsi"):
        fonts.set(qn(side), name)


def _saved(made: Any) -> bytes:
    sink = io.BytesIO()
    made.core_properties.author = "lowland"
    made.core_properties.title = ""
    made.save(sink)
    again = io.BytesIO()
    with zipfile.ZipFile(sink) as before, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as after:
        for item in before.infolist():
            part = zipfile.ZipInfo(item.filename, _NO_DAY)
            part.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(part, before.read(item))
    return again.getvalue()


def _texts(content: bytes) -> dict[str, bytes]:
    """Return the parts of a document that say what it is; another release may pack them otherwise."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return {
            name: parts.read(name)
            for name in ("word/document.xml", "word/footer1.xml", "word/styles.xml")
            if name in parts.namelist()
        }
