"""A delivery is held against the one that it replaces, town by town."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely.affinity
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

EAST, WEST = "120113100", "120113101"
TOWNS = {EAST: ("东镇", box(0, 0, 1000, 1000)), WEST: ("西镇", box(-1000, 0, 1000, 1000))}
PARCELS = {
    f"{EAST}001GB00001": box(0, 0), f"{EAST}001GB00002": box(200, 0), f"{WEST}001GB00001": box(-200, 0),
}  # fmt: skip


def write(folder, layer, rows):
    frame = gpd.GeoDataFrame(
        pd.DataFrame([row for row, _ in rows]), geometry=[shape for _, shape in rows], crs=4548
    )
    frame.to_file(folder / f"{layer}.gpkg", layer=layer)
    return f"{folder / layer}.gpkg:{layer}"


def deliver(project, layer, source, **options):
    return ingest(project, DeliverySettings(layer=layer, source=str(source), **options))


@pytest.fixture
def towns(project, tmp_path):
    """A project with two towns."""
    deliver(
        project,
        "town",
        write(tmp_path, "town", [({"XZQDM": code, "XZQMC": name}, at) for code, (name, at) in TOWNS.items()]),
    )
    return project


def issues(project, version):
    with project.transaction() as connection:
        return connection.execute(
            "SELECT rule, action, message FROM land.issue WHERE version_id = %s AND rule = 'town_missing'",
            [version],
        ).fetchall()


def test_parcels_without_one_of_the_towns_are_told(towns, tmp_path):
    first = deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", PARCELS))
    assert (first.warnings, first.by_town) == ((), "")
    rest = dict(list(PARCELS.items())[:1])
    loaded = deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", rest))
    assert loaded.by_town == f"{EAST} 东镇 2 → 1, {WEST} 西镇 1 → 0"
    assert loaded.towns_missing == (WEST,)
    ((rule, action, message),) = issues(towns, loaded.version_id)
    assert (rule, action) == ("town_missing", "kept")
    assert message.startswith(
        f"1 of 2 towns (镇街) of the delivery before have no record any more: {WEST} 西镇 (1 before)."
    )
    assert message in loaded.warnings


def test_the_command_says_it_and_ends_with_findings(towns, tmp_path):
    command = ["--project", str(towns.settings.folder / "lowland.toml"), "ingest", "parcel"]
    runner = CliRunner()
    whole = runner.invoke(
        lowland, [*command, str(write_parcels(tmp_path / "全.shp", PARCELS))], standalone_mode=False
    )
    assert (whole.exit_code, whole.return_value) == (0, 0), whole.output
    source = write_parcels(
        tmp_path / "缺.shp", {code: at for code, at in PARCELS.items() if code.startswith(EAST)}
    )
    done = runner.invoke(lowland, [*command, str(source)], standalone_mode=False)
    assert done.return_value == 1, done.output
    assert "西镇 (1 before)" in done.stderr
    assert f"parcel: records by town, before → now: {WEST} 西镇 1 → 0" in done.stderr


def test_the_same_towns_with_the_same_counts_are_silent(towns, tmp_path):
    deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", PARCELS))
    moved = {code: shapely.affinity.translate(shape, 0, 300) for code, shape in PARCELS.items()}
    loaded = deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", moved))
    assert (loaded.fresh, loaded.by_town, loaded.towns_missing) == (True, "", ())


def test_a_part_is_held_against_its_own_part_only(towns, tmp_path):
    east, west = (
        {code: at for code, at in PARCELS.items() if code.startswith(town)} for town in (EAST, WEST)
    )
    deliver(towns, "parcel", write_parcels(tmp_path / "东.shp", east), part="东")
    loaded = deliver(towns, "parcel", write_parcels(tmp_path / "西.shp", west), part="西")
    assert (loaded.by_town, loaded.towns_missing) == ("", ())
    # A whole delivery takes the place of all parts.
    loaded = deliver(towns, "parcel", write_parcels(tmp_path / "全.shp", east))
    assert loaded.towns_missing == (WEST,)


def test_features_count_where_they_lie(towns, tmp_path):
    fields = [({"BSM": str(n), "DLBM": "0601"}, at) for n, at in enumerate(PARCELS.values())]
    deliver(towns, "dltb3", write(tmp_path, "dltb3", fields))
    loaded = deliver(towns, "dltb3", write(tmp_path, "dltb3", fields[:2]))
    assert loaded.by_town == f"{WEST} 西镇 1 → 0"
    assert len(issues(towns, loaded.version_id)) == 1


def test_parcels_and_firms_count_where_they_lie_whatever_their_codes_say(towns, tmp_path):
    foreign = dict(zip((f"330302005001GB0000{n}" for n in (1, 2, 3)), PARCELS.values(), strict=True))
    deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", foreign))
    firms = pd.DataFrame({"年份": 2023, "宗地代码": list(foreign), "税收总额（万元）": 1.0})
    firms.to_excel(tmp_path / "企业.xlsx", index=False)
    deliver(towns, "enterprise", tmp_path / "企业.xlsx")
    firms[:2].to_excel(tmp_path / "企业.xlsx", index=False)
    assert deliver(towns, "enterprise", tmp_path / "企业.xlsx").towns_missing == (WEST,)
    loaded = deliver(towns, "parcel", write_parcels(tmp_path / "宗地.shp", dict(list(foreign.items())[:2])))
    assert (loaded.by_town, loaded.towns_missing) == (f"{WEST} 西镇 1 → 0", (WEST,))


def test_codes_that_begin_with_no_town_are_no_towns(project, tmp_path):
    firms = pd.DataFrame(
        {"年份": 2023, "宗地代码": ["甲-1", "甲-2", f"{EAST}001GB00001"], "税收总额（万元）": 1.0}
    )
    firms.to_excel(tmp_path / "企业.xlsx", index=False)
    deliver(project, "enterprise", tmp_path / "企业.xlsx")
    firms[2:].to_excel(tmp_path / "企业.xlsx", index=False)
    assert deliver(project, "enterprise", tmp_path / "企业.xlsx").towns_missing == ()


def test_firms_count_by_the_code_of_their_parcel(towns, tmp_path):
    firms = pd.DataFrame(
        {"年份": 2023, "企业名称": ["甲", "乙", "丙"], "宗地代码": list(PARCELS), "亩均税收（万元/亩）": 1.0}
    )
    firms.to_excel(tmp_path / "企业.xlsx", index=False)
    deliver(towns, "enterprise", tmp_path / "企业.xlsx")
    firms[:2].to_excel(tmp_path / "企业.xlsx", index=False)
    loaded = deliver(towns, "enterprise", tmp_path / "企业.xlsx")
    assert loaded.towns_missing == (WEST,)


def test_a_delivery_of_towns_without_one_of_them_is_told(towns, tmp_path):
    name, at = TOWNS[EAST]
    loaded = deliver(towns, "town", write(tmp_path, "town", [({"XZQDM": EAST, "XZQMC": name}, at)]))
    assert loaded.towns_missing == (WEST,)
    assert "西镇 (1 before)" in loaded.warnings[-1]
