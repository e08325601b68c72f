"""The sample district through every stage, and how far the verdicts agree with what was planted."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from xlsxwriter.exceptions import XlsxWriterException

from lowland_gis import __version__, sample
from lowland_gis import settings as project_settings
from lowland_gis.analysis.registry.report_calendar import occasion_around
from lowland_gis.db import migrate
from lowland_gis.db.frames import read_frame
from lowland_gis.db.place import connect_string
from lowland_gis.definitions.reports import report_calendar
from lowland_gis.errors import UsageError
from lowland_gis.files.gdal_path import GDAL_ERRORS
from lowland_gis.files.whole import refused, write_text
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.base.project_text import project_text
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products.case_book import PARCELS, TOWNS, UNITS
from lowland_gis.pipeline.products.case_sheets import draw_sheets, sheets_of
from lowland_gis.pipeline.products.report import Asked, make_report
from lowland_gis.pipeline.registry.determine import problems
from lowland_gis.pipeline.verdicts.verdicts import kind_verdicts
from lowland_gis.sample.agreement import Agreement, compare
from lowland_gis.sample.promises import write_promises

MARK = "sample.json"
# So many sheets of each kind are left.
_SHEETS = 3
HALF_MADE = {"unfinished": True}
# What the first year was decided on is recorded, and the project file is that of the second year.
SECOND = {"year": 2}
DIFFERENCES = "differences.csv"


def prepare(folder: Path, *, parcels: int, seed: int, years: int = 1, tell: Tell = silent) -> Project:
    """Make the sample project in a folder, its database, and open it; what is there already is kept.

    With two `years` the files of the second year are written beside those of the first (`demo_year` goes through it).

    Raises:
        UsageError: the folder holds something else, or a sample of another size or seed.
        InputRefusedError: it cannot be written.
    """
    file = folder / project_settings.PROJECT_FILE
    wanted: dict[str, Any] = {"parcels": parcels, "seed": seed, "version": __version__}
    if years > 1:
        wanted["years"] = years
    if not _is_there(folder, wanted):
        sample.check_size(parcels)
        tell(f"sample district of about {parcels:,} parcels, seed {seed} → {folder}")
        _make(folder, file, wanted, tell)
    settings = project_settings.load(file)
    if settings.dsn is None:
        from lowland_gis.db.private import cluster

        place = cluster.locate(settings.folder, env=os.environ)
        tell("database up")
        cluster.up(place)
    target = connect_string(settings.folder, settings.dsn)
    migrate.upgrade(target, settings.project.srid)
    return open_project(file)


def _make(folder: Path, file: Path, wanted: dict[str, Any], tell: Tell) -> None:
    """Write the files of the sample; the mark comes first, so that a folder that was left half-way is known as ours and made again."""
    with refused(folder, *GDAL_ERRORS, XlsxWriterException):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / MARK, json.dumps(wanted | HALF_MADE))
        delivery = sample.write_district(
            folder, parcels=wanted["parcels"], seed=wanted["seed"], progress=tell
        )
        write_promises(folder)
        if "years" in wanted:
            sample.write_second_year(folder, parcels=wanted["parcels"], seed=wanted["seed"], progress=tell)
    write_text(file, first_text(delivery))
    write_text(folder / MARK, json.dumps(wanted))


def agreement(project: Project, truth_file: str = "truth.csv") -> Agreement:
    """Compare the current verdicts with a truth of the project's folder."""
    truth = pd.read_csv(project.settings.path(truth_file), dtype=str, encoding="utf-8-sig")
    with reading(project) as held:
        return compare(truth, _verdicts(held), _set_aside(held))


def _is_there(folder: Path, wanted: dict[str, Any]) -> bool:
    """Say whether the sample is there and whole.

    Raises:
        UsageError: something else is.
    """
    mark = folder / MARK
    if mark.is_file():
        found = _said(mark)
        if found in (wanted, wanted | HALF_MADE, wanted | SECOND):
            return found != wanted | HALF_MADE
        raise UsageError(
            f"{folder} holds a sample with other settings ({found}). Name another folder: lowland demo DIR"
            " – or remove this one."
        )
    if folder.is_dir() and any(path.name != ".lowland" for path in folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty and no sample project. Name another folder: lowland demo DIR"
        )
    return False


def _said(mark: Path) -> object:
    try:
        return json.loads(mark.read_text(encoding="utf-8"))
    except ValueError:
        return "not readable"


def sample_settings(as_of: dt.date) -> project_settings.ProjectSettings:
    """Return what the sample project is, on a day."""
    return project_settings.ProjectSettings(
        name="示例区低效用地再开发（合成数据）",
        district_code="120113",
        district_name="北辰区",
        as_of=as_of,
        synthetic=True,
    )


def first_text(delivery: sample.Delivery) -> str:
    """Return the project file of the first year."""
    project = sample_settings(delivery.as_of)
    layers = [layer for layer, _ in delivery.sources]
    deliveries = tuple(
        project_settings.DeliverySettings(
            layer=layer, source=source, part=Path(source).stem if layers.count(layer) > 1 else None
        )
        for layer, source in delivery.sources
    )
    return project_text(project, deliveries)


def leave_reports(project: Project, *, tell: Tell = silent) -> list[Path]:
    """Make a bulletin, an annual summary and some sheets of the sample, and return what can be opened: a document each, a folder.

    Their periods are those in which today lies, since drafts count from today.
    """
    today = dt.datetime.now().astimezone().date()
    calendar = report_calendar()
    made = []
    for name in ("bulletin", "annual"):
        done = make_report(project, occasion_around(calendar, name, today), Asked(on=today), tell=tell)
        made.append(done.document)
    folder = project.settings.path(project.settings.package.folder) / "sheets"
    with sheets_of(project, tell=tell) as (book, drawer, _):
        for of in (PARCELS, UNITS, TOWNS):
            for _ in draw_sheets(book, of, folder, drawer, most=_SHEETS, tell=tell):
                pass
    return [*made, folder]


def _verdicts(held: Reading) -> pd.DataFrame:
    rows = kind_verdicts(held.connection, held.basis)
    # Of the towns nothing is shown here.
    open_clauses = problems(rows.assign(town_code=None), held.basis.pack)
    unknown = open_clauses.groupby("parcel_id")["clause"].agg("、".join)
    return rows.assign(doubt=rows["parcel_id"].map(unknown))[["parcel_id", "answer", "rule", "doubt"]]


def _set_aside(held: Reading) -> pd.DataFrame:
    """Return parcels that were not loaded, with the reason."""
    return read_frame(
        held.connection,
        "SELECT key AS parcel_id, message FROM land.issue WHERE version_id = ANY(%s) AND action = 'rejected'"
        " AND key IS NOT NULL",
        [held.basis.parcels],
    )
