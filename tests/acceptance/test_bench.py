"""The benchmarks run, and everybody who is asked gives the same table; how long it takes is nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely

ROOT = Path(__file__).parents[2]
# Peers that come with what lowland itself needs.
PEERS = ("lowland", "floor", "shapely_tree", "geopandas_overlay", "postgis")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("bench")


def run(home: Path, script: str, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), "--parcels", "200", "--rounds", "1", *arguments],
        env=os.environ | {"LOWLAND_BENCH_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept = Path(done.stdout.split("kept in ")[1].strip())
    assert kept.parent == home / "results"
    return json.loads(kept.read_text(encoding="utf-8"))


def test_peers_agree_on_a_small_district(home):
    figures = run(home, "tabulate.py", "--peers", ",".join(PEERS))
    assert set(figures["medians"]) == set(PEERS)
    assert set(figures["agreement"]) == set(PEERS) - {"lowland", "floor"}
    for apart in figures["agreement"].values():
        assert apart["rows"] > 1000
        assert apart["beyond"] == 0
    assert figures["district"]["pairs"] > 5 * figures["district"]["parcels"]


def test_the_stage_agrees_with_sql_over_the_same_tables(home):
    apart = run(home, "tables.py")["agreement"]["postgis_tables"]
    assert apart["rows"] > 1000
    assert apart["beyond"] == 0


def test_a_move_is_measured_against_copy_of_the_rows_that_it_wrote(home):
    figures = run(home, "registry.py")
    assert figures["entries"] == 200
    assert figures["times"] > 1


def test_the_district_is_valid_and_the_same_in_every_run(home):
    made = home / "data"
    again = home / "again"
    for folder in (home, again):
        subprocess.run(
            [sys.executable, str(ROOT / "bench" / "district.py"), "--parcels", "200"],
            env=os.environ | {"LOWLAND_BENCH_HOME": str(folder)},
            check=True,
            capture_output=True,
        )
    (first,) = made.iterdir()
    for name in ("parcels.parquet", "zones.parquet"):
        assert (first / name).read_bytes() == (again / "data" / first.name / name).read_bytes()
        shapes = shapely.from_wkb(pq.read_table(first / name)["geometry"].to_pylist())
        assert shapely.is_valid(shapes).all()
        assert shapely.get_num_coordinates(shapes).mean() > 40
    assert shapely.coverage_is_valid(
        shapely.from_wkb(pq.read_table(first / "parcels.parquet")["geometry"].to_pylist())
    )


def test_bars_of_units_set_two_builds_side_by_side():
    """The build stands for the old one too, so both draw the same; a component of 60 parcels and a district of 120, one seed."""
    done = subprocess.run(
        [
            sys.executable, str(ROOT / "bench" / "units.py"), "bars", "--parcels", "120", "--seeds", "3", "--blocks", "520", "--components", "1",
            "--many", "6", "--proof", "1", "--no-both", "--no-cadastre", "--old", str(ROOT / "src"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]
    (component_head, component), (head, district) = tables[:2], tables[2:]
    one = dict(zip(component_head, component, strict=True))
    assert one["value ha"] == one["old build ha"]
    assert 0 < float(one["value ha"]) <= float(one["best known ha"]) <= float(one["bound ha"])
    row = dict(zip(head, district, strict=True))
    assert district[0] == "120/3/520"
    assert 0 < float(row["value ha"]) == float(row["old build ha"])
    assert one["broken rules"] == row["broken rules"] == "0"
    assert row["value / best"] == row["old build / best"]
    assert float(row["search ratio"]) > 0 < float(row["whole ratio"])


def test_every_answer_to_an_edit_is_that_of_the_evaluator_and_every_repair_leads_where_it_says():
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "units.py"), "edit", "--parcels", "300"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| gen")]
    assert {"swap", "link", "force", "redraw"} <= {row[1] for row in rows}
    for _, kind, edits, refused, agreed, _, there, *_ in rows:
        assert int(agreed) == int(edits) - int(refused), kind
        found, _, promised = there.partition(" of ")
        assert found == promised, kind
    assert sum(int(row[4]) for row in rows) > 50
