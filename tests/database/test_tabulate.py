"""The stage `tabulate` between tables: what it writes, and what it does not compute again."""

import geopandas as gpd
import numpy as np
import psycopg
import pytest

from lowland_gis.db.frames import read_frame
from lowland_gis.engines import local, postgis
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.base.requests import TABULATE
from lowland_gis.pipeline.base.runs import current_versions, record_of
from lowland_gis.pipeline.base.stale import stale_tabulation
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

CODES = [f"120113100001GB{number:05d}" for number in range(1, 7)]


def parcels(project, folder, part, codes, shift=0.0):
    shapes = {code: box(120 * CODES.index(code) + shift, 0) for code in codes}
    path = write_parcels(folder / f"{part}.shp", shapes)
    ingest(project, DeliverySettings(layer="parcel", source=str(path), part=part))


def boundary(project, folder, *shapes):
    """Deliver a layer without dates that is kept by feature or by code."""
    frame = gpd.GeoDataFrame({"BSM": [str(n) for n in range(len(shapes))]}, geometry=list(shapes), crs=4548)
    frame.to_file(folder / "红线.gpkg")
    ingest(project, DeliverySettings(layer="eco_redline", source=str(folder / "红线.gpkg")))


def rows(project, run, table="overlap", columns="parcel_id, code, area_m2, share"):
    with psycopg.connect(project.dsn) as connection:
        found = read_frame(
            connection,
            f"SELECT layer, {columns} FROM result.{table} WHERE run_id = %s ORDER BY 1, 2, 3",  # noqa: S608 - fixed names
            [run.run_id],
        )
    return found.to_numpy().tolist()


@pytest.fixture
def land(project, tmp_path):
    parcels(project, tmp_path, "北", CODES[:3])
    parcels(project, tmp_path, "南", CODES[3:])
    boundary(project, tmp_path, box(-50, -50, 400, 100), box(300, 20, 250, 30), box(320, 20, 20, 20))
    return project


def test_rest_and_excess_are_kept_where_a_layer_meets_a_parcel_unevenly(land):
    run = tabulate(land)
    found = {row[1]: row[2:] for row in rows(land, run, "cover", "parcel_id, rest_m2, excess_m2")}
    # The first three lie half in the large zone; the zones above overlap each other by 20 m by 20 m and beside it.
    assert found[CODES[0]] == pytest.approx([5000, 0])
    assert sum(row[1] for row in found.values()) > 0
    assert CODES[5] not in found  # no zone meets it


def test_a_project_may_leave_the_cover_away(land):
    file = land.settings.folder / "lowland.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[tabulate]\ncover = false\n", encoding="utf-8")
    run = tabulate(open_project(file))
    assert rows(land, run, "cover", "parcel_id, rest_m2, excess_m2") == []
    assert rows(land, run) != []


def test_the_stage_says_what_sql_says(land):
    run = tabulate(land)
    with psycopg.connect(land.dsn) as connection:
        expected = postgis.overlaps(
            connection,
            postgis.Relation(("land", "parcel"), "parcel_id"),
            postgis.Relation(("land", "feature"), None),
        )
    ours = {}
    for _, parcel, _, area, share in rows(land, run):
        before = ours.get(parcel, (0.0, 0.0))
        ours[parcel] = (before[0] + area, before[1] + share)
    assert list(ours) == expected["parcel_id"].tolist()
    np.testing.assert_allclose([pair[0] for pair in ours.values()], expected["area_m2"], atol=1e-6)
    np.testing.assert_allclose([pair[1] for pair in ours.values()], expected["share"], atol=1e-9)


@pytest.fixture
def computed(monkeypatch):
    """How many parcels were tabulated in each call of the engine."""
    calls = []
    engine = local.tabulated

    def counted(parcels, *arguments, **named):
        calls.append(len(parcels.described.box))
        return engine(parcels, *arguments, **named)

    monkeypatch.setattr(local, "tabulated", counted)
    return calls


def test_what_has_not_changed_is_taken_over(land, tmp_path, computed):
    first = tabulate(land)
    parcels(land, tmp_path, "南", CODES[3:], shift=5.0)
    second = tabulate(land)
    assert computed == [6, 3]
    assert second.run_id != first.run_id
    before, after = rows(land, first), rows(land, second)
    of_north = [row for row in before if row[1] in CODES[:3]]
    assert [row for row in after if row[1] in CODES[:3]] == of_north != []
    assert [row for row in after if row[1] in CODES[3:]] != [row for row in before if row[1] in CODES[3:]]


