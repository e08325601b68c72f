"""Field tables of bureaus are understood whatever their headings are called, and what they leave open is named by its row."""

import pytest

from lowland_gis.analysis.fields.field_tables import field_tables, heading_role, layer_name
from lowland_gis.analysis.fields.field_types import FieldType, domain_codes, field_type, is_required
from lowland_gis.analysis.fields.spreadsheet import Merged

HEAD = ["序号", "字段名称", "字段代码", "字段类型", "字段长度", "小数位数", "值域", "约束条件", "备注"]


def one(*rows, sheet="DLTB", merged=()):
    return field_tables([(sheet, list(rows), merged)])


@pytest.mark.parametrize(
    "head",
    [
        ["序号", "字段名称", "字段代码", "字段类型", "字段长度", "约束条件"],
        ["NO.", "字段 别名", "字段名", "数据类型", "长度（字节）", "是否必填"],
        ["编号", "中文名称", "英文\n名称", "类型", "宽度", "必填"],
        ["序号", "名称", "代码", "数据类型", "字段大小", "约束/条件"],
        ["no", "Alias", "Name", "Type", "Length", "约束"],
        ["序号", "字段名称", "字段名", "属性类型", "数据长度", "填写要求"],
    ],
)
def test_headings_may_be_called_in_any_usual_way_and_stand_in_any_order(head):
    rows = [[1, "标识码", "BSM", "Char", 18, "M"], [2, "地类面积", "DLMJ", "Float(15,2)", None, "O"]]
    for order in (range(6), [3, 2, 5, 0, 1, 4]):
        found = one([head[place] for place in order], *([row[place] for place in order] for row in rows))
        (layer,) = found.layers
        assert (layer.code, found.doubts) == ("DLTB", [])
        assert [(f.code, f.title, f.required) for f in layer.fields] == [
            ("BSM", "标识码", True),
            ("DLMJ", "地类面积", False),
        ]
        assert [f.type for f in layer.fields] == [FieldType("C", 18), FieldType("N", 15, 2)]


def test_titles_between_tables_of_a_sheet_and_repeated_heads_are_told_apart():
    found = one(
        ["附录A"],
        ["表A.1 地类图斑属性结构（属性表名：DLTB）"],
        HEAD,
        [1, "标识码", "BSM", "Char", 18, None, "见本表注1", "M", ""],
        ["注1：由程序编号。"],
        [],
        ["续表A.1 地类图斑属性结构（属性表名：DLTB）"],
        HEAD,
        [2, "地类编码", "DLBM", "Char", 5, None, "", "M", ""],
        [],
        ["表A.2 村级调查区属性结构", "属性表名：CJDCQ"],
        HEAD,
        [1, "标识码", "BSM", "Char", 18, None, "", "M", ""],
        sheet="Sheet1",
    )
    assert [(layer.code, layer.title, [f.code for f in layer.fields]) for layer in found.layers] == [
        ("DLTB", "地类图斑", ["BSM", "DLBM"]),
        ("CJDCQ", "村级调查区", ["BSM"]),
    ]
    assert [(doubt.row, "'见本表注1' refers to a list" in doubt.words) for doubt in found.doubts] == [
        (4, True)
    ]


def test_a_column_of_layers_merged_downwards_cuts_a_table_into_layers():
    found = one(
        ["图层代码", "字段名称", "字段代码", "字段类型", "长度"],
        ["AAA", "标识码", "BSM", "Char", 18],
        [None, "名称", "MC", "Char", 60],
        ["BBB", "标识码", "BSM", "Char", 18],
        [None, "备注", "BZ", "Char", 100],
        sheet="全部图层",
        merged=(Merged(1, 2, 0, 0), Merged(3, 4, 0, 0)),
    )
    assert [(layer.code, [f.code for f in layer.fields]) for layer in found.layers] == [
        ("AAA", ["BSM", "MC"]),
        ("BBB", ["BSM", "BZ"]),
    ]


