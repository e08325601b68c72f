"""Inspect says of a delivery in any state what ingest does with it, before anything is loaded and without a database."""

import json

import pytest

from bad_input import ASIDE, CASES, LOADED, REFUSED
from lowland_gis.cli import main

WOULD = {LOADED: "load", ASIDE: "load with rejects", REFUSED: "refuse"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_inspect_foretells_what_becomes_of_a_delivery(tmp_path, capsys, monkeypatch, case):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    layer, path, *more = case.make(tmp_path)
    before = {part: part.stat().st_mtime_ns for part in tmp_path.rglob("*")}
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["inspect", path, "--layer", layer, *more, "--json"])
    said = capsys.readouterr()
    assert {part: part.stat().st_mtime_ns for part in tmp_path.rglob("*")} == before
    if ended.value.code == 3:
        assert case.outcome == REFUSED
        return
    (found,) = json.loads(said.out)
    assert found["would"] == WOULD[case.outcome], found["refusals"]
    if case.outcome != REFUSED:
        assert (found["n_rows"], found["n_rejected"]) == (case.rows, case.aside)
