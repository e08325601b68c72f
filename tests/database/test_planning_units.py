"""Planning units that were delivered bound the units; what cannot be is named before anything is drawn; without towns there is one."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from drawn_units import FIRST, SECOND, THIRD, ZONES, ready
from lowland_gis.cli import lowland
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box

LAYER = ("--set", "planning.layer=planning_unit", "--set", "min_ha=1")


def told(project, *arguments):
    """Return exit code, what was shown as JSON where it is, and what was said beside it."""
    done = CliRunner().invoke(
        lowland, ["--project", str(project.settings.folder / "lowland.toml"), *arguments]
    )
    refused = isinstance(done.exception, LowlandError)
    if done.exception is not None and not refused and not isinstance(done.exception, SystemExit):
        raise done.exception
    rows = json.loads(done.stdout) if "--json" in arguments and not refused else None
    return (
        done.exception.exit_code if refused else done.exit_code,
        rows,
        done.stderr + str(done.exception or ""),
    )


def planned(project, **areas):
    """Deliver planning units by number; a number of '_' is none."""
    frame = gpd.GeoDataFrame(
        {"DYBH": [None if name == "_" else name for name in areas], "DYMC": "示例", "PQMC": "示例"},
        geometry=list(areas.values()),
        crs=4548,
    )
    path = project.settings.folder / "控规单元.gpkg"
    frame.to_file(path, layer="GHDY")
    ingest(project, DeliverySettings(layer="planning_unit", source=f"{path}:GHDY"))


@pytest.fixture
def ground(project):
    return ready(project, *ZONES)


def drafts(project):
    with project.snapshot() as connection:
        return connection.execute("SELECT count(*) FROM result.draft").fetchone()[0]


def test_units_lie_in_planning_units_and_what_these_lack_is_named(ground):
    """The first parcel lies in A, the second in none; B is empty, and both are smaller than they should be."""
    planned(ground, A=box(-20, -20, 175, 140), B=box(600, 600, 300, 300))
    code, _, said = told(ground, "unit", "draft", "两级", *LAYER)
    assert code == 0, said
    code, rows, said = told(ground, "unit", "planning", "两级", "--json")
    table = {row["plan_id"]: row for row in rows}
    assert {name: (row["n_parcels"], row["n_units"]) for name, row in table.items()} == {
        "A": (1, 1),
        "B": (0, 0),
    }
    lines = said.splitlines()
    assert lines[:2] == [
        "A: min_ha: has 2.5 ha, less than the least 30",
        "B: min_ha: has 9.0 ha, less than the least 30",
    ]
    assert lines[2].startswith("B: no_low_land: has no low-efficiency land")
    _, members, _ = told(ground, "unit", "members", "两级", "--json")
    places = {row["parcel_id"]: (row["plan_id"], row["unit_id"] is not None) for row in members}
    assert places == {FIRST: ("A", True), SECOND: (None, False), THIRD: (None, False)}
    reasons = {row["parcel_id"]: row["reason"] for row in members}
    assert reasons[SECOND].startswith("outside every planning unit")


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ({"A": box(-20, -20, 400, 200), "B": box(300, -20, 400, 200)}, "the planning units A and B overlap by 16,000 m²"),
        ({"A": box(-20, -20, 400, 200), "_": box(400, -20, 200, 200)}, "planning units without a number"),
    ],
)  # fmt: skip
def test_planning_units_that_cannot_be_are_named_and_nothing_is_drawn(ground, areas, said):
    planned(ground, **areas)
    before = drafts(ground)
    code, _, told_ = told(ground, "unit", "draft", "x", *LAYER)
    assert code == 2
    assert said in told_
    assert "Mend the delivery" in told_
    assert drafts(ground) == before


def test_a_layer_that_was_not_delivered_is_named(ground):
    code, _, said = told(ground, "unit", "draft", "x", *LAYER)
    assert code == 2
    assert "lowland ingest planning_unit FILE" in said


def test_without_towns_and_layer_all_blocks_are_one_planning_unit(project):
    ground = ready(project, *ZONES, town=False)
    code, _, said = told(ground, "unit", "draft", "无镇", "--set", "min_ha=1")
    assert code == 0, said
    code, rows, _ = told(ground, "unit", "planning", "无镇", "--json")
    inside = pd.DataFrame(rows)
    assert code == 0
    assert inside["n_parcels"].sum() == len((FIRST, SECOND, THIRD))
    assert inside["town"].isna().all()
    code, areas, said = told(ground, "unit", "key-areas", "无镇", "--json")
    assert code == 0, said
    assert areas[0]["key"]
    # Nobody measured floors or delivered a plan, so no floor area is known; the land is.
    assert areas[0]["floor_ha"] is None
    assert areas[0]["potential_ha"] > 0
    assert "未知" in areas[0]["reason"]
