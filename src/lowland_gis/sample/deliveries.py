"""What each office delivers: file, form, encoding and exact fields of every layer."""

from __future__ import annotations

from dataclasses import dataclass

from lowland_gis.sample.dbf import LDID_GBK, LDID_NONE, Field
from lowland_gis.sample.further import FURTHER


@dataclass(frozen=True)
class ShapefileForm:
    """How a shapefile is written: its encoding and where that is declared."""

    encoding: str
    ldid: int
    cpg: str | None
    fields: tuple[Field, ...]


def _texts(*pairs: tuple[str, int]) -> tuple[Field, ...]:
    return tuple(Field(name, "C", length) for name, length in pairs)


UNIT_FIELDS = _texts(("QSDWDM", 19), ("QSDWMC", 60), ("ZLDWDM", 19), ("ZLDWMC", 60))

PARCEL = ShapefileForm(
    "gbk",
    LDID_NONE,
    "GBK",
    (
        *_texts(("ZDDM", 19), ("BDCDYH", 28), ("ZL", 100)),
        Field("ZDMJ", "N", 15, 2),
        *_texts(("YT", 10), ("QLLX", 2), ("QLXZ", 4), ("QSXZ", 2)),
        Field("RJL", "N", 8, 2),
        Field("JZMD", "N", 8, 2),
        *_texts(("QSZT", 2), ("SPZZ", 1), ("TBDW", 60), ("BZ", 100)),
    ),
)
DLTB2 = ShapefileForm(
    "gbk",
    LDID_NONE,
    None,
    (
        Field("BSM", "N", 10),
        *_texts(("YSDM", 10), ("TBYBH", 8), ("TBBH", 8), ("DLBM", 4), ("DLMC", 60), ("QSXZ", 3)),
        *UNIT_FIELDS,
        *(Field(name, "N", 15, 2) for name in ("TBMJ", "XZDWMJ", "LXDWMJ", "TKMJ", "TBDLMJ")),
        Field("BGRQ", "D", 8),
    ),
)
XZDW2 = ShapefileForm(
    "gbk",
    LDID_GBK,
    None,
    (
        Field("BSM", "N", 10),
        *_texts(("YSDM", 10), ("DLBM", 4), ("DLMC", 60)),
        Field("CD", "N", 15, 1),
        Field("KD", "N", 6, 1),
        Field("XZDWMJ", "N", 15, 2),
        *_texts(("QSXZ", 3), ("QSDWDM1", 19)),
        Field("KCBL", "N", 4, 2),
    ),
)
FARMLAND = ShapefileForm(
    "gbk",
    LDID_NONE,
    "GBK",
    (
        *_texts(("BSM", 18), ("YSDM", 10), ("XZQDM", 12), ("XZQMC", 100), ("YJJBNTTBBH", 20), ("TBBH", 8)),
        *_texts(("DLBM", 5), ("DLMC", 60), ("QSXZ", 2)),
        *UNIT_FIELDS,
        Field("YJJBNTTBMJ", "N", 18, 2),
        Field("YJJBNTMJ", "N", 18, 2),
        *_texts(("GDPDJB", 2), ("WDGD", 1)),
        Field("SJNF", "N", 4),
        Field("BHKSSJ", "D", 8),
        Field("BHJSSJ", "D", 8),
        *_texts(("BZ", 254)),
    ),
)
PLAN_PARCEL = ShapefileForm(
    "gbk",
    LDID_GBK,
    "GBK",
    (
        *_texts(("DKBH", 30), ("YDDM", 10), ("YDXZ", 60)),
        Field("YDMJ", "N", 18, 2),
        *(Field(name, "N", 8, 2) for name in ("RJL", "JZMD", "LDL", "JZXG")),
    ),
)
SUPPLY = ShapefileForm(
    "utf-8",
    LDID_NONE,
    "UTF-8",
    (
        *_texts(("DZJGH", 30)),
        *(Field(name, "D", 8) for name in ("HTQDRQ", "YDJDSJ", "YDDGSJ", "SJJDSJ", "SJDGSJ")),
        *_texts(("GYFS", 30), ("TDYT", 60)),
        Field("GYMJ", "N", 18, 2),
        Field("HTTZ", "N", 18, 1),
        *_texts(("BZ", 100)),
    ),
)
BUILDING = ShapefileForm(
    "utf-8",
    LDID_NONE,
    "UTF-8",
    (
        *_texts(("JZBH", 20)),
        Field("JZMJ", "N", 15, 2),
        Field("CS", "N", 4),
        Field("JCNF", "N", 4),
        *_texts(("JZLX", 2), ("LYZT", 2), ("FWDJ", 2)),
    ),
)

SOURCES = {
    "parcel": "不动产登记中心/宗地.shp",
    "dltb3": "规资分局/三调成果.gdb:DLTB",
    "czcdyd3": "规资分局/三调成果.gdb:CZCDYD",
    "dltb2": "规资分局/二调DLTB.shp",
    "xzdw2": "规资分局/二调XZDW.shp",
    "eco_redline": "生态环境局/生态保护红线.gpkg:STBHHX",
    "farmland": "农业农村委/永久基本农田.zip",
    "development_boundary": "规资分局/国土空间规划.gpkg:CZKFBJ",
    "plan_zone": "规资分局/国土空间规划.gpkg:GHFQ",
    "plan_parcel": "规资分局/控规用地.shp",
    "approval": "规资分局/用地审批.gpkg:YDSP",
    "supply": "规资分局/供地合同.shp",
    "building": "住建委/房屋普查.shp",
    "road": "规资分局/基础地理.gpkg:ROAD",
    "river": "规资分局/基础地理.gpkg:RIVER",
    "district": "民政局/行政区.gpkg:XZQ",
    "town": "民政局/行政区.gpkg:XZ",
    "village": "民政局/行政区.gpkg:CUN",
    "enterprise": "税务局/企业2023.xlsx",
    "raster": "遥感中心/建成强度.tif",
    **{layer.key: layer.source for layer in FURTHER},
}
FORMS = {
    "parcel": PARCEL,
    "dltb2": DLTB2,
    "xzdw2": XZDW2,
    "plan_parcel": PLAN_PARCEL,
    "supply": SUPPLY,
    "building": BUILDING,
    "farmland": FARMLAND,
}
