"""Field tables as bureaus hand them out (属性结构表): which layers and fields they describe, and which rows leave a doubt.

Titles, notes and code lists stand between the tables, one sheet holds several layers or each has its own, headings are called in many
ways, and lengths, decimals and types stand in one cell or in three. Nothing is guessed in silence: what was assumed is a `Doubt`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lowland_gis.analysis.fields.field_types import FieldType, domain_codes, field_type, is_required
from lowland_gis.analysis.fields.spreadsheet import Lost, Merged

Rows = Sequence[Sequence[Any]]

# What the columns of a field table are called; the first that fits a heading counts, in this order.
ROLES: Mapping[str, tuple[str, ...]] = {
    "number": ("序号", "编号", "no", "no.", "顺序号", "行号"),
    "layer": ("图层代码", "图层名", "图层名称", "表代码", "表名", "属性表名", "数据表名", "数据集", "所属图层", "layer"),
    "code": (
        "字段代码", "字段英文名", "字段英文名称", "英文名称", "英文名", "字段标识", "字段编码", "属性代码", "数据项代码", "英文字段名", "物理名",
        "物理名称", "字段拼音", "字段简称", "代码", "fieldname", "field", "name",
    ),
    "title": (
        "字段名称", "字段中文名", "字段中文名称", "中文名称", "中文名", "字段别名", "别名", "数据项名称", "数据项", "属性名称", "属性项", "逻辑名", "汉字名",
        "字段描述", "名称", "alias",
    ),
    "either": ("字段名", "字段"),
    "type": ("字段类型", "类型", "数据类型", "属性类型", "字段数据类型", "type", "datatype"),
    "length": ("字段长度", "长度", "宽度", "字段宽度", "数据长度", "字段大小", "长度(字节)", "length", "width"),
    "decimals": ("小数位数", "小数位", "小数", "小数点位数", "小数点后位数", "精度", "小数长度", "decimals", "scale", "precision"),
    "domain": ("值域", "取值范围", "值域范围", "字段值域", "属性值域", "代码表", "数据字典", "字典", "取值", "阈值", "domain"),
    "required": ("约束条件", "约束", "约束/条件", "约束性", "是否必填", "必填", "必填项", "必选", "是否必选", "填写要求", "必填/选填", "非空"),
    "nullable": ("可否为空", "是否为空", "是否可空", "允许为空", "允许空值", "可为空", "nullable"),
    "unit": ("单位", "计量单位", "量纲", "unit"),
    "note": ("备注", "说明", "注释", "字段说明", "填写说明", "描述", "remark", "comment"),
}  # fmt: skip
_ROLE_OF = {word: role for role, words in ROLES.items() for word in words}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMED = re.compile(
    r"(?:属性表名|属性表代码|图层代码|图层名称?|表代码|数据表名|表名|要素代码名)\s*[:为是]?\s*([A-Za-z][A-Za-z0-9_]*)"
)
_BRACKETED = re.compile(r"[(\[]\s*([A-Za-z][A-Za-z0-9_]*)\s*[)\]]")
_TABLE_NUMBER = re.compile(r"^\s*(?:续?表|附表)\s*([A-Z]?[.\-]?\d+(?:[.\-]\d+)*)\s*")
_CONTINUED = re.compile(r"^\s*续|\(续\)|续表")
_TAILS = re.compile(r"(属性)?(数据)?(结构)?(描述)?(定义)?表?$")
_NOTE = re.compile(r"^(注\s*\d*\s*[:.、]?|备注[:]|说明[:]|\*|※)")
_LEAST_ROLES, _LIST_ROLES = 3, 2
_MOSTLY = 0.6


@dataclass(frozen=True)
class Doubt:
    """A row of a sheet (1-based, as people see it; 0 where it is of the whole) that leaves something open, and what was made of it."""

    sheet: str
    row: int
    words: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.sheet} row 行 {self.row}: {self.words}" if self.row else f"{self.sheet}: {self.words}"


@dataclass(frozen=True)
class TableField:
    """A field as a table describes it."""

    code: str
    title: str
    type: FieldType
    required: bool
    unit: str
    note: str
    codes: tuple[tuple[str, str], ...]
    row: int


@dataclass
class TableLayer:
    """A layer as tables describe it: its code, its title, its fields; `sheet` and `row` are where its first heading stands."""

    code: str
    title: str
    sheet: str
    row: int
    fields: list[TableField] = field(default_factory=list)


@dataclass
class FieldTables:
    """All layers of a workbook, the code lists that stand beside them by title, and the doubts."""

    layers: list[TableLayer] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


@dataclass(frozen=True)
class _Block:
    """A table in a sheet: what is written over it, which column is what, and its rows with their numbers."""

    sheet: str
    titles: tuple[str, ...]
    heading: int
    roles: Mapping[str, int]
    rows: tuple[tuple[int, Sequence[Any]], ...]


def field_tables(sheets: Iterable[tuple[str, Rows, Sequence[Merged]]]) -> FieldTables:
    """Return the layers that the sheets of a workbook describe, in their order."""
    blocks = [block for name, rows, merged in sheets for block in _blocks(name, _spread(rows, merged))]
    lists = {key: codes for block in blocks if "type" not in block.roles for key, codes in _code_list(block)}
    found = FieldTables()
    for block in blocks:
        if "type" in block.roles:
            _take(block, lists, found)
    return found


def heading_role(text: str) -> str | None:
    r"""Return what a heading means, None where it means none of ours.

    >>> heading_role("字段 代码"), heading_role("长度\n（字节）"), heading_role("值 域"), heading_role("面积")
    ('code', 'length', 'domain', None)
    """
    bare = bare_text(text)
    return _ROLE_OF.get(bare) or _ROLE_OF.get(re.sub(r"\(.*?\)$", "", bare))


def bare_text(text: str) -> str:
    """Return a text without blanks, in half-width and small letters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def _spread(rows: Rows, merged: Sequence[Merged]) -> list[list[Any]]:
    """Return rows in which cells that are merged downwards have their value in every row."""
    grid = [list(row) for row in rows]
    for item in merged:
        if item.top >= len(grid) or item.left >= len(grid[item.top]) or item.left != item.right:
            continue
        for number in range(item.top + 1, min(item.bottom + 1, len(grid))):
            if item.left < len(grid[number]):
                grid[number][item.left] = grid[item.top][item.left]
    return grid


