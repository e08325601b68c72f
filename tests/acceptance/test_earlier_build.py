"""A database that an earlier build left behind: migrated, its runs are made again, explained and named, and today's verdicts are the same."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from databases import created
from earlier import CLASSIFIED, KEPT, VERDICTS, restore
from lowland_gis.db.private import cluster as clusters
from registered import owned

DRAWN = 4
THEN = "lowland itself is another one: 0.1.0 then"
NO_LONGER = 1
# What shows results without changing any: each says by what they are out of date.
READERS = (
    ("classify", "todo"), ("classify", "explain", "120113101003JB00001"), ("registry", "problems"), ("unit", "list"),
    ("unit", "members"), ("unit", "metrics", str(DRAWN)), ("unit", "why", "120113101003JB00001"), ("rules", "what-if", "--set", "tax_min=8"),
)  # fmt: skip


@pytest.fixture(scope="module")
def restored(
    cluster: clusters.Cluster, tmp_path_factory: pytest.TempPathFactory, project_at
) -> Iterator[Any]:
    """The project of the earlier build, its database as it was, then at the newest schema."""
    folder = tmp_path_factory.mktemp("earlier") / "demo"
    shutil.copytree(KEPT, folder)
    with created(cluster, "earlier_build") as dsn:
        place = project_at(folder, dsn)
        restore(place)
        before = place.rows(VERDICTS, CLASSIFIED)
        refused = dataclasses.replace(place, dsn=owned(dsn)).lowland(
            "classify", "explain", "120113101003JB00001"
        )
        assert refused.returncode == 4
        assert "revision 0007" in refused.stderr
        assert "lowland db migrate" in refused.stderr
        migrated = place.lowland("db", "migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert place.rows(VERDICTS, CLASSIFIED) == before
        assert len(before) == 1396
        yield place


def test_a_run_of_the_earlier_build_is_made_again_to_the_last_digit(restored):
    done = restored.lowland("classify", "rerun", "latest")
    assert done.returncode == 0, done.stderr
    assert f"Run {CLASSIFIED} made again is equal to the last digit" in done.stdout
    assert "2,757 overlap rows, 14,226 evidence rows, 1,396 verdict rows" in done.stdout
    assert re.search(r"Made by lowland 0\.1\.0, made again by 0\.1\.0\+\w+", done.stderr)


def test_a_record_that_somebody_changed_is_found(restored):
    change = "UPDATE result.verdict SET answer = %s WHERE run_id = 3 AND question = 'kind' AND parcel_id = '120113101003JB00001'"
    with psycopg.connect(restored.dsn) as connection:
        connection.execute(change, ["village"])
    try:
        done = restored.lowland("classify", "rerun", str(CLASSIFIED), "--json")
    finally:
        with psycopg.connect(restored.dsn) as connection:
            connection.execute(change, ["legacy"])
    assert done.returncode == 5
    assert "120113101003JB00001" in done.stdout
    assert "village" in done.stdout


def test_every_kind_is_explained_as_it_was_decided(restored):
    of_each = restored.rows(
        "SELECT answer, min(parcel_id) FROM result.verdict WHERE run_id = 3 AND question = 'kind' GROUP BY 1"
    )
    assert {answer for answer, _ in of_each} == {"legacy", "industrial", "town", "village", "none"}
    for _, parcel in of_each:
        done = restored.lowland("classify", "explain", str(parcel), "--run", str(CLASSIFIED), "--json")
        # A run that is asked for by its number is history: nothing is out of date.
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        recorded = restored.rows(
            "SELECT question, answer, settled FROM result.verdict WHERE run_id = 3 AND parcel_id = %s",
            parcel,
        )
        shown = {(item["question"], item["answer"], item["settled"]) for item in told["questions"]}
        assert set(recorded) <= shown
        assert told["town_from"] == "该次运行的程序按宗地代码前九位定镇街"


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_what_shows_results_names_the_program_as_a_cause(restored, words: tuple[str, ...]):
    done = restored.lowland(*words)
    assert done.returncode == NO_LONGER, done.stderr
    assert done.stdout
    assert THEN in done.stderr


def test_the_units_are_listed_as_they_were_drawn(restored):
    (draft,) = json.loads(restored.lowland("unit", "list", "--json").stdout)
    assert (draft["run_id"], draft["name"], draft["n_units"], draft["n_findings"]) == (DRAWN, "flow", 5, 0)
    assert draft["value_m2"] == pytest.approx(125_123.87, abs=0.005)


def test_no_package_is_made_of_it(restored):
    done = restored.lowland("package", "build")
    assert done.returncode == 3
    assert THEN in done.stderr
    assert not (restored.folder / "out").exists()


def test_verdicts_of_today_are_those_of_then(restored, cluster: clusters.Cluster, project_at):
    with created(cluster, "earlier_build_anew", "earlier_build") as dsn:
        place = project_at(restored.folder, dsn)
        done = place.lowland("classify", "run")
        assert done.returncode == 0, done.stderr
        ((newest,),) = place.rows("SELECT max(run_id) FROM result.run WHERE stage = 'classify'")
        assert newest != CLASSIFIED
        assert place.rows(VERDICTS, newest) == place.rows(VERDICTS, CLASSIFIED)
        assert place.json("classify", "compare", str(CLASSIFIED), "latest") == []
