"""A parcel's town is where it lies: in rules, evidence, explanations, the registry, the package and checks; codes stand in."""

import geopandas as gpd
import pandas as pd
import psycopg
import pyogrio
import pytest
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.evidence.lacking import lacking
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.pipeline.verdicts.what_if import flips
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from readings import explained

EAST, WEST = "120113100", "120113101"
TOWNS = {EAST: ("东镇", box(0, 0, 1000, 1000)), WEST: ("西镇", box(-1000, 0, 1000, 1000))}
# Each has a hectare, 15 亩. The code of HOME says the town that it lies in, that of AWAY the other one, that of SECTION a 地籍区 that is
# no town, that of FOREIGN another city; ASTRIDE lies in both towns, CLEAR and OUTSIDE in none or clearly in one.
HOME, AWAY, SECTION = f"{WEST}001GB00001", f"{EAST}001GB00002", "120113001001GB00003"
FOREIGN, ASTRIDE, SLIVER, OUTSIDE = (
    "330302005001GB00004",
    "120113002001GB00005",
    "120113002001GB00006",
    f"{WEST}001GB00007",
)
PARCELS = {
    HOME: box(-200, 0), AWAY: box(-400, 0), SECTION: box(200, 0), FOREIGN: box(-600, 0), ASTRIDE: box(-40, 200), SLIVER: box(-5, 400),
    OUTSIDE: box(5000, 0),
}  # fmt: skip
PACK = f"""
name = "by_town"
title = "分镇试验"
document = "试验"
in_force = 2023-01-01
example = true

[[parameter]]
name = "size_min"
value = 10
unit = "亩"
document = "全区"
in_force = 2023-01-01
example = true

[[parameter]]
name = "size_min"
value = 20
unit = "亩"
document = "西镇"
in_force = 2023-01-01
example = true
town = "{WEST}"

[[question]]
name = "kind"
title = "类型"
otherwise = "none"
answers = {{ industrial = "小宗地", none = "非低效用地" }}
means = {{ low = ["industrial"], not = ["none"] }}

[[question.rule]]
name = "small"
title = "面积小于指标值"
answer = "industrial"
article = "试验第一条"
all = [ {{ measure = "parcel_area", op = "<", limit = "size_min", title = "面积小", needed = "镇街确认", office = "区民政局" }} ]
[[question.rule.example]]
given = {{ parcel_area = 5 }}
gives = "true"
"""


def vector(project, layer, rows, shapes):
    path = project.settings.folder / f"{layer}.gpkg"
    gpd.GeoDataFrame(pd.DataFrame(rows), geometry=list(shapes), crs=4548).to_file(path, layer=layer)
    ingest(project, DeliverySettings(layer=layer, source=f"{path}:{layer}"))


def deliver_towns(project, towns=TOWNS, tail=""):
    rows = [{"XZQDM": code + tail, "XZQMC": name} for code, (name, _) in towns.items()]
    vector(project, "town", rows, [shape for _, shape in towns.values()])


@pytest.fixture
def parcels(project, tmp_path):
    """Seven parcels, and rules that ask more of the west."""
    (tmp_path / "pack.toml").write_text(PACK, encoding="utf-8")
    file = tmp_path / "lowland.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[classify]\npack = 'pack.toml'\n", encoding="utf-8")
    made = open_project(tmp_path)
    path = write_parcels(tmp_path / "宗地.shp", PARCELS)
    ingest(made, DeliverySettings(layer="parcel", source=str(path)))
    return made


def decided(project):
    tabulate(project)
    measure(project)
    return classify(project)


def rows(project, query, *values):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(query, values).fetchall()


def answers(project):
    run = "(SELECT max(run_id) FROM result.run WHERE stage = 'classify')"
    return dict(rows(project, f"SELECT parcel_id, answer FROM result.verdict WHERE run_id = {run}"))  # noqa: S608


def clause(project, parcel):
    return explained(project, parcel).questions[0].rules[0].clauses[0]


