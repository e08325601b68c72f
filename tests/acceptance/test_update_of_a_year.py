"""The March update on the sample that grows a year: every planted change is found and named with its cause, and none is invented.

docs/update.md shows the session of the first district, word for word.
"""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from databases import created
from pages import Line, Shell, agrees, programs, steps

PAGE = Path(__file__).parents[2] / "docs" / "update.md"

PARCELS = 400
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Grown:
    """A district in two years, its seed, and what the first commands of the page printed: the same is not compared twice, nor told twice."""

    place: Any
    seed: int
    printed: dict[str, str]

    def lowland(self, *arguments):
        return self.place.lowland(*arguments)


@pytest.fixture(scope="module", params=SEEDS)
def grown(request, cluster, tmp_path_factory, project_at):
    """Two years of a district, the second one opened as the update of 2025, and compared."""
    folder = tmp_path_factory.mktemp(f"两年{request.param}") / "demo"
    with created(cluster, f"grown_{request.param}") as dsn:
        place = project_at(folder, dsn)
        made = place.lowland(
            "demo", str(folder), "--parcels", str(PARCELS), "--seed", str(request.param), "--years", "2"
        )
        assert made.returncode == 0, made.stderr
        opened = place.lowland("update", "open", "2025")
        assert opened.returncode == 0, opened.stderr
        compared = place.lowland("update", "diff")
        assert compared.returncode == 0, compared.stderr
        printed = {
            "lowland update open 2025": opened.stdout + opened.stderr,
            "lowland update diff": compared.stderr + compared.stdout,
        }
        yield Grown(place, request.param, printed)


@pytest.fixture(scope="module")
def closed(grown, tmp_path_factory):
    """The update closed: that of the first district as docs/update.md types it."""
    if grown.seed == SEEDS[0]:
        _type_the_page(grown, tmp_path_factory.mktemp("page"))
    else:
        done = grown.lowland("update", "close", "--proposals", str(grown.place.folder / "撤销.csv"))
        assert done.returncode == 0, done.stderr
    return grown


def _type_the_page(grown, place):
    environment = {
        "LOWLAND_DSN": grown.place.dsn,
        "PYTHONUTF8": "1",
        "PATH": f"{programs(place)}:{os.environ['PATH']}",
    }
    shell = Shell(grown.place.folder, environment)
    for step in steps(PAGE):
        assert isinstance(step, Line)
        if step.command.startswith(("lowland demo", "cd ")):
            continue  # the fixture has made the district, and is in it
        printed = grown.printed.get(step.command) or shell.take(step)
        assert agrees(step.shown, printed), f"$ {step.command}\nshown:\n{step.shown}\nprinted:\n{printed}"


def planted(place):
    """What was planted of parcels: kind, codes before and after, cause."""
    text = (place.folder / "truth" / "changes.csv").read_text(encoding="utf-8-sig")
    return sorted(
        (row["change"], row["before"].replace(";", "、"), row["after"].replace(";", "、"), row["cause"])
        for row in csv.DictReader(text.splitlines())
        if row["layer"] == "parcel"
    )


def test_every_planted_change_is_found_with_its_cause_and_none_is_invented(grown):
    done = grown.lowland("update", "diff", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # The truth knows kinds of low-efficiency land; grades and the test of legacy land are questions of the pack beside it.
    changes = [each for each in found["changes"] if each["kind"] != "reanswered"]
    told = sorted((each["kind"], each["old_parcels"], each["new_parcels"], each["cause"]) for each in changes)
    assert told == planted(grown.place)
    assert {name for name, *_ in told} >= {
        "added",
        "removed",
        "split",
        "merged",
        "boundary_drifted",
        "reclassified",
    }
    # The survey increment fits both surveys, and shows whatever came or went.
    assert found["doubts"] == []
    assert all(line["residual_m2"] == 0 for line in found["balance"])
    held = "SELECT sum(round(area_m2::numeric, 2)) FROM land.parcel WHERE version_id = ANY(SELECT jsonb_object_keys(side->'versions')::bigint FROM (SELECT {} AS side FROM registry.annual_update ORDER BY update_id DESC LIMIT 1) AS newest)"
    for side, column in (("before", "old_m2"), ("after", "new_m2")):
        ((total,),) = grown.place.rows(held.format(side))
        assert found["balance"][-1][column] == pytest.approx(float(total), abs=0.005)


def test_it_is_closed_with_lineage_and_a_package_of_what_has_changed(closed):
    parents = dict(
        closed.place.rows(
            "SELECT child.subject, array_agg(DISTINCT parent.subject) FROM registry.lineage"
            " JOIN registry.entry AS child USING (entry_id) JOIN registry.entry AS parent ON parent.entry_id = part_of GROUP BY 1"
        )
    )
    descent = {
        child: before.split("、")
        for kind, before, after, _ in planted(closed.place)
        if kind in ("split", "merged")
        for child in after.split("、")
    }
    assert parents
    assert all(set(olds) <= set(descent[child]) for child, olds in parents.items())
    checked = closed.lowland("package", "check", str(closed.place.folder / "out" / "changes-2025"))
    assert checked.returncode == 0, checked.stdout
    assert closed.lowland("registry", "verify").returncode == 0
    assert closed.lowland("update", "open", "2025").returncode == 2
