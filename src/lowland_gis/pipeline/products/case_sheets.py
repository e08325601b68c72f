"""Put together sheets of cases: one parcel, unit or town with its map, clauses, occupation, boundary points and neighbours.

What all sheets of a batch need is read once; only the clauses are read parcel by parcel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import shapely

from lowland_gis.analysis.geometry.neighbours import boundary_points
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import sound_layers
from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DELINEATE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.stale import Stale
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.case_book import PARCELS, UNITS, CaseBook
from lowland_gis.pipeline.products.case_tables import (
    answers,
    by_kind,
    classes,
    clauses,
    members,
    neighbours,
    occupied,
    points_table,
    told,
)
from lowland_gis.pipeline.products.together import stale_flow
from lowland_gis.pipeline.products.unit_sheet import ownership
from lowland_gis.pipeline.units.frozen import any_frozen
from lowland_gis.pipeline.units.frozen_changes import stale_frozen
from lowland_gis.pipeline.verdicts.explain import explain
from lowland_gis.products.maps.case_sheet import CaseSheet, SheetDrawer
from lowland_gis.products.maps.sheet_flow import SheetTable
from lowland_gis.products.maps.sheet_map import MapView
from lowland_gis.products.reports.figures import Area

STALE = "成果已过期，与现行数据不一致"
_AROUND, _LEAST_AROUND_M = 0.6, 60.0
# More boundary points than these are told by the table alone.
_MARKED = 24
# So many sheets are put together before they are drawn.
_TOGETHER = 50


def sheet_of(book: CaseBook, name: str) -> CaseSheet:
    """Return the sheet of a parcel, unit or town.

    Raises:
        UsageError: there is none of that name.
    """
    if name in book.place:
        return _parcel(book, name)
    if name in book.units:
        return _unit(book, name)
    if name in book.town_shapes:
        return _town(book, name)
    raise UsageError(
        f"There is no parcel, unit or town {name!r}. Check the code (宗地代码 ZDDM); units: lowland unit list; towns: their codes"
    )


def _parcel(book: CaseBook, code: str) -> CaseSheet:
    row = book.parcels.iloc[book.place[code]]
    said = explain(book.held, code)
    shape = row.geometry
    beside, others = neighbours(book, shape, {code})
    points = boundary_points(shape)
    area = Area(1, float(row["area_m2"]))
    numbered = [
        (code, "1"),
        *((other, str(number)) for number, other in enumerate(others, start=2)),
    ]
    corners = _corners(points)
    facts = {
        "镇街": book.town_name(book.town[book.place[code]]),
        "坐落": said.location or "未填",
        "面积": f"{float(row['area_m2']):,.2f} m²（{area.mu} 亩）",
        "权属": ownership(row["ownership"]),
        "类型": book.kind(row["answer"]),
        "状态": book.states.get(code, "未入库"),
    }
    tables = (
        *(clauses(question) for question in said.questions if told(question)),
        answers(said.questions),
        occupied(book, [code]),
        classes(book, [code]),
        beside,
        points_table(points),
    )
    return _made(book, _Content(f"宗地图表　{code}", facts, shape, numbered, tables, corners, "本宗地"))


def _unit(book: CaseBook, name: str) -> CaseSheet:
    row, parcels = book.units[name]
    area = Area(len(parcels), float(row["area_m2"]))
    facts = {
        "镇街": str(row["town_name"] or "不明"),
        "面积": f"{area.ha} 公顷（{area.mu} 亩）",
        "宗地": f"{len(parcels)} 宗",
        "低效占比": f"{float(row['low_share']):.1%}",
    }
    shape = row["geometry"] if "geometry" in row else row["geom"]
    inside = [code for code in parcels if code in book.place]
    numbered = [(code, str(number)) for number, code in enumerate(inside, start=1)]
    beside, others = neighbours(book, shape, set(inside), first=len(inside) + 1)
    numbered += [(code, str(number)) for number, code in enumerate(others, start=len(inside) + 1)]
    tables = (
        members(book, inside), occupied(book, inside), classes(book, inside), beside,
        points_table(boundary_points(shape)),
    )  # fmt: skip
    return _made(book, _Content(f"再开发单元图表　{name}", facts, shape, numbered, tables))


def _town(book: CaseBook, code: str) -> CaseSheet:
    inside = book.parcels[book.town == code]
    low = inside[inside["answer"].isin(book.held.basis.pack.low_answers)].sort_values("parcel_id")
    listed = low["parcel_id"].tolist()
    whole, own = (
        Area(len(inside), float(inside["area_m2"].sum())),
        Area(len(low), float(low["area_m2"].sum())),
    )
    facts = {
        "宗地": f"{whole.n:,} 宗、{whole.ha} 公顷",
        "低效用地": f"{own.n:,} 宗、{own.ha} 公顷（{own.mu} 亩）",
    }
    numbered = [(parcel, str(number)) for number, parcel in enumerate(listed, start=1)]
    tables = (by_kind(book, low), members(book, listed), occupied(book, listed), classes(book, listed))
    title = f"{book.town_name(code)}低效用地图表"
    shape = book.town_shapes[code]
    return _made(book, _Content(title, facts, shape, numbered, tables, named="镇街界线", drawn_as="town"))


@dataclass(frozen=True)
class _Content:
    """What is of one case: numbered are parcels with their numbers; of a town only its own parcels are shown."""

    title: str
    facts: Mapping[str, str]
    shape: shapely.Geometry
    numbered: Sequence[tuple[str, str]]
    tables: tuple[SheetTable, ...]
    corners: Sequence[tuple[str, float, float]] = ()
    named: str = ""
    drawn_as: str = "unit"


def _made(book: CaseBook, content: _Content) -> CaseSheet:
    shape = content.shape
    settings = book.held.project.settings.project
    west, south, east, north = shapely.bounds(shape)
    away = max(_LEAST_AROUND_M, _AROUND * max(east - west, north - south))
    # The map shows the middle in the shape of the paper, so more of one direction may be seen.
    middle, half = ((west + east) / 2, (south + north) / 2), max(east - west, north - south) / 2 + away
    box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    near = book.tree.query(shapely.box(*box))
    if content.drawn_as == "town":
        near = near[shapely.intersects(book.shapes[near], shape)]
    view = MapView(
        shape,
        gpd.GeoDataFrame(
            {"answer": book.parcels["answer"].to_numpy()[near]},
            geometry=book.shapes[near],
            crs=book.parcels.crs,
        ),
        book.barriers(box),
        book.kinds,
        book.placed(content.numbered),
        content.corners,
        content.drawn_as if content.drawn_as in book.legend.layers else "unit",
        content.named,
    )
    example = "；认定阈值为示例" if book.held.basis.pack.example else ""
    notes = (
        f"数据时点 {book.held.basis.as_of.isoformat()}；认定第 {book.held.basis.run_id} 次运行，{book.held.basis.pack.title}{example}",
        f"坐标系 {settings.crs}；面积为椭球面积，占用与地类面积为平面叠加面积",
        f"图层：{book.sources()}",
    )
    return CaseSheet(
        content.title,
        content.facts,
        view,
        content.tables,
        notes,
        "合成数据 示例" if settings.synthetic else "",
        book.stale,
        book.legend,
    )


def _corners(points: list[tuple[int, Sequence[tuple[float, float]]]]) -> list[tuple[str, float, float]]:
    names = [f"J{number}" for number in range(1, sum(len(ring) for _, ring in points) + 1)]
    flat = [(x, y) for _, ring in points for x, y in ring]
    return [(name, x, y) for name, (x, y) in zip(names, flat, strict=True)] if len(flat) <= _MARKED else []


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
    return _written(book, sheet_of(book, name), target, drawer, overwrite=overwrite)


def _written(book: CaseBook, sheet: CaseSheet, target: Path, drawer: SheetDrawer, *, overwrite: bool) -> Path:
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
    done = 0
    for start in range(0, len(names), _TOGETHER):
        sheets = [(name, sheet_of(book, name)) for name in names[start : start + _TOGETHER]]
        # Fonts are made small anew for every letter that was not known: better once for many sheets.
        drawer.take([text for _, sheet in sheets for text in sheet.texts])
        for name, sheet in sheets:
            yield _written(book, sheet, folder / f"{name}.pdf", drawer, overwrite=overwrite)
        done += len(sheets)
        tell(f"map sheets: {done:,} of {len(names):,}")


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
    words += [title for _, title, _, _ in book.lines]
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
