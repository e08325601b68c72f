"""Fill a Word template of the office with the figures of a report; what a template asks that nobody knows is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from docx.image.exceptions import UnrecognizedImageError
from docx.image.image import Image
from docx.opc.exceptions import OpcError
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from lxml.etree import LxmlError

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.products.reports.figures import Area, Figures, Table, clean, printed

FOLDER = Path(__file__).parent / "templates"
REPORTS = ("bulletin", "midyear", "annual", "evaluation")
# The planning brief of a unit (单元规划策划简报).
BRIEF = "unit_brief"
CHARTS = ("kinds", "towns", "plan")
LARGEST = 30_000_000
_CHART_MM, _MAP_MM, _PHOTO_MM = 158, 110, 76
# A file of a zip that says no day.
_NO_DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Photo:
    """A photo of a case (JPEG or PNG), and what stands below it."""

    title: str
    content: bytes
    path: Path


@dataclass(frozen=True)
class Case:
    """A typical case (典型案例): what is said of it, its map, and photos where the office gives some."""

    said: Mapping[str, str]
    map: bytes
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True)
class Words:
    """What a report says beside its figures; `mark` and `stale` are empty where there is nothing to be said."""

    said: Mapping[str, str]
    notes: tuple[str, ...]
    cases: tuple[Case, ...] = ()


def template_of(report: str, own: Path | None) -> Path:
    """Return the template of a report: the office's own where there is one, else the shipped one."""
    if own is not None and own.is_file():
        return own
    return FOLDER / f"{report}.docx"


def context(figures: Figures, words: Words) -> dict[str, Any]:
    """Return what placeholders of a template stand for, but for pictures: texts as they are printed, and rows of tables."""
    tables = {table.key: _table(table) for table in figures.tables()}
    return {
        **words.said,
        "notes": [clean(note) for note in (*words.notes, *figures.notes)],
        "low": _area(figures.low), "open": _area(figures.open), "assessed": _area(figures.assessed),
        "potential_area": _area(figures.potential), "n_units": f"{figures.n_units:,}",
        "n_problems": f"{sum(row[2] for row in figures.problems):,}",
        "on": figures.on.isoformat(), "plan_year": str(figures.plan_year),
        "definitions": [{"item": clean(item), "value": clean(value)} for item, value in figures.definitions],
        **tables,
    }  # fmt: skip


def fill(template: Path, figures: Figures, words: Words, charts: Mapping[str, bytes]) -> bytes:
    """Return a template filled with figures, as the bytes of a document; equal input gives equal bytes.

    Raises:
        UsageError: there is no such template.
        InputRefusedError: it is no document, or has placeholders that nothing stands for.
    """
    document = opened(template)
    values = context(figures, words)
    values |= {f"chart_{name}": picture_of(document, charts.get(name), _CHART_MM) for name in CHARTS}
    values["cases"] = [
        {
            **{name: clean(text) for name, text in case.said.items()},
            "map": picture_of(document, case.map, _MAP_MM),
            "photos": [
                {"title": clean(photo.title), "image": _photo(document, photo)} for photo in case.photos
            ],
        }
        for case in words.cases
    ]
    return filled(document, template, values)


def filled(
    document: DocxTemplate, template: Path, values: Mapping[str, Any], listed_in: str = "docs/reports.md"
) -> bytes:
    """Return an open template filled with values, as the bytes of a document; equal input gives equal bytes.

    Texts among the values are `clean`; `&` and `<` in them stay what they are. `listed_in` is the page that says what templates can say.

    Raises:
        InputRefusedError: it has placeholders that nothing stands for; all are named.
    """
    # A template comes from outside: it reads values, and calls nothing that could do more.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    try:
        unknown = document.get_undeclared_template_variables(environment) - values.keys()
        if unknown:
            raise InputRefusedError(_unknown(template, sorted(unknown), list(values), listed_in))
        document.render(dict(values), environment, autoescape=True)
        sink = io.BytesIO()
        document.save(sink)
    except UndefinedError as error:
        raise InputRefusedError(
            f"{template}: a placeholder asks for what is not there ({error.message}), so nothing was written."
            f" {listed_in} lists what templates can say."
        ) from error
    except (TemplateError, LxmlError, ValueError, TypeError) as error:
        raise InputRefusedError(
            f"{template}: a placeholder cannot be read ({error}), so nothing was written. Look at its braces in Word, or begin"
            " anew with the shipped one: lowland report template DIR"
        ) from error
    return undated(sink.getvalue())


def opened(template: Path) -> DocxTemplate:
    """Open a template.

    Raises:
        UsageError: there is no such file.
        InputRefusedError: it is no document.
    """
    if not template.is_file():
        raise UsageError(
            f"{template}: there is no such template. Write the shipped ones with: lowland report template DIR"
        )
    refusal = f"{template}: is no Word document (.docx) that can be read"
    if template.stat().st_size > LARGEST:
        raise InputRefusedError(f"{refusal}: it has more than {LARGEST:,} bytes.")
    try:
        document = DocxTemplate(io.BytesIO(template.read_bytes()))
        document.init_docx()
    except (OpcError, KeyError, ValueError, LxmlError, zipfile.BadZipFile) as error:
        raise InputRefusedError(f"{refusal} ({error}). Save it in Word as .docx.") from error
    return document


def _unknown(template: Path, names: Sequence[str], known: Sequence[str], listed_in: str) -> str:
    said = []
    for name in names:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        said.append(f"{name}" + (f" (did you mean {near[0]}?)" if near else ""))
    return (
        f"{template}: has placeholders that nothing stands for, so nothing was written: {'; '.join(said)}."
        f" {listed_in} lists what templates can say."
    )


def _table(table: Table) -> dict[str, Any]:
    """Return a table as templates see it: title, note, headings, and rows by the names of columns; 亩 beside each area."""
    rows = []
    for values in table.rows:
        row = {}
        for column, value in zip(table.columns, values, strict=True):
            row[column.name] = clean(printed(value, column.kind))
            if column.name == "m2":
                row["ha"], row["mu"] = row["m2"], Area(0, float(str(value))).mu
        rows.append(row)
    return {"title": clean(table.title), "note": clean(table.note), "rows": rows}


def _area(area: Area) -> dict[str, str]:
    return {"n": f"{area.n:,}", "ha": area.ha, "mu": area.mu}


def picture_of(document: DocxTemplate, picture: bytes | None, width: int) -> Any:
    """Return a picture (PNG, JPEG) of a width in millimetres for a place of the document, and nothing where there is none."""
    return "" if picture is None else InlineImage(document, io.BytesIO(picture), width=Mm(width))


def _photo(document: DocxTemplate, photo: Photo) -> Any:
    try:
        Image.from_blob(photo.content)
    except (UnrecognizedImageError, ValueError, KeyError, OSError) as error:
        raise InputRefusedError(
            f"{photo.path}: is no photo that can be read. Save it as JPEG or PNG."
        ) from error
    return InlineImage(document, io.BytesIO(photo.content), width=Mm(_PHOTO_MM))


def undated(content: bytes) -> bytes:
    """Return a document whose parts say no time of day, so that it can be told whether it is the same."""
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for item in before.infolist():
            part = zipfile.ZipInfo(item.filename, _NO_DAY)
            part.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(part, before.read(item))
    return sink.getvalue()
