"""A district of which only parcels are there: every command says what follows from that, and nothing is made up."""

# ruff: noqa: S608 - every name in a query is one of this file

import json
import os

import docx
import geopandas as gpd
import pandas as pd
import psycopg
import pytest

import own_process
from made_files import box

# Of what was never delivered only these are known: the area, and lists that an office keeps and that say no by silence.
BY_SILENCE = {
    "paper_safety",
    "paper_penalty",
    "paper_environment",
    "paper_eliminated",
    "paper_exempt",
    "paper_government_cause",
    "promise_breached",
}
CODES = [f"330302{section:03d}001GB{number:05d}" for section in (1, 2) for number in range(1, 5)]
LARGE = "330302009001GB00001"
LAYERS = (
    "dltb2", "dltb3", "czcdyd3", "eco_redline", "farmland", "development_boundary", "plan_parcel", "plan_zone", "approval", "supply", "building", "enterprise",
    "town", "district",
)  # fmt: skip
PACK = """
name = "own"
title = "自定规则"
document = "试验"
in_force = 2023-01-01
example = true
parameter = []

[[question]]
name = "kind"
title = "类型"
otherwise = "none"
answers = { industrial = "低效工业用地", none = "非低效用地" }
means = { low = ["industrial"], not = ["none"] }

[[question.rule]]
name = "small"
title = "面积小"
answer = "industrial"
article = "试验第一条"
all = [ { measure = "parcel_area", op = "<", limit = 30, unit = "亩", title = "面积小" } ]
[[question.rule.example]]
given = { parcel_area = 5 }
gives = "true"
"""