def test_codes_come_from_the_cell_or_from_the_list_that_it_names():
    found = one(
        HEAD,
        [1, "类型", "LX", "Char", 2, None, "见表5", "M", ""],
        [2, "性质", "XZ", "Char", 2, None, "10国有、30集体", "M", ""],
        [3, "状态", "ZT", "Char", 1, None, "0：未实施；1：正在实施；2：已完成", "M", ""],
        [4, "等级", "DJ", "Char", 1, None, "实施状态代码", "O", ""],
        [5, "用途", "YT", "Char", 4, None, "GB/T 21010", "O", ""],
        [6, "面积", "MJ", "Float", 15, 2, "＞0", "O", ""],
        [],
        ["表5 类型代码表"],
        ["代码", "名称"],
        ["01", "工业"],
        ["02", "村庄"],
        ["实施状态代码表"],
        ["代码", "含义说明", "名称"],
        [1, "x", "甲"],
        [2, "y", "乙"],
    )
    (layer,) = found.layers
    assert [f.codes for f in layer.fields] == [
        (("01", "工业"), ("02", "村庄")),
        (("10", "国有"), ("30", "集体")),
        (("0", "未实施"), ("1", "正在实施"), ("2", "已完成")),
        (("1", "甲"), ("2", "乙")),
        (),
        (),
    ]
    assert [doubt.row for doubt in found.doubts] == [6]


def test_rows_that_leave_something_open_are_named():
    found = one(
        HEAD,
        [1, "标识码", "BSM", "Char", None, None, "", "M", ""],
        [2, "坐落", "坐落", "Char", 60, None, "", "M", ""],
        [3, "面积", "MJ", "Float", 25, 3, "", "M", ""],
        [4, "图片", "TP", "VarBin", 8, None, "", "M?", ""],
        [5, "面积", "mj", "Float", 15, 3, "", "M", ""],
        ["", "见附件", None, None, None],
    )
    assert [(doubt.row, doubt.words.partition(":")[0]) for doubt in found.doubts] == [
        (2, "BSM"), (3, "坐落"), (4, "MJ"), (5, "TP"), (5, "TP"), (6, "DLTB.mj stands twice; the second one is left out"),
        (7, "no field is described here"),
    ]  # fmt: skip
    assert [f.type for f in found.layers[0].fields] == [
        FieldType("C", 254),
        FieldType("C", 60),
        FieldType("N", 18, 3),
        FieldType("C", 8),
    ]


@pytest.mark.parametrize(
    ("said", "length", "decimals", "wanted", "n_doubts"),
    [
        ("VARCHAR2(50)", "", "", FieldType("C", 50), 0),
        ("字符型", "18字节", "", FieldType("C", 18), 0),
        ("Double", "15,2", "", FieldType("N", 15, 2), 0),
        ("数值型", "16", "4", FieldType("N", 16, 4), 0),
        ("number", "10", "0", FieldType("N", 10), 0),
        ("长整型", "", "", FieldType("N", 10), 1),
        ("Float", "15", "", FieldType("N", 15, 2), 1),
        ("Float", "8", "7", FieldType("N", 8, 6), 1),
        ("DATETIME", "", "", FieldType("D", 8), 0),
        ("文本", "500", "", FieldType("C", 254), 1),
        ("BLOB", "4", "", FieldType("C", 4), 1),
        ("Char", "若干", "", FieldType("C", 254), 2),
    ],
)
def test_types_and_lengths(said, length, decimals, wanted, n_doubts):
    found, doubts = field_type(said, length, decimals)
    assert (found, len(doubts)) == (wanted, n_doubts)


def test_what_is_said_of_filling_a_field():
    assert [is_required(word, "") for word in ("M", "必填", "√", "O", "C(条件)", "", "视情况")] == [
        True,
        True,
        True,
        False,
        False,
        False,
        None,
    ]
    assert [is_required("", word) for word in ("否", "N", "是", "Yes", "也许")] == [
        True,
        True,
        False,
        False,
        None,
    ]


def test_names_of_layers_and_headings():
    assert heading_role("值域范围") == "domain"
    assert heading_role("土地用途") is None
    assert layer_name("附表3 企业情况表 (QYQK)", "Sheet3") == ("QYQK", "企业情况")
    assert layer_name("Sheet1", "Sheet1") == (None, "Sheet1")
    assert domain_codes("[0,1]", {}) == ((), None)
    assert domain_codes("是/否", {})[1] is not None


def test_nothing_that_looks_like_a_field_table_is_no_layer():
    assert field_tables([("Sheet1", [["宗地代码", "面积"], ["1", 2]], ())]).layers == []
    assert field_tables([("Sheet1", [], ())]).layers == []
