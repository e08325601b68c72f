"""Close the update of a year: lineage of entries, proposals of what people are to withdraw, and the package of what has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb

from lowland_gis.analysis.update.closing import (
    Descent,
    Entry,
    OrphanedError,
    Proposal,
    descent,
    proposals,
)
from lowland_gis.db.connect import Connection
from lowland_gis.db.role_names import ANALYST
from lowland_gis.definitions.update import update_definition
from lowland_gis.errors import InputRefusedError, StaleError
from lowland_gis.pipeline.base.procedure import procedure_in_force, take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.runs import latest_record
from lowland_gis.pipeline.base.stale import refuse
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, read_in
from lowland_gis.pipeline.products.together import stale_drafted
from lowland_gis.pipeline.update.changed_package import build_changed
from lowland_gis.pipeline.update.diff import UPDATE, comparison, refuse_moved_on
from lowland_gis.pipeline.update.entries import (
    became,
    known_lineage,
    low_now,
    standing_entries,
    write_lineage,
)
from lowland_gis.pipeline.update.listed import Found, found_changes
from lowland_gis.pipeline.update.opening import CLOSED, Update, bases, filed_entries, opened
from lowland_gis.pipeline.update.surveyed import increment_in_force
from lowland_gis.products.package.build import PackageReport

# A balance closes where no town is off by so much.
CLOSES_M2 = 0.005
LOW = "low_efficiency"
_AGAIN = "Compare again and look at it: lowland update diff"


@dataclass(frozen=True)
class Closed:
    """What closing has made: rows of lineage, those left out since they would close a circle, proposals, the package (None: a dry run)."""

    update: Update
    lineage: int
    circular: int
    proposals: tuple[Proposal, ...]
    package: PackageReport | None


def close_update(
    project: Project,
    *,
    target: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    tell: Tell = silent,
) -> Closed:
    """Close the update that is open: all of it, or nothing.

    Raises:
        UsageError: no update is open; or the target of the package holds something else.
        StaleError: it was not compared yet, or the registry, the deliveries or the rules are others since.
        InputRefusedError: the balance does not close, or a parcel came from others and nothing says from which.
    """
    with project.transaction(dry_run=dry_run) as connection:
        take_turn(connection, "closing an update", lambda: (ANALYST,))
        update = opened(connection)
        refuse_moved_on(connection, project, update)
        run_id = _compared(connection, update)
        held = read_in(connection, project)
        refuse(stale_drafted(held), f"The update of {update.year} was not closed")
        found = found_changes(connection, update, run_id)
        _refuse_open_balance(update, found)
        entries = standing_entries(connection, procedure_in_force(connection))
        descended, proposed = _descended(connection, held, run_id, entries)
        write_lineage(connection, descended.rows)
        report = None
        if not dry_run:
            report = build_changed(held, found, target, overwrite=overwrite, tell=tell)
        content = {
            "changes": len(found.changes),
            "kinds": {
                str(kind): int(count)
                for kind, count in found.changes["kind"].value_counts().sort_index().items()
            },
            "doubts": len(found.doubts),
            "balance": _whole(found.balance),
            "lineage": len(descended.rows),
            "lineage_in_a_circle": [list(row) for row in descended.circular],
            "proposals": [asdict(proposal) for proposal in proposed],
            "package": None if report is None else {file.path: file.sha256 for file in report.files},
        }
        connection.execute(
            "INSERT INTO registry.annual_update (year, step, before, after, run_id, content, account) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                update.year,
                CLOSED,
                Jsonb(dict(update.before)),
                Jsonb(dict(update.after)),
                run_id,
                Jsonb(content),
                who(),
            ],
        )
    return Closed(update, len(descended.rows), len(descended.circular), tuple(proposed), report)


def _compared(connection: Connection, update: Update) -> int:
    """Return the comparison of an update that rests on all that is in force."""
    record = latest_record(connection, UPDATE)
    if record is None or record.inputs.get("update") != update.update_id:
        raise StaleError(
            f"The update of {update.year} was not compared yet, so nothing says what would be closed. {_AGAIN}"
        )
    now = comparison(
        update,
        bases(connection, update),
        filed_entries(connection),
        increment_in_force(connection),
        update_definition(),
    )
    if record.digest != now.digest:
        raise StaleError(
            f"Something has changed since the update of {update.year} was compared (run {record.run_id}): an entry was moved, or the program or"
            f" its definitions are others. {_AGAIN}"
        )
    return record.run_id


def _refuse_open_balance(update: Update, found: Found) -> None:
    if found.residual_m2 > CLOSES_M2:
        raise InputRefusedError(
            f"The update of {update.year} was not closed, because its balance does not close: {found.residual_m2:,.2f} m² are not explained."
            f" {_AGAIN}"
        )


def _descended(
    connection: Connection, held: Reading, run_id: int, entries: Iterable[Entry]
) -> tuple[Descent, list[Proposal]]:
    changes, entries = became(connection, run_id), list(entries)
    try:
        rows = descent(changes, entries, known_lineage(connection))
    except OrphanedError as error:
        raise InputRefusedError(
            f"Nothing was closed, because a parcel has no parents. {error}. {_AGAIN}"
        ) from error
    return rows, proposals(changes, entries, low_now(held.basis, connection), LOW)


def _whole(balance: pd.DataFrame) -> dict[str, Any]:
    whole = balance.iloc[-1]
    return {name: float(whole[name]) for name in balance.columns if name.endswith("_m2")}
