"""The sample district, clean and spoilt: no finding on the one, every planted fault found on the other."""

import csv
import datetime as dt
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from acceptance.conftest import run_lowland
from lowland_gis import sample
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.base.project_text import project_text
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.inspect import Options, inspect_source
from lowland_gis.sample.deliveries import SOURCES
from lowland_gis.sample.planted import PLANTED
from lowland_gis.settings import DeliverySettings, ProjectSettings

PARCELS, SEED = 600, 7
CLEAN = sample.SpoiltShares(
    no_enterprise=0, bow_tie=0, self_touching=0, overlap=0, duplicate=0, missing_use=0, other_layers=0
)
EVERYWHERE = sample.SpoiltShares(every_layer=0.005)

# What may tell of each planted fault: codes of land.issue and names of checks.
TELLS = {
    "no_enterprise": {"industry_without_enterprise"},
    "bow_tie": {"geometry_invalid", "geometry_area_changed"},
    "self_touching": {"geometry_invalid", "geometry_area_changed"},
    "overlap": {"overlap", "overlap_papers", "area_survey", "area_above_contract", "floor_area"},
    "duplicate": {"parcel_id_duplicate"},
    "missing_use": {"mandatory"},
    "sliver": {"sliver", "narrow"},
    "unknown_code": {
        "code_landuse2",
        "code_landuse3",
        "code_plan",
        "code_structure",
        "use_name",
        "code_ownership",
        "code_settlement",
    },
    "missing_value": {"mandatory"},
    "null_geometry": {"geometry_missing"},
    "twice": {"duplicate", "identifier_unique", "enterprise_twice"},
    "wrong_area": {"area_survey", "area_above_contract", "floor_area"},
    "wrong_date": {"date_order"},
    "short_code": {"unit_code", "settlement_code_city", "settlement_code_town", "settlement_code_village"},
    "foreign_code": {"unit_known", "village_known", "enterprise_without_parcel"},
    "wrong_check_digit": {"credit_code"},
    "short_line": {"short_line"},
    "outside": {"boundary_outside", "boundary_outside_plan"},
    "no_value": {"raster_uncovered"},
}


# What inspect counts of a geometry, and the planted faults that it is to count.
SEEN = {
    "null": {"null_geometry"},
    "invalid": {"bow_tie", "self_touching"},
    "duplicates": {"twice", "duplicate"},
}


