"""Potential and brief of units on the sample district: one figure stands in the table, the brief and the ledger alike."""

import io
import json
import math
import os
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import docx
import pandas as pd
import pytest

from lowland_gis import cli
from lowland_gis.pipeline.products.potential_rows import HEADINGS, UNIT_COLUMNS, said


class Here:
    """The demo's commands in this process, which loads the libraries once; of the draft of the flow."""

    def __init__(self, demo, toml=None):
        self.demo, self.toml = demo, toml or demo.folder / "lowland.toml"
        self.kept = {}

    def lowland(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.dict(os.environ, LOWLAND_DSN=self.demo.dsn),
            pytest.raises(SystemExit) as left,
        ):
            cli.main(["--project", str(self.toml), *map(str, arguments)])
        return int(left.value.code or 0), out.getvalue(), err.getvalue()

    def json(self, *arguments):
        if arguments not in self.kept:
            code, out, err = self.lowland(*arguments, "--json")
            assert code == 0, err
            self.kept[arguments] = json.loads(out)
        return self.kept[arguments]

    def potential(self, *arguments):
        return self.json("unit", "potential", "--draft", "flow", *arguments)

    def figures(self, unit):
        return {row["key"]: row for row in self.potential(unit)}

    def brief(self, unit, target, *more):
        return self.lowland("unit", "brief", unit, "--out", target, "--draft", "flow", *more)

    def brief_tables(self, unit, target):
        code, _, err = self.brief(unit, target)
        assert code == 0, err
        return [
            [[cell.text for cell in row.cells] for row in table.rows]
            for table in docx.Document(str(target)).tables
        ]


@pytest.fixture(scope="module")
def here(demo):
    return Here(demo)


@pytest.fixture(scope="module")
def units(here):
    """Return the ledgers of the units of the flow, by their names."""
    return {row["unit_id"]: row for row in here.json("unit", "metrics", "flow")}


@pytest.fixture(scope="module")
def planned(units):
    """Return a unit with planned public-benefit land where there is one, and the largest one."""
    by_area = sorted(units.values(), key=lambda row: row["area_m2"])
    public = [row for row in by_area if row["public_share"]]
    return list(dict.fromkeys(row["unit_id"] for row in (*public[-1:], by_area[-1])))


def test_potential_rests_on_the_areas_of_the_ledger(here, units, planned):
    rows = here.potential()
    assert [row["unit_id"] for row in rows] == sorted(units)
    for row in rows:
        ledger = units[row["unit_id"]]
        assert row["area_ha"] == pytest.approx(ledger["area_m2"] / 1e4, abs=1e-4)
        assert row["low_ha"] == pytest.approx(ledger["area_m2"] * ledger["low_share"] / 1e4, abs=1e-3)
        assert 0 < row["land_low_ha"] <= row["land_high_ha"] <= row["low_ha"] + 1e-9
    for unit in planned:
        own, row = here.figures(unit), next(row for row in rows if row["unit_id"] == unit)
        assert own["public_planned"]["low"] == pytest.approx(
            units[unit]["area_m2"] * units[unit]["public_share"] / 1e4, abs=1e-3
        )
        for key, low, high in (
            ("land", "land_low_ha", "land_high_ha"), ("floor", "floor_low_m2", "floor_high_m2"),
            ("reserve_left", "reserve_low_wan", "reserve_high_wan"), ("owner_left", "owner_low_wan", "owner_high_wan"),
            ("public_short", "public_short_low_ha", "public_short_high_ha"),
        ):  # fmt: skip
            assert (own[key]["low"], own[key]["high"]) == (row[low], row[high]), key


def test_floors_by_plan_are_those_of_the_deliveries(demo, here, planned):
    """Area times FAR of the plan as it was delivered, and floors as they were measured, parcel by parcel."""
    unit = planned[-1]
    members = pd.DataFrame(here.json("unit", "members", "flow"))
    own = members[(members["unit_id"] == unit) & (members["low_ha"] > 0)]
    delivered = pd.DataFrame(
        demo.rows(
            "SELECT p.parcel_id, p.area_m2, p.planar_m2, f.attributes->>'RJL' AS far,"
            " ST_Area(ST_Intersection(p.geom, f.geom)) AS shared FROM land.parcel p JOIN land.current_version c USING (version_id)"
            " JOIN land.feature f ON ST_Intersects(p.geom, f.geom) JOIN land.current_version v ON v.version_id = f.version_id"
            " WHERE v.layer = 'plan_parcel' AND p.parcel_id = ANY(%s)", list(own["parcel_id"])
        ), columns=["parcel_id", "area_m2", "planar_m2", "far", "shared"],
    ).astype({"area_m2": float, "planar_m2": float, "far": float})  # fmt: skip
    by_plan = (delivered["shared"] * delivered["far"] * delivered["area_m2"] / delivered["planar_m2"]).sum()
    floors = demo.rows(
        "SELECT sum(value) FROM result.evidence WHERE measure = 'floor_area' AND parcel_id = ANY(%s)"
        " AND run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'measure')", list(own["parcel_id"])
    )[0][0]  # fmt: skip
    found = here.figures(unit)
    assert found["floor_plan"]["low"] == pytest.approx(by_plan, rel=2e-3)
    assert found["floor_now"]["low"] == pytest.approx(float(floors), rel=1e-6)
    parcels = here.potential(unit, "--show", "parcels")
    assert math.fsum(row["floor_high_m2"] for row in parcels) == pytest.approx(
        found["floor"]["high"], abs=0.01
    )


