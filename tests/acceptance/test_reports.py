"""Reports and sheets of the demo, opened by programs that are not ours: the same counts and areas as the database."""

# ruff: noqa: S608
import re
import shutil
import subprocess
from decimal import ROUND_HALF_UP, Decimal

import docx
import openpyxl
import pytest

from databases import DEMO, created

NEWEST = "(SELECT max(run_id) FROM result.run WHERE stage = 'classify')"
LOW = ("legacy", "industrial", "town", "village")


@pytest.fixture(scope="module")
def low(demo):
    """Number and m² of low-efficient land by kind, straight from the tables; areas as they are printed, to hundredths."""
    rows = demo.rows(
        "SELECT answer, count(*), sum(round(area_m2::numeric, 2)) FROM result.verdict JOIN land.parcel USING (parcel_id)"
        f" WHERE question = 'kind' AND run_id = {NEWEST} AND answer = ANY(%s) GROUP BY 1",
        list(LOW),
    )
    return {answer: (int(count), Decimal(area)) for answer, count, area in rows}


@pytest.fixture(scope="module")
def converted(demo, tmp_path_factory):
    """What LibreOffice makes of the documents and the workbooks that the demo left."""
    folder = tmp_path_factory.mktemp("converted")
    reports = demo.folder / "out" / "reports"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    for kind, ending in (("pdf", "docx"), ("xlsx:Calc MS Excel 2007 XML", "xlsx")):
        files = [str(path) for path in sorted(reports.glob(f"*.{ending}"))]
        assert len(files) == 2
        subprocess.run(
            ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(folder), *files],
            check=True,
            capture_output=True,
            timeout=300,
        )
    return folder


def printed(area, by="10000"):
    return f"{(area / Decimal(by)).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def pdf_text(path):
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    return re.sub(r"\s", "", done.stdout)


def reports(demo, ending):
    return sorted((demo.folder / "out" / "reports").glob(f"*.{ending}"))


def test_words_tables_and_the_pages_that_are_printed_have_the_figures_of_the_database(demo, low, converted):
    count, area = sum(n for n, _ in low.values()), sum(m2 for _, m2 in low.values())
    ((n_all, n_open),) = demo.rows(
        f"SELECT count(*), count(*) FILTER (WHERE answer = 'open') FROM result.verdict WHERE question = 'kind' AND run_id = {NEWEST}"
    )
    words = f"低效用地{count:,}宗、{printed(area)}公顷（{printed(area * 15, '10000')}亩）"
    for path in reports(demo, "docx"):
        document = docx.Document(path)
        text = re.sub(r"\s", "", "".join(paragraph.text for paragraph in document.paragraphs))
        assert words in text
        assert f"参与认定宗地{n_all:,}宗" in text
        assert f"待核{n_open:,}宗" in text
        (kinds,) = (
            table
            for table in document.tables
            if table.rows[0].cells[0].text == "类型" and len(table.columns) == 4
        )
        rows = [[cell.text for cell in row.cells] for row in kinds.rows[1:]]
        assert sorted((row[1], row[2]) for row in rows[:-1]) == sorted(
            (f"{n:,}", printed(m2)) for n, m2 in low.values()
        )
        assert rows[-1] == ["合计", f"{count:,}", printed(area), printed(area * 15, "10000")]
        assert words in pdf_text(converted / f"{path.stem}.pdf")
        assert len(document.inline_shapes) >= 2


def test_the_workbook_computed_anew_by_libreoffice_has_the_values_that_were_written(demo, low, converted):
    for path in reports(demo, "xlsx"):
        ours, theirs = (
            openpyxl.load_workbook(each, data_only=True) for each in (path, converted / path.name)
        )
        formulas = openpyxl.load_workbook(path)
        assert ours.sheetnames == theirs.sheetnames
        computed = 0
        for name in ours.sheetnames:
            for row in formulas[name].iter_rows():
                for cell in row:
                    mine, other = ours[name][cell.coordinate].value, theirs[name][cell.coordinate].value
                    if isinstance(cell.value, str) and cell.value.startswith("="):
                        computed += 1
                        assert other == pytest.approx(mine, abs=1e-9), (name, cell.coordinate)
                    else:
                        # An empty text is an empty cell to LibreOffice.
                        assert (other or None) == (mine or None), (name, cell.coordinate)
        assert computed > 50
        rows = list(theirs["分类型"].iter_rows(min_row=4, values_only=True))
        assert rows[-1][1] == sum(n for n, _ in low.values())
        assert rows[-1][2] == pytest.approx(float(sum(m2 for _, m2 in low.values())), abs=1e-6)
        detail = list(theirs["明细"].iter_rows(min_row=4, values_only=True))
        assert sum(row[4] for row in detail) == rows[-1][1]


