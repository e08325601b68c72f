"""The tables of a sheet: clauses, parcels, what they occupy, classes of the surveys, neighbours (四至) and boundary points (界址点)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely

from lowland_gis.analysis.geometry.neighbours import NEAR_M, sides
from lowland_gis.definitions.layer import layer_definition, sound_layers
from lowland_gis.pipeline.products.case_book import CONTROL, LINES, SURVEY, CaseBook
from lowland_gis.pipeline.products.unit_sheet import ownership
from lowland_gis.pipeline.verdicts.clause_words import limit_words, measured_words, origin_words
from lowland_gis.pipeline.verdicts.explain import QuestionLine
from lowland_gis.products.maps.sheet_flow import SheetColumn, SheetTable
from lowland_gis.products.reports.figures import Area, total

# A sliver that stands nowhere in a table: below a hundredth of m².
_LEAST_M2 = 0.005
_SIGNS = {"true": "符合", "false": "不符合", "unknown": "未知"}
_RIGHT: Literal["right"] = "right"


def neighbours(
    book: CaseBook, shape: shapely.Geometry, own: set[str], first: int = 2
) -> tuple[SheetTable, list[str]]:
    """Return the table of the four sides (四至), and the parcels in it in the order of their numbers."""
    west, south, east, north = shapely.bounds(shape)
    box = (west - NEAR_M, south - NEAR_M, east + NEAR_M, north + NEAR_M)
    codes = book.parcels["parcel_id"].to_numpy(dtype=object)
    near = [int(n) for n in np.sort(book.tree.query(shapely.box(*box))) if codes[n] not in own]
    barriers = book.barriers(box)
    # A control line is no neighbour.
    beside = barriers[
        np.array([layer_definition(key).family in LINES for key in barriers["layer"]], dtype=bool)
    ]
    candidates = np.array([*book.shapes[near], *beside.geometry.to_numpy()], dtype=object)
    numbers: dict[str, int] = {}
    rows = []
    for side, places, free in sides(shape, candidates):
        said = []
        for place in places:
            if place < len(near):
                code = str(codes[near[place]])
                numbers.setdefault(code, first + len(numbers))
                said.append(f"[{numbers[code]}] {code}")
            else:
                said.append(str(beside["title"].iloc[place - len(near)]))
        if free > 0.5:  # noqa: PLR2004 - most of the side
            said.append(f"{NEAR_M:g} m 内无登记宗地")
        rows.append((side, "、".join(dict.fromkeys(said)) or f"{NEAR_M:g} m 内无登记宗地"))
    columns = (SheetColumn("方位", 1, "center"), SheetColumn("相邻宗地（图上编号）、道路、河流", 9))
    return SheetTable("四至", columns, tuple(rows)), list(numbers)


def members(book: CaseBook, codes: Sequence[str]) -> SheetTable:
    """Return the parcels by their numbers on the map, with their sum."""
    rows = []
    for number, code in enumerate(codes, start=1):
        row = book.parcels.iloc[book.place[code]]
        area = Area(1, float(row["area_m2"]))
        rows.append(
            (
                str(number),
                code,
                book.kind(row["answer"]),
                ownership(row["ownership"]),
                book.states.get(code, "未入库"),
                f"{area.m2:,.2f}",
                area.mu,
            )
        )
    areas = book.parcels["area_m2"].to_numpy(dtype=float)
    whole = total(Area(1, float(areas[book.place[code]])) for code in codes)
    if rows:
        rows.append(("", f"合计 {whole.n} 宗", "", "", "", f"{whole.m2:,.2f}", whole.mu))
    columns = (
        SheetColumn("编号", 1, "center"), SheetColumn("宗地代码", 3.6), SheetColumn("类型", 2.6), SheetColumn("权属", 3.4),
        SheetColumn("状态", 1.5), SheetColumn("面积 m²", 2, _RIGHT), SheetColumn("面积 亩", 1.6, _RIGHT),
    )  # fmt: skip
    return SheetTable("宗地一览", columns, tuple(rows), "" if rows else "无低效用地")


def by_kind(book: CaseBook, rows: gpd.GeoDataFrame) -> SheetTable:
    """Return number and area of parcels by kind."""
    found = []
    for answer, title in book.kinds.items():
        some = rows[rows["answer"] == answer]
        if len(some):
            area = total(Area(1, float(each)) for each in some["area_m2"])
            found.append((title, f"{area.n:,}", area.ha, area.mu))
    columns = (
        SheetColumn("类型", 4),
        SheetColumn("宗数", 2, _RIGHT),
        SheetColumn("面积 公顷", 2, _RIGHT),
        SheetColumn("面积 亩", 2, _RIGHT),
    )
    return SheetTable("分类型", columns, tuple(found), "" if found else "无低效用地")


def occupied(book: CaseBook, codes: Sequence[str]) -> SheetTable:
    """Return how much of control lines and plans some parcels occupy; what was not delivered is said to be unknown."""
    return _lying(book, "控制线与规划占用", CONTROL, codes)


def classes(book: CaseBook, codes: Sequence[str]) -> SheetTable:
    """Return what some parcels are by the surveys."""
    return _lying(book, "调查地类", SURVEY, codes)


def _lying(book: CaseBook, title: str, families: Sequence[str], codes: Sequence[str]) -> SheetTable:
    sums: dict[tuple[str, str], float] = {}
    for code in codes:
        for key, name, area, _ in book.overlaps.get(code, []):
            sums[key, name] = sums.get((key, name), 0.0) + area
    # Shares are of the plane, as the overlaps are.
    whole = float(shapely.area(book.shapes[[book.place[code] for code in codes]]).sum()) if codes else 0.0
    rows = []
    for layer in sorted(
        (each for each in sound_layers().values() if each.family in families),
        key=lambda each: (families.index(each.family), each.key),
    ):
        if layer.tabulate == "no":
            continue
        if not book.held.basis.versions.get(layer.key):
            rows.append((layer.title, "未交付，未知", "—", "—"))
            continue
        own = [(name, area) for (key, name), area in sums.items() if key == layer.key and area >= _LEAST_M2]
        if not own:
            rows.append((layer.title, "不占用", "0.00", "0.0%"))
        rows += [
            (layer.title, book.class_name(layer.key, name), f"{area:,.2f}", f"{area / whole:.1%}")
            for name, area in sorted(own, key=lambda item: (-item[1], item[0]))
        ]
    columns = (
        SheetColumn("图层", 3),
        SheetColumn("类别", 4),
        SheetColumn("面积 m²", 1.6, _RIGHT),
        SheetColumn("占比", 1.2, _RIGHT),
    )
    return SheetTable(title, columns, tuple(rows), "" if rows else "未交付相关图层")


def clauses(question: QuestionLine) -> SheetTable:
    """Return the clauses of a question with their values, limits and sources."""
    rows = [
        (
            rule.title if number == 0 else "",
            clause.title,
            _SIGNS[clause.outcome],
            measured_words(clause),
            limit_words(clause),
            origin_words(clause),
        )
        for rule in question.rules
        if rule.rule == question.rule or rule.outcome != "false" or question.rule is None
        for number, clause in enumerate(rule.clauses)
    ]
    columns = (
        SheetColumn("规则", 2.6), SheetColumn("条款", 2.6), SheetColumn("结果", 0.9), SheetColumn("值", 1.7, _RIGHT), SheetColumn("限值", 1.5),
        SheetColumn("来源", 4.2),
    )  # fmt: skip
    return SheetTable(f"认定条款：{question.title} → {question.answer_title}", columns, tuple(rows))


def answers(questions: Sequence[QuestionLine]) -> SheetTable:
    """Return the answers to all questions."""
    rows = tuple(
        (each.title, each.answer_title + ("" if each.settled else "（待补材料）")) for each in questions
    )
    columns = (SheetColumn("事项", 3), SheetColumn("结论", 3))
    return SheetTable("各项结论", columns, rows, blocks=2)


def told(question: QuestionLine) -> bool:
    """Say whether the clauses of a question are listed: those that a rule or a doubt decides."""
    return question.rule is not None or not question.settled


def points_table(points: list[tuple[int, Sequence[tuple[float, float]]]]) -> SheetTable:
    """Return the boundary points: number, ring, northing X, easting Y, and the length of the side that follows."""
    rows, number = [], 0
    for ring, corners in points:
        first = number + 1
        for place, (x, y) in enumerate(corners):
            number += 1
            after = corners[(place + 1) % len(corners)]
            to = number + 1 if place + 1 < len(corners) else first
            length = float(np.hypot(after[0] - x, after[1] - y))
            rows.append((f"J{number}", str(ring), f"{y:.3f}", f"{x:.3f}", f"J{to}", f"{length:.2f}"))
    columns = (
        SheetColumn("点号", 1.2, "center"), SheetColumn("圈", 0.8, "center"), SheetColumn("X（北）m", 2.4, _RIGHT), SheetColumn("Y（东）m", 2.3, _RIGHT),
        SheetColumn("至", 1.2, "center"), SheetColumn("边长 m", 1.5, _RIGHT),
    )  # fmt: skip
    return SheetTable(f"界址点（{number} 点）", columns, tuple(rows), blocks=2)
