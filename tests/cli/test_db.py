"""`lowland db` as it is typed: what goes to stdout, what to stderr, and the exit codes."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import own_process
from lowland_gis.db.private import cluster as clusters


def lowland(folder, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "LOWLAND_DSN"}
    return own_process.run(*arguments, cwd=folder, env=kept | environment)


def shown_status(folder, **environment):
    answer = lowland(folder, "db", "status", "--json", **environment)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture
def project(state_dir):
    """A project folder with a state of its own, whose cluster is removed at the end."""
    folder = state_dir / "cli 项目"
    folder.mkdir(exist_ok=True)
    state = {"LOWLAND_STATE": str(state_dir / "cli-state")}
    try:
        yield folder, state
    finally:
        clusters.remove(clusters.locate(folder, env=os.environ | state))


def test_up_status_psql_down(project):
    folder, state = project
    assert shown_status(folder, **state)["state"] == "absent"
    started = lowland(folder, "db", "up", **state)
    assert started.returncode == 0, started.stderr
    assert "dbname=lowland" in started.stderr
    name, _, path = shlex.split(started.stdout)[1].partition("=")
    assert (name, Path(path).exists()) == ("PGSERVICEFILE", True)
    assert lowland(folder, "db", "service", **state).stdout == started.stdout
    running = shown_status(folder, **state)
    assert (running["state"], running["postgis"][0]) == ("running", "3")
    assert f"state       {running['state']}" in lowland(folder, "db", "status", **state).stdout
    assert lowland(folder, "db", "down", **state).returncode == 0
    assert shown_status(folder, **state)["state"] == "stopped"
    again = lowland(folder, "db", "down", **state)
    assert (again.returncode, again.stdout) == (0, "")
    assert "not running" in again.stderr


def test_psql_needs_a_running_database(project):
    folder, state = project
    refused = lowland(folder, "db", "psql", **state)
    assert refused.returncode == 4
    assert "type: lowland db up" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_psql_runs_statements_from_stdin(project):
    folder, state = project
    assert lowland(folder, "db", "up", **state).returncode == 0
    command = [sys.executable, "-m", "lowland_gis", "db", "psql"]
    asked = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | state,
        input="SELECT 'ok' || 1;",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ok1" in asked.stdout


def test_a_given_server_is_used_and_left_alone(project, database):
    folder, state = project
    given = state | {"LOWLAND_DSN": f"{database} password=s3cret"}
    started = lowland(folder, "db", "up", **given)
    assert started.returncode == 0, started.stderr
    assert shown_status(folder, **given)["kind"] == "server"
    stopped = lowland(folder, "db", "down", **given)
    assert (stopped.returncode, "left as it is" in stopped.stderr) == (0, True)
    assert shown_status(folder, **given)["state"] == "running"
    assert shown_status(folder, **state)["state"] == "absent"
    assert "s3cret" not in started.stdout + started.stderr + stopped.stderr


def test_missing_postgis_ends_with_exit_4_and_the_install_line(project, tmp_path):
    folder, state = project
    refused = lowland(folder, "db", "up", LOWLAND_PG_BIN=str(tmp_path), PATH="", **state)
    assert refused.returncode == 4
    assert "apt-get install -y postgresql-postgis" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_server_that_is_not_there_ends_with_exit_4(project):
    folder, state = project
    refused = lowland(
        folder, "db", "status", LOWLAND_DSN="host=/nonexistent dbname=x password=s3cret", **state
    )
    assert refused.returncode == 4
    assert "s3cret" not in refused.stderr


@pytest.fixture
def projects(state_dir):
    """A folder for projects that are moved and copied, with a state of its own; every cluster in it is removed at the end."""
    folder = state_dir / f"moved 项目 {secrets.token_hex(4)}"
    folder.mkdir()
    state = {"LOWLAND_STATE": str(state_dir / f"moved-{secrets.token_hex(4)}")}
    try:
        yield folder, state
    finally:
        for project in folder.iterdir():
            clusters.remove(clusters.locate(project, env=os.environ | state))


def say(folder, statement, **state):
    done = subprocess.run(
        [sys.executable, "-m", "lowland_gis", "db", "psql"],
        cwd=folder,
        env=os.environ | state,
        input=statement,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_moved_project_finds_its_database_and_takes_it_over(projects):
    folder, state = projects
    old, new = folder / "old", folder / "new"
    old.mkdir()
    assert lowland(old, "db", "up", **state).returncode == 0
    say(old, "CREATE TABLE kept AS SELECT 7 AS n;", **state)
    home = Path(shown_status(old, **state)["data_dir"]).parent
    old.rename(new)

    # Its server still runs; another project may be where it was, and a stranger is told too, but not held up.
    old.mkdir()
    status = shown_status(new, **state)
    assert status["state"] == "absent"
    assert f"moved from {old}" in status["note"]
    assert f"lowland db up --take-over {home}" in status["note"]
    refused = lowland(new, "db", "up", **state)
    assert refused.returncode == 4
    assert f"--take-over {home}" in refused.stderr
    assert shown_status(new, **state)["state"] == "absent"

    taken = lowland(new, "db", "up", "--take-over", str(home), **state)
    assert taken.returncode == 0, taken.stderr
    assert "7" in say(new, "SELECT n FROM kept;", **state)
    assert not home.exists()
    assert shown_status(new, **state)["note"] is None
    assert shown_status(old, **state) == shown_status(old, **state) | {"state": "absent", "note": None}


def test_a_copied_project_gets_a_database_of_its_own(projects):
    folder, state = projects
    one, two = folder / "one", folder / "two"
    one.mkdir()
    assert lowland(one, "db", "up", **state).returncode == 0
    home = Path(shown_status(one, **state)["data_dir"]).parent
    shutil.copytree(one, two)
    assert shown_status(two, **state)["note"] is None
    refused = lowland(two, "db", "up", "--take-over", str(one), **state)
    assert refused.returncode == 4
    assert f"the database of {one}, which is still there" in refused.stderr
    assert lowland(two, "db", "up", **state).returncode == 0
    assert (one / ".lowland" / "project-id").read_text() != (two / ".lowland" / "project-id").read_text()
    lowland(one, "db", "down", **state)

    # Where the id was not moved along, the folder that is gone has to do.
    one.rename(folder / "three")
    (folder / "three" / ".lowland" / "project-id").unlink()
    note = shown_status(folder / "three", **state)["note"]
    assert f"{home}, of {one}" in note
    assert "two" not in note
    beside = lowland(folder / "three", "db", "up", **state)
    assert (beside.returncode, str(home) in beside.stderr) == (0, True)
    refused = lowland(folder / "three", "db", "up", "--take-over", str(one), **state)
    assert "has a database of its own" in refused.stderr
    unknown = lowland(folder / "three", "db", "up", "--take-over", str(folder / "nowhere"), **state)
    assert unknown.returncode == 4
    assert str(home) in unknown.stderr
    clusters.remove(clusters.locate(one, env=os.environ | state))
