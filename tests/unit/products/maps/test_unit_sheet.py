"""The planning sheet of a unit: nothing on the page lies on anything else or leaves it, however much there is to say."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lowland_gis.definitions.codes import domain_names
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.products.unit_sheet import ownership
from lowland_gis.products.maps.drawing import page_settings
from lowland_gis.products.maps.fonts import font_families
from lowland_gis.products.maps.unit_sheet import UnitSheet, draw_unit_sheet, unit_page


def sheet(parcels: int, kinds: int = 3) -> UnitSheet:
    """Return the sheet of a unit of so many parcels of a hectare in rows of ten, with so many rows a table."""
    at = np.arange(parcels)
    shapes = shapely.box(at % 10 * 100, at // 10 * 100, at % 10 * 100 + 100, at // 10 * 100 + 100)
    table = pd.DataFrame({"name": [f"二类工业用地 {n}" for n in range(kinds)], "area_m2": 1e4})
    lines = [shapely.LineString([(-50, -50), (1_050, -50)]), shapely.LineString([(-50, -50), (-50, 1_050)])]
    return UnitSheet(
        "示例镇　再开发单元 120113100-ZKF-001",
        {"面积": f"{parcels}.00 公顷", "宗地": f"{parcels} 宗", "低效占比": "80.0%"},
        dict.fromkeys(("用地类型", "规划用途"), table) | {"权属": table, "规划分区": table},
        ("自主开发", "收储再开发"),
        ("公益性用地", "政策工具", "四至界线", "方案"),
        shapely.union_all(shapes),
        gpd.GeoDataFrame({"answer": np.where(at % 3, "industrial", None)}, geometry=shapes, crs=4548),
        gpd.GeoDataFrame(
            {"layer": ["road", "rail"], "title": ["主干路", "铁路中心线"]}, geometry=lines, crs=4548
        ),
        pd.DataFrame(
            {
                "parcel_id": [f"120113100001JB{n:05d}" for n in at],
                "kind": "低效工业用地",
                "area_m2": 1e4 + at,
            }
        ),
        mark="合成数据 示例",
    )


def texts(of: UnitSheet) -> dict[str, mpl.transforms.Bbox]:
    """Return the texts that stand on the page itself with the boxes that they fill, in shares of the page."""
    with mpl.rc_context(page_settings(font_families())):
        figure = unit_page(of)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.texts]
        there = figure.transFigure.inverted()
        return {
            f"{number} {text.get_text()}": box.transformed(there)
            for number, (text, box) in enumerate(zip(figure.texts, boxes, strict=True))
        }


@pytest.mark.parametrize(("parcels", "kinds"), [(3, 1), (23, 4), (90, 12)])
def test_nothing_lies_on_anything_else(parcels: int, kinds: int):
    placed = list(texts(sheet(parcels, kinds)).items())
    for number, (text, box) in enumerate(placed):
        assert box.x0 >= 0.06, text
        assert box.x1 <= 0.945, text
        assert box.y0 >= 0, text
        assert box.y1 <= 1, text
        for other, beside in placed[:number]:
            assert not box.overlaps(beside), f"{text} lies on {other}"


def test_every_parcel_is_listed_or_counted():
    few, many = texts(sheet(8)), texts(sheet(90, 4))
    assert sum("120113100001JB" in text for text in few) == 8
    shown = sum("120113100001JB" in text for text in many)
    assert shown < 90
    rest = next(text for text in many if "其余" in text)
    assert f"其余 {90 - shown} 宗" in rest


def test_a_letter_without_a_glyph_and_a_strange_ending_are_refused(tmp_path):
    with pytest.raises(UsageError, match="a PDF or a PNG"):
        draw_unit_sheet(sheet(3), tmp_path / "a.doc")
    page = draw_unit_sheet(sheet(3), tmp_path / "子" / "a.png")
    assert page.stat().st_size > 20_000
    assert [file.name for file in page.parent.iterdir()] == ["a.png"]


def test_a_kind_that_the_legend_does_not_know_is_on_the_map_under_its_own_name():
    of = sheet(4)
    strange = of.parcels.assign(answer=["warehouse", "open", "none", None])
    page = unit_page(replace(of, parcels=strange, kinds={"warehouse": "低效仓储用地"}))
    shown = [text.get_text() for text in page.axes[0].get_legend().get_texts()]
    assert shown[:4] == ["低效仓储用地", "待核", "非低效用地", "未判定"]


def test_policy_tools_are_on_the_sheet_only_where_the_rule_pack_has_some():
    assert any("政策工具：自主开发" in text for text in texts(sheet(3)))
    assert not any("政策工具：" in text for text in texts(replace(sheet(3), tools=None)))


@pytest.mark.parametrize("code", sorted(domain_names("QSXZ")))
def test_every_ownership_code_is_printed_by_its_name(code):
    assert ownership(code) == domain_names("QSXZ")[code]


def test_ownership_that_is_missing_or_in_no_list_is_said_to_be():
    assert [ownership(code) for code in (None, " ", "99")] == ["未登记", "未登记", "代码 99（不在标准内）"]
