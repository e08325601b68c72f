"""Put together sheets of cases: one parcel, unit or town with its map, clauses, occupation, boundary points and neighbours.

What all sheets of a batch need is read once; only the clauses are read parcel by parcel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.neighbours import NEAR_M, boundary_points, sides
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import drawn_layers, layer_definition, sound_layers
from lowland_gis.definitions.legend import UNJUDGED
from lowland_gis.definitions.states import procedure
from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.entries import LOW_EFFICIENCY
from lowland_gis.pipeline.base.land import feature_names, layer_shapes, town_names
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DELINEATE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.stale import Stale
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products.frames import kind_titles, pack_legend, shown_parcels, units
from lowland_gis.pipeline.products.together import stale_flow
from lowland_gis.pipeline.products.unit_sheet import ownership
from lowland_gis.pipeline.registry.determine import newest, with_states
from lowland_gis.pipeline.units.frozen import any_frozen, frozen_units
from lowland_gis.pipeline.units.frozen_changes import stale_frozen
from lowland_gis.pipeline.verdicts.clause_words import limit_words, measured_words, origin_words
from lowland_gis.pipeline.verdicts.explain import QuestionLine, explain
from lowland_gis.pipeline.verdicts.verdicts import kinds
from lowland_gis.products.maps.case_sheet import CaseSheet, SheetColumn, SheetDrawer, SheetTable
from lowland_gis.products.maps.sheet_map import MapView
from lowland_gis.products.reports.figures import Area

PARCELS, UNITS, TOWNS = "parcels", "units", "towns"
STALE = "成果已过期，与现行数据不一致"
# What occupies land, and what the land is by the surveys: families of layers, in this order.
_CONTROL, _SURVEY = ("control", "plan", "detailed_plan", "survey_topic", "enforcement"), ("survey",)
_LINES = ("traffic", "water")
_AROUND = 0.6
_LEAST_AROUND_M = 60.0
# More boundary points than these are told by the table alone, and more numbers than these are not put on a map.
_MARKED, _NUMBERED = 24, 600
# A sliver that stands nowhere in a table: below a hundredth of m².
_LEAST_M2 = 0.005
_SIGNS = {"true": "符合", "false": "不符合", "unknown": "未知"}
_RIGHT = "right"


class CaseBook:
    """All that sheets of one state of the database show."""

    def __init__(self, held: Reading, *, stale: str = "") -> None:
        """Read what is of all sheets.

        Raises:
            UsageError: there are no verdicts.
        """
        self.held, self.stale = held, stale
        self.legend, self.doubts = pack_legend(held)
        self.kinds = kind_titles(held.basis.pack, self.legend)
        parcels = shown_parcels(held)
        self.parcels = parcels.assign(
            answer=parcels["parcel_id"].map(kinds(held.connection, held.basis)).to_numpy()
        )
        self.place = {code: number for number, code in enumerate(self.parcels["parcel_id"])}
        self._shapes = self.parcels.geometry.to_numpy()
        self._tree = shapely.STRtree(self._shapes)
        self._towns = town_names(held.connection, held.versions("town"))
        codes = town_codes(held.connection, held.basis.measured, self.parcels["parcel_id"].tolist())
        self.town = np.array([code or "" for code in codes], dtype=object)

    @cached_property
    def _lines(self) -> list[tuple[str, str, Any, shapely.STRtree]]:
        """Return what is drawn as lines over the parcels: layer, title, shapes, and where they are."""
        held, found = self.held, []
        wanted = [
            layer.key
            for layer in sound_layers().values()
            if layer.family in (*_LINES, "control") and held.versions(layer.key)
        ]
        for key in wanted:
            frame = layer_shapes(
                held.connection, key, held.versions(key), held.basis.as_of, srid=held.project.srid
            )
            titles = frame["code"].astype(object).where(frame["code"].notna(), None)
            by_class = key in drawn_layers() and drawn_layers()[key].way == "classes"
            for title in dict.fromkeys(titles) if by_class else [None]:
                some = (
                    frame.geometry.to_numpy()[(titles == title).to_numpy()]
                    if title is not None
                    else frame.geometry.to_numpy()
                )
                name = str(title) if title is not None else layer_definition(key).title
                found.append((key, name, some, shapely.STRtree(some)))
        return found

    @cached_property
    def _overlaps(self) -> dict[str, list[tuple[str, str, float, float]]]:
        """Return parcel → layer, code, m² and share of every class that it lies in."""
        wanted = [layer.key for layer in sound_layers().values() if layer.family in (*_CONTROL, *_SURVEY)]
        rows = self.held.connection.execute(
            "SELECT parcel_id, layer, code, area_m2, share FROM result.overlap WHERE run_id = %s AND layer = ANY(%s)"
            " ORDER BY parcel_id, layer, area_m2 DESC, code",
            [self.held.basis.tabulated.run_id, wanted],
        ).fetchall()
        found: dict[str, list[tuple[str, str, float, float]]] = {}
        for parcel, layer, code, area, share in rows:
            found.setdefault(parcel, []).append((layer, code, float(area), float(share)))
        return found

    @cached_property
    def _zones(self) -> dict[str, str]:
        return feature_names(self.held.connection, self.held.versions("plan_zone"), "GHFQMC")

    @cached_property
    def states(self) -> dict[str, str]:
        """Return the state of each parcel that stands in the register of low-efficiency land."""
        rows = with_states(
            self.held.connection,
            LOW_EFFICIENCY,
            newest(self.held.connection, LOW_EFFICIENCY.table, ["parcel_id"]),
        )
        titles = procedure()[LOW_EFFICIENCY.register].state
        known = rows[rows["stands"].notna()]
        return {p: titles.get(s, s) for p, s in zip(known["parcel_id"], known["stands"], strict=True)}

    @cached_property
    def units(self) -> dict[str, tuple[pd.Series, list[str]]]:
        """Return the units that leave the house by their number, each with its parcels; nothing where there are none."""
        connection = self.held.connection
        frozen, drawn = frozen_units(connection), latest_record(connection, DELINEATE)
        if frozen.empty and drawn is None:
            return {}
        if len(frozen):
            members = dict(zip(frozen["number"], frozen["parcels"], strict=True))
        else:
            rows = read_frame(
                connection,
                "SELECT unit_id, parcel_id FROM result.member WHERE run_id = %s AND unit_id IS NOT NULL ORDER BY unit_id, parcel_id",
                [drawn.run_id if drawn else 0],
            )
            members = {str(unit): some["parcel_id"].tolist() for unit, some in rows.groupby("unit_id")}
        shapes = units(self.held)
        return {
            str(row["unit_id"]): (row, list(members.get(row["unit_id"], []))) for _, row in shapes.iterrows()
        }

    @cached_property
    def town_shapes(self) -> dict[str, shapely.Geometry]:
        """Return the towns by code."""
        held = self.held
        frame = layer_shapes(
            held.connection, "town", held.versions("town"), held.basis.as_of, srid=held.project.srid
        )
        return {
            str(code): shapely.union_all(some.geometry.to_numpy()) for code, some in frame.groupby("code")
        }

    def names(self, of: str) -> list[str]:
        """Return the names of all cases of a kind: parcels that are low-efficient, units, or towns."""
        if of == UNITS:
            return sorted(self.units)
        if of == TOWNS:
            return sorted(self.town_shapes)
        low = self.parcels["answer"].isin(self.held.basis.pack.low_answers)
        return sorted(self.parcels.loc[low, "parcel_id"])

    def sheet(self, name: str) -> CaseSheet:
        """Return the sheet of a parcel, unit or town.

        Raises:
            UsageError: there is none of that name.
        """
        if name in self.place:
            return self._parcel(name)
        if name in self.units:
            return self._unit(name)
        if name in self.town_shapes:
            return self._town(name)
        raise UsageError(
            f"There is no parcel, unit or town {name!r}. Check the code (宗地代码 ZDDM); units: lowland unit list; towns: their codes"
        )

    def _parcel(self, code: str) -> CaseSheet:
        row = self.parcels.iloc[self.place[code]]
        said = explain(self.held, code)
        shape = row.geometry
        neighbours = self._neighbours(shape, {code})
        points = boundary_points(shape)
        area = Area(1, float(row["area_m2"]))
        numbered = [
            (code, "1"),
            *((other, str(number)) for number, other in enumerate(neighbours[1], start=2)),
        ]
        corners = self._corners(points)
        facts = {
            "镇街": self._town_name(self.town[self.place[code]]),
            "坐落": said.location or "未填",
            "面积": f"{float(row['area_m2']):,.2f} m²（{area.mu} 亩）",
            "权属": ownership(row["ownership"]),
            "类型": self._kind(row["answer"]),
            "状态": self.states.get(code, "未入库"),
        }
        tables = (
            *(self._clauses(question) for question in said.questions if _told(question)),
            self._answers(said.questions),
            self._occupied([code]),
            self._classes([code]),
            neighbours[0],
            _points_table(points),
        )
        return self._made(f"宗地图表　{code}", facts, shape, numbered, tables, corners, "本宗地")

    def _unit(self, name: str) -> CaseSheet:
        row, parcels = self.units[name]
        area = Area(len(parcels), float(row["area_m2"]))
        facts = {
            "镇街": str(row["town_name"] or "不明"),
            "面积": f"{area.ha} 公顷（{area.mu} 亩）",
            "宗地": f"{len(parcels)} 宗",
            "低效占比": f"{float(row['low_share']):.1%}",
        }
        shape = row["geometry"] if "geometry" in row else row["geom"]
        members = [code for code in parcels if code in self.place]
        numbered = [(code, str(number)) for number, code in enumerate(members, start=1)]
        neighbours = self._neighbours(shape, set(members), first=len(members) + 1)
        numbered += [(code, str(number)) for number, code in enumerate(neighbours[1], start=len(members) + 1)]
        tables = (
            self._members(members), self._occupied(members), self._classes(members), neighbours[0],
            _points_table(boundary_points(shape)),
        )  # fmt: skip
        return self._made(f"再开发单元图表　{name}", facts, shape, numbered, tables, (), "")

    def _town(self, code: str) -> CaseSheet:
        inside = self.parcels[self.town == code]
        low = inside[inside["answer"].isin(self.held.basis.pack.low_answers)].sort_values("parcel_id")
        members = low["parcel_id"].tolist()
        whole, own = (
            Area(len(inside), float(inside["area_m2"].sum())),
            Area(len(low), float(low["area_m2"].sum())),
        )
        facts = {
            "宗地": f"{whole.n:,} 宗、{whole.ha} 公顷",
            "低效用地": f"{own.n:,} 宗、{own.ha} 公顷（{own.mu} 亩）",
        }
        numbered = [(parcel, str(number)) for number, parcel in enumerate(members, start=1)]
        tables = (self._by_kind(low), self._members(members), self._occupied(members), self._classes(members))
        title = f"{self._town_name(code)}低效用地图表"
        return self._made(
            title,
            facts,
            self.town_shapes[code],
            numbered,
            tables,
            (),
            "镇街界线",
            drawn_as="town",
            ground="town",
        )

    def _made(
        self,
        title: str,
        facts: Mapping[str, str],
        shape: shapely.Geometry,
        numbered: Sequence[tuple[str, str]],
        tables: Iterable[SheetTable],
        corners: Sequence[tuple[str, float, float]],
        named: str,
        drawn_as: str = "unit",
        ground: str = "",
    ) -> CaseSheet:
        settings = self.held.project.settings.project
        west, south, east, north = shapely.bounds(shape)
        away = max(_LEAST_AROUND_M, _AROUND * max(east - west, north - south))
        # The map shows the middle in the shape of the paper, so more of one direction may be seen.
        middle, half = ((west + east) / 2, (south + north) / 2), max(east - west, north - south) / 2 + away
        box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
        near = self._tree.query(shapely.box(*box))
        if ground:
            near = near[shapely.intersects(self._shapes[near], shape)]
        view = MapView(
            shape,
            gpd.GeoDataFrame(
                {"answer": self.parcels["answer"].to_numpy()[near]},
                geometry=self._shapes[near],
                crs=self.parcels.crs,
            ),
            self._barriers(box),
            self.kinds,
            self._placed(numbered),
            corners,
            drawn_as if drawn_as in self.legend.layers else "unit",
            named,
        )
        example = "；认定阈值为示例" if self.held.basis.pack.example else ""
        notes = (
            f"数据时点 {self.held.basis.as_of.isoformat()}；认定第 {self.held.basis.run_id} 次运行，{self.held.basis.pack.title}{example}",
            f"坐标系 {settings.crs}；面积为椭球面积，占用与地类面积为平面叠加面积",
            f"图层：{self._sources()}",
        )
        return CaseSheet(
            title,
            facts,
            view,
            tuple(tables),
            notes,
            "合成数据 示例" if settings.synthetic else "",
            self.stale,
            self.legend,
        )

    def _sources(self) -> str:
        keys = dict.fromkeys(
            [
                "parcel",
                *(
                    layer.key
                    for layer in sound_layers().values()
                    if layer.family in (*_CONTROL, *_SURVEY, *_LINES)
                ),
            ]
        )
        found = []
        for key in keys:
            days = sorted(
                {
                    version.as_of.isoformat() if version.as_of else "无日期"
                    for version in self.held.versions(key)
                }
            )
            if days:
                found.append(f"{layer_definition(key).title} {'、'.join(days)}")
        return "，".join(found)

    def _placed(self, numbered: Sequence[tuple[str, str]]) -> list[tuple[str, float, float, float]]:
        some = numbered[:_NUMBERED]
        if not some:
            return []
        shapes = self._shapes[[self.place[code] for code, _ in some]]
        inner, wide = shapely.get_coordinates(shapely.point_on_surface(shapes)), np.sqrt(shapely.area(shapes))
        return [
            (text, float(x), float(y), float(w))
            for (_, text), (x, y), w in zip(some, inner, wide, strict=True)
        ]

    def _barriers(self, box: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
        """Return the roads, waters and control lines in a box, cut to it."""
        layers, titles, shapes = [], [], []
        for key, title, some, tree in self._lines:
            for shape in shapely.clip_by_rect(some[tree.query(shapely.box(*box))], *box):
                if not shapely.is_empty(shape):
                    layers.append(key)
                    titles.append(title)
                    shapes.append(shape)
        return gpd.GeoDataFrame({"layer": layers, "title": titles}, geometry=shapes, crs=self.parcels.crs)

    def _neighbours(
        self, shape: shapely.Geometry, own: set[str], first: int = 2
    ) -> tuple[SheetTable, list[str]]:
        """Return the table of the four sides (四至), and the parcels in it in the order of their numbers."""
        west, south, east, north = shapely.bounds(shape)
        box = (west - NEAR_M, south - NEAR_M, east + NEAR_M, north + NEAR_M)
        near = [
            int(n)
            for n in np.sort(self._tree.query(shapely.box(*box)))
            if self.parcels["parcel_id"].iat[n] not in own
        ]
        barriers = self._barriers(box)
        # A control line is no neighbour.
        beside = barriers[
            np.array([layer_definition(key).family in _LINES for key in barriers["layer"]], dtype=bool)
        ]
        candidates = np.array([*self._shapes[near], *beside.geometry.to_numpy()], dtype=object)
        numbers: dict[str, int] = {}
        rows = []
        for side, places, free in sides(shape, candidates):
            said = []
            for place in places:
                if place < len(near):
                    code = str(self.parcels["parcel_id"].iat[near[place]])
                    numbers.setdefault(code, first + len(numbers))
                    said.append(f"[{numbers[code]}] {code}")
                else:
                    said.append(str(beside["title"].iloc[place - len(near)]))
            if free > 0.5:  # noqa: PLR2004 - most of the side
                said.append(f"{NEAR_M:g} m 内无登记宗地")
            rows.append((side, "、".join(dict.fromkeys(said)) or f"{NEAR_M:g} m 内无登记宗地"))
        columns = (SheetColumn("方位", 1, "center"), SheetColumn("相邻宗地（图上编号）、道路、河流", 9))
        return SheetTable("四至", columns, tuple(rows)), list(numbers)

    def _corners(
        self, points: list[tuple[int, Sequence[tuple[float, float]]]]
    ) -> list[tuple[str, float, float]]:
        names = [f"J{number}" for number in range(1, sum(len(ring) for _, ring in points) + 1)]
        flat = [(x, y) for _, ring in points for x, y in ring]
        return (
            [(name, x, y) for name, (x, y) in zip(names, flat, strict=True)] if len(flat) <= _MARKED else []
        )

    def _members(self, codes: Sequence[str]) -> SheetTable:
        rows = []
        for number, code in enumerate(codes, start=1):
            row = self.parcels.iloc[self.place[code]]
            area = Area(1, float(row["area_m2"]))
            rows.append(
                (
                    str(number),
                    code,
                    self._kind(row["answer"]),
                    ownership(row["ownership"]),
                    self.states.get(code, "未入库"),
                    f"{area.m2:,.2f}",
                    area.mu,
                )
            )
        whole = sum(
            (Area(1, float(self.parcels["area_m2"].iat[self.place[code]])) for code in codes), Area(0, 0.0)
        )
        if rows:
            rows.append(("", f"合计 {whole.n} 宗", "", "", "", f"{whole.m2:,.2f}", whole.mu))
        columns = (
            SheetColumn("编号", 1, "center"), SheetColumn("宗地代码", 3.6), SheetColumn("类型", 2.6), SheetColumn("权属", 3.4),
            SheetColumn("状态", 1.5), SheetColumn("面积 m²", 2, _RIGHT), SheetColumn("面积 亩", 1.6, _RIGHT),
        )  # fmt: skip
        return SheetTable("宗地一览", columns, tuple(rows), "" if rows else "无低效用地")

    def _by_kind(self, rows: gpd.GeoDataFrame) -> SheetTable:
        found = []
        for answer, title in self.kinds.items():
            some = rows[rows["answer"] == answer]
            if len(some):
                area = sum((Area(1, float(each)) for each in some["area_m2"]), Area(0, 0.0))
                found.append((title, f"{area.n:,}", area.ha, area.mu))
        columns = (
            SheetColumn("类型", 4),
            SheetColumn("宗数", 2, _RIGHT),
            SheetColumn("面积 公顷", 2, _RIGHT),
            SheetColumn("面积 亩", 2, _RIGHT),
        )
        return SheetTable("分类型", columns, tuple(found), "" if found else "无低效用地")

    def _occupied(self, codes: Sequence[str]) -> SheetTable:
        """Return how much of control lines and plans some parcels occupy; what was not delivered is said to be unknown."""
        return self._lying("控制线与规划占用", _CONTROL, codes)

    def _classes(self, codes: Sequence[str]) -> SheetTable:
        return self._lying("调查地类", _SURVEY, codes)

    def _lying(self, title: str, families: Sequence[str], codes: Sequence[str]) -> SheetTable:
        sums: dict[tuple[str, str], float] = {}
        for code in codes:
            for layer, name, area, _ in self._overlaps.get(code, []):
                sums[layer, name] = sums.get((layer, name), 0.0) + area
        # Shares are of the plane, as the overlaps are.
        whole = (
            float(shapely.area(self._shapes[[self.place[code] for code in codes]]).sum()) if codes else 0.0
        )
        rows = []
        for layer in sorted(
            (each for each in sound_layers().values() if each.family in families),
            key=lambda each: (families.index(each.family), each.key),
        ):
            if layer.tabulate == "no":
                continue
            if not self.held.basis.versions.get(layer.key):
                rows.append((layer.title, "未交付，未知", "—", "—"))
                continue
            own = [
                (name, area) for (key, name), area in sums.items() if key == layer.key and area >= _LEAST_M2
            ]
            if not own:
                rows.append((layer.title, "不占用", "0.00", "0.0%"))
            rows += [
                (layer.title, self._class(layer.key, name), f"{area:,.2f}", f"{area / whole:.1%}")
                for name, area in sorted(own, key=lambda item: (-item[1], item[0]))
            ]
        columns = (
            SheetColumn("图层", 3),
            SheetColumn("类别", 4),
            SheetColumn("面积 m²", 1.6, _RIGHT),
            SheetColumn("占比", 1.2, _RIGHT),
        )
        return SheetTable(title, columns, tuple(rows), "" if rows else "未交付相关图层")

    def _class(self, layer: str, code: str) -> str:
        """Return a class with its name; what a layer without classes is summed by is the layer itself."""
        definition = layer_definition(layer)
        if layer == "plan_zone":
            return f"{code} {self._zones.get(code, '')}".strip()
        if code in {"", layer}:
            return "占用" if code else "类别未填"
        listed = next(
            (each.codes for each in definition.field if each.name == definition.code and each.codes), None
        )
        if listed is None or definition.tabulate == "feature":
            return "占用" if definition.tabulate == "feature" else code
        return f"{code} {code_names(listed).get(code, '')}".strip()

    @staticmethod
    def _clauses(question: QuestionLine) -> SheetTable:
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

    @staticmethod
    def _answers(questions: Sequence[QuestionLine]) -> SheetTable:
        rows = tuple(
            (each.title, each.answer_title + ("" if each.settled else "（待补材料）")) for each in questions
        )
        columns = (SheetColumn("事项", 3), SheetColumn("结论", 3))
        return SheetTable("各项结论", columns, rows, blocks=2)

    def _kind(self, answer: object) -> str:
        return (
            self.kinds.get(str(answer), str(answer))
            if isinstance(answer, str)
            else self.legend.answers[UNJUDGED].title
        )

    def _town_name(self, code: str) -> str:
        return self._towns.get(code, code) or "不明"


def _told(question: QuestionLine) -> bool:
    """Say whether the clauses of a question are listed: those that a rule or a doubt decides."""
    return question.rule is not None or not question.settled


def _points_table(points: list[tuple[int, Sequence[tuple[float, float]]]]) -> SheetTable:
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


@contextmanager
def sheets_of(
    project: Project, paper: str = "a4", *, tell: Tell = silent
) -> Iterator[tuple[CaseBook, SheetDrawer, tuple[Stale, ...]]]:
    """Yield what sheets of one state of the database are drawn with, and what of them is out of date.

    Raises:
        UsageError: there are no verdicts, or no Chinese font is installed.
    """
    drawer = SheetDrawer(paper)
    with reading(project) as held:
        stale = [held.stale] if held.stale is not None else []
        if latest_record(held.connection, DELINEATE) is not None or any_frozen(held.connection):
            stale += [
                found
                for found in (stale_flow(held), stale_frozen(held))
                if found is not None and held.stale is None
            ]
        book = CaseBook(held, stale=STALE if stale else "")
        for doubt in book.doubts:
            tell(f"Warning: {doubt}")
        yield book, drawer, tuple(stale)


def draw_sheet(
    book: CaseBook, name: str, target: Path, drawer: SheetDrawer, *, overwrite: bool = False
) -> Path:
    """Draw one sheet into a file that appears by rename.

    Raises:
        UsageError: there is no such case, no font, or the file is there and not as lowland wrote it.
    """
    sheet = book.sheet(name)
    with book.held.project.outputs.writing(target, overwrite=overwrite):
        content = drawer.drawn(sheet)
        with refused(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as partial, refused(target):
            partial.write_bytes(content)
    return target


def draw_sheets(
    book: CaseBook,
    of: str,
    folder: Path,
    drawer: SheetDrawer,
    *,
    overwrite: bool = False,
    most: int | None = None,
    tell: Tell = silent,
) -> Iterator[Path]:
    """Draw a sheet of every low-efficient parcel, unit or town into a folder, and yield each file as it is there.

    Raises:
        UsageError: there is none, or a file is in the way; files that were drawn before it stay.
    """
    names = book.names(of)[:most]
    if not names:
        raise UsageError(
            f"There are no {of}, so there is no sheet to draw."
            + (" Type: lowland run" if of == UNITS else "")
        )
    for name in names:
        book.held.project.outputs.check(folder / f"{name}.pdf", overwrite=overwrite)
    drawer.take(_letters(book, of))
    for number, name in enumerate(names, start=1):
        yield draw_sheet(book, name, folder / f"{name}.pdf", drawer, overwrite=overwrite)
        if number % 100 == 0:
            tell(f"map sheets: {number:,} of {len(names):,}")


def _letters(book: CaseBook, of: str) -> list[str]:
    """Return words that most sheets have, so that the fonts are made small once."""
    pack = book.held.basis.pack
    words = [layer.title for layer in sound_layers().values()]
    words += [text for question in pack.question for text in (question.title, *question.answers.values())]
    words += [
        text
        for question in pack.question
        for part in question.parts
        for text in (part.title, *(c.title for c in part.all))
    ]
    words += [
        str(getattr(c, "needed", "") or "") + str(getattr(c, "office", "") or "")
        for q in pack.question
        for p in q.parts
        for c in p.all
    ]
    words += [title for _, title, _, _ in book._lines]  # noqa: SLF001 - of this module
    words += [
        *code_names("landuse_san2019").values(),
        *code_names("landuse_er2009").values(),
        *code_names("ydyh_2023").values(),
    ]
    words += [measure.title + measure.unit for measure in book.held.basis.measures.values()]
    words += [str(text) for text in book.parcels["location"].dropna()]
    if of != PARCELS:
        words += list(book.states.values())
    return words
