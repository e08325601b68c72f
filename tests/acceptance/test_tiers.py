"""Both tiers of units and key areas from the command line: no unit crosses a planning unit, and map, table and layer say the same."""

import csv
import shutil

import geopandas as gpd
import pytest
import shapely

from databases import DEMO, created
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.products.key_areas import _map, key_areas, planning_list
from lowland_gis.pipeline.products.page import page_contents
from lowland_gis.pipeline.products.unit_sheet import planning_sheet
from lowland_gis.pipeline.units.drafts import reading_draft
from lowland_gis.pipeline.units.exported import export
from lowland_gis.pipeline.units.tiers import plan_of_outlines, planning_areas
from lowland_gis.products.maps.key_areas import area_page
from lowland_gis.settings import load

RULES = "src/lowland_gis/definitions/key_areas.toml"


@pytest.fixture
def project(demo):
    return Project(load(demo.folder / "lowland.toml"), demo.dsn)


@pytest.fixture(scope="module")
def apart(demo, cluster, project_at, tmp_path_factory):
    """A copy of the demo: a draft made here is not the newest one of the tests that come after."""
    folder = tmp_path_factory.mktemp("apart")
    shutil.copy(demo.folder / "lowland.toml", folder)
    with created(cluster, "tiers_apart", DEMO) as dsn:
        yield project_at(folder, dsn)


def printed(page):
    """Return the texts beside the map line by line, from left to right."""
    lines = {}
    for text in area_page(page).axes[1].texts:
        x, y = text.get_position()
        lines.setdefault(round(y, 6), []).append((x, text.get_text()))
    return [[text for _, text in sorted(line)] for _, line in sorted(lines.items(), reverse=True)]


def test_every_unit_lies_in_one_planning_unit_and_every_parcel_has_its_place_in_both(demo, tmp_path):
    done = demo.lowland("unit", "members", "flow", "-o", str(tmp_path / "m.csv"))
    assert done.returncode == 0, done.stderr
    with (tmp_path / "m.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    plans = {}
    for row in rows:
        plans.setdefault(row["单元编号"], set()).add(row["规划单元"])
    plans.pop("")
    assert plans
    assert all(len(names) == 1 and "" not in names for names in plans.values())
    units = {row["unit_id"]: row["plan_id"] for row in demo.json("unit", "metrics", "flow")}
    assert units == {unit: next(iter(names)) for unit, names in plans.items()}
    parcel = next(row for row in rows if row["单元编号"])
    said = demo.lowland("unit", "why", parcel["宗地代码"], "--draft", "flow")
    assert f"in the planning unit {parcel['规划单元']}" in said.stderr
    table = {row["plan_id"]: row for row in demo.json("unit", "planning", "flow")}
    counted = {name: sum(name in names for names in plans.values()) for name in table}
    assert {name: row["n_units"] for name, row in table.items()} == counted
    held = sum(float(row["面积（公顷）"]) for row in rows if row["单元编号"])
    assert sum(row["units_ha"] for row in table.values()) == pytest.approx(held, abs=0.01)
    said = demo.lowland("unit", "planning", "flow").stderr
    wrong = {name for name, row in table.items() if row["findings"]}
    assert wrong == {
        line.split(": ")[0] for line in said.splitlines() if ": " in line and line.split(": ")[0] in table
    }


def test_planning_units_tile_the_towns_and_the_layer_holds_what_the_table_says(demo, tmp_path):
    target = tmp_path / "规划单元.gpkg"
    assert demo.lowland("unit", "planning", "flow", "-o", str(target)).returncode == 0
    layer = gpd.read_file(target)
    table = {row["plan_id"]: row for row in demo.json("unit", "planning", "flow")}
    assert {row.plan_id: (row.low_ha, row.n_units) for row in layer.itertuples()} == {
        name: (row["low_ha"], row["n_units"]) for name, row in table.items()
    }
    shapes = layer.geometry.to_numpy()
    assert shapely.union_all(shapes).area == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)
    units = gpd.GeoDataFrame(layer[["plan_id"]], geometry=shapes, crs=layer.crs)
    drawn = demo.rows(
        "SELECT unit_id, ST_AsBinary(geom) FROM result.unit WHERE run_id = (SELECT min(run_id) FROM result.draft)"
    )
    for unit, wkb in drawn:
        inside = shapely.area(shapely.intersection(units.geometry.to_numpy(), shapely.from_wkb(bytes(wkb))))
        # A parcel that a barrier cuts is drawn whole.
        assert inside.max() > 0.95 * inside.sum(), unit


