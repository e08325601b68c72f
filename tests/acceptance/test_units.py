"""Units from the command line: drafts side by side, edited by command and in real QGIS, judged, frozen, on one page."""

import csv
import json
import os
import subprocess
from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
import shapely

QGIS_PYTHON = os.environ.get("LOWLAND_QGIS_PYTHON", "/usr/bin/python3")
SCRIPT = Path(__file__).with_name("edit_in_qgis.py")


def in_qgis(tmp_path, *arguments):
    """Run a script in real QGIS without a screen."""
    runtime = tmp_path / "xdg"
    runtime.mkdir(mode=0o700, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(runtime),
        "LANG": "C.UTF-8",
    }  # fmt: skip
    done = subprocess.run(
        [QGIS_PYTHON, str(SCRIPT), *map(str, arguments)], env=environment, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def members(demo, name="flow"):
    return dict(
        demo.rows(
            "SELECT parcel_id, unit_id FROM result.member WHERE run_id = (SELECT max(run_id) FROM result.draft WHERE name = %s)",
            name,
        )
    )


@pytest.fixture
def exported(demo, tmp_path):
    target = tmp_path / "方案.gpkg"
    done = demo.lowland("unit", "export", str(target), "--draft", "flow")
    assert done.returncode == 0, done.stderr
    return target


def beside(exported):
    """Return a parcel left out, though it might be in, with the unit that touches it over the longest line."""
    parcels = gpd.read_file(exported, layer="members")
    inside = parcels[parcels["unit_id"].notna()]
    outside = parcels[parcels["reason"].str.contains("joining", na=False)]
    best = (0.0, "", "")
    for row in outside.itertuples():
        touching = inside[shapely.dwithin(inside.geometry.to_numpy(), row.geometry, 0.3)]
        for other in touching.itertuples():
            length = row.geometry.buffer(0.3).intersection(other.geometry.boundary).length
            best = max(best, (length, row.parcel_id, other.unit_id))
    assert best[0] > 5
    return best[1:]


def test_the_parcels_of_a_draft_go_to_a_list_that_excel_reads(demo, tmp_path):
    target = tmp_path / "单元宗地.csv"
    done = demo.lowland("unit", "members", "flow", "-o", str(target))
    assert done.returncode == 0, done.stderr
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "单元编号", "规划单元", "宗地代码", "镇街代码", "镇街", "低效用地类型", "面积（公顷）", "低效面积（公顷）", "未划入原因",
    ]  # fmt: skip
    assert {row["宗地代码"]: row["单元编号"] or None for row in rows} == members(demo)
    assert all(bool(row["单元编号"]) != bool(row["未划入原因"]) for row in rows)
    assert {row["低效用地类型"] for row in rows} > {"低效工业用地", "低效城镇用地", ""}
    outside = [not row["单元编号"] for row in rows]
    assert outside == sorted(outside)
    areas = {unit["unit_id"]: unit["area_m2"] for unit in demo.json("unit", "metrics", "flow")}
    for unit in list(areas)[:5]:
        some = [float(row["面积（公顷）"]) for row in rows if row["单元编号"] == unit]
        assert sum(some) * 10_000 == pytest.approx(areas[unit], abs=0.5)
    target.write_text("changed by hand\n", encoding="utf-8")
    refused = demo.lowland("unit", "members", "flow", "-o", str(target))
    assert (refused.returncode, target.read_text(encoding="utf-8")) == (2, "changed by hand\n")
    assert "--overwrite" in refused.stderr


def test_the_parcels_of_one_unit_are_shown(demo):
    unit = next(name for name in members(demo).values() if name)
    rows = demo.json("unit", "members", "flow", "--unit", unit)
    assert {row["parcel_id"] for row in rows} == {
        parcel for parcel, name in members(demo).items() if name == unit
    }
    assert demo.lowland("unit", "members", "flow", "--unit", "none").returncode == 2


