"""From each earlier revision with data in it: every run is still there, or it is named before it goes and goes only with a yes."""

import os
import pty
import re
import subprocess
import sys

import geopandas as gpd
import psycopg
import pytest
from click.testing import CliRunner

import revision_data
from lowland_gis.cli import lowland
from lowland_gis.db import migrate, revision
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.papers import register
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.pipeline.verdicts.rerun import rerun
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from readings import explained
from registered import as_superuser, owned

SRID = 4548
REVISIONS = sorted(revision.known_revisions())
# Traces of before cannot be read as letters: what rests on them goes, and says so.
BEFORE_LETTERS = [number for number in REVISIONS if number < "0007"]
GOING = [number for number, stage in revision_data.RUNS.items() if stage in ("measure", "classify")]


@pytest.fixture
def database(database):
    """A fresh database, as its owner."""
    return owned(database)


def at(database, number):
    """Bring an empty database to an earlier revision and fill it with data of that revision."""
    migrate.downgrade(database, SRID, number)
    assert revision.current_revision(database) == number
    revision_data.fill(database)
    return revision_data.columns_by_table(database, revision_data.TABLES + revision_data.VIEWS)


@pytest.mark.parametrize("number", [number for number in REVISIONS if number >= "0007"])
def test_from_here_on_a_migration_takes_nothing_away(database, number):
    columns = at(database, number)
    before = revision_data.rows(database)
    assert min(map(len, before.values())) > 0
    migrate.upgrade(database, SRID)
    assert revision.current_revision(database) == revision.newest_revision()
    assert revision_data.rows(database, columns) == before


@pytest.mark.parametrize("number", BEFORE_LETTERS)
def test_what_a_migration_takes_away_is_named_and_goes_only_with_a_yes(database, number):
    columns = at(database, number)
    before = revision_data.rows(database)
    assert min(map(len, before.values())) > 0
    with pytest.raises(UsageError) as refused:
        migrate.upgrade(database, SRID)
    named = [
        int(run) for run in re.findall(r"run (\d+) (?:measure|classify) of 2023-12-31", str(refused.value))
    ]
    assert named == GOING
    assert "2 values that were measured" in str(refused.value)
    assert "2 verdicts" in str(refused.value)
    assert "lowland db migrate --yes" in str(refused.value)
    assert revision.current_revision(database) == number
    assert revision_data.rows(database) == before

    migrate.upgrade(database, SRID, agreed=lambda _: True)
    assert migrate.differences(database, SRID) == []
    after = revision_data.rows(database, columns)
    gone = {table for table in before if before[table] != after[table]}
    assert gone == {"result.run", "result.evidence", "result.verdict"}
    kept = set(revision_data.RUNS) - set(GOING)
    with psycopg.connect(database) as connection:
        assert {row[0] for row in connection.execute("SELECT run_id FROM result.run")} == kept


def test_without_results_nobody_is_asked(database):
    migrate.downgrade(database, SRID, "0006")
    migrate.upgrade(database, SRID)
    assert revision.current_revision(database) == revision.newest_revision()


LOST = {
    "0008": ["frozen units with what their parcels were", "the rest of a whole"],
    "0007": ["frozen units with what their parcels were", "the rest of a whole"],
    "0006": ["runs of measuring and classifying", "values that were measured", "verdicts", "registered papers"],
    "0005": ["frozen units (registry.unit): x", "drafts of units (result.draft): run 4, run 10", "units with a ledger"],
    "0004": ["result.cover"],
    "0003": ["result.cover"],
    "0002": ["records that were set aside", "what was said of the file"],
    "0001": ["findings"],
    "base": ["rows of land.parcel", "rows of registry.legacy", "rows of result.overlap"],
}  # fmt: skip


@pytest.mark.parametrize("target", LOST)
def test_a_way_down_that_would_lose_rows_is_refused(database, target):
    revision_data.fill(database)
    before = revision_data.rows(database)
    with pytest.raises(UsageError, match="The database stays as it is") as refused:
        migrate.downgrade(database, SRID, target)
    assert all(words in str(refused.value) for words in LOST[target]), str(refused.value)
    assert revision.current_revision(database) == revision.newest_revision()
    assert revision_data.rows(database) == before