@pytest.mark.parametrize("by", ["planning", "block"])
def test_the_figures_beside_the_map_are_those_of_the_table(demo, project, by):
    rows = demo.json("unit", "key-areas", "flow", "--by", by)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    chosen = [row for row in rows if row["key"]]
    assert 0 < len(chosen) < len(rows)
    with reading_draft(project, "flow") as draft:
        found = key_areas(draft, by=by)
        lines = printed(_map(draft, found.areas, found.rules, found.tiers))
    wanted = [
        [str(row["rank"]), row["area_id"], f"{row['low_ha']:,.2f}", f"{row['low_share']:.1%}", str(row["n_units"]), f"{row['score']:.3f}"]
        for row in chosen
    ]  # fmt: skip
    low = sum(row["low_ha"] for row in chosen)
    whole = sum(row["low_ha"] for row in rows)
    assert lines[1 : len(wanted) + 1] == wanted
    assert "".join("".join(line) for line in lines[len(wanted) + 2 :]).startswith(f"1　{chosen[0]['reason']}")
    assert lines[len(wanted) + 1][:4] == ["", "重点区域合计", f"{low:,.2f}", f"{low / whole:.1%}"]
    planned = {row["plan_id"]: row for row in demo.json("unit", "planning", "flow")}
    assert whole == pytest.approx(sum(row["low_ha"] for row in planned.values()), abs=0.01)


def test_the_potential_of_an_area_is_that_of_its_parcels_in_unit_potential(demo):
    """Where every low-efficiency parcel of a planning unit lies in units, its figures are sums of what those parcels could gain."""
    members = demo.json("unit", "members", "flow")
    low = [row for row in members if row["low_ha"] > 0 and row["plan_id"]]
    whole = {row["plan_id"] for row in low} - {row["plan_id"] for row in low if row["unit_id"] is None}
    rows = {row["area_id"]: row for row in demo.json("unit", "key-areas", "flow", "--by", "planning")}
    area = max(whole, key=lambda name: rows[name]["low_ha"])
    gains = [
        row
        for unit in sorted({row["unit_id"] for row in low if row["plan_id"] == area})
        for row in demo.json("unit", "potential", unit, "--draft", "flow", "--show", "parcels")
        if row["kind"] is not None
    ]
    land = sum(row["land_low_ha"] for row in gains)
    floor = sum(row["floor_low_m2"] or 0.0 for row in gains) / 10_000
    assert rows[area]["potential_ha"] == pytest.approx(land, abs=1e-3)
    assert rows[area]["floor_ha"] == pytest.approx(floor, abs=1e-3)
    assert land > 0
    assert f"可再开发用地（公顷） {rows[area]['potential_ha']:,.2f}" in rows[area]["reason"]
    assert demo.json("unit", "key-areas", "flow") == demo.json("unit", "key-areas", "flow")


def test_the_map_of_both_tiers_shows_the_table_of_planning_units(demo, project):
    with reading_draft(project, "flow") as draft:
        table, tiers = planning_list(draft)
        lines = printed(_map(draft, table, None, tiers))
    rows = sorted(demo.json("unit", "planning", "flow"), key=lambda row: (-row["low_ha"], row["plan_id"]))[
        :20
    ]
    assert [line[1:5] for line in lines[1 : len(rows) + 1]] == [
        [row["plan_id"], f"{row['low_ha']:,.2f}", f"{row['low_share']:.1%}", str(row["n_units"])]
        for row in rows
    ]