def test_a_parameter_by_town_counts_where_the_parcel_lies(parcels):
    deliver_towns(parcels)
    decided(parcels)
    assert answers(parcels) == {
        HOME: "industrial", AWAY: "industrial", FOREIGN: "industrial", SECTION: "none", SLIVER: "none", ASTRIDE: "open", OUTSIDE: "industrial",
    }  # fmt: skip
    assert clause(parcels, AWAY).limit == 20
    assert clause(parcels, SECTION).limit == 10


def test_codes_of_towns_with_the_zeros_of_villages_are_the_same_towns(parcels):
    deliver_towns(parcels, tail="000")
    decided(parcels)
    assert answers(parcels)[AWAY] == "industrial"


def test_the_share_stands_in_evidence_with_version_and_day(parcels):
    deliver_towns(parcels)
    decided(parcels)
    found = {
        parcel: (value, detail, source)
        for parcel, value, detail, source in rows(
            parcels,
            "SELECT parcel_id, value, detail, source FROM result.evidence WHERE measure = 'town_share'",
        )
    }
    assert OUTSIDE not in found
    assert found[AWAY] == (pytest.approx(1), f"{WEST}西镇 100%", "town 2023-12-31 v2")
    assert found[ASTRIDE][0] == pytest.approx(0.6)
    assert found[ASTRIDE][1] == f"{EAST}东镇 60%、{WEST}西镇 40%；宗地跨镇街，以占比最大者为准，须核实"
    assert found[SLIVER][1] == f"{EAST}东镇 95%、{WEST}西镇 5%"


def test_two_towns_that_claim_a_parcel_leave_open_what_differs_by_town(parcels):
    deliver_towns(parcels)
    decided(parcels)
    line, said = clause(parcels, ASTRIDE), explained(parcels, ASTRIDE)
    assert (line.outcome, line.value, line.limit) == ("unknown", pytest.approx(15, rel=1e-3), 10)
    assert any("限值因镇街或规划分区而异（本处 10，他处 20）" in note for note in line.notes)
    assert (said.town, said.town_code) == ("东镇", EAST)
    assert "60%" in said.town_from and "镇街 2023-12-31 v2" in said.town_from  # noqa: PT018 - one text
    with reading(parcels) as held:
        told = lacking(held)
    assert any(f"1 parcels lie in more than one town (镇街), for example {ASTRIDE}" in text for text in told)
    assert any(f"1 parcels lie in no town (镇街), for example {OUTSIDE}" in text for text in told)


def test_what_is_a_claim_is_a_setting(parcels):
    deliver_towns(parcels)
    file = parcels.settings.folder / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + "\n[measure]\ntown_claim_min = 0.04\n", encoding="utf-8"
    )
    decided(open_project(file))
    assert answers(parcels)[SLIVER] == "open"
    file.write_text(file.read_text(encoding="utf-8").replace("0.04", "0.45"), encoding="utf-8")
    decided(open_project(file))
    assert answers(parcels)[ASTRIDE] == "none"


def test_without_towns_the_codes_say_them_and_it_is_told(parcels):
    decided(parcels)
    assert answers(parcels) == dict.fromkeys(PARCELS, "none") | {HOME: "industrial", OUTSIDE: "industrial"}
    assert explained(parcels, HOME).town_from == "未交付镇街图层，按宗地代码前九位"
    with reading(parcels) as held:
        told = lacking(held)
    assert any(
        text.startswith("镇街 town was not delivered") and text.endswith("lowland ingest town FILE")
        for text in told
    )


def test_a_parcel_of_which_nobody_knows_the_town_stays_open_where_that_matters(parcels, tmp_path):
    path = write_parcels(tmp_path / "宗地二.shp", {"甲一": box(0, 0), HOME: box(-200, 0)})
    ingest(parcels, DeliverySettings(layer="parcel", source=str(path)))
    decided(parcels)
    assert answers(parcels) == {"甲一": "open", HOME: "industrial"}
    assert explained(parcels, "甲一").town_from == "宗地代码未载明"