def test_the_flow_draws_units_with_a_bound_and_their_ledgers(demo):
    draft = demo.json("unit", "list")[0]
    assert draft["name"] == "flow"
    assert draft["origin"] == "search"
    assert 0 < draft["value_m2"] <= draft["bound_m2"]
    assert (0 <= draft["gap"] < 0.1, draft["n_findings"]) == (True, 0)
    for unit in demo.json("unit", "metrics", "flow"):
        terms = [unit[name] for name in unit if name.endswith("_cost")]
        assert unit["gathered_m2"] + sum(terms) == pytest.approx(unit["value_m2"], abs=0.1)
        assert unit["limited_by"]
        assert unit["alternative"]


def test_every_parcel_is_in_a_unit_or_has_its_reason(demo):
    counted = demo.rows(
        "SELECT count(*), count(unit_id), count(reason) FROM result.member WHERE run_id = (SELECT min(run_id) FROM result.draft)"
    )[0]
    assert counted[0] == counted[1] + counted[2]
    assert counted[0] == demo.rows("SELECT count(*) FROM land.parcel")[0][0]


def test_drafts_stand_side_by_side_and_leave_the_flow_alone(demo):
    before = demo.rows(
        "SELECT count(*) FROM result.unit WHERE run_id = (SELECT min(run_id) FROM result.draft)"
    )
    done = demo.lowland(
        "unit", "draft", "三公顷", "--set", "min_ha=3", "--set", "weights.outline=8", "--rounds", "2"
    )
    assert done.returncode == 0, done.stderr
    assert "of at most" in done.stderr
    again = demo.lowland(
        "unit", "draft", "三公顷", "--set", "min_ha=3", "--set", "weights.outline=8", "--rounds", "2"
    )
    assert "holds already" in again.stdout
    listed = {draft["name"]: draft for draft in demo.json("unit", "list")}
    assert {"flow", "三公顷"} <= set(listed)
    assert min(unit["area_m2"] for unit in demo.json("unit", "metrics", "三公顷")) >= 30_000
    assert (
        demo.rows("SELECT count(*) FROM result.unit WHERE run_id = (SELECT min(run_id) FROM result.draft)")
        == before
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "min_ha=40"), ["min_ha 40.0 is above max_ha 30.0"]),
        (("--set", "min_hectare=4"), ["min_hectare"]),
        (("--set", "min_ha"), ["KEY=VALUE"]),
        (("--set", "inside_min=1", "--set", "protected_max=0", "--set", "max_ha=0.001", "--set", "min_ha=0.0001"), ["None of the", "larger than"]),
    ],
    ids=["contradiction", "unknown", "no value", "nothing allowed"],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(demo, arguments, words):
    done = demo.lowland("unit", "draft", "x", *arguments)
    assert done.returncode in (2, 3)
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_a_unit_larger_than_any_block_gives_an_empty_draft_that_says_why(demo):
    done = demo.lowland("unit", "draft", "太大", "--set", "min_ha=900", "--set", "max_ha=999")
    assert done.returncode == 0, done.stderr
    assert "No unit can be drawn" in done.stderr
    assert "by min_ha (for example 1201131" in done.stderr
    assert "less than 900 ha" in done.stderr


def test_missing_barriers_are_told(demo):
    done = demo.lowland("unit", "draft", "无界", "--set", 'barriers=["violation"]', "--rounds", "0")
    assert done.returncode == 0, done.stderr
    assert "barriers not delivered, so nothing divides along them: violation" in done.stderr


def test_a_membership_edited_in_qgis_comes_back_with_its_cost(demo, exported, tmp_path):
    parcel, unit = beside(exported)
    in_qgis(tmp_path, exported, "attribute", parcel, unit)
    done = demo.lowland("unit", "import", str(exported), "--draft", "flow", "--name", "改动")
    assert done.returncode in (0, 1), done.stderr
    assert members(demo, "改动")[parcel] == unit
    changed = {code for code, name in members(demo, "改动").items() if name != members(demo)[code]}
    assert changed == {parcel}
    assert unit in done.stdout
    assert "(-" in done.stdout
    head = next(draft for draft in demo.json("unit", "list") if draft["name"] == "改动")
    assert head["origin"] == "import"
    assert (
        head["value_m2"]
        < next(draft for draft in demo.json("unit", "list") if draft["name"] == "flow")["value_m2"]
    )
    assert (head["n_findings"] > 0) == (done.returncode == 1)


