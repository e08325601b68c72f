"""The workbooks of the tax office as a person types them anew and LibreOffice saves them: the same firms, the same verdicts."""

import re
import subprocess

import openpyxl
import psycopg
import pytest

from acceptance.conftest import run_lowland
from databases import DEMO, created

YEARS = (2021, 2022, 2023)
FIRMS = (
    "SELECT credit_code, year, parcel_id, attributes::text FROM land.enterprise JOIN land.layer_version v USING (version_id)"
    " WHERE version_id = (SELECT max(version_id) FROM land.layer_version w WHERE w.layer = v.layer AND w.part = v.part)"
    " ORDER BY 1, 2, 3, 4"
)
VERDICTS = (
    "SELECT parcel_id, question, answer, settled, rule, trace::text FROM result.verdict"
    " WHERE run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'classify') ORDER BY 1, 2"
)


@pytest.fixture
def copied(demo, cluster):
    """A copy of the demo's database: what is delivered here is nobody else's business."""
    with created(cluster, "acceptance_retyped", DEMO) as dsn:
        yield dsn


def retyped(path, target):
    """Half-width brackets, line breaks and wide letters in the headings, a title over them; what stands below is as it was."""
    old = openpyxl.load_workbook(path).active
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([f"{path.stem}税收情况表"])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=old.max_column)
    for number, row in enumerate(old.iter_rows(values_only=True)):
        sheet.append([heading(cell) for cell in row] if number == 0 else list(row))
    book.save(target)


def heading(text):
    half = text.replace("（", "\n(").replace("）", ")")
    return half if half != text else f" {text[:2]} {text[2:]}　"


def test_firms_and_verdicts_are_the_same(demo, copied, tmp_path):
    def rows(query):
        with psycopg.connect(copied) as connection:
            return connection.execute(query).fetchall()

    def lowland(*arguments):
        done = run_lowland("--project", str(demo.folder / "lowland.toml"), *arguments, dsn=copied)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    firms, verdicts = rows(FIRMS), rows(VERDICTS)
    assert len({year for _, year, _, _ in firms}) == len(YEARS)
    for year in YEARS:
        retyped(demo.folder / "incoming" / "税务局" / f"企业{year}.xlsx", tmp_path / f"企业{year}.xlsx")
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "saved"), *map(str, tmp_path.glob("*.xlsx"))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    for year in YEARS:
        said = lowland(
            "ingest", "enterprise", str(tmp_path / "saved" / f"企业{year}.xlsx"), "--part", f"企业{year}"
        )
        assert re.search(r"([\d,]+) read = \1 loaded \+ 0 set aside; 0 issues", said)
    assert rows("SELECT count(*) FROM land.layer_version WHERE layer = 'enterprise'") == [(2 * len(YEARS),)]
    assert rows(FIRMS) == firms
    lowland("run", "--from", "tabulate", "--to", "classify")
    assert rows("SELECT count(*) FROM result.run WHERE stage = 'classify'") == [(2,)]
    assert [row[:5] for row in rows(VERDICTS)] == [row[:5] for row in verdicts]
