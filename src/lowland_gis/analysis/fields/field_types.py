"""What the cells of a field table say: types with lengths in them, whether a field must be filled, and lists of codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LONGEST_TEXT, LONGEST_NUMBER, DAY = 254, 18, 8
_WHOLE, _REAL = 10, 15
_DECIMALS = 2
_TYPE = re.compile(
    r"^([A-Za-z_ ]+?\d?|[\u4e00-\u9fff]+(?:\([\u4e00-\u9fff]+\))?)\s*[(\[]?\s*(\d+)?\s*(?:[,.;]\s*(\d+))?\s*[)\]]?$"
)
_LENGTH = re.compile(r"^[(\[]?\s*(\d+)\s*(?:[,.;/]\s*(\d+))?\s*[)\]]?\s*(?:字节|位|个字符|字符|bytes?)?$")
_TEXT = frozenset(
    ("c", "char", "character", "varchar", "varchar2", "nvarchar", "nvarchar2", "text", "string", "str", "字符", "字符型", "字符串", "字符串型",
     "文本", "文本型", "长文本", "变长字符", "变长字符型")
)  # fmt: skip
_WHOLES = frozenset(
    ("i", "int", "integer", "int4", "int8", "int2", "long", "short", "smallint", "longint", "longinteger", "shortinteger", "bigint", "整",
     "整型", "整数", "整数型", "长整", "长整型", "长整数", "短整型", "短整数")
)  # fmt: skip
_REALS = frozenset(
    ("f", "n", "float", "double", "decimal", "number", "numeric", "real", "浮点", "浮点型", "浮点数", "双精度", "双精度型", "双精度浮点型", "单精度",
     "单精度型", "数值", "数值型", "数字", "数字型", "实型", "实数")
)  # fmt: skip
_DAYS = frozenset(
    ("d", "date", "datetime", "time", "timestamp", "日期", "日期型", "时间", "日期时间", "时间型")
)
_YES = frozenset(
    (
        "m",
        "是",
        "必填",
        "必选",
        "必须",
        "y",
        "yes",
        "true",
        "√",
        "1",
        "notnull",
        "非空",
        "必备",
        "必填项",
        "必要",
    )
)
_NO = frozenset(
    (
        "o",
        "否",
        "选填",
        "可选",
        "可填",
        "n",
        "no",
        "false",
        "×",
        "0",
        "null",
        "可空",
        "-",
        "/",
        "非必填",
        "",
        "c",
        "条件必选",
        "条件必填",
        "条件",
    )
)
_NUMBERED = re.compile(r"(?:表|附表)\s*([A-Z]?[.\-]?\d+(?:[.\-]\d+)*)")
_PAIR = re.compile(
    r"^[\"“']?([0-9A-Za-z]{1,12})[\"”']?\s*(?:[-—–:=.、,]|表示|为|代表|\s|(?=[\u4e00-\u9fff(]))\s*(.+)$"
)
_BETWEEN = re.compile(r"[;\n\r]+|[,、](?=\s*[\"“']?[0-9A-Za-z]{1,12}\s*(?:[-—–:=.]|[\u4e00-\u9fff]))")
_RANGE = re.compile(r"^[(\[]?\s*(?:[><=≥≤]+|大于|小于|不小于|-?\d+(\.\d+)?\s*[-~～,]\s*-?\d)")


@dataclass(frozen=True)
class FieldType:
    """A field of a DBF: C text (bytes), N number (places), D day."""

    kind: Literal["C", "N", "D"]
    length: int
    decimals: int = 0


def field_type(said: str, length: str, decimals: str) -> tuple[FieldType, tuple[str, ...]]:
    """Return what a field is of, and what was assumed of it, in words.

    >>> field_type("Char", "18", ""), field_type("Float(15,2)", "", "")
    ((FieldType(kind='C', length=18, decimals=0), ()), (FieldType(kind='N', length=15, decimals=2), ()))
    >>> field_type("双精度", "15.2", "")[0], field_type("Int", "", "")
    (FieldType(kind='N', length=15, decimals=2), (FieldType(kind='N', length=10, decimals=0), ('no length is stated; 10 is taken',)))
    """
    found = _TYPE.match(said.strip())
    word = "" if found is None else re.sub(r"[\s()_]", "", found[1]).lower()
    inside = _LENGTH.match(length.strip())
    size = _first(inside and inside[1], found and found[2])
    places = _first(
        decimals.strip() if decimals.strip().isdigit() else None, inside and inside[2], found and found[3]
    )
    doubts = [] if inside is not None or not length.strip("-/ ") else [f"the length {length!r} is no number"]
    if decimals.strip("-/ ") and not decimals.strip().isdigit():
        doubts.append(f"the number of decimals {decimals!r} is no number")
    if word in _DAYS:
        return FieldType("D", DAY), tuple(doubts)
    if word in _WHOLES or (word in _REALS and places == 0):
        return _number(size, 0, _WHOLE, doubts)
    if word in _REALS:
        if places is None:
            doubts.append(f"no decimals are stated; {_DECIMALS} are taken")
        return _number(size, _DECIMALS if places is None else places, _REAL, doubts)
    if word not in _TEXT:
        doubts.append(f"the type {said!r} is none of text, number and day; it is taken as text")
    return _text(size, doubts)


def _first(*found: str | None) -> int | None:
    return next((int(each) for each in found if each), None)


def _number(
    size: int | None, places: int, usual: int, doubts: list[str]
) -> tuple[FieldType, tuple[str, ...]]:
    if size is None or size == 0:
        doubts.append(f"no length is stated; {usual} is taken")
        size = usual
    if size > LONGEST_NUMBER:
        doubts.append(f"a DBF holds numbers of {LONGEST_NUMBER} places, not of {size}")
        size = LONGEST_NUMBER
    if places and places > size - 2:
        doubts.append(f"{places} decimals do not fit {size} places; {max(0, size - 2)} are taken")
        places = max(0, size - 2)
    return FieldType("N", size, places), tuple(doubts)


def _text(size: int | None, doubts: list[str]) -> tuple[FieldType, tuple[str, ...]]:
    if size is None or size == 0:
        doubts.append(f"no length is stated; {LONGEST_TEXT} is taken")
        size = LONGEST_TEXT
    if size > LONGEST_TEXT:
        doubts.append(f"a DBF holds texts of {LONGEST_TEXT} bytes, not of {size}")
        size = LONGEST_TEXT
    return FieldType("C", size), tuple(doubts)


def is_required(required: str, nullable: str) -> bool | None:
    """Tell whether a field must be filled, by what stands under 约束条件 or 可否为空; None where the words are not known.

    >>> is_required("M", ""), is_required("", "否"), is_required("条件必选", ""), is_required("见注", "")
    (True, True, False, None)
    """
    if nullable:
        word = re.sub(r"\s", "", nullable).lower()
        return word in _NO if word in _YES | _NO else None
    word = re.sub(r"\s|\(.*\)$", "", required).lower()
    return word in _YES if word in _YES | _NO else None


def domain_codes(
    domain: str, lists: Mapping[str, tuple[tuple[str, str], ...]]
) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Return the codes of a 值域, out of the cell or of the list that it refers to; and what of it stays open, in words.

    >>> domain_codes("01-低效工业用地；02-低效城镇用地".replace("；", ";"), {})
    ((('01', '低效工业用地'), ('02', '低效城镇用地')), None)
    >>> domain_codes("见表5", {"表5": (("1", "是"), ("0", "否"))})
    ((('1', '是'), ('0', '否')), None)
    >>> domain_codes("≥0", {}), domain_codes("见附录", {})
    (((), None), ((), "'见附录' refers to a list that is not in the workbook; any text is taken"))
    """
    text = domain.strip()
    if not text or _RANGE.match(text) or text in ("-", "/", "非空", "自由文本", "无"):
        return (), None
    numbered = _NUMBERED.search(text)
    if numbered is not None and f"表{numbered[1]}" in lists:
        return lists[f"表{numbered[1]}"], None
    for name, codes in lists.items():
        if not name.startswith("表") and (name in text or name.removesuffix("表") in text):
            return codes, None
    items = [item.strip() for item in _BETWEEN.split(text) if item.strip()]
    pairs = [_PAIR.match(item) for item in items]
    if len(items) > 1 and all(pair is not None for pair in pairs):
        return tuple((pair[1], pair[2].strip()) for pair in pairs if pair is not None), None
    if "见" in text or "参照" in text or numbered is not None:
        return (), f"{text!r} refers to a list that is not in the workbook; any text is taken"
    return (
        (),
        f"the domain {text[:60]!r} is no list of codes that can be read; it stands in the notes of the field",
    )