def test_an_outline_edited_in_qgis_comes_back(demo, exported, tmp_path):
    parcel, unit = beside(exported)
    in_qgis(tmp_path, exported, "outline", unit, parcel)
    done = demo.lowland(
        "unit", "import", str(exported), "--layer", "units", "--draft", "flow", "--name", "边界"
    )
    assert done.returncode in (0, 1), done.stderr
    assert members(demo, "边界")[parcel] == unit
    changed = {code for code, name in members(demo, "边界").items() if name != members(demo)[code]}
    assert changed == {parcel}


def test_an_edit_that_breaks_a_rule_is_told_and_cannot_be_frozen(demo, exported, tmp_path):
    units = [unit["unit_id"] for unit in demo.json("unit", "metrics", "flow")]
    parcel = next(code for code, unit in members(demo).items() if unit == units[0])
    in_qgis(tmp_path, exported, "attribute", parcel, units[-1])
    done = demo.lowland("unit", "import", str(exported), "--draft", "flow", "--name", "错误")
    assert done.returncode == 1
    assert "contiguous" in done.stderr
    assert parcel in done.stderr
    frozen = demo.lowland("unit", "freeze", "--draft", "错误")
    assert frozen.returncode == 2
    assert f"{units[-1]} breaks" in frozen.stderr


def test_a_file_with_unknown_parcels_or_overlapping_units_is_refused(demo, exported, tmp_path):
    rows = gpd.read_file(exported, layer="members")
    unit = rows["unit_id"].dropna().iloc[0]
    strange = tmp_path / "strange.gpkg"
    rows.assign(parcel_id=["无此宗地", *rows["parcel_id"][1:]], unit_id=unit).to_file(
        strange, layer="members"
    )
    before = demo.json("unit", "list")
    done = demo.lowland("unit", "import", str(strange), "--draft", "flow")
    assert done.returncode == 3
    assert "unknown_parcel" in done.stderr
    assert "无此宗地" in done.stderr
    outlines = gpd.read_file(exported, layer="units")
    moved = outlines.assign(geometry=[outlines.geometry[0]] * len(outlines))
    moved.iloc[:2].to_file(strange, layer="drawn")
    done = demo.lowland("unit", "import", str(strange), "--layer", "drawn", "--draft", "flow")
    assert done.returncode == 3
    assert "units_overlap" in done.stderr
    assert "two_units" in done.stderr
    assert demo.json("unit", "list") == before


