"""A district that was delivered whole goes over to parts by town: a part takes the place of its pieces, the rest stays in force."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.flow import run
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.part_of_whole import REST
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

EAST, WEST = "120113100", "120113101"
TOWNS = {EAST: ("东镇", box(0, 0, 1000, 1000)), WEST: ("西镇", box(-1000, 0, 1000, 1000))}
E1, E2, W1, W2 = f"{EAST}001GB00001", f"{EAST}001GB00002", f"{WEST}001GB00001", f"{WEST}001GB00002"
WHOLE = {E1: box(0, 0), E2: box(200, 0), W1: box(-200, 0), W2: box(-400, 0)}


def deliver(project, layer, source, told=None, **options):
    said = [] if told is None else told
    return ingest(project, DeliverySettings(layer=layer, source=str(source), **options), tell=said.append)


def written(folder, name, columns, shapes):
    path = folder / f"{name}.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4548).to_file(path, layer=name)
    return f"{path}:{name}"


def parcels(folder, name, rows):
    return write_parcels(folder / f"{name}.shp", rows)


def towns(project, folder):
    columns = {"XZQDM": list(TOWNS), "XZQMC": [name for name, _ in TOWNS.values()]}
    deliver(project, "town", written(folder, "town", columns, [at for _, at in TOWNS.values()]))


def current(project, layer="parcel"):
    with project.transaction() as connection:
        return [(version.version_id, version.part) for version in current_versions(connection).get(layer, [])]


def codes(project, table="parcel", name="parcel_id", layer="parcel"):
    with psycopg.connect(project.dsn) as connection:
        return sorted(
            row[0]
            for row in connection.execute(
                f"SELECT {name} FROM land.{table} WHERE version_id = ANY(%s)",  # noqa: S608
                [[number for number, _ in current(project, layer)]],
            )
        )


@pytest.fixture
def district(project, tmp_path):
    """Two towns, and the parcels of both in one file (version 2)."""
    towns(project, tmp_path)
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE))
    return project


def test_a_part_takes_the_place_of_its_pieces_and_the_rest_stays_in_force(district, tmp_path):
    told = []
    new = {W1: box(-200, 0, 100, 90), f"{WEST}001GB00003": box(-600, 0)}
    loaded = deliver(district, "parcel", parcels(tmp_path, "西", new), told, part=WEST)
    assert (loaded.version_id, loaded.warnings) == (3, ())
    assert current(district) == [(3, WEST), (4, REST)]
    assert codes(district) == [E1, E2, W1, f"{WEST}001GB00003"]
    (text,) = told
    assert text.startswith(
        f"parcel part {WEST}: it takes the place of 2 records of the whole delivery (version 2) that are of {WEST} 西镇, told by the"
        f" largest share in the town layer: 1 added ({WEST}001GB00003), 1 gone ({W2}), 1 changed (1 in outline), 0 as before; "
    )
    assert text.endswith("m². The other 2 records of the whole stay in force (version 4)")
    with psycopg.connect(district.dsn) as connection:
        row = connection.execute(
            "SELECT n_read, n_loaded, n_rejected, rest_of, source_id = (SELECT source_id FROM land.layer_version WHERE version_id = 2)"
            " FROM land.layer_version WHERE version_id = 4"
        ).fetchone()
    assert row == (2, 2, 0, 2, True)


def test_the_same_part_again_loads_nothing_and_a_second_one_replaces_only_itself(district, tmp_path):
    west = parcels(tmp_path, "西", {W1: box(-200, 0)})
    deliver(district, "parcel", west, part=WEST)
    assert not deliver(district, "parcel", west, part=WEST).fresh
    told = []
    deliver(district, "parcel", parcels(tmp_path, "西2", {W2: box(-400, 0)}), told, part=WEST)
    assert (current(district), told) == ([(5, WEST), (4, REST)], [])
    assert codes(district) == [E1, E2, W2]
    deliver(district, "parcel", parcels(tmp_path, "东", {E2: box(200, 0)}), told, part="东镇")
    assert f"that are of {EAST} 东镇" in told[0]
    assert "whole delivery (version 2)" in told[0]
    assert {row[1] for row in current(district)} == {"东镇", WEST, REST}
    assert codes(district) == [E2, W2]


def test_a_later_whole_replaces_all_and_a_part_of_before_is_no_more_in_force(district, tmp_path):
    west = parcels(tmp_path, "西", {W1: box(-200, 0)})
    deliver(district, "parcel", west, part=WEST)
    # The whole of before, typed again, is meant.
    again = deliver(district, "parcel", parcels(tmp_path, "全", WHOLE))
    assert again.fresh
    assert current(district) == [(again.version_id, None)]
    assert codes(district) == sorted(WHOLE)
    # Nor is the part "there already": it takes its place anew.
    assert deliver(district, "parcel", west, part=WEST).fresh
    assert codes(district) == [E1, E2, W1]


def test_a_dry_run_tells_the_difference_and_keeps_nothing(district, tmp_path):
    command = ["--project", str(district.settings.folder / "lowland.toml"), "ingest", "parcel"]
    west = str(parcels(tmp_path, "西", {W1: box(-200, 0)}))
    done = CliRunner().invoke(lowland, [*command, west, "--part", WEST, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert f"0 added, 1 gone ({W2}), 0 changed (0 in outline), 1 as before" in done.stderr
    assert current(district) == [(2, None)]
    done = CliRunner().invoke(lowland, [*command, west, "--part", WEST])
    assert done.exit_code == 0, done.output
    assert f"1 gone ({W2})" in done.stderr
    assert codes(district) == [E1, E2, W1]


def test_without_towns_the_digits_of_the_codes_tell_it(project, tmp_path):
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE))
    told = []
    deliver(project, "parcel", parcels(tmp_path, "西", {W1: box(-200, 0)}), told, part=WEST)
    assert f"that are of codes (ZDDM) that begin with {WEST}, told by the digits of their codes: " in told[0]
    assert codes(project) == [E1, E2, W1]


def refused(project, source, error, **options):
    before = current(project)
    with pytest.raises(error) as caught:
        deliver(project, "parcel", source, **options)
    assert current(project) == before
    return str(caught.value)


def test_a_part_that_names_no_town_is_refused_with_those_that_are(district, tmp_path):
    west = parcels(tmp_path, "西", {W1: box(-200, 0)})
    said = refused(district, west, UsageError, part="北片")
    assert (
        "parcel is there as a whole delivery (version 2), and which pieces of it the part '北片' stands for cannot be told: no town of the"
        " layer town has this code or name, and it is no beginning of codes (ZDDM). Nothing was loaded."
        in said
    )
    assert f"{WEST} 西镇" in said
    assert said.endswith("Or deliver the whole layer again, without a part.")
    assert "is the name of what parts leave of a whole" in refused(district, west, UsageError, part=REST)
    assert "Name it with --part NAME" in refused(district, west, UsageError, part_by="code")


def test_without_towns_and_digits_nothing_tells_it(project, tmp_path):
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE))
    said = refused(project, parcels(tmp_path, "西", {W1: box(-200, 0)}), UsageError, part="西镇")
    assert "there are no towns (lowland ingest town FILE)" in said


def test_a_file_that_holds_another_town_is_refused(district, tmp_path):
    said = refused(
        district, parcels(tmp_path, "东", {E1: box(0, 0), E2: box(200, 0)}), InputRefusedError, part=WEST
    )
    assert (
        f"2 of its 2 records are not of {WEST} 西镇, which the part '{WEST}' stands for, but of {EAST} (2); nothing was loaded"
        in said
    )
    assert "the same file is in force already as the whole of parcel (version 2)" in refused(
        district, tmp_path / "全.shp", InputRefusedError, part=WEST
    )


def test_pieces_of_which_place_and_code_say_different_towns_are_refused_until_it_is_said(project, tmp_path):
    towns(project, tmp_path)
    torn = f"{EAST}001GB00009"
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE | {torn: box(-600, 0)}))
    west = parcels(tmp_path, "西", {W1: box(-200, 0), W2: box(-400, 0)})
    said = refused(project, west, InputRefusedError, part=WEST)
    assert f"of 1 records of the whole parcel it cannot be told whether they belong to {WEST} 西镇" in said
    assert f"{torn}: it lies in {WEST}, its code says {EAST}" in said
    assert "--part-by place (where they lie) or --part-by code" in said
    told = []
    deliver(project, "parcel", west, told, part=WEST, part_by="code")
    assert "told by their codes, as was said" in told[0]
    assert codes(project) == sorted([*WHOLE, torn])


def test_pieces_that_lie_in_the_town_go_where_that_is_said(project, tmp_path):
    towns(project, tmp_path)
    torn = f"{EAST}001GB00009"
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE | {torn: box(-600, 0)}))
    told = []
    deliver(
        project,
        "parcel",
        parcels(tmp_path, "西", {W1: box(-200, 0), W2: box(-400, 0)}),
        told,
        part=WEST,
        part_by="place",
    )
    assert f"1 gone ({torn})" in told[0]
    assert codes(project) == sorted(WHOLE)


def test_a_parcel_across_the_boundary_that_comes_with_the_part_stands_once(district, tmp_path):
    """By the polygon it is of the east; the west delivers it, by its own list."""
    new = {W1: box(-200, 0), W2: box(-400, 0), E1: box(0, 0, 100, 95)}
    loaded = deliver(district, "parcel", parcels(tmp_path, "西", new), part=WEST)
    assert codes(district) == sorted(WHOLE)
    assert loaded.warnings == (
        f"1 records of the part are not of {WEST} 西镇, for example {E1}; they count where they lie",
    )


def test_a_town_is_one_part_under_one_name(district, tmp_path):
    deliver(district, "parcel", parcels(tmp_path, "西", {W1: box(-200, 0)}), part=WEST)
    said = refused(district, parcels(tmp_path, "西2", {W2: box(-400, 0)}), UsageError, part="西镇")
    assert f"{WEST} 西镇 is in force already as the part '{WEST}' of parcel (version 3)" in said
    assert f"Type: --part {WEST}" in said


def test_an_older_part_is_refused_as_an_older_whole_is(project, tmp_path):
    towns(project, tmp_path)
    deliver(project, "parcel", parcels(tmp_path, "全", WHOLE), as_of=dt.date(2023, 12, 31))
    west = parcels(tmp_path, "西", {W1: box(-200, 0)})
    said = refused(project, west, InputRefusedError, part=WEST, as_of=dt.date(2022, 12, 31))
    assert "version 2 of 2023-12-31 is in force" in said
    deliver(project, "parcel", west, part=WEST, as_of=dt.date(2022, 12, 31), allow_older=True)


def test_features_go_by_where_they_lie_and_ground_that_counts_twice_is_told(district, tmp_path):
    fields = {"BSM": ["1", "2", "3"], "DLBM": ["0601", "0601", "0702"]}
    shapes = [box(0, 0), box(-200, 0), box(-60, 200)]
    deliver(district, "dltb3", written(tmp_path, "dltb3", fields, shapes))
    told = []
    part = written(tmp_path, "west", {"BSM": ["1"], "DLBM": ["0701"]}, [box(-200, 0, 210, 100)])
    loaded = deliver(district, "dltb3", part, told, part=WEST)
    assert "takes the place of 2 records" in told[0]
    assert codes(district, "feature", "code", "dltb3") == ["0601", "0701"]
    assert any(
        "the part shares 1,000 m² with records of the whole that stay in force" in words
        for words in loaded.warnings
    )


def test_firms_go_by_their_parcel_and_issues_of_the_rest_stay_with_it(district, tmp_path):
    firms = pd.DataFrame(
        {"年份": 2023, "企业名称": ["甲", "乙", "丙"], "宗地代码": [E1, W1, W2], "亩均税收（万元/亩）": 1.0}
    )
    firms.to_excel(tmp_path / "企业.xlsx", index=False)
    deliver(district, "enterprise", tmp_path / "企业.xlsx")
    firms[1:2].assign(企业名称="丁").to_excel(tmp_path / "西.xlsx", index=False)
    told = []
    deliver(district, "enterprise", tmp_path / "西.xlsx", told, part=WEST)
    assert "takes the place of 2 records" in told[0]
    assert codes(district, "enterprise", "parcel_id", "enterprise") == [E1, W1]


def test_towns_themselves_go_by_their_codes(district, tmp_path):
    told = []
    part = written(tmp_path, "t", {"XZQDM": [WEST], "XZQMC": ["新西镇"]}, [TOWNS[WEST][1]])
    deliver(district, "town", part, told, part=WEST)
    assert "told by the digits of their codes" in told[0]
    assert codes(district, "feature", "attributes->>'XZQMC'", "town") == ["东镇", "新西镇"]


def test_a_raster_cannot_be_cut(district, tmp_path):
    with district.transaction() as connection:
        connection.execute(
            "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'GTiff', 'x', 1)"
        )
        connection.execute(
            "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
            " SELECT 'raster', max(source_id), 'x', now(), 'me', 1, 1, 0 FROM land.source"
        )
    with pytest.raises(UsageError, match="a raster cannot be cut"):
        deliver(district, "raster", parcels(tmp_path, "西", {W1: box(-200, 0)}), part=WEST)


def test_records_that_were_set_aside_stay_with_the_rest(project, tmp_path):
    towns(project, tmp_path)
    with_double = parcels(tmp_path, "全", WHOLE | {"": box(600, 0)})
    first = deliver(project, "parcel", with_double)
    deliver(project, "parcel", parcels(tmp_path, "西", {W1: box(-200, 0), W2: box(-400, 0)}), part=WEST)
    with psycopg.connect(project.dsn) as connection:
        row = connection.execute(
            "SELECT n_read, n_loaded, n_rejected FROM land.layer_version WHERE part = %s", [REST]
        ).fetchone()
        kept = connection.execute(
            "SELECT count(*) FROM land.issue JOIN land.layer_version USING (version_id) WHERE part = %s AND action = 'rejected'",
            [REST],
        ).fetchone()
    assert first.n_rejected == 1
    assert (row, kept) == ((3, 2, 1), (1,))


def test_the_flow_reads_the_mixed_state_as_one_basis(district, tmp_path):
    deliver(
        district, "development_boundary", written(tmp_path, "b", {"BSM": ["1"]}, [box(-1000, 0, 2000, 2000)])
    )
    before = tabulate(district)
    deliver(district, "parcel", parcels(tmp_path, "西", {W1: box(-200, 0, 100, 90)}), part=WEST)
    after = tabulate(district)
    assert after.fresh
    assert after.digest != before.digest
    with psycopg.connect(district.dsn) as connection:
        rows = connection.execute(
            "SELECT parcel_id, round(sum(area_m2)) FROM result.overlap WHERE run_id = %s AND layer = 'development_boundary'"
            " GROUP BY 1 ORDER BY 1", [after.run_id],
        ).fetchall()  # fmt: skip
    assert rows == [(E1, 10_000), (E2, 10_000), (W1, 9_000)]
    assert not tabulate(district).fresh


def described(project, *deliveries):
    file = project.settings.folder / "lowland.toml"
    tables = "".join(f"\n[[delivery]]\n{text}\n" for text in deliveries)
    file.write_text(file.read_text(encoding="utf-8").split("\n[[delivery]]")[0] + tables, encoding="utf-8")
    return open_project(project.settings.folder)


def test_lowland_toml_names_the_whole_and_then_its_parts_and_runs_twice_the_same(project, tmp_path):
    towns(project, tmp_path)
    parcels(tmp_path, "全", WHOLE)
    parcels(tmp_path, "西", {W1: box(-200, 0)})
    whole = "layer = 'parcel'\nsource = '全.shp'"
    west = f"layer = 'parcel'\nsource = '西.shp'\npart = '{WEST}'"
    named = described(project, whole, west)
    told = []
    run(named, last="ingest", tell=told.append)
    assert any("told by the largest share in the town layer" in text for text in told)
    state = current(named)
    assert state == [(3, WEST), (4, REST)]
    run(named, last="ingest", tell=told.append)
    assert current(named) == state
    assert any(
        f"parts have taken the place of pieces of version 2 since, and stay: {WEST} (version 3)" in text
        for text in told
    )
    with pytest.raises(
        InputRefusedError, match=r"(?s)1 pair\(s\).*give each its own part = …, after the whole"
    ):
        run(described(project, west, whole), last="ingest")
    # A newer whole takes the place of the part, and the part of before is not put back.
    parcels(tmp_path, "新", WHOLE | {W2: box(-400, 0, 100, 80)})
    with pytest.raises(
        InputRefusedError, match="loaded as version 3 of parcel, and version 5 .*has taken its place since"
    ):
        run(described(project, whole.replace("全", "新"), west), last="ingest")