def test_tables_of_text_and_of_the_workbook_agree(demo):
    for path in reports(demo, "docx"):
        book = openpyxl.load_workbook(path.with_suffix(".xlsx"), data_only=True)
        tables = {
            table.rows[0].cells[0].text + str(len(table.columns)): table
            for table in docx.Document(path).tables
        }
        for heading, name, columns in (
            ("镇街5", "分镇街、类型", (0, 1, 2, 4, 5)),
            ("数据库5", "三库分状态", (0, 1, 2, 4, 5)),
        ):
            if heading not in tables:
                continue
            rows = [[cell.text for cell in row.cells] for row in tables[heading].rows[1:]]
            cells = list(book[name].iter_rows(min_row=4, values_only=True))
            numbers = [
                [f"{row[n]:,}" if n == 2 else f"{row[n]:,.2f}" if n > 2 else row[n] or "" for n in columns]
                for row in cells
            ]
            assert rows == numbers


def test_sheets_open_and_say_what_the_database_holds(demo):
    folder = demo.folder / "out" / "sheets"
    files = sorted(folder.glob("*.pdf"))
    units = demo.rows(
        "SELECT unit_id, n_parcels, run_id FROM result.unit WHERE run_id = (SELECT min(run_id) FROM result.unit) ORDER BY 1 LIMIT 3"
    )
    assert {unit for unit, _, _ in units} <= {path.stem for path in files}
    assert len(files) == 9
    for path in files:
        info = subprocess.run(["pdfinfo", str(path)], capture_output=True, text=True, check=True)
        assert info.stderr == ""
        assert "Page size:       595." in info.stdout
        fonts = subprocess.run(
            ["pdffonts", str(path)], capture_output=True, text=True, check=True
        ).stdout.splitlines()[2:]
        assert fonts
        assert all(re.search(r" yes yes yes ", line) for line in fonts)
        assert "用地" in pdf_text(path)
    # Other tests draw units into the same database: the sheets are those of the demo's own run, the first.
    for unit, n_parcels, run in units:
        text = pdf_text(folder / f"{unit}.pdf")
        members = demo.rows(
            "SELECT parcel_id FROM result.member WHERE unit_id = %s AND run_id = %s", unit, run
        )
        assert len(members) == n_parcels
        assert all(parcel in text for (parcel,) in members)
        assert f"合计{n_parcels}宗" in text


def test_a_sheet_of_a_parcel_has_its_clauses_overlaps_and_corners(demo, tmp_path):
    ((parcel,),) = demo.rows(
        f"SELECT max(parcel_id) FROM result.verdict WHERE answer = 'industrial' AND question = 'kind' AND settled AND run_id = {NEWEST}"
    )
    done = demo.lowland("map", "sheet", parcel, str(tmp_path / "s.pdf"), "--paper", "a3")
    assert done.returncode == 0, done.stderr
    text = pdf_text(tmp_path / "s.pdf")
    told = demo.json("classify", "explain", parcel)
    (kind,) = (question for question in told["questions"] if question["question"] == "kind")
    (rule,) = (rule for rule in kind["rules"] if rule["rule"] == kind["rule"])
    for clause in rule["clauses"]:
        assert re.sub(r"\s", "", clause["title"]) in text
    for code, area in demo.rows(
        "SELECT code, area_m2 FROM result.overlap WHERE parcel_id = %s AND layer = 'dltb3' AND area_m2 > 0.01"
        " AND run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'tabulate')",
        parcel,
    ):
        assert code in text
        assert f"{area:,.2f}" in text
    for x, y in demo.rows(
        "SELECT DISTINCT ST_X(p.geom), ST_Y(p.geom) FROM land.parcel, ST_DumpPoints(parcel.geom) AS p WHERE parcel_id = %s",
        parcel,
    ):
        assert f"{x:.3f}" in text
        assert f"{y:.3f}" in text
    assert "四至" in text
    assert demo.lowland("map", "sheet", "nobody", str(tmp_path / "n.pdf")).returncode == 2
    assert demo.lowland("map", "sheet", parcel, str(tmp_path / "n.doc")).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.pdf"]


