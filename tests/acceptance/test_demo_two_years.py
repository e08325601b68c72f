"""`lowland demo --years 2`: decisions on the first year, the deliveries of the second, and verdicts that change where the truth says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pandas as pd
import pytest

from databases import created
from lowland_gis.db.private import cluster as clusters

LAST = {
    "notice": "notice", "objection": "objection", "approve": "determined", "submit": "submitted", "return": "returned",
    "review": "reviewed", "file": "filed", "start": "redevelopment", "dispose": "disposed",
}  # fmt: skip


@pytest.fixture(scope="module")
def grown(cluster: clusters.Cluster, project_at, tmp_path_factory) -> Iterator[tuple[object, str]]:
    """The project after both years, and what was printed."""
    folder = tmp_path_factory.mktemp("两年") / "demo"
    with created(cluster, "acceptance_two_years") as dsn:
        place = project_at(folder, dsn)
        done = place.lowland_alone(
            "demo", str(folder), "--parcels", "200", "--seed", "2", "--years", "2", "--update"
        )
        assert done.returncode == 0, done.stderr
        yield place, done.stdout


def table(path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)


def answers(place) -> list[dict[str, str]]:
    """The kinds of the first and of the last classification."""
    runs = [
        run for (run,) in place.rows("SELECT run_id FROM result.run WHERE stage = 'classify' ORDER BY run_id")
    ]
    kinds = "SELECT parcel_id, answer FROM result.verdict WHERE question = 'kind' AND run_id = %s"
    return [dict(place.rows(kinds, run)) for run in (runs[0], runs[-1])]


def test_both_years_agree_but_for_what_was_spoilt(grown):
    place, said = grown
    shares = [float(share) for share in re.findall(r"Agreement with the planted truth: ([\d.]+)%", said)]
    assert len(shares) == 2
    assert min(shares) >= 99.0
    truth = table(place.folder / "truth/2025.csv").set_index("parcel_id")
    differing = set(table(place.folder / "differences.csv")["parcel_id"])
    assert set(truth.loc[sorted(differing), "spoilt"]) <= {"no_enterprise"}


def test_verdicts_change_where_the_list_says_so(grown):
    place, _ = grown
    before, now = answers(place)
    changed = {
        (code, before[code], now[code]) for code in before.keys() & now.keys() if before[code] != now[code]
    }
    rows = table(place.folder / "truth/changes.csv").query("layer == 'parcel' and change == 'reclassified'")
    assert changed == set(zip(rows["after"], rows["kind_before"], rows["kind_after"], strict=True))
    assert {
        "firm_figures",
        "firm_closed",
        "firm_new",
        "demolished",
        "new_construction",
        "rule_changed",
    } <= set(rows["cause"])


def test_each_entry_stands_where_the_decisions_brought_it(grown):
    place, _ = grown
    decided = table(place.folder / "truth/decisions.csv")
    last = {code: LAST[verb] for code, verb in zip(decided["parcel_id"], decided["verb"], strict=True)}
    stands = dict(
        place.rows(
            "SELECT subject, state FROM registry.current_entry WHERE register = 'low_efficiency' AND subject = ANY(%s)",
            list(last),
        )
    )
    # What was returned is drafted anew where its figures are others by now.
    again = {code for code, state in stands.items() if state == "draft"}
    assert {last[code] for code in again} <= {"returned"}
    assert {code: state for code, state in stands.items() if code not in again} == {
        code: state for code, state in last.items() if code not in again
    }
    assert {"filed", "returned", "disposed", "determined"} <= set(stands.values())
    papers = place.rows(
        "SELECT count(DISTINCT document_sha256) FROM registry.event WHERE document_sha256 IS NOT NULL"
    )
    assert papers == [(len(set(decided["paper"])),)]
    assert place.lowland("registry", "verify").returncode == 0


def test_what_was_decided_counts_from_days_of_its_own(grown):
    place, _ = grown
    listed = table(place.folder / "truth/decisions.csv")
    wanted = {(row.parcel_id, row.number, row.on) for row in listed.itertuples()}
    recorded = place.rows(
        "SELECT subject, document_no, on_date::text FROM registry.event JOIN registry.entry USING (entry_id) WHERE document_no IS NOT NULL"
    )
    assert set(recorded) == wanted
    # Drafts come before, soon after the day of the land of each year; nothing counts from the day on which the demo ran.
    drafted = place.rows(
        "SELECT DISTINCT on_date::text FROM registry.event WHERE document_no IS NULL ORDER BY 1"
    )
    assert drafted == [("2024-01-15",), ("2025-01-15",)]
    assert place.rows("SELECT weaker::text FROM registry.procedure") == [("[]",)]


def test_the_increment_fits_the_bases(grown):
    place, _ = grown
    assert place.lowland("check", "run").returncode == 1
    assert place.rows("SELECT message FROM land.finding WHERE rule IN ('increment', 'increment_town')") == []
    days = place.rows(
        "SELECT as_of::text, n_loaded FROM land.layer_version WHERE layer = 'dltb_annual' ORDER BY version_id"
    )
    assert [day for day, _ in days] == ["2023-12-31", "2024-12-31"]


def test_the_update_finds_what_was_planted(grown):
    place, said = grown
    planted = table(place.folder / "truth/changes.csv").query("layer == 'parcel'")
    last = said.strip().splitlines()[-1]
    assert last == f"Agreement of the update with the planted changes: 100.00% of {len(planted)}"
    steps = [step for (step,) in place.rows("SELECT step FROM registry.annual_update ORDER BY update_id")]
    assert steps == ["opened", "closed"]


def test_an_update_takes_two_years(project_at, tmp_path):
    done = project_at(tmp_path, "").lowland_alone("demo", str(tmp_path / "demo"), "--update")
    assert done.returncode == 2
    assert "--years 2" in done.stderr
    assert not (tmp_path / "demo").exists()


def test_a_second_call_adds_nothing(grown):
    place, _ = grown
    before = place.rows("SELECT count(*), max(event_id) FROM registry.event")
    done = place.lowland_alone(
        "demo", str(place.folder), "--parcels", "200", "--seed", "2", "--years", "2", "--update"
    )
    assert done.returncode == 0, done.stderr
    assert "First year" not in done.stdout
    assert done.stdout.count("holds already") == 5
    assert place.rows("SELECT count(*), max(event_id) FROM registry.event") == before


def test_one_year_is_another_sample(grown):
    place, _ = grown
    done = place.lowland_alone("demo", str(place.folder), "--parcels", "200", "--seed", "2")
    assert done.returncode == 2
    assert "other settings" in done.stderr
    assert json.loads((place.folder / "sample.json").read_text())["years"] == 2