class District:
    """A project that was made by `lowland init`, with its commands."""

    def __init__(self, folder, dsn):
        self.folder, self.dsn = folder, dsn
        self.run(
            "init",
            str(folder),
            "--code",
            "330302",
            "--name",
            "某区",
            "--crs",
            "EPSG:4548",
            "--as-of",
            "2023-12-31",
            bare=True,
        )

    def run(self, *arguments, ends=(0,), bare=False):
        """Run a command as a person would; it ends as it should, and never with a fault of ours."""
        project = () if bare else ("--project", str(self.folder / "lowland.toml"))
        done = own_process.run(
            *project, *arguments, env=os.environ | {"PYTHONUTF8": "1", "LOWLAND_DSN": self.dsn}
        )
        assert done.returncode in ends, f"{arguments} ended with {done.returncode}: {done.stderr[-1500:]}"
        return done

    def rows(self, query):
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query).fetchall()

    def evidence(self):
        return {name for (name,) in self.rows("SELECT DISTINCT measure FROM result.evidence")}

    def answers(self):
        return dict(self.rows(
            "SELECT parcel_id, answer FROM result.verdict WHERE question = 'kind' AND run_id = (SELECT max(run_id) FROM result.run"
            " WHERE stage = 'classify')"
        ))  # fmt: skip

    def names(self, text):
        file = self.folder / "lowland.toml"
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture
def district(database, tmp_path):
    """Nine parcels with nothing but their codes: two rows of four hectares that touch, and one large one."""
    made = District(tmp_path / "区", database)
    shapes = [box(100 * (n % 4), 100 * (n // 4)) for n in range(8)]
    frame = gpd.GeoDataFrame({"ZDDM": [*CODES, LARGE]}, geometry=[*shapes, box(1000, 0, 200, 200)], crs=4548)
    frame.to_file(made.folder / "incoming" / "宗地.gpkg", layer="ZD")
    made.names('\n[[delivery]]\nlayer = "parcel"\nsource = "incoming/宗地.gpkg:ZD"\n')
    return made


def test_the_whole_flow_runs_on_parcels_alone_and_every_unknown_says_why(district):
    done = district.run("run")
    notes = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    for key in LAYERS:
        (note,) = [line for line in notes if f" {key} was not delivered, so " in line]
        assert note.endswith(f"Type: lowland ingest {key} FILE")
    assert any(
        "宗地 parcel (version 1) has no column BDCDYH 不动产单元号, so 已办理不动产登记 is unknown there"
        in line
        for line in notes
    )
    assert (
        "neither towns (镇街) nor the boundary of the district were delivered, so units lie in one block"
        in done.stderr
    )
    assert district.evidence() <= {"parcel_area"} | BY_SILENCE
    assert set(district.answers().values()) == {"open"}

    told = district.run("classify", "explain", CODES[0], "--all").stdout
    assert "未交付：企业年度数据 enterprise" in told
    assert "来件无此字段：parcel.BDCDYH" in told
    assert "未交付镇街图层，按宗地代码前九位" in told
    said = json.loads(district.run("classify", "explain", CODES[0], "--json").stdout)
    lines = [
        line
        for question in said["questions"]
        for rule in question["rules"]
        for line in rule["clauses"]
        if line["measure"]
    ]
    known = {line["measure"] for line in lines if line["value"] is not None}
    assert known <= {"parcel_area"} | BY_SILENCE
    assert all(
        line["lacking"]
        for line in lines
        if line["value"] is None and not line["measure"].startswith(("paper_", "points", "place"))
    )

    assert district.run("classify", "todo").stdout
    assert "is equal to the last digit" in district.run("classify", "rerun").stdout
    district.run("rules", "what-if", "--set", "tax_min=8")
    district.run("registry", "draft")
    problems = json.loads(district.run("registry", "problems", "--json").stdout)
    assert {row["town_name"] for row in problems} == {None}
    assert "0 units" in district.run("unit", "draft", "试", ends=(0, 1)).stderr
    district.run("unit", "metrics", ends=(0, 1))
    district.run("unit", "why", CODES[0], ends=(0, 1))
    district.run("map", "overview", str(district.folder / "总图.png"))
    district.run("package", "build", str(district.folder / "成果"), ends=(0, 1))
    district.run("package", "check", str(district.folder / "成果"))
    district.run("check", "run", ends=(0, 1))
    district.run("layers", "list")
    assert district.rows("SELECT count(*) FROM registry.low_efficiency") == [(0,)]


def test_units_without_towns_or_a_boundary_lie_in_one_block_and_have_no_town(district):
    (district.folder / "own.toml").write_text(PACK, encoding="utf-8")
    file = district.folder / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('# pack = "example_beichen"', 'pack = "own.toml"'),
        encoding="utf-8",
    )
    done = district.run("run")
    assert district.answers() == dict.fromkeys(CODES, "industrial") | {LARGE: "none"}
    # The codes of the parcels say two towns; the unit crosses their border, which nobody knows.
    units = district.rows("SELECT unit_id, town_code, n_parcels, public_share FROM result.unit")
    assert units == [("330302-001", "330302", 8, None)]
    assert "may cross the borders of towns" in done.stderr
    (file,) = (district.folder / "out" / "package").rglob("ZKFDY.shp")
    packed = gpd.read_file(file)
    assert (packed[["XZDM", "XZMC"]].fillna("") == "").all(axis=None)
    district.run("unit", "sheet", "330302-001", str(district.folder / "一页图.pdf"))
    # Without a plan, buildings and contracts there is no potential that could be told, and none is told as nothing.
    (row,) = json.loads(district.run("unit", "potential", "--json").stdout)
    unknown = (
        "floor_low_m2",
        "floor_high_m2",
        "public_short_low_ha",
        "public_short_high_ha",
        "reserve_high_wan",
        "owner_high_wan",
    )
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)
    assert row["unknown_ha"] == row["low_ha"] > 0
    figures = {
        each["key"]: each
        for each in json.loads(district.run("unit", "potential", row["unit_id"], "--json").stdout)
    }
    assert all(
        figures[key]["low"] is None and figures[key]["hangs_on"]
        for key in ("idle", "freed", "floor", "floor_now", "vacant")
    )
    district.run("unit", "brief", row["unit_id"], "--out", str(district.folder / "简报.docx"))
    tables = docx.Document(str(district.folder / "简报.docx")).tables
    told = [[cell.text for cell in line.cells] for table in tables for line in table.rows]
    assert ["可增建筑面积", "未知", f"规划用途、现状建筑面积（{row['low_ha']:.2f} 公顷）"] in told
    # Whether it is protected is not known, so nobody can freeze it.
    assert district.run("unit", "freeze", "330302-001", ends=(1, 2, 3)).stderr


def test_units_without_towns_lie_inside_the_boundary_of_the_district(district):
    (district.folder / "own.toml").write_text(PACK, encoding="utf-8")
    file = district.folder / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('# pack = "example_beichen"', 'pack = "own.toml"'),
        encoding="utf-8",
    )
    boundary = gpd.GeoDataFrame(
        {"XZQDM": ["330302"], "XZQMC": ["某区"]}, geometry=[box(-50, -50, 450, 160)], crs=4548
    )
    boundary.to_file(district.folder / "incoming" / "界.gpkg", layer="XZQ")
    district.names('\n[[delivery]]\nlayer = "district"\nsource = "incoming/界.gpkg:XZQ"\n')
    done = district.run("run")
    assert "no towns (镇街) were delivered, so units lie inside the boundary of the district" in done.stderr
    # The parcels of the upper row lie outside by more than half.
    members = dict(district.rows("SELECT parcel_id, unit_id FROM result.member"))
    assert {members[code] for code in CODES[:4]} == {"330302-001"}
    assert members[LARGE] is None


