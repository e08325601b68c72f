"""Make a report: its figures, words, charts and cases of one state of the database, a document and a workbook, and the record of them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from psycopg.types.json import Jsonb

from lowland_gis.analysis.registry.report_calendar import Occasion, occasion_of
from lowland_gis.db.role_names import ANALYST
from lowland_gis.db.roles import my_roles
from lowland_gis.definitions.reports import report_calendar
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DELINEATE, DETERMINE
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.stale import Stale
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products.case_book import CaseBook
from lowland_gis.pipeline.products.case_sheets import STALE, sheet_of
from lowland_gis.pipeline.products.figures_report import GOING_STATES, report_figures
from lowland_gis.pipeline.products.frames import kind_titles, pack_legend
from lowland_gis.pipeline.products.together import stale_drafted, stale_flow
from lowland_gis.products.maps.case_sheet import case_map
from lowland_gis.products.reports.charts import draw_charts
from lowland_gis.products.reports.document import BRIEF, REPORTS, Case, Photo, Words, fill, template_of
from lowland_gis.products.reports.document import FOLDER as SHIPPED
from lowland_gis.products.reports.figures import Area, Figures
from lowland_gis.products.reports.workbook import workbook

# The folder of a project in which templates of the office's own lie.
TEMPLATES = "templates"
_PHOTOS = (".jpg", ".jpeg", ".png")
_LARGEST_PHOTO = 30_000_000
_BEFORE, _AFTER = ("前", "before"), ("后", "after")
_MOST_CASES = 5


@dataclass(frozen=True)
class Asked:
    """What is typed for a report: the document to write, a template, the day, and cases with their photos."""

    target: Path | None = None
    template: Path | None = None
    on: dt.date | None = None
    cases: tuple[str, ...] = ()
    photos: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Made:
    """A report that was made: its files, what is out of date of it, and whether it was recorded."""

    document: Path
    workbook: Path
    stale: tuple[Stale, ...]
    recorded: bool


def make_report(project: Project, occasion: Occasion, asked: Asked, *, tell: Tell = silent) -> Made:
    """Write the document and the workbook of a report, both or neither, and record it with its figures.

    Raises:
        UsageError: there are no verdicts; no template, font, case or photo of that name; or a file is there that lowland did not write.
        InputRefusedError: a template or photo cannot be read, or has placeholders that nothing stands for. Nothing was written.
    """
    day = asked.on or dt.datetime.now().astimezone().date()
    settings = project.settings
    target = (
        asked.target
        or settings.path(settings.package.folder) / "reports" / f"{occasion.title}-{occasion.period}.docx"
    )
    if target.suffix.lower() != ".docx":
        raise UsageError(f"{target}: a report is a Word document. Give a name that ends in .docx.")
    if day < occasion.first:
        raise UsageError(
            f"{occasion.title} {occasion.period} covers {occasion.first} to {occasion.last}, which begins after {day}. Name another period."
        )
    template = asked.template or template_of(
        occasion.made_by, settings.folder / TEMPLATES / f"{occasion.made_by}.docx"
    )
    files = (target, target.with_suffix(".xlsx"))
    inputs = [template, *([asked.photos] if asked.photos else [])]
    for file in files:
        project.outputs.check(file, overwrite=asked.overwrite, inputs=inputs)
    tell(f"report {target}")
    with reading(project) as held:
        figures, stale = report_figures(held, occasion, day), tuple(_stale(held))
        words = _words(held, occasion, figures, asked, stale=bool(stale))
        legend, doubts = pack_legend(held)
        for doubt in doubts:
            tell(f"Warning: {doubt}")
        titles = kind_titles(held.basis.pack, legend)
        colours = {
            title: legend.answers[answer].fill for answer, title in titles.items() if answer in legend.answers
        }
        content = fill(template, figures, words, draw_charts(figures, legend, colours))
        note = "　".join(
            text for text in (f"统计时点 {figures.on}", words.said["mark"], words.said["stale"]) if text
        )
        table = workbook(figures, f"{settings.project.district_name}{occasion.title} {occasion.period}", note)
    recorded = _keep(project, occasion, figures, dict(zip(files, (content, table), strict=True)), asked, tell)
    return Made(*files, stale, recorded)


def _stale(held: Reading) -> Iterator[Stale]:
    """Yield what of a report is out of date; a stage that has not run is said in its figures."""
    if held.stale is not None:
        yield held.stale
        return
    for stage, stale in ((DELINEATE, stale_flow), (DETERMINE, stale_drafted)):
        if latest_record(held.connection, stage) is not None and (found := stale(held)) is not None:
            yield found


def _words(held: Reading, occasion: Occasion, figures: Figures, asked: Asked, *, stale: bool) -> Words:
    settings = held.project.settings.project
    notes = ["认定阈值为示例，不是公布的标准。"] if held.basis.pack.example else []
    if figures.on < occasion.last:
        notes.append(f"报告期未满：统计截至 {figures.on}，报告期至 {occasion.last}。")
    unannounced = {day.year for day in (occasion.last,) if not report_calendar().announced(day.year)}
    notes += [f"{year} 年节假日安排未录入，工作日仅按周末推算。" for year in sorted(unannounced)]
    said = {
        "title": occasion.title, "period": occasion.period, "period_said": occasion.said_period, "recipient": occasion.recipient,
        "district": settings.district_name, "data_date": held.basis.as_of.isoformat(), "due": occasion.due.isoformat(),
        "mark": "合成数据 示例" if settings.synthetic else "", "stale": STALE if stale else "",
    }  # fmt: skip
    return Words(said, tuple(notes), tuple(_cases(held, asked, stale=stale)))


def _cases(held: Reading, asked: Asked, *, stale: bool) -> Iterator[Case]:
    """Yield the cases that are asked for: parcels that are named, or have photos; else those that are being redeveloped."""
    photos = _photos(asked.photos)
    names = tuple(dict.fromkeys((*asked.cases, *photos)))
    book: CaseBook | None = None
    if not names:
        rows = held.connection.execute(
            "SELECT DISTINCT subject FROM registry.current_entry WHERE register = 'low_efficiency' AND state = ANY(%s)"
            " ORDER BY subject LIMIT %s",
            [list(GOING_STATES), _MOST_CASES],
        ).fetchall()
        book = CaseBook(held) if rows else None
        names = tuple(row[0] for row in rows if book is not None and row[0] in book.place)
    if not names:
        return
    book = book or CaseBook(held, stale=STALE if stale else "")
    groups = dict(
        held.connection.execute(
            "SELECT parcel_id, answer FROM result.verdict WHERE run_id = %s AND question = 'group' AND parcel_id = ANY(%s)",
            [held.basis.run_id, list(names)],
        ).fetchall()
    )
    answers = next((each.answers for each in held.basis.pack.question if each.name == "group"), {})
    for name in names:
        if name not in book.place:
            raise UsageError(
                f"There is no parcel {name!r} to make a case of. Check the code (宗地代码 ZDDM)."
            )
        sheet, row = sheet_of(book, name), book.parcels.iloc[book.place[name]]
        area = Area(1, float(row["area_m2"]))
        said = {
            "parcel": name, "location": sheet.facts["坐落"], "town": sheet.facts["镇街"], "kind": sheet.facts["类型"],
            "state": sheet.facts["状态"], "group": answers.get(groups.get(name, ""), "未分工"), "ha": area.ha, "mu": area.mu,
        }  # fmt: skip
        yield Case(said, case_map(sheet), tuple(photos.get(name, ())))


def _photos(folder: Path | None) -> dict[str, list[Photo]]:
    """Return the photos of a folder by parcel: CODE-前.jpg and CODE-后.jpg, or before and after.

    Raises:
        UsageError: there is no such folder, or no photo in it.
        InputRefusedError: a photo is named otherwise, or too large.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder of photos.")
    found: dict[str, list[tuple[int, Photo]]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _PHOTOS or path.name.startswith("."):
            continue
        code, _, when = path.stem.rpartition("-")
        order = 0 if when in _BEFORE else 1 if when in _AFTER else None
        if order is None or not code:
            raise InputRefusedError(
                f"{path}: its name does not say of which parcel it is and when it was taken. Name it CODE-前{path.suffix} or CODE-后{path.suffix}."
            )
        if path.stat().st_size > _LARGEST_PHOTO:
            raise InputRefusedError(f"{path}: has more than {_LARGEST_PHOTO:,} bytes. Make it smaller.")
        with refused(path):
            content = path.read_bytes()
        found.setdefault(code, []).append((order, Photo(("改造前", "改造后")[order], content, path)))
    if not found:
        raise UsageError(f"{folder}: holds no photo (.jpg, .png). Name them CODE-前.jpg and CODE-后.jpg.")
    return {
        code: [photo for _, photo in sorted(some, key=lambda item: item[0])] for code, some in found.items()
    }


def _keep(
    project: Project, occasion: Occasion, figures: Figures, files: dict[Path, bytes], asked: Asked, tell: Tell
) -> bool:
    """Record the report and write its files: all of it or nothing; who may only read gets the files. Return whether it is recorded."""
    with project.snapshot() as connection:
        may = ANALYST in my_roles(connection)
    if not may:
        _write(project, files, asked)
        tell(
            "Not recorded in the registry: this account may only read. Whoever has the role analyst makes it once more."
        )
        return False
    document, content = next(iter(files.items()))
    digest = hashlib.sha256(content).hexdigest()
    with project.transaction() as connection:
        newest = connection.execute(
            "SELECT document_sha256 FROM registry.report WHERE report = %s AND period = %s ORDER BY row_id DESC LIMIT 1",
            [occasion.report, occasion.period],
        ).fetchone()
        if newest is None or newest[0] != digest:
            connection.execute(
                "INSERT INTO registry.report (report, period, on_date, run_id, figures, file_name, document_sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    occasion.report,
                    occasion.period,
                    figures.on,
                    figures.run_id,
                    Jsonb(figures.kept()),
                    document.name,
                    digest,
                ],
            )
        _write(project, files, asked)
    return True