def test_hand_drawn_polygons_are_judged_by_the_same_rules(demo, exported, tmp_path):
    west, south, east, north = gpd.read_file(exported, layer="units").total_bounds
    drawn = gpd.GeoDataFrame(
        {"unit_id": ["手绘"]}, geometry=[shapely.box(west, south, east, north)], crs=4548
    )
    drawn.to_file(tmp_path / "drawn.gpkg", layer="drawn")
    done = demo.lowland("unit", "metrics", str(tmp_path / "drawn.gpkg"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["unit_id"] == "手绘"
    assert {"max_ha", "one_block", "not_allowed"} <= {
        line.split(": ")[1] for line in done.stderr.splitlines() if ": " in line
    }


def test_a_parcel_is_moved_and_its_alternatives_are_shown(demo, exported):
    parcel, unit = beside(exported)
    done = demo.lowland("unit", "edit", "移动", "--draft", "flow", "--move", f"{parcel}={unit}")
    assert done.returncode in (0, 1), done.stderr
    assert members(demo, "移动")[parcel] == unit
    said = demo.lowland("unit", "why", parcel, "--draft", "flow", "--json")
    assert "joining" in said.stderr
    inside = next(code for code, name in members(demo).items() if name == unit)
    found = json.loads(demo.lowland("unit", "why", inside, "--draft", "flow", "--json").stdout)
    assert found
    assert all(inside in item["parcels"].split() for item in found)


def test_names_that_are_not_there_are_told_with_those_that_are(demo):
    for arguments in (
        ("metrics", "nothing"),
        ("why", "nobody"),
        ("edit", "y", "--forbid", "nobody"),
        ("sheet", "none", "x.pdf"),
    ):
        done = demo.lowland("unit", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert arguments[1] in done.stderr or "nobody" in done.stderr


def test_a_sheet_is_one_page(demo, tmp_path):
    unit = demo.json("unit", "metrics", "flow")[0]["unit_id"]
    for name in ("单元.pdf", "单元.png"):
        done = demo.lowland("unit", "sheet", unit, str(tmp_path / name), "--draft", "flow")
        assert done.returncode == 0, done.stderr
        assert "Failed to find font" not in done.stderr
    content = (tmp_path / "单元.pdf").read_bytes()
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 1
    assert (tmp_path / "单元.png").stat().st_size > 20_000
    assert demo.lowland("unit", "sheet", unit, str(tmp_path / "x.doc")).returncode == 2


def test_frozen_units_keep_their_numbers_and_leave_the_house(demo):
    unit = demo.json("unit", "metrics", "flow")[0]["unit_id"]
    first = demo.json("unit", "freeze", "--draft", "flow", "--unit", unit)
    assert first == [{"unit_id": unit, "number": f"{unit[:9]}-ZKF-001"}]
    whole = demo.json("unit", "freeze", "--draft", "flow")
    assert whole[0] == first[0]
    assert len({row["number"] for row in whole}) == len(whole)
    assert demo.rows("SELECT count(*) FROM registry.unit") == [(len(whole),)]
    assert demo.json("unit", "freeze", "--draft", "flow") == whole
    assert demo.rows("SELECT count(*) FROM registry.unit") == [(len(whole),)]
    parcel = next(code for code, name in members(demo).items() if name == unit)
    demo.lowland("unit", "edit", "另一", "--draft", "flow", "--move", f"{parcel}=")
    clash = demo.lowland("unit", "freeze", "--draft", "另一")
    assert clash.returncode == 2
    assert f"{unit} has parcels of the frozen unit(s) {first[0]['number']}" in clash.stderr


def test_the_package_and_the_map_show_frozen_units_by_their_numbers(demo, tmp_path):
    """Runs after the units of the flow were frozen; a draft on top of them that nobody froze does not leave the house."""
    numbers = sorted(row["number"] for row in demo.json("unit", "freeze", "--draft", "flow"))
    assert demo.lowland("unit", "draft", "later", "--rounds", "0").returncode == 0
    assert demo.lowland("package", "build", str(tmp_path / "package")).returncode == 0
    layer = gpd.read_file(next((tmp_path / "package").rglob("ZKFDY.shp")))
    assert sorted(layer["DYBH"]) == numbers
    drawn = demo.json("unit", "metrics", "flow")
    assert sorted(layer["DYMJ"]) == pytest.approx(sorted(unit["area_m2"] for unit in drawn), abs=0.01)
    assert sorted(layer["JCD"]) == pytest.approx(sorted(unit["compactness"] for unit in drawn), abs=1e-3)
    assert sorted(layer["ZDS"]) == sorted(unit["n_parcels"] for unit in drawn)


def test_overlapping_parcels_are_set_aside_and_named_while_the_rest_is_drawn(demo):
    """One parcel of a unit is laid over its neighbour in the database, as a delivery that passed with that fault would have it."""
    one, other = demo.rows(
        "SELECT a.parcel_id, b.parcel_id FROM land.parcel a JOIN land.parcel b ON a.parcel_id < b.parcel_id"
        " AND ST_DWithin(a.geom, b.geom, 0.3) JOIN result.member m ON m.parcel_id = b.parcel_id AND m.unit_id IS NOT NULL"
        " JOIN result.member n ON n.parcel_id = a.parcel_id AND n.run_id = m.run_id AND n.unit_id = m.unit_id"
        " WHERE m.run_id = (SELECT max(run_id) FROM result.draft WHERE name = 'flow') ORDER BY 1, 2 LIMIT 1"
    )[0]
    with psycopg.connect(demo.dsn) as connection:
        kept = connection.execute("SELECT geom FROM land.parcel WHERE parcel_id = %s", [one]).fetchone()
        laid = "UPDATE land.parcel SET geom = (SELECT geom FROM land.parcel WHERE parcel_id = %s) WHERE parcel_id = %s"
        connection.execute(laid, [other, one])
    try:
        done = demo.lowland("unit", "draft", "darüber")
        judged = demo.lowland("unit", "metrics", "darüber")
        edited = demo.lowland("unit", "edit", "x", "--draft", "flow", "--forbid", other)
    finally:
        with psycopg.connect(demo.dsn) as connection:
            connection.execute("UPDATE land.parcel SET geom = %s WHERE parcel_id = %s", [kept[0], one])
    assert done.returncode == 1, done.stderr
    assert (
        f"1 pairs of parcels share ground, so they are in no unit, for example {one}, {other}" in done.stderr
    )
    reasons = dict(
        demo.rows(
            "SELECT parcel_id, reason FROM result.member WHERE run_id = (SELECT max(run_id) FROM result.draft WHERE name = %s)",
            "darüber",
        )
    )
    assert reasons[one].startswith("overlaps another parcel: ")
    assert reasons[one].endswith(f"(100.0% of the smaller one) with {other}")
    assert reasons[other].endswith(f"with {one}")
    drawn = members(demo, "darüber")
    assert (drawn[one], drawn[other]) == (None, None)
    assert sum(unit is not None for unit in drawn.values()) > 0.8 * sum(
        unit is not None for unit in members(demo).values()
    )
    assert judged.returncode == 1
    assert "parcels_overlap: the parcels share" in judged.stderr
    assert edited.returncode == 1, edited.stderr
    assert members(demo, "x")[other] is None


def test_a_railway_divides_units(demo, tmp_path):
    """Runs last: the line that is delivered here stays. It runs east and west through the largest unit of the flow."""
    drawn = demo.lowland("unit", "export", str(tmp_path / "flow.gpkg"), "--draft", "flow")
    assert drawn.returncode == 0, drawn.stderr
    largest = gpd.read_file(tmp_path / "flow.gpkg", layer="units").set_geometry("geometry")
    middle = largest.geometry.iloc[int(largest.area.to_numpy().argmax())].centroid
    line = shapely.LineString([(middle.x - 5_000, middle.y), (middle.x + 5_000, middle.y)])
    gpd.GeoDataFrame({"MC": ["示例线"], "TLLX": ["货运"]}, geometry=[line], crs=4548).to_file(
        tmp_path / "rail.gpkg", layer="RAIL"
    )
    done = demo.lowland("ingest", "rail", str(tmp_path / "rail.gpkg"))
    assert done.returncode == 0, done.stderr
    done = demo.lowland("unit", "draft", "铁路", "--rounds", "2")
    assert done.returncode == 0, done.stderr
    assert "not delivered" not in done.stderr

    def on_both_sides(name: str) -> list[str]:
        done = demo.lowland("unit", "export", str(tmp_path / f"{name}.gpkg"), "--draft", name, "--overwrite")
        # The units of the flow were drawn before there was a railway.
        assert done.returncode == (1 if name == "flow" else 0), done.stderr
        assert (" rail: version" in done.stderr) == (name == "flow")
        parcels = gpd.read_file(tmp_path / f"{name}.gpkg", layer="members").dropna(subset="unit_id")
        north = parcels.geometry.representative_point().y > middle.y
        return [unit for unit, rows in north.groupby(parcels["unit_id"]) if rows.nunique() > 1]

    assert on_both_sides("flow")
    assert on_both_sides("铁路") == []
