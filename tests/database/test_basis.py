"""What belongs together, on a handful of parcels: which deliveries a run keeps to, and what it is out of date by."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest

from lowland_gis.errors import InputRefusedError, StaleError, UsageError
from lowland_gis.pipeline.base import papers as documents
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.evidence import measure
from lowland_gis.pipeline.flow import run
from lowland_gis.pipeline.intake import reading
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.products import figures as overview
from lowland_gis.pipeline.units import ground as unit_inputs
from lowland_gis.pipeline.units.draw import delineate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

CODES = [f"120113100001GB0000{number}" for number in range(1, 5)]


def parcels(project, folder, name, count=4, **options):
    path = write_parcels(
        folder / f"{name}.shp", {code: box(200 * n, 0) for n, code in enumerate(CODES[:count])}
    )
    return ingest(project, DeliverySettings(layer="parcel", source=str(path), **options))


def layer(project, folder, key, name, columns, shapes, **options):
    path = folder / f"{name}.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4548).to_file(path, engine="pyogrio")
    return ingest(project, DeliverySettings(layer=key, source=str(path), **options))


def decided(project):
    tabulate(project)
    measure.measure(project)
    return classify(project)


@pytest.fixture
def classified(project, tmp_path):
    parcels(project, tmp_path, "一")
    decided(project)
    return project


def causes(project):
    with reading.reading(project) as held:
        return () if held.stale is None else held.stale.causes


def test_what_rests_on_all_that_is_in_force_is_not_stale(classified):
    assert causes(classified) == ()


def test_a_second_delivery_is_named_with_its_number_and_moment(classified, tmp_path):
    second = parcels(classified, tmp_path, "二", 3)
    (cause,) = causes(classified)
    assert cause.startswith(f"宗地 parcel: version {second.version_id} delivered 20")
    assert cause.endswith(f"the results rest on version {second.version_id - 1}")


def test_a_paper_another_day_another_rule_and_another_program_are_named(classified, tmp_path, monkeypatch):
    file = tmp_path / "意见.pdf"
    file.write_bytes(b"signed")
    documents.register(classified, CODES[0], "paper_fire", file, says=True)
    assert causes(classified) == ("登记材料: 1 paper(s) registered or withdrawn since",)
    decided(classified)
    toml = tmp_path / "lowland.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("2023-12-31", "2024-06-30"), encoding="utf-8")
    assert causes(open_project(tmp_path)) == (
        "as_of: the results are judged for 2023-12-31, lowland.toml says 2024-06-30",
    )
    toml.write_text(text, encoding="utf-8")
    for module in ("base.runs", "base.stale", "overlaps.tabulate"):
        monkeypatch.setattr(f"lowland_gis.pipeline.{module}.program_version", lambda: "0.2.0+abc")
    (cause,) = causes(classified)
    assert cause.startswith("lowland itself is another one: 0.1.0+")
    assert cause.endswith(", 0.2.0+abc now")
    assert decided(classified).fresh
    assert causes(classified) == ()


def test_nothing_is_measured_on_a_tabulation_of_other_parcels(classified, tmp_path):
    parcels(classified, tmp_path, "二", 3)
    with pytest.raises(
        StaleError,
        match=r"(?s)Nothing was measured, because The tabulation .* parcel: version .*lowland run --from tabulate",
    ):
        measure.measure(classified)


def test_a_run_keeps_to_its_own_parcels(classified, tmp_path):
    """Coverage is a share of the parcels of the run, not of all that were ever delivered."""
    layer(classified, tmp_path, "development_boundary", "边界", {"BSM": ["1"]}, [box(0, 0, 100, 100)])
    decided(classified)
    with reading.reading(classified) as held:
        before = overview.coverage(held)
    assert before["share"].tolist() == pytest.approx([0.25])
    parcels(classified, tmp_path, "二", 3)
    with reading.reading(classified) as held:
        assert overview.coverage(held).equals(before)
        assert len(unit_inputs.kinds(held.connection, held.basis)) == 4
    decided(classified)
    with reading.reading(classified) as held:
        assert overview.coverage(held)["share"].tolist() == pytest.approx([1 / 3])
    assert overview.loaded_layers(classified)["n_loaded"].tolist() == [1, 3]


def test_one_reading_sees_one_state_whatever_is_written_beside_it(classified, tmp_path):
    with reading.reading(classified) as held:
        parcels(classified, tmp_path, "二", 3)
        newer = decided(classified)
        again = reading.read_in(held.connection, classified)
        assert again.basis.run_id == held.basis.run_id != newer.run_id
        assert again.stale is None
    with reading.reading(classified) as held:
        assert held.basis.run_id == newer.run_id


def test_the_same_file_again_after_another_one_is_measured_with_its_own_features(classified, tmp_path):
    """Buildings are tabulated feature by feature, and each delivery numbers its features anew."""
    kept = {"JZMJ": [500.0], "JCNF": ["2000"]}

    def buildings(name, storeys):
        layer(
            classified,
            tmp_path,
            "building",
            name,
            kept | {"BSM": [name[0]], "CS": [storeys]},
            [box(0, 0, 50, 50)],
        )
        decided(classified)
        with classified.transaction() as connection:
            return connection.execute(
                "SELECT parcel_id, measure, value FROM result.evidence WHERE measure LIKE 'building%%' AND run_id ="
                " (SELECT max(run_id) FROM result.run WHERE stage = 'measure') ORDER BY 1, 2"
            ).fetchall()

    first = buildings("甲", 1)
    assert first
    layer(classified, tmp_path, "building", "乙", kept | {"BSM": ["乙"], "CS": [9]}, [box(200, 0, 50, 50)])
    assert buildings("甲", 1) == first


def test_a_barrier_that_has_expired_divides_no_more(classified, tmp_path):
    """Farmland protected until 2022 is no barrier of 2023; what still holds is one."""
    days = pd.to_datetime(["2017-01-01", "2017-01-01"]), pd.to_datetime(["2022-01-01", None])
    layer(
        classified,
        tmp_path,
        "town",
        "镇",
        {"XZQDM": ["120113100"], "XZQMC": ["天穆镇"]},
        [box(-500, -500, 2000, 2000)],
    )
    layer(
        classified, tmp_path, "farmland", "永农", {"BSM": ["旧", "今"], "BHKSSJ": days[0], "BHJSSJ": days[1]}, [box(0, 300), box(0, 600)]
    )  # fmt: skip
    decided(classified)
    with reading.reading(classified) as held:
        inputs = unit_inputs.read_unit_inputs(held)
    barriers = inputs.barriers[inputs.barriers["layer"] == "farmland"]
    assert [shape.bounds for shape in barriers.geometry] == [box(0, 600).bounds]


def test_no_units_are_drawn_on_verdicts_of_other_parcels(classified, tmp_path):
    layer(
        classified,
        tmp_path,
        "town",
        "镇",
        {"XZQDM": ["120113100"], "XZQMC": ["天穆镇"]},
        [box(-500, -500, 2000, 2000)],
    )
    decided(classified)
    parcels(classified, tmp_path, "二", 3)
    with pytest.raises(
        StaleError, match="(?s)No units were drawn, because The classification .*lowland classify run"
    ):
        delineate(classified)


# ------------------------------------------------------------------------ deliveries that contradict each other


def test_older_land_takes_the_place_of_newer_only_where_that_is_meant(project, tmp_path):
    parcels(project, tmp_path, "新", as_of=dt.date(2023, 12, 31))
    with pytest.raises(
        InputRefusedError,
        match="parcel of 2022-12-31, but version 1 of 2023-12-31 is in force.*--allow-older",
    ):
        parcels(project, tmp_path, "旧", 3, as_of=dt.date(2022, 12, 31))
    with project.transaction() as connection:
        assert [version.version_id for version in current_versions(connection)["parcel"]] == [1]
    assert parcels(project, tmp_path, "旧", 3, as_of=dt.date(2022, 12, 31), allow_older=True).n_loaded == 3


def described(project, *deliveries):
    file = project.settings.folder / "lowland.toml"
    tables = "".join(f"\n[[delivery]]\n{text}\n" for text in deliveries)
    file.write_text(file.read_text(encoding="utf-8").split("\n[[delivery]]")[0] + tables, encoding="utf-8")
    return open_project(project.settings.folder)


def test_a_project_that_names_a_replaced_file_does_not_put_it_back(project, tmp_path):
    write_parcels(tmp_path / "甲.shp", dict(zip(CODES, (box(200 * n, 0) for n in range(4)), strict=True)))
    named = described(project, "layer = 'parcel'\nsource = '甲.shp'")
    run(named, last="ingest")
    run(named, last="ingest")
    parcels(named, tmp_path, "乙", 3)
    with pytest.raises(
        InputRefusedError, match="loaded as version 1 of parcel, and version 2 .*lowland run --from tabulate"
    ):
        run(named, last="ingest")


@pytest.mark.parametrize("part", ["", "\npart = '北'"])
def test_a_list_in_which_one_delivery_replaces_another_is_refused(project, tmp_path, part):
    for name in "甲乙":
        write_parcels(tmp_path / f"{name}.shp", {CODES[0]: box(0, 0)})
    named = described(
        project, f"layer = 'parcel'\nsource = '甲.shp'{part}", "layer = 'parcel'\nsource = '乙.shp'"
    )
    with pytest.raises(InputRefusedError, match=r"1 pair\(s\) of deliveries .*\n.*甲.shp and 乙.shp"):
        run(named, last="ingest")
    with named.transaction() as connection:
        assert current_versions(connection) == {}


def test_without_a_classification_a_reader_says_what_to_run(project):
    with pytest.raises(UsageError, match="lowland run --to classify"), reading.reading(project):
        pass