def _write(project: Project, files: dict[Path, bytes], asked: Asked) -> None:
    """Write files that appear together, by renames at the end."""
    with ExitStack() as stack:
        for target in files:
            stack.enter_context(project.outputs.writing(target, overwrite=asked.overwrite))
        for target, content in files.items():
            with refused(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            partial = stack.enter_context(whole(target))
            with refused(target):
                partial.write_bytes(content)


def write_templates(project: Project, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write the shipped templates into a folder, to be edited in Word.

    Raises:
        UsageError: one is there and is not as lowland wrote it.
    """
    targets = {folder / f"{name}.docx": SHIPPED / f"{name}.docx" for name in (*REPORTS, BRIEF)}
    for target in targets:
        project.outputs.check(target, overwrite=overwrite)
    for target, source in targets.items():
        with project.outputs.writing(target, overwrite=overwrite):
            with refused(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            with whole(target) as partial, refused(target):
                partial.write_bytes(source.read_bytes())
    return list(targets)


def asked_occasion(report: str, period: str) -> Occasion:
    """Return the occasion of a report that is typed.

    Raises:
        UsageError: there is none of that period.
    """
    found = report_calendar()
    occasion = occasion_of(found, report, period)
    if occasion is None:
        term = found.report.get(report)
        listed = () if term is None else term.months[1:] and term.months
        months = f" It is made of the months {', '.join(map(str, listed))}." if listed else ""
        raise UsageError(f"There is no {report} of {period}.{months} The calendar: lowland report due")
    return occasion
