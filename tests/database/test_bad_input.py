"""Every state of a delivery that docs/bad_input.md names, with a real file through the real command line."""

import re

import geopandas as gpd
import psycopg
import pytest

from bad_input import ASIDE, CASES, LOADED, PAGE, REFUSED, page
from lowland_gis import schema
from lowland_gis.cli import main
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box

LAND = [table.full_name for table in schema.TABLES if table.schema == schema.LAND]


def contents(project):
    """Return everything that the land tables hold."""
    with psycopg.connect(project.dsn) as connection:
        return {
            table: connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()  # noqa: S608
            for table in LAND
        }


def rows(project, query):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_a_delivery(project, tmp_path, capsys, case):
    deliver_district(project, tmp_path)
    before = contents(project)
    folder = tmp_path / "来件"
    folder.mkdir()
    arguments = case.make(folder)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["--project", str(project.settings.folder / "lowland.toml"), "ingest", *arguments])
    said = "".join(capsys.readouterr())
    assert case.said in said
    if case.outcome == REFUSED:
        assert ended.value.code == 3, said
        assert said.startswith("Error: ")
        assert contents(project) == before
        return
    assert ended.value.code == (1 if case.outcome == ASIDE else 0), said
    counts = re.search(r": ([\d,]+) read = ([\d,]+) loaded \+ ([\d,]+) set aside", said)
    assert [int(number.replace(",", "")) for number in counts.groups()] == [
        case.rows,
        case.rows - case.aside,
        case.aside,
    ]
    assert (case.aside > 0) == (case.outcome == ASIDE)
    listed = {row[0] for row in rows(project, "SELECT DISTINCT rule FROM land.issue")}
    assert listed == set(case.rules)
    aside = rows(project, "SELECT count(*) FROM land.issue WHERE action = 'rejected'")[0][0]
    assert aside == case.aside
    if case.value is not None:
        assert (
            rows(
                project,
                case.query.replace(
                    "FROM land.feature", "FROM (SELECT * FROM land.feature WHERE layer <> 'district') f"
                ),
            )[0][0]
            == case.value
        )


def deliver_district(project, folder):
    """Put a district of three by three kilometres into the database."""
    path = folder / "district.gpkg"
    gpd.GeoDataFrame(
        {"XZQDM": ["120113"], "XZQMC": ["北辰区"]}, geometry=[box(0, 0, 3000, 3000)], crs=4548
    ).to_file(path)
    ingest(project, DeliverySettings(layer="district", source=str(path)))


def test_the_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == page(), "type: python tests/bad_input.py"


def test_every_outcome_is_on_the_list():
    assert {case.outcome for case in CASES} == {LOADED, ASIDE, REFUSED}
    assert len({case.name for case in CASES}) == len(CASES)
