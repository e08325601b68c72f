"""The second year of the sample: what people decided on the first, the new deliveries, the project file of the new year, and its update."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd

from lowland_gis import sample
from lowland_gis import settings as project_settings
from lowland_gis.db.connect import Connection
from lowland_gis.files.whole import write_text
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.base.project_text import project_text
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.demo import MARK, SECOND, sample_settings
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.update.change_rows import REANSWERED
from lowland_gis.pipeline.update.close import close_update
from lowland_gis.pipeline.update.diff import diff_update
from lowland_gis.pipeline.update.listed import Found, found_changes
from lowland_gis.pipeline.update.opening import OPENED, Update, newest_step, open_update
from lowland_gis.sample.agreement import ChangeAgreement, compare_changes
from lowland_gis.sample.changes import SEPARATOR
from lowland_gis.sample.decisions import DRAFTED
from lowland_gis.sample.second import CHANGES, second_year
from lowland_gis.settings import ClassifySettings, DeliverySettings

TRUTH = "truth/2025.csv"
UPDATE_YEAR = 2025


def is_second(project: Project) -> bool:
    """Say whether the project is in its second year already."""
    mark = json.loads((project.settings.folder / MARK).read_text(encoding="utf-8"))
    return bool(mark | SECOND == mark)


def drafted_on(project: Project) -> dt.date:
    """Return the day from which the drafts of a year count: soon after that of its land, so that its decisions can follow."""
    return project.settings.project.as_of + DRAFTED


def go_on(project: Project, *, tell: Tell = silent) -> Project:
    """Record what people decided on the first year, load the survey that the increment starts from, and return the project of the new year.

    What is recorded already is not recorded again, so that a demo that was left half-way goes on.

    Raises:
        MoveRefusedError: an entry does not stand where the decisions expect it.
    """
    folder = project.settings.folder
    year = second_year(folder)
    for decision in year.decisions:
        _record(project, decision, tell)
    layer, source = year.base
    tell(f"ingest {layer} {source}")
    ingest(project, DeliverySettings(layer=layer, source=source, as_of=year.base_as_of), tell=tell)
    file = folder / project_settings.PROJECT_FILE
    write_text(file, second_text(project, year))
    mark = folder / MARK
    write_text(mark, json.dumps(json.loads(mark.read_text(encoding="utf-8")) | SECOND))
    return open_project(file)


def second_text(project: Project, year: sample.SecondYear) -> str:
    """Return the project file of the second year: new deliveries in the place of those that changed, a new day, the new edition."""
    fresh = dict(year.sources)
    kept = [one for one in project.settings.delivery if one.layer not in fresh or one.layer == "enterprise"]
    added = [
        DeliverySettings(
            layer=layer,
            source=source,
            part=Path(source).stem if layer == "enterprise" else None,
            as_of=year.as_of,
        )
        for layer, source in year.sources
    ]
    return project_text(
        sample_settings(year.as_of), [*kept, *added], classify=ClassifySettings(pack=year.pack)
    )


def _record(project: Project, decision: sample.Decision, tell: Tell) -> None:
    with project.snapshot() as connection:
        done = _recorded(connection, decision.number)
    names = tuple(code for code in decision.parcels if code not in done)
    if not names:
        return
    tell(f"registry {decision.verb}: {len(names)} parcels, {decision.number}")
    typed = Typed(
        decision.verb,
        on=decision.on,
        document=project.settings.folder / decision.paper,
        document_no=decision.number,
        reason=decision.reason,
    )
    record_move(project, typed, Asked(names))


def _recorded(connection: Connection, number: str) -> set[str]:
    rows = connection.execute(
        "SELECT subject FROM registry.event JOIN registry.entry USING (entry_id) WHERE document_no = %s",
        [number],
    ).fetchall()
    return {str(row[0]) for row in rows}


def close_year(project: Project, *, tell: Tell = silent) -> ChangeAgreement:
    """Open, compare and close the update of the second year, and compare what it found with what was planted.

    What is done already is not done again.

    Raises:
        UsageError: another update is open.
    """
    with project.snapshot() as connection:
        newest = newest_step(connection)
    if newest is None:
        tell(f"update open {UPDATE_YEAR}")
        open_update(project, UPDATE_YEAR)
    if newest is None or newest[1] == OPENED:
        tell("update diff")
        update, run = diff_update(project, tell=tell)
        with project.snapshot() as connection:
            found = found_changes(connection, update, run.run_id)
        close_update(project, tell=tell)
    else:
        with project.snapshot() as connection:
            found = found_changes(connection, newest[0], _compared_by(connection, newest[0]))
    return compare_changes(_planted(project), _told(found))


def _compared_by(connection: Connection, update: Update) -> int:
    """Return the comparison that a closed update rests on."""
    row = connection.execute(
        "SELECT run_id FROM registry.annual_update WHERE update_id = %s", [update.update_id]
    ).fetchone()
    return 0 if row is None else int(row[0])


def _planted(project: Project) -> pd.DataFrame:
    return pd.read_csv(project.settings.path(CHANGES), dtype=str, encoding="utf-8-sig", keep_default_na=False)


def _told(found: Found) -> pd.DataFrame:
    """Return what an update found as the list of the sample says it; other questions than that of the kind are not planted."""
    rows = found.changes[found.changes["kind"] != REANSWERED]
    codes = {
        name: [_joined(text) for text in rows[column]]
        for name, column in (("before", "old_parcels"), ("after", "new_parcels"))
    }
    return pd.DataFrame({"change": rows["kind"].tolist(), **codes, "cause": rows["cause"].tolist()})


def _joined(text: str) -> str:
    return SEPARATOR.join(sorted(text.split("、"))) if text else ""
