"""The stages tabulate, measure and classify by tasks of Spark: what they write is what one process writes, to the letter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from lowland_gis.db.connect import Connection
from lowland_gis.definitions import measure as define
from lowland_gis.errors import UsageError
from lowland_gis.pipeline import flow
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.demo import prepare
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.flow import run
from lowland_gis.pipeline.verdicts.classify import classify
from spark_layers import while_workers_are_killed

pytestmark = pytest.mark.sedona

ROOT = Path(__file__).resolve().parents[2]
# Cells so small that a few hundred parcels lie in many, and so do the parts that are decided.
CELL_MB = 0.05


def test_two_districts_in_many_cells_are_the_same_as_in_one_process(tmp_path):
    """The whole bench of stages, small: all rows of overlaps, evidence, derived values and verdicts."""
    line = ["--parcels", "400", "--seeds", "3,11", "--cell-mb", str(CELL_MB), "--keep", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "stages.py"), *line],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for district in json.loads(done.stdout):
        assert all(found["rows"] > 100 and found["other"] == 0 for found in district["apart"].values())
        assert all("1 cells" not in said and "1 parts" not in said for said in district["said"])


@pytest.fixture(scope="module")
def land(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A small district that was tabulated, measured and classified in one process, by the pack whose scores ask for means."""
    folder = tmp_path_factory.mktemp("stages") / "district"
    with pytest.MonkeyPatch.context() as patch, new_database() as dsn:
        patch.setenv("LOWLAND_DSN", dsn)
        project = prepare(folder, parcels=200, seed=5)
        ruled = project.settings.classify.model_copy(update={"pack": "example_general"})
        project = replace(project, settings=project.settings.model_copy(update={"classify": ruled}))
        run(project, last="classify")
        yield project


def _rows(connection: Connection, table: str, stage: str) -> list[tuple[object, ...]]:
    """Return all rows of the newest run of a stage but for its number."""
    found = connection.execute(
        f"SELECT (to_jsonb(r) - 'run_id')::text FROM result.{table} r"  # noqa: S608 - fixed names
        " WHERE run_id = (SELECT max(run_id) FROM result.run WHERE stage = %s) ORDER BY 1",
        [stage],
    )
    return found.fetchall()


def test_scores_that_ask_for_means_are_the_same_though_workers_are_killed(land):
    """Measured and classified by tasks whose workers are killed in both stages, over evidence of one process."""
    with land.snapshot() as connection:
        before = {
            stage: (_rows(connection, "evidence", stage), _rows(connection, table, stage))
            for stage, table in (("measure", "evidence_measure"), ("classify", "verdict"))
        }
        count = connection.execute("SELECT max(run_id) FROM result.run").fetchone()
    again = land.computed_by("sedona", "local[2,4]", cell_mb=CELL_MB)
    run(again, first="tabulate", last="tabulate")
    for stage, work, table in (("measure", measure, "evidence_measure"), ("classify", classify, "verdict")):
        with while_workers_are_killed(again.spark) as told:
            done = work(again)
        assert told.failed_tasks > 0
        assert done.fresh
        assert done.run_id > count[0]
        with land.snapshot() as connection:
            assert _rows(connection, "evidence", stage) == before[stage][0] != []
            assert _rows(connection, table, stage) == before[stage][1] != []


class OfAll(define.AttributeMeasure):
    """A measure that rests on all parcels."""

    rests_on = define.ALL_PARCELS


def test_a_measure_that_rests_on_all_parcels_is_refused_by_name_before_anything_is_written(land, monkeypatch):
    shipped = define.measures()
    odd = OfAll(kind="attribute", title="在全部宗地中的位次", unit="", field="RJL")
    monkeypatch.setattr(flow, "measures", lambda: shipped | {"place_of_all": odd})
    with land.snapshot() as connection:
        before = connection.execute("SELECT max(run_id) FROM result.run").fetchone()
    with pytest.raises(UsageError, match="place_of_all"):
        run(land.computed_by("sedona"), first="tabulate")
    with land.snapshot() as connection:
        assert connection.execute("SELECT max(run_id) FROM result.run").fetchone() == before