@dataclass(frozen=True)
class District:
    """A district that was ingested, and the command line on it."""

    project: Project
    folder: Path

    def lowland(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a person would."""
        return run_lowland("--project", str(self.folder / "lowland.toml"), *arguments, dsn=self.project.dsn)

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query, parameters).fetchall()


def made(folder: Path, dsn: str, shares: sample.SpoiltShares | None, *, seed: int = SEED) -> District:
    """Write a district and ingest it."""
    delivery = sample.write_district(folder, parcels=PARCELS, seed=seed, spoilt=shares)
    keys = [layer for layer, _ in delivery.sources]
    deliveries = tuple(
        DeliverySettings(
            layer=layer, source=source, part=Path(source).stem if keys.count(layer) > 1 else None
        )
        for layer, source in delivery.sources
    )
    facts = ProjectSettings(
        name="质检",
        district_code="120113",
        district_name="北辰区",
        as_of=dt.date(2023, 12, 31),
        synthetic=True,
    )
    text = project_text(facts, deliveries)
    (folder / "lowland.toml").write_text(f"dsn = {json.dumps(dsn)}\n{text}", encoding="utf-8")
    project = open_project(folder)
    for item in deliveries:
        ingest(project, item)
    return District(project, folder)


@pytest.fixture(scope="module")
def spoilt(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> District:
    """A spoilt district, checked."""
    district = made(tmp_path_factory.mktemp("spoilt"), module_database, EVERYWHERE)
    done = district.lowland("check")
    assert done.returncode == 1, done.stderr
    return district


OTHER_SEEDS = [pytest.param(8, marks=pytest.mark.again), pytest.param(101, marks=pytest.mark.again)]


@pytest.fixture(params=[SEED, *OTHER_SEEDS])
def clean(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> District:
    """A clean district, not checked yet; no seed is better than another."""
    return made(tmp_path, database, CLEAN, seed=request.param)


def planted(district: District) -> list[dict[str, str]]:
    with (district.folder / "spoilt.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def told(district: District, layer: str, key: str) -> set[object]:
    """Return the codes of issues and the names of checks that tell of a record, or of what lies on its geometry."""
    issues = district.rows(
        "SELECT rule FROM land.issue JOIN land.layer_version USING (version_id) WHERE layer = %s AND key = %s",
        layer,
        key,
    )
    findings = district.rows(
        "SELECT rule FROM land.finding WHERE layer = %s AND status = 'open' AND keys ? %s", layer, key
    )
    return {row[0] for row in (*issues, *findings)}


def test_a_clean_district_has_no_issue_and_no_finding(clean):
    assert planted(clean) == []
    assert clean.rows("SELECT * FROM land.issue") == []
    done = clean.lowland("check", "--strict", "--json")
    assert (json.loads(done.stdout), done.returncode) == ([], 0), done.stdout
    assert f"{len(checks())} checks: 0 error(s), 0 warning(s) open." in done.stderr
    assert clean.rows("SELECT * FROM land.finding") == []
    with clean.project.transaction() as connection:
        areas = read_frame(
            connection,
            "SELECT count(*) AS n, sum(f.area_m2) AS covered, (SELECT sum(area_m2) FROM land.feature WHERE layer = 'district')"
            " AS whole FROM land.feature f WHERE layer = 'dltb3'",
        ).iloc[0]
    assert areas["n"] > 900
    assert abs(areas["covered"] - areas["whole"]) <= 0.01 * areas["n"]
    closing(clean)
    foretold(clean)


def test_every_kind_of_fault_is_planted_and_every_layer_has_some(spoilt):
    assert {record["fault"] for record in planted(spoilt)} == set(TELLS)
    there = {(record["layer"], record["fault"]) for record in planted(spoilt)}
    wanted = {(layer, fault) for layer, each in PLANTED.items() for fault, _ in each.faults}
    assert wanted - there == set()
    assert {layer for layer, _ in there} == set(SOURCES)


@pytest.mark.parametrize("fault", TELLS)
def test_every_planted_fault_is_found(spoilt, fault):
    missed = []
    for record in planted(spoilt):
        if record["fault"] == fault:
            told_of = told(spoilt, record["layer"], record["key"])
            if not told_of & TELLS[fault]:
                missed.append((record["layer"], record["key"], sorted(map(str, told_of))))
    assert missed == []


@pytest.fixture(params=OTHER_SEEDS)
def other_spoilt(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> District:
    """Spoilt districts of other seeds."""
    district = made(tmp_path, database, EVERYWHERE, seed=request.param)
    assert district.lowland("check").returncode == 1
    return district


def test_every_planted_fault_is_found_whatever_the_seed(other_spoilt):
    missed = [
        record
        for record in planted(other_spoilt)
        if not told(other_spoilt, record["layer"], record["key"]) & TELLS[record["fault"]]
    ]
    assert missed == []
    assert {record["fault"] for record in planted(other_spoilt)} == set(TELLS)
    closing(other_spoilt)
    foretold(other_spoilt)


def closing(district: District) -> None:
    """Counts close for every layer: read = loaded + set aside, and both are there."""
    for layer, version, n_read, n_loaded, n_rejected in district.rows(
        "SELECT layer, version_id, n_read, n_loaded, n_rejected FROM land.layer_version"
    ):
        assert n_read == n_loaded + n_rejected > 0, layer
        stored = layer_definition(str(layer)).stored
        there = district.rows(f"SELECT count(*) FROM land.{stored} WHERE version_id = %s", version)  # noqa: S608
        aside = district.rows(
            "SELECT count(*) FROM land.issue WHERE version_id = %s AND action = 'rejected'", version
        )
        assert (there[0][0], aside[0][0]) == (n_loaded, n_rejected), layer


def foretold(district: District) -> None:
    """Inspect recognises every layer and says of each what ingest has done."""
    done = dict(
        district.rows("SELECT s.path || coalesce(':' || s.layer_name, ''), ARRAY[v.n_read, v.n_loaded, v.n_rejected]"
                      " FROM land.layer_version v JOIN land.source s USING (source_id)")
    )  # fmt: skip
    for delivery in district.project.settings.delivery:
        found = inspect_source(delivery.source, district.folder, Options(plane="EPSG:4548"))
        (one,) = [item for item in found if item.chosen == delivery.layer]
        assert not one.refusals
        counts = [counts for path, counts in done.items() if str(path).startswith(delivery.source)]
        assert [one.n_rows, one.n_loaded, one.n_rejected] in counts, delivery.source
        if one.geometry is not None:
            faults = [record["fault"] for record in planted(district) if record["layer"] == delivery.layer]
            assert {name: one.geometry[name] for name in SEEN} == {
                name: sum(fault in kinds for fault in faults) for name, kinds in SEEN.items()
            }, delivery.source


def test_counts_close_and_inspect_foretells_every_layer(spoilt):
    closing(spoilt)
    foretold(spoilt)


def test_every_finding_lies_near_something_that_was_planted(spoilt):
    keys = {(record["layer"], record["key"]) for record in planted(spoilt)}
    strange = [
        row
        for row in spoilt.rows(
            "SELECT layer, rule, keys, message, ST_X(ST_Centroid(place)) FROM land.finding WHERE rule <> 'boundary_uncovered'"
        )
        if not keys & {(row[0], key) for key in row[2]}
    ]
    # What went leaves gaps between its neighbours.
    assert [row for row in strange if row[1] != "gap"] == []
    assert len(strange) <= 6


def test_counts_of_the_table_are_those_of_the_database(spoilt):
    done = spoilt.lowland("check", "--json")
    assert done.returncode == 1
    table = {(row["rule"], row["layer"]): row["open"] for row in json.loads(done.stdout)}
    counted = spoilt.rows("SELECT rule, layer, count(*) FROM land.finding GROUP BY 1, 2")
    assert table == {(rule, layer): count for rule, layer, count in counted}
    assert "holds already" in done.stderr


def test_warnings_count_only_with_strict(spoilt):
    # Codes of the neighbouring district are errors of this suite, and so is a parcel that was swollen over the edge of the survey.
    errors = spoilt.rows(
        "SELECT finding_id FROM land.finding WHERE rule = ANY(%s) AND severity = 'error' AND status = 'open'",
        [name for name, check in checks().items() if check.suite == "layers"],
    )
    assert spoilt.lowland("check", "--suite", "layers").returncode == 1
    numbers = [str(number) for (number,) in errors]
    assert spoilt.lowland("check", "accept", *numbers, "--why", "邻区飞地").returncode == 0
    assert spoilt.lowland("check", "--suite", "layers").returncode == 0
    assert spoilt.lowland("check", "run", "--suite", "layers", "--strict").returncode == 1


def test_findings_are_shown_and_accepted_by_number(spoilt):
    shown = json.loads(spoilt.lowland("check", "show", "industry_without_enterprise", "--json").stdout)
    assert len(shown) == 1
    number = str(shown[0]["finding_id"])
    (other,) = json.loads(spoilt.lowland("check", "show", "enterprise_without_parcel", "--json").stdout)
    assert spoilt.lowland("check", "accept", str(other["finding_id"]), "--why", "已迁出").returncode == 0
    done = spoilt.lowland("check", "accept", number, "--why", "企业已注销")
    assert done.returncode == 0, done.stderr
    assert spoilt.lowland("check", "--suite", "layers", "--strict").returncode == 0
    again = json.loads(
        spoilt.lowland("check", "show", "industry_without_enterprise", "--all", "--json").stdout
    )
    assert (again[0]["status"], again[0]["accepted_why"]) == ("accepted", "企业已注销")
    twice = spoilt.lowland("check", "accept", number, "--why", "x")
    assert (twice.returncode, number in twice.stderr) == (2, True)


def test_a_misspelt_check_is_named(spoilt):
    done = spoilt.lowland("check", "show", "slivers")
    assert done.returncode == 2
    assert "Did you mean: sliver" in done.stderr


def test_the_catalogue_names_every_check_and_its_limits(spoilt):
    rows = json.loads(spoilt.lowland("check", "show", "--json").stdout)
    limits = {row["rule"]: row["limits"] for row in rows}
    assert len(rows) == len(checks()) == 70
    assert limits["sliver"] == "min_area_m2 10"


def test_layers_diff_tells_what_was_mended(spoilt, tmp_path):
    delivery = sample.write_district(tmp_path, parcels=PARCELS, seed=SEED, spoilt=CLEAN)
    source = dict(delivery.sources)["plan_parcel"]
    old = spoilt.rows("SELECT max(version_id) FROM land.layer_version WHERE layer = 'plan_parcel'")[0][0]
    ingest(spoilt.project, DeliverySettings(layer="plan_parcel", source=str(tmp_path / source)))
    done = spoilt.lowland("layers", "diff", "plan_parcel", str(old), "latest", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    mended = {
        record["fault"]: record["key"] for record in planted(spoilt) if record["layer"] == "plan_parcel"
    }
    assert {row["key"] for row in found["geometry"]} == {mended["bow_tie"], mended["overlap"]}
    assert {(row["key"], row["field"]) for row in found["attributes"]} == {
        (mended["unknown_code"], "YDDM"),
        (mended["missing_value"], "YDDM"),
        (mended["wrong_area"], "YDMJ"),
    }
    assert found["added"] == []
    assert {row["key"] for row in found["removed"]} == {mended["sliver"], mended["outside"], mended["twice"]}
    assert len(found["removed"]) == 3
    assert abs(found["balance"]["residual_m2"]) < 1e-6
    plain = spoilt.lowland("layers", "diff", "plan_parcel", str(old), "latest")
    assert "geometry 图形变化" in plain.stdout
    assert spoilt.lowland("layers", "diff", "plan_parcel", str(old), "9999").returncode == 2
