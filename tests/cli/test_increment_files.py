"""`lowland update increment`: base + increment = base of the year in files, whatever their form; no database, no project."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from lowland_gis.cli import lowland, main
from lowland_gis.sample import write_district, write_second_year
from lowland_gis.sample.second import DELIVERIES, INCREMENT, SURVEY
from other_formats import gaia, udbx

# Kinds of fields and data sets of a UDBX: 7 double, 23 moment, 127 text; 5 regions.
_UDBX_NUMBER, _UDBX_DAY, _UDBX_TEXT, _UDBX_AREAS = 7, 23, 127, 5
LAYERS = ("DLTBGX", "DLTBGXGC", "XZQGX", "XZQGXGC")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both bases with their towns and the increment, as one geodatabase each."""
    folder = tmp_path_factory.mktemp("increment")
    write_district(folder, parcels=200, seed=3)
    write_second_year(folder, parcels=200, seed=3)
    came = folder / DELIVERIES
    towns = {2023: folder / "incoming", 2024: came}
    for year, place in towns.items():
        base = pyogrio.read_dataframe(came / SURVEY, layer=f"DLTB{year}")
        pyogrio.write_dataframe(base, folder / f"{year}.gdb", layer="DLTB", driver="OpenFileGDB")
        drawn = pyogrio.read_dataframe(place / "民政局/行政区.gpkg", layer="XZ")
        pyogrio.write_dataframe(drawn, folder / f"{year}.gdb", layer="XZQ", driver="OpenFileGDB", append=True)
    for number, name in enumerate(LAYERS):
        rows = pyogrio.read_dataframe(came / INCREMENT / f"{name}.shp")
        pyogrio.write_dataframe(
            rows, folder / "增量.gdb", layer=name, driver="OpenFileGDB", append=number > 0
        )
    return folder


@pytest.fixture
def run(capsys):
    """Run the command and return its exit code and all that it said."""

    def work(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["update", "increment", *map(str, arguments)])
        said = capsys.readouterr()
        return left.value.code, said.out + said.err

    return work


def test_what_fits_says_so_polygons_and_towns(files, tmp_path, run):
    code, said = run(
        files / "2023.gdb", files / "增量.gdb", files / "2024.gdb", "--lineage", tmp_path / "谱系.csv"
    )
    assert code == 0, said
    assert "0 do not match" in said
    assert "not looked at" not in said
    pairs = pd.read_csv(tmp_path / "谱系.csv", dtype=str)
    assert set(pairs["year_before"].dropna()) == {"2023"}
    assert set(pairs["year_after"].dropna()) == {"2024"}
    # The same number stands for two states.
    assert (pairs["before"] == pairs["after"]).any()


def test_the_same_from_the_exchange_format_and_from_a_folder_of_shapefiles(files, tmp_path, run):
    of_geodatabases, of_texts, of_folder = (tmp_path / f"{name}.csv" for name in "abc")
    assert (
        run(files / "2023.gdb", files / "增量.gdb", files / "2024.gdb", "--lineage", of_geodatabases)[0] == 0
    )
    for name in ("2023", "增量", "2024"):
        done = CliRunner().invoke(
            lowland, ["convert", str(files / f"{name}.gdb"), str(tmp_path / f"{name}.vct")]
        )
        assert done.exit_code == 0, done.output
    texts = [tmp_path / f"{name}.vct" for name in ("2023", "增量", "2024")]
    code, said = run(*texts, "--lineage", of_texts)
    assert code == 0, said
    folder = files / DELIVERIES / INCREMENT
    assert run(files / "2023.gdb", folder, files / "2024.gdb", "--lineage", of_folder)[0] == 0
    assert of_geodatabases.read_bytes() == of_texts.read_bytes() == of_folder.read_bytes()


def test_the_same_from_a_database_of_supermap(files, tmp_path, run):
    """Increments go round as UDBX too; texts, numbers and days are of the kinds that it has for them."""
    places = []
    for name in ("2023", "增量", "2024"):
        sets = {}
        for layer in pyogrio.list_layers(files / f"{name}.gdb")[:, 0]:
            rows = pyogrio.read_dataframe(files / f"{name}.gdb", layer=layer)
            texts = rows.drop(columns="geometry").astype(object)
            for column in texts:
                if pd.api.types.is_datetime64_any_dtype(rows[column]):
                    texts[column] = rows[column].dt.strftime("%Y-%m-%d %H:%M:%S")
            texts = texts.where(texts.notna(), None)
            kinds = {
                column: _UDBX_NUMBER if pd.api.types.is_numeric_dtype(rows[column])
                else _UDBX_DAY if pd.api.types.is_datetime64_any_dtype(rows[column]) else _UDBX_TEXT
                for column in texts
            }  # fmt: skip
            shapes = map(gaia, shapely.multipolygons([shapely.get_parts(shape) for shape in rows.geometry]))
            sets[layer] = (
                _UDBX_AREAS,
                kinds,
                [
                    (*values, shape)
                    for values, shape in zip(texts.itertuples(index=False), shapes, strict=True)
                ],
            )
        places.append(udbx(tmp_path / f"{name}.udbx", sets))
    code, said = run(*places, "--lineage", tmp_path / "谱系.csv")
    assert code == 0, said
    assert "0 do not match" in said
    run(files / "2023.gdb", files / "增量.gdb", files / "2024.gdb", "--lineage", tmp_path / "也是.csv")
    assert (tmp_path / "谱系.csv").read_bytes() == (tmp_path / "也是.csv").read_bytes()


