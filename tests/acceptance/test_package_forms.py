"""The package of a district in every form equals the rows of the database, for readers that are not ours, and `package check` needs no database."""

import fiona
import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely

from acceptance.conftest import run_lowland
from databases import created

FORMS = ("shapefile", "filegdb", "geopackage", "geoparquet")
CODES = {"industrial": "01", "town": "02", "village": "03", "legacy": "04"}


@pytest.fixture(scope="module")
def built(demo, tmp_path_factory):
    """The demo's package in all forms."""
    target = tmp_path_factory.mktemp("四种 格式") / "成果"
    done = demo.lowland(
        "package", "build", str(target), *(word for form in FORMS for word in ("--form", form))
    )
    assert done.returncode == 0, done.stderr
    return target


def alone(folder, *arguments):
    """Run a command where there is no project, and a server that nobody can reach."""
    return run_lowland(
        "--project",
        str(folder / "none.toml"),
        "-q",
        "package",
        *map(str, arguments),
        dsn="host=/nonexistent dbname=x",
    )


def low_efficiency(demo):
    """What the database says of each parcel: kind, rule, area to the digits of the field, town, outline."""
    rows = demo.rows(
        "SELECT DISTINCT ON (r.parcel_id) r.parcel_id, r.kind, r.rule, round(p.area_m2::numeric, 2), p.attributes->>'ZL', ST_AsBinary(p.geom)"
        " FROM registry.low_efficiency r JOIN land.parcel p USING (parcel_id) ORDER BY r.parcel_id, r.entry_id DESC"
    )
    return {
        code: (CODES[kind], rule, float(area), place or None, shapely.from_wkb(bytes(outline)))
        for code, kind, rule, area, place, outline in rows
    }


def taken(path, layer=None):
    """What fiona reads of a layer."""
    with fiona.open(path, layer=layer) as opened:
        return {
            record.properties["ZDDM"]: (
                *(record.properties[name] or None for name in ("DXLXDM", "RDGZ", "TBMJ", "ZL")),
                shapely.geometry.shape(record.geometry),
            )
            for record in opened
        }


def by_parquet(path):
    rows = gpd.read_parquet(path).set_index("ZDDM")
    plain = rows[["DXLXDM", "RDGZ", "TBMJ", "ZL"]].astype(object)
    return {
        code: (*values, shape)
        for code, values, shape in zip(
            rows.index, plain.where(plain.notna(), None).values.tolist(), rows.geometry, strict=True
        )
    }


def test_every_form_holds_the_rows_of_the_database(demo, built):
    stored = low_efficiency(demo)
    assert len(stored) > 100
    space = next(built.glob("*/1空间数据库"))
    forms = {
        "shp": taken(space / "DXYDTB.shp"),
        "gdb": taken(next(space.glob("*.gdb")), "DXYDTB"),
        "gpkg": taken(next(space.glob("*.gpkg")), "DXYDTB"),
        "parquet": by_parquet(space / "DXYDTB.parquet"),
    }
    for name, rows in forms.items():
        assert {code: row[:4] for code, row in rows.items()} == {
            code: row[:4] for code, row in stored.items()
        }, name
        # The grid of a geodatabase is 0.1 mm; all other coordinates are the same to the bit.
        for code, row in rows.items():
            if name == "gdb":
                assert shapely.hausdorff_distance(row[4], stored[code][4]) <= 1e-4
            else:
                assert row[4].equals(stored[code][4])
                assert row[4].bounds == stored[code][4].bounds


def test_what_is_built_passes_without_a_database_or_a_project(built, tmp_path):
    done = alone(tmp_path, "check", built)
    assert (done.returncode, done.stderr) == (0, "")
    assert "100 / 100 优" in done.stdout
    # Without its manifest nothing says by which definition to judge.
    (built / "manifest.json").rename(tmp_path / "manifest.json")
    try:
        done = alone(tmp_path, "check", built)
        assert (done.returncode, "--definition FILE.toml" in done.stderr) == (2, True)
        forms = [word for form in FORMS for word in ("--form", form)]
        assert alone(tmp_path, "check", built, "--definition", "example_city", *forms).returncode == 0
    finally:
        (tmp_path / "manifest.json").rename(built / "manifest.json")


def test_findings_are_written_as_a_workbook_and_as_points_for_qgis(demo, built, tmp_path):
    target = tmp_path / "别人的"
    done = demo.lowland("package", "build", str(target))
    assert done.returncode == 0, done.stderr
    (target / "manifest.json").unlink()
    (path,) = target.rglob("DXYDTB.shp")
    rows = gpd.read_file(path, engine="pyogrio")
    rows.loc[3, "DXLXDM"], rows.loc[5, "TBMJ"] = "7", rows.loc[5, "TBMJ"] + 1
    rows.to_file(path, engine="fiona", encoding="UTF-8")
    done = alone(tmp_path, "check", target, "--definition", "example_city", "--table", tmp_path / "问题.xlsx", "--gpkg", tmp_path / "问题.gpkg")  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Mark 得分" in done.stdout
    book = openpyxl.load_workbook(tmp_path / "问题.xlsx")
    heads, *found = book["检查结果"].iter_rows(min_row=3, values_only=True)
    lines = [dict(zip(heads, row, strict=True)) for row in found]
    wrong = {line["规则"]: line for line in lines}
    assert (
        wrong["code_unknown"]["行"],
        wrong["code_unknown"]["值"],
        wrong["code_unknown"]["关键字段值"],
    ) == (4, "7", rows["ZDDM"][3])
    assert wrong["area"]["行"] == 6
    assert wrong["encoding"]["应为"] == "GBK"
    assert "得分" in book["得分"]["C4"].value
    assert "示例" in book["得分"]["A2"].value
    points = pyogrio.read_dataframe(tmp_path / "问题.gpkg", layer="findings")
    assert len(points) == len(lines)
    assert points.crs.to_epsg() == 4548
    placed = points[points["rule"] == "area"].iloc[0]
    assert rows.geometry[5].contains(placed.geometry)
    assert points[points["rule"] == "encoding"].geometry.isna().all()


def test_nothing_is_built_before_there_are_verdicts(demo, cluster, template_database, tmp_path):
    target = tmp_path / "成果"
    with created(cluster, "no_verdicts", template_database) as dsn:
        done = run_lowland("--project", str(demo.folder / "lowland.toml"), "package", "build", str(target), "--form", "filegdb", dsn=dsn)  # fmt: skip
    assert done.returncode in (2, 3)
    assert "lowland" in done.stderr
    assert list(tmp_path.iterdir()) == []
