"""A package that is built while others deliver and classify is of one state, or is refused.

Type `LOWLAND_RACES=30 pytest tests/acceptance/test_package_beside.py` for more of them.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from databases import DEMO, created

COUNT = int(os.environ.get("LOWLAND_RACES", "4"))
# Every way in which the land comes to another state, over and over.
WRITER = """
import sys
from pathlib import Path
from lowland_gis import cli

def lowland(*arguments):
    try:
        cli.main(["--project", sys.argv[1], "-q", *arguments])
    except SystemExit as leaving:
        return leaving.code

halt, deliveries = Path(sys.argv[2]), sys.argv[3:]
while not halt.exists():
    for delivery in deliveries:
        codes = [
            lowland("ingest", "parcel", delivery),
            lowland("classify", "run", "--json"),
            lowland("unit", "draft"),
            lowland("registry", "draft"),
        ]
        if codes != [0, 0, 0, 0]:
            sys.exit(f"{delivery}: {codes}")
"""


@pytest.fixture
def own(demo, cluster, tmp_path):
    """The demo on a database of its own."""
    shutil.copy(demo.folder / "lowland.toml", tmp_path / "lowland.toml")
    with created(cluster, "beside", DEMO) as dsn:
        yield replace(demo, folder=tmp_path, dsn=dsn)


def deliveries(own):
    """Two deliveries of parcels: of one every ninth parcel is gone, of the other every tenth."""
    rows = own.rows("SELECT attributes, ST_AsBinary(geom) FROM land.parcel ORDER BY parcel_id")
    frame = gpd.GeoDataFrame(
        [row[0] for row in rows], geometry=shapely.from_wkb([row[1] for row in rows]), crs=4548
    )
    for every in (9, 10):
        path = own.folder / f"{every}.gpkg"
        frame[frame.index % every != 0].to_file(path, engine="pyogrio")
        yield str(path)


def packed(folder):
    """Return the low-efficiency parcels with their kinds, the parcels of the problem list, and the runs of the manifest."""
    manifest = json.loads(next(folder.rglob("manifest.json")).read_text(encoding="utf-8"))
    low = gpd.read_file(next(folder.rglob("DXYDTB.shp")))
    return set(low["ZDDM"]), manifest["provenance"]["runs"]


def expected(own, runs):
    """Return the low-efficiency parcels that a classification of this number decided on, and what the other runs must be of."""
    classify = runs["classify"]["run"]
    verdicts = own.rows(
        "SELECT parcel_id FROM result.verdict WHERE run_id = %s AND question = 'kind' AND answer NOT IN ('none', 'open')",
        classify,
    )
    rests = own.rows("SELECT stage, (inputs->>'classify_run')::bigint FROM result.run WHERE run_id = ANY(%s) AND inputs ? 'classify_run'",
                     [runs[stage]["run"] for stage in ("delineate", "determine")])  # fmt: skip
    return {row[0] for row in verdicts}, rests, classify


def test_a_package_built_beside_others_is_of_one_state(own, tmp_path):
    halt = tmp_path / "halt"
    environment = os.environ | {"LOWLAND_DSN": own.dsn, "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", WRITER, str(own.folder / "lowland.toml"), str(halt), *deliveries(own)]
    built = refused = 0
    with ThreadPoolExecutor(max_workers=1) as beside:
        writer = beside.submit(
            subprocess.run,
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=3000,
        )
        for number in range(COUNT):
            target = tmp_path / f"package{number}"
            done = own.lowland("package", "build", str(target))
            if done.returncode == 3:
                refused += 1
                assert "No package was built, because" in done.stderr
                assert "lowland run --from" in done.stderr
                assert not target.exists()
                continue
            assert done.returncode == 0, done.stderr
            built += 1
            parcels, runs = packed(target)
            low, rests, classify = expected(own, runs)
            assert parcels == low
            assert {run for _, run in rests} == {classify}
            assert len(rests) == 2
        halt.touch()
        assert writer.result().returncode == 0, writer.result().stderr
    assert built + refused == COUNT
    last = own.lowland("package", "build", str(tmp_path / "last"))
    assert last.returncode == 0, last.stderr
    parcels, runs = packed(tmp_path / "last")
    assert parcels == expected(own, runs)[0] != set()