@pytest.fixture(scope="module")
def office(demo, cluster, tmp_path_factory, project_at):
    """The demo's project on a database of its own."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copy(demo.folder / "lowland.toml", folder / "lowland.toml")
    text = (folder / "lowland.toml").read_text(encoding="utf-8")
    (folder / "lowland.toml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("dsn")), encoding="utf-8"
    )
    with created(cluster, "office_of_reports", DEMO) as dsn:
        yield project_at(folder, dsn)


def test_what_is_made_is_recorded_and_no_more_due(office):
    before = {
        row["period"]: row
        for row in office.json("report", "due", "--on", "2024-05-20")
        if row["report"] == "bulletin"
    }
    assert before["2024-05"]["state"] == "due"
    assert before["2024-03"]["state"] == "overdue"
    assert before["2024-05"]["command"] == "lowland report bulletin 2024-05"
    assert "check run" in before["2024-05"]["missing"]
    assert office.lowland("report", "template").returncode == 0
    for path in (office.folder / "templates").iterdir():
        document = docx.Document(path)
        document.add_paragraph("办公室自定：{{ low.n }} 宗")
        document.save(path)
    for month in ("2024-05", "2024-07"):
        done = office.lowland("report", "bulletin", month)
        assert done.returncode == 0, done.stderr
    after = {
        row["period"]: row
        for row in office.json("report", "due", "--on", "2024-05-20")
        if row["report"] == "bulletin"
    }
    assert after["2024-05"]["state"] == "made"
    assert after["2024-05"]["file"] == "工作简报-2024-05.docx"
    made = docx.Document(office.folder / "out" / "reports" / "工作简报-2024-07.docx")
    text = "\n".join(paragraph.text for paragraph in made.paragraphs)
    assert "办公室自定：" in text
    assert "上期：2024-05（2024-05-31）。" in text
    # The same once more is the same, and is not recorded again.
    count = office.rows("SELECT count(*) FROM registry.report")
    assert office.lowland("report", "bulletin", "2024-07").returncode == 0
    assert office.rows("SELECT count(*) FROM registry.report") == count
    assert office.lowland("registry", "verify").returncode == 0


def test_what_cannot_be_made_is_refused_and_leaves_nothing(office, tmp_path):
    ours = office.folder / "templates" / "annual.docx"
    document = docx.Document(ours)
    document.add_paragraph("{{ low.hectare }}")
    document.save(ours)
    count = office.rows("SELECT count(*) FROM registry.report")
    (tmp_path / "photos").mkdir()
    target = str(tmp_path / "r.docx")
    for arguments, code, said in (
        (["annual", "2024", target], 3, "annual.docx"),
        (["bulletin", "2024-06", target], 2, "made of the months 1, 3, 5"),
        (["bulletin", "2024-05", str(tmp_path / "r.pdf")], 2, "ends in .docx"),
        (["bulletin", "2024-05", target, "--template", str(tmp_path / "no.docx")], 2, "no such template"),
        (["bulletin", "2024-05", target, "--case", "nobody"], 2, "no parcel"),
        (["bulletin", "2024-05", target, "--photos", str(tmp_path / "photos")], 2, "holds no photo"),
        (["bulletin", "2024-05", target, "--on", "2024-01-05"], 2, "begins after"),
    ):
        done = office.lowland("report", *arguments)
        assert (done.returncode, said in done.stderr) == (code, True), (arguments, done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    assert office.rows("SELECT count(*) FROM registry.report") == count
