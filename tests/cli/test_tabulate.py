"""`lowland tabulate` on plain files, without a database."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from made_files import box, dbf_bytes


@pytest.fixture
def files(tmp_path):
    gpd.GeoDataFrame({"ZDDM": ["b", "a"]}, geometry=[box(0, 0), box(200, 0)], crs=4548).to_file(
        tmp_path / "parcels.gpkg"
    )
    zones = gpd.GeoDataFrame(
        {"DLBM": ["0601", "0601", None]},
        geometry=[box(0, 0, 50), box(40, 0, 20), box(200, 50, 100, 50)],
        crs=4548,
    )
    zones.to_file(tmp_path / "zones.gpkg", layer="DLTB")
    gpd.GeoDataFrame({"x": [1]}, geometry=[box(0, 0)], crs=4548).to_file(
        tmp_path / "zones.gpkg", layer="other"
    )
    return tmp_path


def read(text):
    from io import StringIO

    return pd.read_csv(StringIO(text), dtype={"parcel_id": str, "code": str}, keep_default_na=False)


def test_columns_order_and_values(lowland, files):
    done = lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--id", "ZDDM", "--by", "DLBM")
    assert done.returncode == 0, done.stderr
    rows = read(done.stdout)
    assert list(rows.columns) == ["parcel_id", "code", "area_m2", "share"]
    assert rows["parcel_id"].tolist() == ["a", "b"]
    # Two zones of one code overlap each other by 10 m: that place counts twice.
    assert rows["code"].tolist() == ["", "0601"]
    assert rows["area_m2"].tolist() == pytest.approx([5000, 7000])
    assert rows["share"].tolist() == pytest.approx([0.5, 0.7])


def test_without_fields_it_is_rows_and_all(lowland, files):
    rows = read(lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB").stdout)
    assert rows["parcel_id"].tolist() == ["0", "1"]
    assert rows["code"].tolist() == ["all", "all"]


def test_a_shapefile_without_its_index_gives_the_same_and_is_named(lowland, files):
    whole = gpd.read_file(files / "zones.gpkg", layer="DLTB")
    whole.to_file(files / "zones.shp")
    (files / "zones.shx").unlink()
    done = lowland("tabulate", "parcels.gpkg", "zones.shp", "--by", "DLBM")
    assert done.stdout == lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--by", "DLBM").stdout != ""
    assert "zones.shp: its .shx is missing" in done.stderr


def test_threads_change_nothing(lowland, files):
    arguments = ("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--id", "ZDDM", "--by", "DLBM")
    assert lowland(*arguments, "--threads", "2").stdout == lowland(*arguments).stdout != ""
    assert lowland(*arguments, "--threads", "0").returncode == 2


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_output_files_hold_the_same(lowland, files, name):
    done = lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--id", "ZDDM", "-o", name)
    assert done.returncode == 0, done.stderr
    path = files / name
    rows = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    assert rows["area_m2"].tolist() == pytest.approx([5000, 7000])
    assert not list(files.glob(".lowland-*"))


def test_a_csv_for_excel_begins_with_a_mark_where_that_is_typed(lowland, files):
    """What programs read has none; Excel takes UTF-8 without one for GBK."""
    for more, first in (([], b"parcel_id"), (["--bom"], b"\xef\xbb\xbfparcel_id")):
        done = lowland(
            "tabulate",
            "parcels.gpkg",
            "zones.gpkg:DLTB",
            "-o",
            "a.csv",
            "--cover",
            "b.csv",
            *more,
            "--overwrite",
        )
        assert done.returncode == 0, done.stderr
        assert [(files / name).read_bytes().startswith(first) for name in ("a.csv", "b.csv")] == [True, True]


def test_other_systems_are_brought_to_the_plane_of_the_parcels(lowland, files):
    gpd.read_file(files / "zones.gpkg", layer="DLTB").to_crs(4490).to_file(files / "degrees.gpkg")
    rows = read(lowland("tabulate", "parcels.gpkg", "degrees.gpkg", "--id", "ZDDM").stdout)
    assert rows["area_m2"].tolist() == pytest.approx([5000, 7000], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.gpkg", "zones.gpkg:DLTB"], 3, "there is no such file"),
        (["parcels.gpkg", "zones.gpkg"], 3, "DLTB, other"),
        (["parcels.gpkg", "zones.gpkg:nope"], 3, "DLTB, other"),
        (["parcels.gpkg", "zones.gpkg:DLTB", "--by", "dlmc"], 3, "DLBM"),
        (["parcels.gpkg", "zones.gpkg:DLTB", "--id", "nix"], 3, "ZDDM"),
        (["degrees.gpkg", "zones.gpkg:DLTB"], 3, "EPSG:4548"),
        (["parcels.gpkg", "zones.gpkg:DLTB", "-o", "x.doc"], 2, ".parquet"),
        (["parcels.gpkg", "zones.gpkg:DLTB", "-o", "no/folder/x.csv"], 3, "cannot be written"),
    ],
)
def test_bad_input_is_said_in_words(lowland, files, arguments, code, said):
    gpd.GeoDataFrame({"x": [1]}, geometry=[shapely.box(117, 39, 117.1, 39.1)], crs=4490).to_file(
        files / "degrees.gpkg"
    )
    done = lowland("tabulate", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_both_engines_print_the_same(lowland, files, database):
    arguments = ("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--id", "ZDDM", "--by", "DLBM")
    done = lowland(*arguments, "--engine", "postgis", dsn=database)
    assert done.returncode == 0, done.stderr
    ours, theirs = read(lowland(*arguments).stdout), read(done.stdout)
    pd.testing.assert_frame_equal(theirs, ours, check_exact=False, rtol=0, atol=1e-6)
    done = lowland(*arguments, "--engine", "postgis", "-o", "out.parquet", dsn=database)
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(files / "out.parquet")["area_m2"].tolist() == pytest.approx([5000, 7000])


def test_both_engines_answer_cover_and_width(lowland, files, database):
    line = shapely.LineString([(515_000, 4_345_050), (515_100, 4_345_050)])
    gpd.GeoDataFrame({"KD": [4.0]}, geometry=[line], crs=4548).to_file(files / "lines.gpkg")
    found = []
    for engine in ("local", "postgis"):
        named = ("--id", "ZDDM", "--width", "KD", "--cover", f"{engine}.csv", "--engine", engine)
        done = lowland("tabulate", "parcels.gpkg", "lines.gpkg", *named, dsn=database)
        assert done.returncode == 0, done.stderr
        found.append((read(done.stdout), pd.read_csv(files / f"{engine}.csv")))
    assert len(found[0][0]) > 0
    for ours, theirs in zip(*found, strict=True):
        pd.testing.assert_frame_equal(theirs, ours, check_exact=False, rtol=0, atol=1e-6)


def test_an_engine_without_its_database_gives_advice(lowland, files):
    done = lowland(
        "tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--engine", "postgis", LOWLAND_STATE=str(files)
    )
    assert done.returncode == 4
    assert "LOWLAND_DSN" in done.stderr
    assert "needs no database" in done.stderr
    assert done.stdout == ""


def test_cover_tells_rest_and_excess(lowland, files):
    done = lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--id", "ZDDM", "--cover", "cover.csv")
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(files / "cover.csv")
    assert rows.columns.tolist() == ["parcel_id", "area_m2", "rest_m2", "excess_m2"]
    assert rows["parcel_id"].tolist() == ["a", "b"]
    assert rows["area_m2"].tolist() == pytest.approx([10_000, 10_000])
    # b: the first zone covers 5,000 m²; the second 2,000 m², half of them again.
    assert rows["rest_m2"].tolist() == pytest.approx([5_000, 4_000])
    assert rows["excess_m2"].tolist() == pytest.approx([0, 1_000])
    assert lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--cover", "cover.txt").returncode == 2


def test_lines_are_strips_of_their_width(lowland, files):
    across, upright = [(0, 50), (100, 50)], [(50, 0), (50, 100)]
    lines = [
        shapely.LineString([(515_000 + x, 4_345_000 + y) for x, y in way])
        for way in (across, upright, upright)
    ]
    gpd.GeoDataFrame({"KD": [4.0, 10.0, None], "DLBM": ["1003"] * 3}, geometry=lines, crs=4548).to_file(
        files / "xz.gpkg"
    )
    done = lowland("tabulate", "parcels.gpkg", "xz.gpkg", "--id", "ZDDM", "--by", "DLBM", "--width", "KD")
    assert done.returncode == 0, done.stderr
    rows = read(done.stdout)
    assert rows["parcel_id"].tolist() == ["b"]
    # 100 m of 4 m and 100 m of 10 m, less the crossing, which counts once; the line without a width is no strip.
    assert rows["area_m2"].tolist() == pytest.approx([400 + 1000 - 40])
    assert (
        "there is no field 'BREITE'"
        in lowland("tabulate", "parcels.gpkg", "xz.gpkg", "--width", "BREITE").stderr
    )


def write(path, rows, crs, **columns):
    gpd.GeoDataFrame(columns or {"ZDDM": range(len(rows))}, geometry=rows, crs=crs).to_file(path)


def test_feet_are_turned_into_metres(lowland, tmp_path):
    """New York Long Island (ftUS): a parcel of 1000 by 1000 ft, half of it zone, is 92,903.41 m²."""
    write(tmp_path / "parcels.gpkg", [shapely.box(1_000_000, 200_000, 1_001_000, 201_000)], 2263)
    write(tmp_path / "zones.gpkg", [shapely.box(1_000_500, 200_000, 1_002_000, 201_000)], 2263)
    done = lowland("tabulate", "parcels.gpkg", "zones.gpkg", "--cover", "cover.csv")
    foot = 1200 / 3937
    rows = read(done.stdout)
    assert rows["area_m2"].tolist() == pytest.approx([5e5 * foot**2], abs=1e-6)
    assert rows["share"].tolist() == pytest.approx([0.5])
    cover = pd.read_csv(tmp_path / "cover.csv")
    assert cover[["area_m2", "rest_m2"]].to_numpy().tolist() == [
        pytest.approx([1e6 * foot**2, 5e5 * foot**2])
    ]
    assert "not true to area" not in done.stderr


def test_an_area_on_web_mercator_is_told_with_its_error(lowland, files):
    plain = read(lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--by", "DLBM").stdout)
    shifted = (
        gpd.read_file(files / "parcels.gpkg").to_crs(4490).set_crs(4326, allow_override=True).to_crs(3857)
    )
    shifted.to_file(files / "mercator.gpkg")
    done = lowland("tabulate", "mercator.gpkg", "zones.gpkg:DLTB", "--by", "DLBM")
    assert done.returncode == 0, done.stderr
    rows = read(done.stdout)
    assert rows["share"].tolist() == pytest.approx(plain["share"].tolist(), abs=1e-4)
    ratio = rows["area_m2"].sum() / plain["area_m2"].sum()
    assert f"areas on it are {ratio - 1:.1%}"[:-2] in done.stderr
    assert "EPSG:4548" in done.stderr
    assert "taken for" in done.stderr
    assert "GCJ-02" in done.stderr


def test_a_system_that_a_file_does_not_declare(lowland, files):
    whole = lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--by", "DLBM").stdout
    gpd.read_file(files / "zones.gpkg", layer="DLTB").to_crs(4527).to_file(files / "zones.shp")
    (files / "zones.prj").unlink()
    refused = lowland("tabulate", "parcels.gpkg", "zones.shp", "--by", "DLBM")
    assert (refused.returncode, "--src-crs" in refused.stderr) == (3, True)
    done = lowland("tabulate", "parcels.gpkg", "zones.shp", "--by", "DLBM", "--src-crs", "EPSG:4527")
    assert read(done.stdout)["area_m2"].tolist() == pytest.approx(read(whole)["area_m2"].tolist(), abs=1e-3)


def test_a_system_that_a_file_declares_wrongly(lowland, files):
    whole = lowland("tabulate", "parcels.gpkg", "zones.gpkg:DLTB", "--by", "DLBM").stdout
    wrong = gpd.read_file(files / "zones.gpkg", layer="DLTB").set_crs(4549, allow_override=True)
    wrong.to_file(files / "wrong.gpkg")
    unused = lowland("tabulate", "parcels.gpkg", "wrong.gpkg", "--src-crs", "EPSG:4548")
    assert unused.returncode == 2
    assert "--src-crs zones=EPSG:4548" in unused.stderr
    done = lowland("tabulate", "parcels.gpkg", "wrong.gpkg", "--by", "DLBM", "--src-crs", "zones=EPSG:4548")
    assert done.stdout == whole
    twice = lowland("tabulate", "parcels.gpkg", "wrong.gpkg", *["--src-crs", "zones=EPSG:4548"] * 2)
    assert twice.returncode == 2


def test_parcels_of_another_part_of_the_earth_are_told(lowland, files):
    write(files / "south.gpkg", [shapely.box(390_000, -6_461_000, 391_000, -6_460_000)], 4548)
    done = lowland("tabulate", "south.gpkg", "zones.gpkg:DLTB")
    assert "is for 115.50° … 118.50°" in done.stderr


TWO = ("tabulate", "parcels.gpkg", "zones.gpkg:DLTB")


@pytest.mark.parametrize("cover", ["x.csv", "./x.csv", "link.csv"])
def test_two_outputs_of_one_name_are_refused(lowland, files, cover):
    (files / "link.csv").symlink_to("x.csv")
    done = lowland(*TWO, "-o", "x.csv", "--cover", cover)
    assert done.returncode == 2
    assert "are the same file" in done.stderr
    assert not (files / "x.csv").exists()


def test_an_output_is_replaced_in_a_project_while_it_is_as_it_was_written(lowland, files):
    (files / "lowland.toml").write_text("", encoding="utf-8")
    for _ in range(2):
        done = lowland(*TWO, "-o", "x.csv")
        assert done.returncode == 0, done.stderr
    (files / "x.csv").write_text("edited", encoding="utf-8")
    refused = lowland(*TWO, "-o", "x.csv")
    assert (refused.returncode, "--overwrite" in refused.stderr) == (2, True)
    assert (files / "x.csv").read_text(encoding="utf-8") == "edited"


def test_what_is_read_is_never_written(lowland, files):
    (files / "link.csv").symlink_to("zones.gpkg")
    before = (files / "zones.gpkg").read_bytes()
    done = lowland(*TWO, "-o", "link.csv", "--overwrite")
    assert done.returncode == 2
    assert "the same file as" in done.stderr
    assert (files / "zones.gpkg").read_bytes() == before


def test_a_value_of_the_zones_that_is_none_is_told_and_sums_under_no_code(lowland, files):
    shapes = [box(0, 0, 50), box(50, 0, 50)]
    gpd.GeoDataFrame({"V": ["1", "1"]}, geometry=shapes, crs=4548).to_file(files / "v.shp")
    content = dbf_bytes([("V", "N", 12, 1)], [[b"1,000.5"], [b"7.5"]])
    (files / "v.dbf").write_bytes(content)
    done = lowland("tabulate", "parcels.gpkg", "v.shp", "--id", "ZDDM", "--by", "V")
    assert done.returncode == 0, done.stderr
    assert read(done.stdout)["code"].tolist() == ["", "7.5"]
    assert "v.shp: 1 × a value is not what it says and counts as missing" in done.stderr


def test_texts_that_were_cut_are_told_as_such_and_parcels_without_a_name_are_counted(lowland, files):
    write(files / "v.shp", [box(0, 0), box(100, 0)], 4548)
    cut = "北辰区双街".encode("gbk")[:-1]
    (files / "v.dbf").write_bytes(dbf_bytes([("V", "C", 9, 0)], [[cut], ["北辰区".encode("gbk")]]))
    done = lowland("tabulate", "parcels.gpkg", "v.shp", "--by", "V")
    assert done.returncode == 0, done.stderr
    assert "v.shp: 1 × a text was cut inside a character, whose beginning was left out" in done.stderr
    none = pd.Series([None, None], dtype=object)
    gpd.GeoDataFrame({"N": none}, geometry=[box(0, 0), box(100, 0)], crs=4548).to_parquet(files / "n.parquet")
    done = lowland("tabulate", "n.parquet", "v.shp", "--id", "N")
    assert done.returncode == 3
    assert "2 parcels have no N, so they cannot be told apart" in done.stderr