def test_the_table_of_all_units_opens_in_excel(here, units, tmp_path):
    target = tmp_path / "潜力.csv"
    assert here.lowland("unit", "potential", "--all", "--draft", "flow", "-o", target)[0] == 0
    rows = pd.read_csv(target, encoding="utf-8-sig", dtype={"单元编号": str})
    assert list(rows.columns) == [HEADINGS[name] for name in UNIT_COLUMNS]
    assert list(rows["单元编号"]) == sorted(units)


def test_next_uses_have_reasons_and_parameters_documents(here, planned):
    uses = here.potential(planned[0], "--show", "uses")
    assert [use["rank"] for use in uses] == list(range(1, len(uses) + 1))
    assert [use["score_low"] for use in uses] == sorted((use["score_low"] for use in uses), reverse=True)
    assert all(use["reasons"].startswith("详细规划：") for use in uses)
    given = here.potential("--show", "parameters")
    assert all(row["document"] and row["unit"] and (row["example"] or row["date"]) for row in given)


def test_what_does_not_fit_is_said(here, planned):
    for arguments, told in (
        (("nothing", "--draft", "flow"), "has no unit nothing"),
        ((planned[0], "--all"), "not both"),
        (("--show", "uses"), "lowland unit potential UNIT --show uses"),
    ):
        code, _, err = here.lowland("unit", "potential", *arguments)
        assert code == 2
        assert told in err


def test_the_brief_says_the_figures_of_the_table(here, units, planned, tmp_path):
    for unit in planned:
        target = tmp_path / f"{unit}.docx"
        tables = here.brief_tables(unit, target)
        written = [row for table in tables for row in table]
        for row in here.figures(unit).values():
            assert [row["figure"], said(row["low"], row["high"], row["unit"])] in [
                cells[:2] for cells in written
            ], row
        ledger = units[unit]
        assert ["面积", f"{ledger['area_m2'] / 1e4:.2f} 公顷"] in written
        assert ["低效占比", f"{ledger['low_share']:.1%}"] in written
        assert ["规划公益性用地", f"{ledger['public_share']:.1%}"] in written
        for use in here.potential(unit, "--show", "uses")[:5]:
            assert [
                str(use["rank"]),
                use["use"],
                said(use["score_low"], use["score_high"]),
                use["reasons"],
            ] in written
        # The ground of phases is that of the unit.
        phases = next(table for table in tables if table[0][0] == "时序")
        assert sum(float(cells[3]) for cells in phases[1:]) == pytest.approx(
            ledger["area_m2"] / 1e4, abs=0.02
        )
        assert sum(int(cells[2]) for cells in phases[1:]) == ledger["n_parcels"]


def test_papers_missing_are_those_of_the_problem_list(here, units, tmp_path):
    todo = here.json("classify", "todo", "--parcels")
    members = {row["parcel_id"]: row["unit_id"] for row in here.json("unit", "members", "flow")}
    lacking = (
        pd.DataFrame(todo).assign(unit=lambda rows: rows["parcel_id"].map(members)).dropna(subset="unit")
    )
    assert len(lacking)
    unit = lacking["unit"].iloc[0]
    (papers,) = (table for table in here.brief_tables(unit, tmp_path / "b.docx") if table[0][0] == "责任单位")
    own = lacking[lacking["unit"] == unit].drop_duplicates(["office", "needed", "clause", "parcel_id"])
    counts = own.groupby(["office", "needed", "clause"])["parcel_id"].count()
    assert {tuple(cells[:3]): int(cells[3]) for cells in papers[1:]}.items() <= counts.to_dict().items()
    assert len(papers) - 1 == min(10, len(counts))


def test_the_pdf_says_what_the_document_says_on_about_four_pages(here, planned, tmp_path):
    unit = planned[-1]
    target = tmp_path / "简报.pdf"
    code, _, err = here.brief(unit, target)
    assert code == 0, err
    text = subprocess.run(
        ["pdftotext", "-layout", target, "-"], capture_output=True, text=True, check=True
    ).stdout
    plain = "".join(text.split())
    for row in here.figures(unit).values():
        for part in (row["figure"], said(row["low"], row["high"], row["unit"])):
            assert "".join(part.split()) in plain, row
    assert 3 <= text.count("\f") <= 5
    assert "合成数据" in plain


def test_a_template_of_the_office_is_used_and_one_that_asks_too_much_writes_nothing(demo, planned, tmp_path):
    project = tmp_path / "own"
    shutil.copytree(demo.folder, project, ignore=shutil.ignore_patterns("out"))
    folder = project / "templates"

    def brief(text):
        folder.mkdir(exist_ok=True)
        template = docx.Document()
        template.add_paragraph(text)
        template.save(str(folder / "unit_brief.docx"))
        return Here(demo, project / "lowland.toml").brief(planned[0], tmp_path / "a.docx")

    code, _, err = brief("{{ district }}：{{ title }}")
    assert code == 0, err
    before = (tmp_path / "a.docx").read_bytes()
    (paragraph,) = docx.Document(str(tmp_path / "a.docx")).paragraphs
    assert planned[0] in paragraph.text
    code, _, err = brief("{{ titel }}")
    assert code == 3
    assert "titel (did you mean title?)" in err
    assert "docs/units.md" in err
    assert (tmp_path / "a.docx").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".docx"] == ["a.docx"]


def test_the_shipped_template_is_written_for_the_office(here, tmp_path):
    assert here.lowland("report", "template", tmp_path / "templates")[0] == 0
    assert (tmp_path / "templates/unit_brief.docx").is_file()


def test_a_brief_is_a_document_or_a_pdf(here, planned, tmp_path):
    code, _, err = here.brief(planned[0], tmp_path / "a.doc")
    assert code == 2
    assert "ends in .docx or .pdf" in err
    assert list(tmp_path.iterdir()) == []