def spoilt(files: Path, tmp_path: Path, name: str, layer: str, change) -> Path:
    """Return a geodatabase of which one layer went through a function."""
    target = tmp_path / f"{name}.gdb"
    for number, one in enumerate(pyogrio.list_layers(files / f"{name}.gdb")[:, 0]):
        rows = pyogrio.read_dataframe(files / f"{name}.gdb", layer=one)
        rows = change(rows) if one == layer else rows
        pyogrio.write_dataframe(
            rows, target, layer=one, driver="OpenFileGDB", append=number > 0, promote_to_multi=True
        )
    return target


def test_a_hundredth_of_a_square_metre_that_nobody_explains_is_named(files, tmp_path, run):
    said_changed = set(pyogrio.read_dataframe(files / "增量.gdb", layer="DLTBGX")["BSM"])

    def grown(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        quiet = rows.index[~rows["BSM"].isin(said_changed)][5]
        rows.loc[quiet, "TBMJ"] = round(rows.loc[quiet, "TBMJ"] + 0.01, 2)
        grown.number = rows.loc[quiet, "BSM"]
        return rows

    now = spoilt(files, tmp_path, "2024", "DLTB", grown)
    code, said = run(files / "2023.gdb", files / "增量.gdb", now, "-o", tmp_path / "不符.gpkg")
    assert code == 1, said
    found = pyogrio.read_dataframe(tmp_path / "不符.gpkg")
    assert sorted(found["rule"]) == ["balance", "silent_change"]
    quiet = found[found["rule"] == "silent_change"].iloc[0]
    assert quiet["bsm"] == grown.number
    assert abs(quiet["value"] - quiet["limit"]) == pytest.approx(0.01)
    base = pyogrio.read_dataframe(files / "2024.gdb", layer="DLTB").set_index("BSM")
    assert quiet.geometry.within(base.geometry[grown.number])


def test_a_town_that_moved_in_silence_is_named(files, tmp_path, run):
    def moved(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        shapes = rows.geometry.copy()
        shapes.iloc[0] = shapes.iloc[0].buffer(-2, join_style="mitre")
        return rows.set_geometry(shapes)

    now = spoilt(files, tmp_path, "2024", "XZQ", moved)
    code, said = run(files / "2023.gdb", files / "增量.gdb", now, "-o", tmp_path / "不符.csv")
    assert code == 1, said
    found = pd.read_csv(tmp_path / "不符.csv", dtype=str)
    assert set(found["layer"]) == {"town_change"}


def test_what_cannot_be_checked_is_refused_with_what_is_there(files, tmp_path, run):
    def of_two_years(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        rows.loc[rows.index[0], "GXSJ"] = pd.Timestamp("2023-12-31", tz="UTC")
        return rows

    twice = spoilt(files, tmp_path, "增量", "DLTBGXGC", of_two_years)
    both = files / DELIVERIES / SURVEY
    for arguments, code, words in (
        ((files / "2023.gdb", files / "2023.gdb", files / "2024.gdb"), 3, "holds no layer DLTBGX"),
        ((files / "2023.gdb", twice, files / "2024.gdb"), 3, "of several years (GXSJ: 2023, 2024)"),
        ((both, files / "增量.gdb", files / "2024.gdb"), 2, "Name one: FILE:LAYER"),
        ((files / "没有.gdb", files / "增量.gdb", files / "2024.gdb"), 3, "没有.gdb"),
        ((files / "2023.gdb", files / "增量.gdb", files / "2024.gdb", "-o", tmp_path / "x.pdf"), 2, ".csv"),
    ):
        got, said = run(*arguments)
        assert got == code, said
        assert words in said


@pytest.mark.parametrize("option", ["-o", "--lineage"])
def test_no_file_of_people_is_written_over(files, tmp_path, run, option):
    given = (files / "2023.gdb", files / "增量.gdb", files / "2024.gdb", option)
    theirs = tmp_path / "别人.csv"
    theirs.write_text("by hand\n", encoding="utf-8")
    code, said = run(*given, theirs)
    assert (code, theirs.read_text(encoding="utf-8")) == (2, "by hand\n")
    assert "--overwrite" in said
    assert run(*given, files / "增量.gdb", "--overwrite")[0] == 2, "what is read is not written over"
    assert run(*given, theirs, "--overwrite")[0] == 0
    assert theirs.read_text(encoding="utf-8-sig").split(",")[0] in ("layer", "before")
