"""Field tables as bureaus hand them out, for the tests: 40 fields in three layers, headings in three ways, lists and notes between them."""

from pathlib import Path

import openpyxl

PARCELS = [
    ("标识码", "BSM", "Char", 18, None, "", "M", ""),
    ("要素代码", "YSDM", "Char", 10, None, "", "M", ""),
    ("行政区代码", "XZQDM", "Char", 6, None, "", "M", ""),
    ("宗地代码", "ZDDM", "Char", 19, None, "", "M", "图层内唯一"),
    ("镇街代码", "XZDM", "Char", 9, None, "", "M", ""),
    ("镇街名称", "XZMC", "Char", 60, None, "", "O", ""),
    ("低效用地类型代码", "DXLXDM", "Char", 2, None, "见表2", "M", ""),
    ("低效用地类型", "DXLX", "Char", 40, None, "", "M", ""),
    ("认定规则编号", "RDGZ", "Char", 60, None, "", "O", ""),
    ("认定依据", "RDYJ", "Char", 254, None, "", "O", ""),
    ("图斑面积", "TBMJ", "Float", 15, 2, ">0", "M", "单位：平方米"),
    ("面积（亩）", "MJMU", "Double", 15, 4, "", "M", ""),
    ("坐落", "ZL", "Char", 200, None, "", "O", ""),
    ("土地用途代码", "TDYT", "Char", 10, None, "", "O", ""),
    ("权属性质代码", "QSXZ", "Char", 2, None, "10-国有；30-集体", "O", ""),
    ("建成年份", "JCNF", "Int", 4, None, "", "C", ""),
    ("调查日期", "DCRQ", "Date", 8, None, "", "O", ""),
    ("是否纳入国土空间规划实施单元", "SFNRGHSSDY", "Char", 1, None, "1-是；0-否", "O", ""),
    ("再开发实施单元编号", "ZKFSSDYBHDM", "Char", 30, None, "", "O", ""),
    ("备注", "BZ", "VarChar", 500, None, "", "O", ""),
]
UNITS = [
    ("DYBH", "单元编号", "文本(30)", "", "否"),
    ("DYMC", "单元名称", "文本(60)", "", "是"),
    ("XZDM", "镇街代码", "文本(9)", "", "是"),
    ("ZDS", "宗地数", "整型", "6", "是"),
    ("DYMJ", "单元面积（m²）", "双精度", "15,2", "否"),
    ("DXZB", "低效用地占比", "双精度", "6.4", "是"),
    ("GHYT", "规划用途", "文本(4)", "", "是"),
    ("SSZT", "实施状态", "文本(1)", "", "是"),
    ("KGRQ", "开工日期", "日期", "", "是"),
    ("JGRQ", "竣工日期", "日期", "", "是"),
]
FIRMS = [
    ("企业名称", "qymc", "字符型", "100", "必填"),
    ("统一社会信用代码", "TYSHXYDM", "字符型", "18", "必填"),
    ("宗地代码", "ZDDM", "字符型", "19", "必填"),
    ("行业代码", "HYDM", "字符型", "4", "选填"),
    ("从业人数", "CYRS", "长整型", "", "选填"),
    ("营业收入", "YYSR", "数值型", "16", "选填"),
    ("实缴税收", "SJSS", "数值型", "16", "选填"),
    ("税收年度", "SSND", "整数", "4", "必填"),
    ("填报日期", "TBRQ", "日期型", "", "选填"),
    ("填报人", "TBR", "对象型", "20", "看情况"),
]
KINDS = [("01", "低效工业用地"), ("02", "低效城镇用地"), ("03", "低效村庄用地"), ("04", "历史遗留用地")]


def field_table(path: Path) -> Path:
    """Write the workbook: a layer with its code list on one sheet, a unit on the next, firms on a third."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "空间图层"
    sheet.append(["表1 低效用地图斑属性结构描述表（属性表名：DXYDTB）"])
    sheet.merge_cells("A1:I1")
    sheet.append(
        ["序号", "字段名称", "字段代码", "字段类型", "字段长度", "小数位数", "值域", "约束\n条件", "备注"]
    )
    for number, row in enumerate(PARCELS, start=1):
        sheet.append([number, *row])
    sheet.append(["注1：面积为椭球面积。"])
    sheet.append([])
    sheet.append(["表2 低效用地类型代码表"])
    sheet.append(["代码", "名称", "说明"])
    for code, title in KINDS:
        sheet.append([code, title])
    units = book.create_sheet("ZKFDY")
    units.append(["再开发单元"])
    units.append(["字段名", "字段别名", "数据类型", "长度", "可否为空"])
    for row in UNITS:
        units.append(row)
    firms = book.create_sheet("企业表(QYB)")
    firms.append(["中文名称", "英文名", "类型", "宽度", "是否必填"])
    for row in FIRMS:
        firms.append(row)
    book.save(path)
    return path
