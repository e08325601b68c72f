"""A brief out of its template: what stands in it comes out as it is, and what a template asks that is not there is refused."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import docx
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.products.reports import office_pdf
from lowland_gis.products.reports.brief import Brief, brief_document
from lowland_gis.products.reports.document import BRIEF, FOLDER

ROOT = Path(__file__).parents[4]
SHIPPED = FOLDER / f"{BRIEF}.docx"
STRANGE = '甲 & 乙 <丙> "丁" {{ 戊 }} 50 %'


@pytest.fixture(scope="module")
def plan():
    sink = io.BytesIO()
    with mpl.rc_context():
        Figure(figsize=(1, 1)).savefig(sink, format="png")
    return sink.getvalue()


SAID = (
    "district", "title", "mark", "stale", "source", "bounds", "parcels_rest", "papers_more", "proposal", "public_need", "alternative",
    "tools_source", "phase_source",
)  # fmt: skip
TABLES = {
    "facts": ("item", "value"), "now_kinds": ("name", "ha", "mu", "share"), "now_owners": ("name", "ha", "mu", "share"),
    "plan_uses": ("name", "ha", "mu", "share"), "plan_zones": ("name", "ha", "mu", "share"),
    "parcels": ("parcel", "kind", "ha", "floor", "gain"), "papers": ("office", "needed", "clause", "n", "ha"),
    "potential": ("figure", "value", "hangs_on"), "benefit": ("figure", "value", "hangs_on"), "money": ("figure", "value", "hangs_on"),
    "benefit_uses": ("name", "ha", "mu", "share"), "uses": ("rank", "use", "score", "reasons"), "tools": ("tool", "why", "n", "ha"),
    "phases": ("title", "what", "n", "ha"), "steps": ("way", "steps"), "parameters": ("title", "land", "value", "document"),
}  # fmt: skip


def brief(text=STRANGE):
    return Brief(
        dict.fromkeys(SAID, text),
        {name: [dict.fromkeys(columns, text)] for name, columns in TABLES.items()},
        {"problems": [text]},
    )


def words(content):
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in document.paragraphs], cells


def test_every_text_comes_out_as_it_is(plan):
    content = brief_document(SHIPPED, brief(), plan)
    paragraphs, cells = words(content)
    # Every table but that of steps has a row of it, in each of its columns.
    assert cells.count(STRANGE) == sum(len(columns) for name, columns in TABLES.items() if name != "steps")
    assert f"{STRANGE}低效用地再开发单元规划策划简报" in paragraphs
    assert f"{STRANGE}：{STRANGE}。" in paragraphs
    assert brief_document(SHIPPED, brief(), plan) == content


def test_without_rows_a_table_is_not_there_and_a_sentence_is(plan):
    bare = brief("x")
    content = brief_document(
        SHIPPED,
        Brief(bare.said, {**bare.tables, "papers": [], "tools": [], "benefit_uses": []}, {"problems": []}),
        plan,
    )
    paragraphs, cells = words(content)
    assert "各宗地认定所需材料齐备，没有待核事项。" in paragraphs
    assert "规则包没有给出适用的政策工具。" in paragraphs
    assert "需补材料" not in cells
    assert "工具" not in cells


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{{ potentail }} {{ titel }}",
            "nothing stands for, so nothing was written: potentail (did you mean potential?); titel (did you mean title?)",
        ),
        ("{% for row in money %}{{ row.vlaue }}{% endfor %}", "a placeholder asks for what is not there"),
        ("{{ title", "a placeholder cannot be read"),
        ("{{ title.__class__.__mro__ }}", "a placeholder"),
    ],
)
def test_a_placeholder_that_nothing_stands_for_is_named(tmp_path, plan, text, told):
    template = docx.Document()
    template.add_paragraph(text)
    template.save(tmp_path / "own.docx")
    with pytest.raises(InputRefusedError) as refused:
        brief_document(tmp_path / "own.docx", brief(), plan)
    assert told in str(refused.value)
    assert "own.docx" in str(refused.value)


def test_what_is_no_document_is_refused(tmp_path, plan):
    (tmp_path / "own.docx").write_text("{{ title }}", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="is no Word document"):
        brief_document(tmp_path / "own.docx", brief(), plan)
    with pytest.raises(UsageError, match="there is no such template"):
        brief_document(tmp_path / "none.docx", brief(), plan)


def test_the_shipped_template_is_what_its_script_makes():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/make_brief_template.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_without_libreoffice_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("soffice") is None
    with pytest.raises(UsageError, match="apt-get install -y libreoffice-writer"):
        office_pdf.document_as_pdf(b"", tmp_path / "a.pdf")


def test_a_libreoffice_that_makes_nothing_is_told(tmp_path, monkeypatch):
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho 'no filter for texts' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(InputRefusedError, match="made no PDF of the document .no filter for texts."):
        office_pdf.document_as_pdf(b"x", tmp_path / "a.pdf")


def test_the_page_on_units_lists_what_templates_can_say():
    page = (ROOT / "docs/units.md").read_text(encoding="utf-8")
    listed = page[page.index("## Brief") : page.index("## Measured")]
    columns = {name for row in TABLES.values() for name in row}
    assert [
        name for name in (*SAID, *TABLES, "problems", "map", *sorted(columns)) if f"`{name}`" not in listed
    ] == []