def _blocks(sheet: str, grid: Sequence[Sequence[Any]]) -> Iterator[_Block]:
    """Cut a sheet into tables: each begins with a row of headings, and ends before what is written over the next one."""
    headings = [number for number, row in enumerate(grid) if len(_roles(row)) >= _least(row)]
    starts = []
    for place, number in enumerate(headings):
        floor = headings[place - 1] + 1 if place else 0
        titles: list[str] = []
        top = number
        while top > floor and (words := _title(grid[top - 1])) is not None:
            top -= 1
            titles.insert(0, words)
        starts.append((top, _of_table([words for words in titles if words])))
    for place, number in enumerate(headings):
        end = starts[place + 1][0] if place + 1 < len(headings) else len(grid)
        rows = tuple((row, grid[row]) for row in range(number + 1, end))
        yield _Block(sheet, starts[place][1], number, _settled(_roles(grid[number]), rows), rows)


def _of_table(titles: list[str]) -> tuple[str, ...]:
    """Return what is written over a table from its own number on; what stands above that is of the whole document."""
    numbered = [place for place, words in enumerate(titles) if _TABLE_NUMBER.match(words)]
    return tuple(titles[numbered[-1] :] if numbered else titles)


def _least(row: Sequence[Any]) -> int:
    """Return how many headings make a row one of headings: a list of codes has two, and nothing beside them."""
    filled = [cell for cell in row if _text(cell)]
    few = _LIST_ROLES <= len(filled) <= _LEAST_ROLES
    return _LIST_ROLES if few and {"code", "title"} <= set(_roles(row)) else _LEAST_ROLES


