"""The forms of the survey increment (更新数据包): fields and lengths of DLTBGX, DLTBGXGC, XZQGX and XZQGXGC, in GBK as counties deliver them."""

from __future__ import annotations

from lowland_gis.sample.dbf import LDID_GBK, Field
from lowland_gis.sample.deliveries import UNIT_FIELDS, ShapefileForm

_DAY = Field("GXSJ", "D", 8)
_AREA_DIGITS = 18


def _text(name: str, length: int) -> Field:
    return Field(name, "C", length)


def _area(name: str) -> Field:
    return Field(name, "N", _AREA_DIGITS, 2)


# What a polygon says of itself, once in DLTB and twice (BGQ before, BGH after) in the process layer.
_PAIRED = (
    _text("TBBSM", 18), _text("TBBH", 8), _text("DLBM", 5), _text("DLMC", 60), _text("QSXZ", 2), *UNIT_FIELDS, _text("KCDLBM", 5),
    Field("KCXS", "N", 6, 4), _area("KCMJ"), _area("TBDLMJ"), _text("GDLX", 2), _text("GDPDJB", 2), Field("XZDWKD", "N", 5, 1),
    _text("TBXHDM", 4), _text("TBXHMC", 20), _text("ZZSXDM", 6), _text("ZZSXMC", 20), Field("GDDB", "N", 2), _text("FRDBS", 1),
    _text("CZCSXM", 4), _text("MSSM", 2), _text("HDMC", 100),
)  # fmt: skip


def _renamed(prefix: str, fields: tuple[Field, ...] = _PAIRED) -> tuple[Field, ...]:
    return tuple(Field(f"{prefix}{one.name}", one.kind, one.length, one.decimals) for one in fields)


DLTBGX = ShapefileForm(
    "gbk",
    LDID_GBK,
    "GBK",
    (
        _text("BSM", 18), _text("YSDM", 10), _text("TBYBH", 8), *_PAIRED[1:9], _area("TBMJ"), *_PAIRED[9:21],
        _text("CZCSXM", 4), Field("SJNF", "N", 4), _text("MSSM", 2), _text("HDMC", 100), _text("BZ", 254), _DAY,
    ),
)  # fmt: skip
DLTBGXGC = ShapefileForm(
    "gbk",
    LDID_GBK,
    "GBK",
    (
        _text("BSM", 18), _text("YSDM", 10), *_renamed("BGQ"), *_renamed("BGH"), _text("BGXW", 1), _text("XZQTZLX", 1), _area("TBBGMJ"),
        _DAY,
    ),
)  # fmt: skip
_TOWN = (
    _text("XZQDM", 12), _text("XZQMC", 100), _area("DCMJ"), _area("JSMJ"), _text("MSSM", 2), _text("HDMC", 100), _text("BZ", 254),
)  # fmt: skip
XZQGX = ShapefileForm("gbk", LDID_GBK, "GBK", (_text("BSM", 18), _text("YSDM", 10), *_TOWN, _DAY))
XZQGXGC = ShapefileForm(
    "gbk",
    LDID_GBK,
    "GBK",
    (
        _text("BSM", 18), _text("YSDM", 10), *_renamed("BGQ", (_text("BSM", 18), *_TOWN)), *_renamed("BGH", (_text("BSM", 18), *_TOWN)),
        _text("BGXW", 1), _text("XZQTZLX", 1), _DAY,
    ),
)  # fmt: skip