def test_every_table_that_a_way_down_drops_says_so(database):
    """Each step down alone, with every table full: it takes rows or columns away only if it says so."""
    for number, below in zip(reversed(REVISIONS), [*reversed(REVISIONS[:-1]), "base"], strict=True):
        revision_data.fill(database)
        with psycopg.connect(database):
            scripts = migrate.ScriptDirectory.from_config(migrate._config())
        step = scripts.get_revision(number).module
        if hasattr(step, "LOST_GOING_DOWN"):
            with pytest.raises(UsageError):
                migrate.downgrade(database, SRID, below)
            empty(database)
            migrate.downgrade(database, SRID, below)
        else:
            shown = revision_data.columns_by_table(database, revision_data.TABLES + revision_data.VIEWS)
            elsewhere = getattr(step, "STANDS_ELSEWHERE", {})
            for table, column in columns_that_stand_elsewhere(elsewhere):
                shown[table].remove(column)
            kept = revision_data.rows(database, shown)
            migrate.downgrade(database, SRID, below)
            there = revision_data.rows(database, shown)
            assert there == {table: rows for table, rows in kept.items() if table not in elsewhere}
            assert set(elsewhere.values()) <= there.keys() & revision_data.columns_by_table(database).keys()
            empty(database)


def columns_that_stand_elsewhere(names):
    """Return table and column of each name of three parts."""
    return [tuple(name.rsplit(".", 1)) for name in names if name.count(".") > 1]


def empty(database):
    with as_superuser(database) as connection:
        for table in revision_data.columns_by_table(database):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of the catalogue
        for table in ("feature_1", "parcel_1"):
            connection.execute(f"DROP TABLE IF EXISTS land_part.{table}")


def command(project, *arguments):
    return ["--project", str(project.settings.folder / "lowland.toml"), "db", "migrate", *arguments]


def test_the_command_needs_a_yes_where_there_is_no_terminal(project, database):
    at(database, "0006")
    done = CliRunner().invoke(lowland, command(project))
    assert isinstance(done.exception, UsageError)
    assert done.exception.exit_code == 2
    assert revision.current_revision(database) == "0006"
    done = CliRunner().invoke(lowland, command(project, "--yes"))
    assert done.exit_code == 0, done.output
    assert "run 2 measure of 2023-12-31, run 3 classify" in done.stderr
    assert revision.current_revision(database) == revision.newest_revision()


def test_the_command_asks_on_a_terminal(project, database):
    at(database, "0006")
    for answer, code, reached in ((b"n\n", 2, "0006"), (b"y\n", 0, revision.newest_revision())):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(
            [sys.executable, "-m", "lowland_gis", *command(project)],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        os.close(theirs)
        os.close(ours)
        assert done.returncode == code, done.stderr
        assert "Go on, and let them go?" in done.stderr
        assert revision.current_revision(database) == reached


def test_the_command_goes_down_where_nothing_is_lost_and_says_what_would_be(project, database):
    done = CliRunner().invoke(lowland, command(project, "--to", "0003"))
    assert done.exit_code == 0, done.output
    assert revision.current_revision(database) == "0003"
    CliRunner().invoke(lowland, command(project))
    revision_data.fill(database)
    done = CliRunner().invoke(lowland, command(project, "--to", "0003", "--yes"))
    assert isinstance(done.exception, UsageError)
    assert revision.current_revision(database) == revision.newest_revision()


def test_a_revision_that_is_not_there_is_refused_by_name(database):
    with pytest.raises(UsageError, match="Revisions: 0001"):
        migrate.upgrade(database, SRID, "0099")


def test_runs_of_the_revision_before_are_explained_and_made_again(project, tmp_path):
    """Real runs, on the schema of every revision that can hold them, and back: the same explanation, the same rows."""
    parcel = "120113100001GB00001"
    ingest(
        project,
        DeliverySettings(
            layer="parcel", source=str(write_parcels(tmp_path / "宗地.shp", {parcel: box(0, 0)}))
        ),
    )
    for layer, code in (("dltb2", "203"), ("dltb3", "0601")):
        frame = gpd.GeoDataFrame({"BSM": ["1"], "DLBM": [code]}, geometry=[box(-50, -50, 300, 300)], crs=SRID)
        frame.to_file(tmp_path / f"{layer}.gpkg", layer=layer)
        ingest(project, DeliverySettings(layer=layer, source=f"{tmp_path / layer}.gpkg:{layer}"))
    paper = tmp_path / "消防.pdf"
    paper.write_bytes(b"%PDF")
    register(project, parcel, "paper_fire", paper, says=True)
    tabulate(project)
    measure(project)
    classify(project)
    before = explained(project, parcel)
    with pytest.raises(UsageError, match="1 papers with their file"):
        migrate.downgrade(project.dsn, SRID, "0013")
    with as_superuser(project.dsn) as connection:  # as an older program would have registered it
        connection.execute("DELETE FROM registry.paper")
    for number in [number for number in REVISIONS if number >= "0007"]:
        migrate.downgrade(project.dsn, SRID, number)
        migrate.upgrade(project.dsn, SRID)
        assert explained(project, parcel) == before
        assert rerun(project, "latest").differences.empty
