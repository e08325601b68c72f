"""The sample district with decisions: backed up, restored into a new database and on a new cluster, and worked on there."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from databases import DEMO, created
from earlier import CLASSIFIED, KEPT, VERDICTS, restore
from lowland_gis.db.migrate import as_owner
from lowland_gis.db.private import cluster as clusters
from registered import paper

# Every table of ours, partitions too, by the words of this test, but for the names of roles, which carry that of their database.
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('land', 'land_part', 'result', 'registry', 'lowland')
      AND c.oid <> 'lowland.role'::regclass ORDER BY 1
"""


def contents(dsn):
    """Number and digest of the rows of every table."""
    # Some tables only the owner reads.
    with psycopg.connect(as_owner(dsn)) as connection:
        return {
            table: connection.execute(
                f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {table} AS t"  # noqa: S608 - of the catalogue
            ).fetchone()
            for (table,) in connection.execute(TABLES).fetchall()
        }


@pytest.fixture(scope="module")
def decided(demo, cluster, tmp_path_factory, project_at):
    """The demo with what people decided: a notice with its paper, a paper of a parcel, a definition of its own."""
    folder = tmp_path_factory.mktemp("备份") / "demo"
    shutil.copytree(demo.folder, folder)
    (folder / "definitions").mkdir()
    (folder / "definitions" / "states.toml").write_text(
        "[low_efficiency.move.approve]\ndays = 15\n", encoding="utf-8"
    )
    with created(cluster, "decided_demo", DEMO) as dsn:
        place = project_at(folder, dsn)
        for arguments in (
            ("db", "migrate"),
            ("registry", "notice", "--town", town(place), "--document", str(paper(folder, "公示")),
             "--document-no", "1号"),
            ("registry", "document", parcel(place), "paper_fire", str(paper(folder, "消防")), "--says", "true"),
            ("registry", "verify"),
        ):  # fmt: skip
            done = place.lowland(*arguments)
            assert done.returncode == 0, done.stderr
        yield place


def town(place):
    return place.rows(
        "SELECT town_code FROM registry.current_entry WHERE register = 'low_efficiency' AND state = 'draft' LIMIT 1"
    )[0][0]


def parcel(place):
    return place.rows("SELECT min(parcel_id) FROM registry.low_efficiency")[0][0]


@pytest.fixture(scope="module")
def backup(decided):
    """Its backup, and the head that it printed."""
    target = decided.folder.parent / "demo.lowland"
    done = decided.lowland("db", "backup", str(target))
    assert done.returncode == 0, done.stderr
    said, head = done.stdout.rsplit(maxsplit=1)
    assert said == "registry head"
    return target, head


def test_the_file_is_proved_without_a_database(decided, backup, project_at, tmp_path):
    target, head = backup
    nowhere = project_at(tmp_path, "host=/nowhere dbname=none")
    done = nowhere.lowland("db", "verify", str(target), "--head", head)
    assert done.returncode == 0, done.stderr
    assert f"registry head {head}" in done.stdout
    assert "definitions/states.toml" in done.stderr


@pytest.fixture
def elsewhere(where, cluster, state_dir, tmp_path):
    """A new database beside the old one, or on another cluster."""
    made = created(cluster, "restored_demo") if where == "database" else other_cluster(state_dir, tmp_path)
    with made as dsn:
        yield dsn


@contextmanager
def other_cluster(state_dir, tmp_path):
    """Another machine, as far as one machine can be two: another cluster with a state of its own."""
    folder = tmp_path / "另一台"
    folder.mkdir()
    made = clusters.locate(folder, env=os.environ | {"LOWLAND_STATE": str(state_dir / "other")})
    try:
        clusters.up(made, durable=False)
        yield make_conninfo(clusters.dsn(made))
    finally:
        clusters.remove(made)


@pytest.mark.parametrize("where", ["database", "cluster"])
def test_everything_comes_back_and_work_goes_on(decided, backup, project_at, elsewhere, tmp_path, where):
    target, head = backup
    before = contents(decided.dsn)
    folder = tmp_path / "新"
    folder.mkdir()
    place = project_at(folder, elsewhere)
    done = place.lowland("db", "restore", str(target), "--head", head)
    assert done.returncode == 0, done.stderr
    assert contents(elsewhere) == before
    assert (folder / "definitions" / "states.toml").read_text(encoding="utf-8").endswith("days = 15\n")
    proved = place.lowland("registry", "verify", "--head", head)
    assert proved.returncode == 0, proved.stderr
    assert "0 rows came since" in proved.stdout
    code = parcel(place)
    assert place.lowland("registry", "show", code).stdout == decided.lowland("registry", "show", code).stdout
    # A run is made again from its inputs, to the last digit.
    again = place.lowland("classify", "rerun", "latest")
    assert (again.returncode, "equal to the last digit" in again.stdout) == (0, True), again.stderr
    moved = place.lowland(
        "registry", "withdraw", code, "--reason", "登记有误", "--document", str(paper(tmp_path, "撤销"))
    )
    assert moved.returncode == 0, moved.stderr
    assert place.lowland("registry", "verify", "--head", head).returncode == 0
    assert contents(decided.dsn) == before


def test_without_other_results_what_the_registry_rests_on_is_there(decided, project_at, cluster, tmp_path):
    target = tmp_path / "less.lowland"
    done = decided.lowland("db", "backup", str(target), "--without-results")
    assert done.returncode == 0, done.stderr
    with created(cluster, "restored_less") as dsn:
        place = project_at(tmp_path, dsn)
        assert place.lowland("db", "restore", str(target)).returncode == 0
        kept = contents(dsn)
        before = contents(decided.dsn)
        assert {name: kept[name] for name in kept if not name.startswith("result.")} == {
            name: before[name] for name in before if not name.startswith("result.")
        }
        code = parcel(place)
        asked = ("classify", "explain", code, "--json")
        assert place.lowland(*asked).stdout == decided.lowland(*asked).stdout
        # Units rest on nothing that was registered: no unit was frozen.
        assert place.rows("SELECT count(*) FROM result.unit") == [(0,)]
        assert place.lowland("classify", "rerun", "latest").returncode == 0


def test_the_database_of_an_earlier_build_is_restored_and_migrated(cluster, project_at, tmp_path):
    folder = tmp_path / "earlier"
    shutil.copytree(KEPT, folder)
    with created(cluster, "earlier_backed_up") as dsn, created(cluster, "earlier_restored") as other:
        place = project_at(folder, dsn)
        restore(place)
        target = tmp_path / "earlier.lowland"
        done = place.lowland("db", "backup", str(target))
        assert (done.returncode, done.stdout.strip()) == (0, "registry head (nothing is recorded)"), (
            done.stderr
        )
        (tmp_path / "new").mkdir()
        # Files of deliveries are no part of a backup, and of a raster nothing else is kept.
        shutil.copytree(KEPT / "incoming", tmp_path / "new" / "incoming")
        again = project_at(tmp_path / "new", other)
        done = again.lowland("db", "restore", str(target))
        assert done.returncode == 0, done.stderr
        assert again.rows(VERDICTS, CLASSIFIED) == place.rows(VERDICTS, CLASSIFIED)
        rerun = again.lowland("classify", "rerun", "latest")
        assert (rerun.returncode, "equal to the last digit" in rerun.stdout) == (0, True), rerun.stderr
        assert again.lowland("registry", "verify").returncode == 0