def test_contracts_that_do_not_tell_when_works_ended_are_not_overdue(district):
    """A date in no column is unknown; an empty one in a column means that works have not ended."""
    signed = {
        "DZJGH": ["A"],
        "HTQDRQ": pd.to_datetime(["2015-01-01"]),
        "YDJDSJ": pd.to_datetime(["2016-01-01"]),
        "YDDGSJ": pd.to_datetime(["2018-01-01"]),
    }
    file = district.folder / "incoming" / "合同.gpkg"

    def measured(**more):
        gpd.GeoDataFrame({**signed, **more}, geometry=[box(0, 0)], crs=4548).to_file(file, layer="HT")
        district.run("ingest", "supply", f"{file}:HT", ends=(0, 1))
        district.run("run", "--from", "tabulate", "--to", "measure")
        newest = "(SELECT max(run_id) FROM result.run WHERE stage = 'measure')"
        return dict(district.rows(
            "SELECT measure, round(value::numeric, 1)::float8 FROM result.evidence WHERE measure IN ('overdue_years', 'idle_years',"
            f" 'completed', 'years_since_signing') AND parcel_id = '{CODES[0]}' AND run_id = {newest}"
        ))  # fmt: skip

    district.run("run", "--to", "ingest")
    assert measured() == {"years_since_signing": 9.0}
    empty = pd.to_datetime([None])
    assert measured(SJJDSJ=empty, SJDGSJ=empty) == {
        "years_since_signing": 9.0,
        "overdue_years": 6.0,
        "idle_years": 8.0,
        "completed": 0.0,
    }


def test_a_registration_in_no_column_is_unknown_and_an_empty_one_is_none(district):
    file = district.folder / "incoming" / "宗地.gpkg"
    rows = gpd.read_file(file, layer="ZD")
    rows.assign(BDCDYH=[None, *["330302001001GB00002F00010001"] * 8]).to_file(file, layer="ZD")
    district.run("run", "--to", "measure")
    found = dict(district.rows("SELECT parcel_id, value FROM result.evidence WHERE measure = 'registered'"))
    assert found == {CODES[0]: 0.0} | dict.fromkeys([*CODES[1:], LARGE], 1.0)
