"""The planted promises: recorded by commands, they stand as the truth says; nothing else of the district is written."""

import csv
import hashlib
import json

import pytest

from lowland_gis import sample
from lowland_gis.cli import main
from lowland_gis.sample.firms import YEARS
from lowland_gis.sample.promises import AMENDED, DAY, FOLDER, TABLE, TRUTH, write_promises
from planned import PROJECT
from registered import deliver_parcels


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_planted_promise_stands_as_the_truth_says(database, tmp_path, capsys, monkeypatch, seed):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    sample.write_district(tmp_path, parcels=400, seed=seed)
    before = digests(tmp_path)
    write_promises(tmp_path)
    after = digests(tmp_path)
    assert {name: digest for name, digest in after.items() if not name.startswith(f"{FOLDER}/")} == before
    write_promises(tmp_path)
    assert digests(tmp_path) == after
    with (tmp_path / "truth.csv").open(encoding="utf-8-sig") as file:
        codes = [row["parcel_id"] if "parcel_id" in row else row["ZDDM"] for row in csv.DictReader(file)]
    deliver_parcels(database, codes)
    (tmp_path / "lowland.toml").write_text(PROJECT.format(dsn=database), encoding="utf-8")

    def lowland(*arguments, codes=(0,)):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(tmp_path / "lowland.toml"), *map(str, arguments)])
        said = capsys.readouterr()
        assert left.value.code in codes, said.out + said.err
        return said.out

    for year in YEARS:
        lowland(
            "ingest",
            "enterprise",
            tmp_path / "incoming/税务局" / f"企业{year}.xlsx",
            "--part",
            f"企业{year}",
            codes=(0, 1),
        )
    lowland("registry", "promise", tmp_path / FOLDER / TABLE)
    lowland("registry", "promise", tmp_path / FOLDER / AMENDED)
    found = json.loads(lowland("registry", "promises", "--due", DAY, "--json", codes=(1,)))
    stands = {
        (row["contract"], row["item"], str(row["year"] or "")): row["status"]
        for row in found
        if row["status"] != "not_due"
    }
    with (tmp_path / FOLDER / TRUTH).open(encoding="utf-8-sig") as file:
        truth = {(row["contract"], row["item"], row["year"]): row["status"] for row in csv.DictReader(file)}
    assert stands == truth
    assert set(truth.values()) == {"met", "breached", "due", "unknown"}