def test_a_run_that_takes_over_equals_one_that_computes_all(land, tmp_path, computed, monkeypatch):
    tabulate(land)
    parcels(land, tmp_path, "南", CODES[3:], shift=5.0)
    partly = tabulate(land)
    another_program(monkeypatch)
    wholly = tabulate(land)
    assert computed == [6, 3, 6]
    assert rows(land, wholly) == rows(land, partly)
    columns = "parcel_id, rest_m2, excess_m2"
    assert rows(land, wholly, "cover", columns) == rows(land, partly, "cover", columns)


def another_program(monkeypatch):
    for module in ("overlaps.tabulate", "base.runs"):
        monkeypatch.setattr(f"lowland_gis.pipeline.{module}.program_version", lambda: "another")


def test_parcels_that_another_delivery_brings_as_they_were_are_taken_over(land, tmp_path, computed):
    first = tabulate(land)
    parcels(land, tmp_path, "南", [*CODES[3:5]])
    second = tabulate(land)
    assert computed == [6]
    assert rows(land, second) == [row for row in rows(land, first) if row[1] != CODES[5]]


@pytest.mark.parametrize("seed", range(4))
def test_after_any_change_of_parcels_a_run_equals_one_that_computes_all(
    project, tmp_path, computed, monkeypatch, seed
):
    random = np.random.default_rng(seed)
    codes = [f"120113100001GB{number:05d}" for number in range(40)]
    corners = random.uniform(0, 1000, (40, 2)).round(3)

    def delivered():
        shapes = {code: box(east, north, 130.7) for code, (east, north) in zip(codes, corners, strict=True)}
        path = write_parcels(tmp_path / "宗地.shp", shapes)
        ingest(project, DeliverySettings(layer="parcel", source=str(path)))

    delivered()
    zones = [
        box(*random.uniform(0, 1000, 2).round(3), *random.uniform(50, 400, 2).round(3)) for _ in range(60)
    ]
    boundary(project, tmp_path, *zones)
    tabulate(project)
    changed = random.choice(40, 5, replace=False)
    corners[changed[:3]] += random.uniform(-30, 30, (3, 2)).round(3)
    # One is gone, one is new; a number that is taken over by other land is a change too.
    codes[changed[3]] = "120113100001GB00099"
    corners[changed[4]] = [4000, 4000]
    delivered()
    partly = tabulate(project)
    another_program(monkeypatch)
    wholly = tabulate(project)
    assert computed == [40, 5, 40]
    assert rows(project, partly) == rows(project, wholly) != []
    columns = "parcel_id, rest_m2, excess_m2"
    assert rows(project, partly, "cover", columns) == rows(project, wholly, "cover", columns)


def test_another_delivery_of_the_zones_is_computed_for_all(land, tmp_path, computed):
    tabulate(land)
    boundary(land, tmp_path, box(-50, -50, 300, 100))
    tabulate(land)
    assert computed == [6, 6]


def test_a_layer_that_meets_nothing_has_no_rows(land, tmp_path):
    boundary(land, tmp_path, box(5000, 5000))
    run = tabulate(land)
    assert rows(land, run) == []
    assert rows(land, run, "cover", "parcel_id, rest_m2, excess_m2") == []


@pytest.mark.parametrize("other", ["postgis", pytest.param("sedona", marks=pytest.mark.sedona)])
def test_every_engine_writes_the_same_and_the_run_says_which(land, other):
    """A run is not out of date by having been computed by another engine, but asked for again by another it is made again."""
    ours, theirs = tabulate(land), tabulate(land.computed_by(other))
    assert theirs.fresh
    assert not tabulate(land.computed_by(other)).fresh
    columns = "parcel_id, rest_m2, excess_m2"
    for table, names in (("overlap", "parcel_id, code, area_m2, share"), ("cover", columns)):
        one, two = rows(land, ours, table, names), rows(land, theirs, table, names)
        assert [row[:3] for row in one if isinstance(row[2], str)] == [
            row[:3] for row in two if isinstance(row[2], str)
        ]
        figures = [
            [value for row in found for value in row if isinstance(value, float)] for found in (one, two)
        ]
        assert figures[0]
        assert figures[1] == pytest.approx(figures[0], abs=1e-6)
    with land.snapshot() as connection:
        found = [record_of(connection, run.run_id, TABULATE) for run in (ours, theirs)]
        assert [record.engine for record in found] == ["local", other]
        assert stale_tabulation(connection, land, found[1], current_versions(connection)) is None


def test_an_engine_that_nobody_knows_is_refused_with_the_nearest(land):
    file = land.settings.folder / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + '\n[tabulate]\nengine = "postgres"\n', encoding="utf-8"
    )
    with pytest.raises(
        UsageError, match=r"engine = 'postgres': there is no such engine. Did you mean 'postgis'\?"
    ):
        open_project(file)