def test_maps_are_written_and_rules_of_the_office_count(demo, tmp_path):
    for target in ("重点区域.png", "重点区域.pdf", "重点区域.csv"):
        done = demo.lowland("unit", "key-areas", "flow", "-o", str(tmp_path / target))
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "重点区域.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "重点区域.pdf").read_bytes()[:4] == b"%PDF"
    own = tmp_path / "权重.toml"
    shutil.copy(RULES, own)
    own.write_text(
        own.read_text(encoding="utf-8").replace("gathered_share = 0.5", "gathered_share = 0.05"),
        encoding="utf-8",
    )
    rows = demo.json("unit", "key-areas", "flow", "--rules", str(own))
    assert sum(row["key"] for row in rows) == 1
    own.write_text("example = true\n", encoding="utf-8")
    refused = demo.lowland("unit", "key-areas", "flow", "--rules", str(own))
    assert refused.returncode != 0
    assert "gathered_share" in refused.stderr
    assert "lowland failed where it should not" not in refused.stderr


def test_the_tiers_stand_on_sheet_export_and_page_alike(demo, project, tmp_path):
    rows = [row for row in demo.json("unit", "members", "flow") if row["unit_id"]]
    plans = {row["unit_id"]: row["plan_id"] for row in rows}
    unit = rows[0]["unit_id"]
    with reading_draft(project, "flow") as draft:
        sheet = planning_sheet(draft, unit, draft.held.project.legend)
        target = export(draft, tmp_path / "u.gpkg")
        page, _ = page_contents(draft.held)
        outlines = draft.units().set_index("unit_id").geometry
        placed = plan_of_outlines(outlines, planning_areas(draft.held))
    assert sheet.plan == plans[unit]
    assert any(note.startswith(f"规划单元：{plans[unit]}；四至") for note in sheet.notes)
    members = gpd.read_file(target, layer="members").dropna(subset="unit_id")
    assert dict(zip(members["parcel_id"], members["plan_id"], strict=True)) == {
        row["parcel_id"]: row["plan_id"] for row in rows
    }
    planning = gpd.read_file(target, layer="planning")
    assert sorted(planning["plan_id"]) == sorted(
        row["plan_id"] for row in demo.json("unit", "planning", "flow")
    )
    (layer,) = (layer for layer in page["layers"] if layer["key"] == "planning")
    assert sorted(layer["names"]) == sorted(planning["plan_id"])
    assert placed.to_dict() == plans


def test_planning_units_of_the_detailed_plan_tile_the_towns_and_bound_the_units(apart, tmp_path):
    """The layer that the sample delivers: every parcel of the district lies in one, whose towns are its own."""
    done = apart.lowland("unit", "draft", "详规", "--set", "planning.layer=planning_unit", "--rounds", "0")
    assert done.returncode in (0, 1), done.stderr
    table = {row["plan_id"]: row for row in apart.json("unit", "planning", "详规")}
    assert all(name.startswith("BCGH-") for name in table)
    assert not any("several towns" in (row["findings"] or "") for row in table.values())
    rows = apart.json("unit", "members", "详规")
    assert all(row["plan_id"] in table for row in rows)
    assert {row["plan_id"] for row in rows if row["unit_id"]} <= set(table)
    done = apart.lowland("unit", "planning", "详规", "-o", str(tmp_path / "两级.png"))
    assert done.returncode in (0, 1), done.stderr


def test_planning_units_of_a_delivered_layer_bound_the_units(apart):
    done = apart.lowland(
        "unit",
        "draft",
        "两级",
        "--set",
        "planning.layer=renewal_plan",
        "--set",
        "min_ha=0.2",
        "--rounds",
        "0",
    )
    assert done.returncode in (0, 1), done.stderr
    table = {row["plan_id"]: row for row in apart.json("unit", "planning", "两级")}
    rows = apart.json("unit", "members", "两级")
    inside = {row["unit_id"]: row["plan_id"] for row in rows if row["unit_id"]}
    assert inside
    assert set(inside.values()) <= set(table)
    out = [row for row in rows if row["plan_id"] is None]
    assert out
    assert all(row["unit_id"] is None for row in out)
    assert any(row["reason"].startswith("outside every planning unit") for row in out)
    refused = apart.lowland("unit", "draft", "x", "--set", "planning.layer=road")
    assert (refused.returncode, "has no numbered areas" in refused.stderr) == (2, True)
    refused = apart.lowland("unit", "draft", "x", "--set", "planning.layer=renewal")
    assert refused.returncode == 2
    assert "renewal_plan" in refused.stderr
