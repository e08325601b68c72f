"""The benchmark of the engine runs, and everybody who is asked gives the same table; how long it takes is nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sedona
ROOT = Path(__file__).parents[2]


def test_all_who_are_asked_agree_and_figures_are_kept(tmp_path):
    line = [sys.executable, str(ROOT / "bench" / "sedona.py"), "--parcels", "200", "--master", "local[1,4]"]
    done = subprocess.run(
        line,
        env=os.environ | {"LOWLAND_BENCH_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "results" / "sedona.json").read_text())["200"]
    assert [each["who"] for each in figures["rounds"]] == ["lowland", "intersection", "covered"]
    for each in figures["rounds"]:
        assert each["processor_s"] > 0
        assert each["java_mb"] > 50
    assert figures["rounds"][0]["worker_mb"] > 50
    assert {name: apart["beyond"] for name, apart in figures["agreement"].items()} == {
        "intersection": 0,
        "covered": 0,
    }
    assert figures["agreement"]["covered"]["rows"] > 1000
