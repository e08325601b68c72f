"""Sheets of cases: every row is there, once, whatever the length; nothing leaves the page; the text can be found and the fonts are inside."""

import re
import subprocess
from dataclasses import replace

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure

from lowland_gis.definitions.legend import read_legend
from lowland_gis.errors import UsageError
from lowland_gis.products.maps.case_sheet import CaseSheet, SheetDrawer, case_map
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import font_families
from lowland_gis.products.maps.pdf_font import Letters
from lowland_gis.products.maps.sheet_flow import SheetColumn, SheetTable
from lowland_gis.products.maps.sheet_map import MapView, draw_map

LONG = "这是一段很长的说明文字，用来看单元格里的换行是否完整。" * 8


def view(shape, **changes):
    west, south, east, north = shapely.bounds(shape)
    away = shapely.box(east, south, east + (east - west), north)
    parcels = gpd.GeoDataFrame({"answer": ["industrial", "none"]}, geometry=[shape, away], crs=4548)
    barriers = gpd.GeoDataFrame({"layer": [], "title": []}, geometry=[], crs=4548)
    given = {"kinds": {"industrial": "低效工业用地"}, "numbers": [("1", *shape.centroid.coords[0], 50.0)]}
    return MapView(shape, parcels, barriers, **(given | changes))


def sheet(rows=3, blocks=1, text="值", shape=None):
    columns = (SheetColumn("编号", 2), SheetColumn("说明", 3), SheetColumn("面积", 2, "right"))
    table = SheetTable(
        "一览", columns, tuple((f"行{n}号", text, f"{n}.00") for n in range(rows)), blocks=blocks
    )
    empty = SheetTable("空表", columns, ())
    return CaseSheet(
        "宗地图表　120113100001GB00001",
        {"镇街": "天穆镇"},
        view(shape or shapely.box(0, 0, 100, 80)),
        (table, empty),
        ("图层：宗地",),
        "合成数据 示例",
    )


@pytest.fixture(scope="module")
def drawer():
    return SheetDrawer()


def read(content, tmp_path, *options):
    (tmp_path / "s.pdf").write_bytes(content)
    done = subprocess.run(
        ["pdftotext", *options, str(tmp_path / "s.pdf"), "-"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def run(program, content, tmp_path):
    (tmp_path / "s.pdf").write_bytes(content)
    done = subprocess.run([program, str(tmp_path / "s.pdf")], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("rows", "blocks", "text"),
    [(0, 1, "值"), (1, 1, "值"), (7, 2, "值"), (150, 1, "值"), (333, 2, "值"), (501, 3, "值"), (40, 1, LONG)],
)
def test_no_row_is_lost_or_doubled_on_any_page(drawer, tmp_path, rows, blocks, text):
    content = drawer.drawn(sheet(rows, blocks, text))
    said = read(content, tmp_path, "-layout")
    found = re.findall(r"行(\d+)号", said)
    assert sorted(map(int, found)) == list(range(rows))
    if text == LONG:
        assert re.sub(r"\s", "", read(content, tmp_path)).count("完整") == rows * 8
    pages = int(re.search(r"Pages: +(\d+)", run("pdfinfo", content, tmp_path)).group(1))
    assert f"共{pages}页" in re.sub(r"\s", "", said)
    assert said.count("续表") >= pages - 2
    assert pages > 1 or rows < 100


def test_a_cell_that_is_higher_than_a_page_goes_on_to_the_next(drawer, tmp_path):
    words = "".join(f"第{n}句。" for n in range(3000))
    said = re.sub(r"\s", "", read(drawer.drawn(sheet(1, 1, words)), tmp_path, "-raw"))
    assert said.count("句") == 3000


def test_nothing_leaves_the_page(drawer, tmp_path):
    content = drawer.drawn(sheet(120, 1, LONG[:200]))
    boxes = read(content, tmp_path, "-bbox")
    for page in boxes.split("<page ")[1:]:
        width, height = (
            float(each) for each in re.search(r'width="([\d.]+)" height="([\d.]+)"', page).groups()
        )
        for left, top, right, bottom in re.findall(
            r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"', page
        ):
            assert float(left) >= 40
            assert float(right) <= width - 40
            assert float(top) >= 15
            assert float(bottom) <= height - 15


def test_texts_are_found_and_fonts_are_inside_and_small(drawer, tmp_path):
    content = drawer.drawn(sheet())
    assert "用地" in read(content, tmp_path)
    fonts = run("pdffonts", content, tmp_path).splitlines()[2:]
    assert fonts
    assert all(re.search(r"Identity-H +yes yes yes", line) for line in fonts)
    assert len(content) < 200_000
    assert SheetDrawer().drawn(sheet()) == SheetDrawer().drawn(sheet())


def test_letters_that_come_later_do_not_spoil_what_was_drawn(tmp_path):
    fresh = SheetDrawer()
    first = fresh.drawn(sheet())
    later = fresh.drawn(replace(sheet(), title="𪚥龘㐂鱻".replace("𪚥", "").replace("㐂", "")))
    assert "龘鱻" in read(later, tmp_path)
    assert "天穆镇" in read(later, tmp_path)
    assert "天穆镇" in read(first, tmp_path)


def test_a_letter_that_no_font_has_is_refused():
    with pytest.raises(UsageError, match="box"):
        Letters(font_families()).take(["\U0001f9ff"])
    with pytest.raises(UsageError, match="box"):
        SheetDrawer().drawn(replace(sheet(), title="\U0001f9ff"))


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(0, 0, 100, 80),
        shapely.box(0, 0, 3000, 20),
        shapely.box(0, 0, 15, 4000),
        shapely.Point(0, 0).buffer(300),
    ],
)
@pytest.mark.parametrize("size", [(7.1, 4.7), (10.5, 6.6), (5.3, 3.6)])
def test_scale_bar_north_and_legend_cover_nothing_of_the_case(shape, size):
    with mpl.rc_context(page_settings(font_families())):
        figure = Figure(figsize=(size[0] * 1.1, size[1] * 1.4))
        axes = figure.add_axes((0.05, 0.25, 1 / 1.1, 1 / 1.4))
        draw_map(axes, view(shape), read_legend(), size, "A4")
        figure.draw_without_rendering()
        west, south, east, north = shapely.bounds(shape)
        case = mpl.transforms.Bbox([(west, south), (east, north)]).transformed(axes.transData)
        assert axes.bbox.contains(*case.p0)
        assert axes.bbox.contains(*case.p1)
        above = [each for each in (*axes.patches, *axes.lines, *axes.texts) if each.get_zorder() >= 8]
        assert len(above) >= 4
        for each in [*above, axes.get_legend()]:
            assert not each.get_window_extent().overlaps(case), each


def test_the_map_of_a_case_is_a_picture_too(tmp_path):
    assert case_map(sheet(shape=shapely.box(0, 0, 100, 80))).startswith(b"\x89PNG")


def test_numbers_are_no_wider_than_their_parcels(drawer):
    wide = sheet()
    small = replace(wide, view=replace(wide.view, numbers=[("123", 50.0, 40.0, 5.0)]))
    with mpl.rc_context(page_settings(font_families())):
        sizes = []
        for each in (wide, small):
            figure = Figure(figsize=(8, 8))
            axes = figure.add_axes((0.1, 0.2, 0.8, 0.7))
            draw_map(axes, each.view, read_legend(), (6.4, 5.6), "A4")
            sizes.append(next(text.get_fontsize() for text in axes.texts if text.get_text() in {"1", "123"}))
    assert sizes[0] == 8.5
    assert 2.5 <= sizes[1] < 8.5
    assert np.isfinite(sizes).all()