def _roles(row: Sequence[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(row):
        role = heading_role(cell) if isinstance(cell, str) else None
        while role is not None and role in found and role in _NEXT_ROLE:
            role = _NEXT_ROLE[role]
        if role is not None:
            found.setdefault(role, place)
    return found


# Two columns of names are told apart by what stands in them.
_NEXT_ROLE = {"title": "either", "code": "either"}


def _settled(roles: dict[str, int], rows: Sequence[tuple[int, Sequence[Any]]]) -> dict[str, int]:
    """Decide by their content which of the columns of names holds codes and which titles."""
    names = [roles[role] for role in ("code", "title", "either") if role in roles]
    shares = {place: _share_of_codes(place, rows) for place in names}
    settled = {role: place for role, place in roles.items() if role not in ("code", "title", "either")}
    if "type" not in roles:
        return {**settled, **{role: roles[role] for role in ("code", "title") if role in roles}}
    best = max(names, key=lambda place: shares[place], default=None)
    if best is not None and shares[best] >= _MOSTLY:
        settled["code"] = best
    rest = [place for place in names if place != settled.get("code")]
    if rest:
        settled["title"] = min(rest, key=lambda place: shares[place])
    return settled


def _share_of_codes(place: int, rows: Sequence[tuple[int, Sequence[Any]]]) -> float:
    texts = [text for _, row in rows if (text := _text(row[place] if place < len(row) else None))]
    return sum(_IDENTIFIER.fullmatch(text) is not None for text in texts) / len(texts) if texts else 0.0


def _title(row: Sequence[Any]) -> str | None:
    """Return the words of a row that stands over a table ("" where it is blank), None where it is a row of one."""
    filled = list(dict.fromkeys(text for cell in row if (text := _text(cell))))
    if not filled:
        return ""
    if len(filled) > 2 or _NOTE.match(unicodedata.normalize("NFKC", filled[0])):  # noqa: PLR2004 - a title and what stands beside it
        return None
    if len(filled) == 2 and any(text.isdigit() or _IDENTIFIER.fullmatch(text) for text in filled):  # noqa: PLR2004
        return None
    return " ".join(filled)


def _text(cell: Any) -> str:
    return unicodedata.normalize("NFKC", _as_typed(cell))


def _as_typed(cell: Any) -> str:
    if cell is None or isinstance(cell, Lost):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _cell(row: Sequence[Any], roles: Mapping[str, int], role: str) -> str:
    place = roles.get(role)
    return "" if place is None or place >= len(row) else _text(row[place])


def _code_list(block: _Block) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield the codes of a list under the names by which fields refer to it: the number of its table, and its title."""
    if not {"code", "title"} <= block.roles.keys():
        return
    codes = tuple(
        (code, _cell(row, block.roles, "title"))
        for _, row in block.rows
        if (code := _cell(row, block.roles, "code")) and _cell(row, block.roles, "title")
    )
    title = " ".join(block.titles) or block.sheet
    number = _TABLE_NUMBER.match(title)
    if codes and number is not None:
        yield f"表{number[1]}", codes
    name = _TABLE_NUMBER.sub("", title).strip()
    if codes and name:
        yield name, codes


def _take(block: _Block, lists: Mapping[str, tuple[tuple[str, str], ...]], found: FieldTables) -> None:
    """Add the fields of a table to the layers that they belong to."""
    words = " ".join(block.titles)
    for number, row in block.rows:
        texts = [text for cell in row if (text := _text(cell))]
        code, title = _cell(row, block.roles, "code"), _cell(row, block.roles, "title")
        if not texts or _NOTE.match(texts[0]):
            continue
        if not code and not (title and _cell(row, block.roles, "type")):
            found.doubts.append(
                Doubt(block.sheet, number + 1, f"no field is described here: {' | '.join(texts)[:80]}")
            )
            continue
        layer = _layer(block, words, _cell(row, block.roles, "layer"), found)
        taken = _field(block, (number + 1, row), lists, found.doubts)
        if any(taken.code.upper() == other.code.upper() for other in layer.fields):
            found.doubts.append(
                Doubt(
                    block.sheet,
                    number + 1,
                    f"{layer.code}.{taken.code} stands twice; the second one is left out",
                )
            )
            continue
        layer.fields.append(taken)


def _layer(block: _Block, words: str, named: str, found: FieldTables) -> TableLayer:
    """Return the layer of a row: the one of its column, else of the title, else of the sheet."""
    code, title = layer_name(named or words or block.sheet, block.sheet)
    continued = _CONTINUED.search(words) is not None
    for layer in reversed(found.layers):
        if continued and not named and (code is None or layer.code == code):
            return layer
        if (code is not None and layer.code == code) or (layer.sheet, layer.row, layer.title) == (
            block.sheet,
            block.heading + 1,
            title,
        ):
            return layer
    made = TableLayer(code or f"LAYER{len(found.layers) + 1}", title, block.sheet, block.heading + 1)
    if code is None:
        found.doubts.append(
            Doubt(
                block.sheet,
                block.heading + 1,
                f"no title says the code of this layer; it is called {made.code}",
            )
        )
    found.layers.append(made)
    return made


def layer_name(text: str, sheet: str) -> tuple[str | None, str]:
    """Return the code and the title of a layer out of what stands over its table, and the name of the sheet.

    >>> layer_name("表 A.2 地类图斑属性结构描述表（属性表名：DLTB）", "Sheet1")
    ('DLTB', '地类图斑')
    >>> layer_name("低效用地图斑", "DXYDTB")
    ('DXYDTB', '低效用地图斑')
    """
    words = unicodedata.normalize("NFKC", text)
    named = (
        _NAMED.search(words)
        or _BRACKETED.search(words)
        or _BRACKETED.search(unicodedata.normalize("NFKC", sheet))
    )
    whole = next((each for each in (words.strip(), sheet.strip()) if _IDENTIFIER.fullmatch(each)), None)
    if whole is not None and re.fullmatch(r"(?i)sheet\d*", whole):
        whole = None
    code = named[1] if named is not None else whole
    title = re.sub(r"[(\[][^)\]]*[)\]]", "", _TABLE_NUMBER.sub("", _NAMED.sub("", words)))
    title = re.sub(r"\s+", "", title)
    short = _TAILS.sub("", title) or title
    short = re.sub(r"^(续表?|附录[A-Z]?)", "", short)
    return (None if code is None else code.upper()), short or sheet


def _field(
    block: _Block,
    where: tuple[int, Sequence[Any]],
    lists: Mapping[str, tuple[tuple[str, str], ...]],
    doubts: list[Doubt],
) -> TableField:
    number, row = where

    def said(role: str) -> str:
        return _cell(row, block.roles, role)

    def doubt(words: str) -> None:
        doubts.append(Doubt(block.sheet, number, words))

    def typed(role: str) -> str:
        # What people read stays as they wrote it: half-width letters would make m2 of m².
        place = block.roles.get(role)
        return "" if place is None or place >= len(row) else re.sub(r"\s+", " ", _as_typed(row[place]))

    code, title = said("code"), typed("title")
    called = code or title
    if not _IDENTIFIER.fullmatch(code):
        doubt(
            f"{called}: no code of letters and digits says what the field is called; it is called F{number}"
        )
        code = f"F{number}"
    kind, words = field_type(said("type"), said("length"), said("decimals"))
    for each in words:
        doubt(f"{called}: {each}")
    required = is_required(said("required"), said("nullable"))
    if required is None:
        doubt(
            f"{called}: {said('required') or said('nullable')!r} does not say whether the field must be filled; it need not be"
        )
    codes, open_words = domain_codes(said("domain"), lists)
    if open_words is not None:
        doubt(f"{called}: {open_words}")
    note = "；".join(text for text in (typed("note"), "" if codes else typed("domain")) if text)
    return TableField(code, title or code, kind, bool(required), typed("unit"), note, codes, number)