def test_a_run_keeps_to_its_own_towns(parcels, tmp_path):
    deliver_towns(parcels)
    decided(parcels)
    moved = {EAST: ("东镇", box(-1000, 0, 2000, 1000)), WEST: ("西镇", box(-3000, 0, 1000, 1000))}
    deliver_towns(parcels, moved)
    first = explained(parcels, AWAY)
    assert (first.town, first.town_code) == ("西镇", WEST)
    decided(parcels)
    assert explained(parcels, AWAY).town_code == EAST
    assert answers(parcels)[AWAY] == "none"


def test_runs_of_programs_that_took_towns_from_codes_are_read_as_they_were(parcels):
    deliver_towns(parcels)
    decided(parcels)
    with psycopg.connect(parcels.dsn) as connection:
        connection.execute(
            "UPDATE result.run SET settings = settings - 'town_claim_min' WHERE stage = 'measure'"
        )
    assert explained(parcels, AWAY).town_code == EAST


def test_what_if_and_made_again_go_by_the_same_towns(parcels):
    deliver_towns(parcels)
    run = decided(parcels)
    with reading(parcels) as held:
        flipped = flips(held, ["size_min=30"])
    towns = dict(zip(flipped["parcel_id"], flipped["town_code"], strict=True))
    assert towns[SECTION] == EAST
    command = [
        "--project",
        str(parcels.settings.folder / "lowland.toml"),
        "classify",
        "rerun",
        str(run.run_id),
    ]
    done = CliRunner().invoke(lowland, command, standalone_mode=False)
    assert "is equal to the last digit" in done.output, done.output


def test_registry_and_package_name_the_town_that_a_parcel_lies_in(parcels):
    deliver_towns(parcels)
    decided(parcels)
    project = ["--project", str(parcels.settings.folder / "lowland.toml")]
    done = CliRunner().invoke(lowland, [*project, "run", "--from", "delineate"], standalone_mode=False)
    assert done.exit_code == 0, str(done.exception)
    drafted = dict(rows(parcels, "SELECT parcel_id, town_code FROM registry.low_efficiency"))
    assert drafted == {HOME: WEST, AWAY: WEST, FOREIGN: WEST, OUTSIDE: WEST}
    assert dict(rows(parcels, "SELECT parcel_id, town_code FROM registry.problem")) == {ASTRIDE: EAST}
    (file,) = (parcels.settings.folder / "out" / "package").rglob("DXYDTB.shp")
    packed = pyogrio.read_dataframe(file).set_index("ZDDM")
    assert packed.loc[FOREIGN, ["XZDM", "XZMC"]].tolist() == [WEST, "西镇"]
    assert packed.loc[AWAY, ["XZDM", "XZMC"]].tolist() == [WEST, "西镇"]


def test_checks_tell_where_code_and_place_disagree(parcels):
    deliver_towns(parcels)
    command = ["--project", str(parcels.settings.folder / "lowland.toml"), "check", "run"]
    CliRunner().invoke(lowland, command, standalone_mode=False)
    found = rows(
        parcels,
        "SELECT rule, keys->>0, severity, message FROM land.finding WHERE rule IN ('parcel_astride', 'parcel_town', 'parcel_county')",
    )
    # The digits of SECTION and ASTRIDE are no town, so they contradict none; OUTSIDE lies in none.
    assert sorted((rule, parcel) for rule, parcel, _, _ in found) == [
        ("parcel_astride", ASTRIDE), ("parcel_county", FOREIGN), ("parcel_town", AWAY),
    ]  # fmt: skip
    assert {severity for _, _, severity, _ in found} == {"warning"}
    assert any(f"“{AWAY}”, but it lies in {WEST}" in message for _, _, _, message in found)
    assert any(f"{EAST} 60.0%, and in {WEST}" in message for _, _, _, message in found)
