"""Open the update of a year: fix what is compared, last year's filed state and the new deliveries, append-only in the registry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from lowland_gis.db.connect import Connection
from lowland_gis.db.role_names import ANALYST
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.basis import Basis, basis_of
from lowland_gis.pipeline.base.chain import chain_head
from lowland_gis.pipeline.base.procedure import take_turn
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.requests import CLASSIFY
from lowland_gis.pipeline.base.runs import Version, digest_of, found_record, numbered
from lowland_gis.pipeline.base.stale import refuse
from lowland_gis.pipeline.intake.reading import read_in

OPENED, CLOSED = "opened", "closed"
# The move after which an entry is part of the filed state, whatever became of it since.
_FILE = "file"
_REGISTERS = ("low_efficiency", "legacy")
FIRST_YEAR, LAST_YEAR = 2000, 2155

_FILED = """
    SELECT entry.entry_id, entry.register, entry.subject, entry.version, entry.state, rests.run_id FROM registry.current_entry AS entry
    LEFT JOIN LATERAL (
        SELECT max(run_id) AS run_id FROM registry.event WHERE event.entry_id = entry.entry_id
    ) AS rests ON true
    WHERE entry.register = ANY(%s)
        AND EXISTS (SELECT FROM registry.event WHERE event.entry_id = entry.entry_id AND event.move = %s)
    ORDER BY entry.entry_id
"""


@dataclass(frozen=True)
class Filed:
    """One entry that was filed: its number, register, parcel, version, where it stands by now, and the classification that it rests on."""

    entry_id: int
    register: str
    subject: str
    version: int
    state: str
    run_id: int | None


@dataclass(frozen=True)
class Update:
    """An update that was opened: its year and the two states that it compares, as they were recorded."""

    update_id: int
    year: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    opened_at: dt.datetime
    opened_by: str

    @property
    def runs(self) -> tuple[int, int]:
        """Return the numbers of both classifications."""
        return int(self.before["classify"]), int(self.after["classify"])


def open_update(project: Project, year: int, *, again: bool = False, reason: str | None = None) -> Update:
    """Open the update of a year, and record what it compares.

    The state before is the land that the newest classification read on which a filed entry rests; the state after is that of the newest
    classification. With `again`, what was opened is opened anew on what is in force by now.

    Raises:
        UsageError: nothing is filed yet, another update is open or this one is there already, or the year is none of the deliveries.
        StaleError: the newest classification is out of date.
        InputRefusedError: the deliveries are older than those of last year, or these are not in the database any more.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UsageError(
            f"{year} is no year of an update. Type it with four digits, for example: lowland update open {dt.date.today().year}"  # noqa: DTZ011 - a hint
        )
    with project.transaction() as connection:
        take_turn(connection, "opening an update", lambda: (ANALYST,))
        _refuse_opened(connection, year, again=again)
        entries = filed_entries(connection)
        before = _base(connection, entries)
        held = read_in(connection, project)
        refuse(held.stale, f"The update of {year} was not opened")
        _refuse_days(year, before, held.basis)
        content = None if not again else {"again": True, "reason": reason}
        connection.execute(
            "INSERT INTO registry.annual_update (year, step, before, after, content, account) VALUES (%s, %s, %s, %s, %s, %s)",
            [year, OPENED, Jsonb({**_said(before), "entries": len(entries), "registry_head": chain_head(connection)}),
             Jsonb(_said(held.basis)), None if content is None else Jsonb(content), who()],
        )  # fmt: skip
        return opened(connection)


def opened(connection: Connection, year: int | None = None) -> Update:
    """Return the update that is open.

    Raises:
        UsageError: none is, or another one.
    """
    found = newest_step(connection)
    if found is None or found[1] == CLOSED:
        raise UsageError(
            "No update is open, so nothing says what is to be compared. Type: lowland update open YEAR"
        )
    update = found[0]
    if year is not None and update.year != year:
        raise UsageError(f"The update that is open is that of {update.year}, not of {year}.")
    return update


def newest_step(connection: Connection) -> tuple[Update, str] | None:
    """Return the newest row of the updates, and its step; None where there is none."""
    row = connection.execute(
        "SELECT update_id, year, before, after, recorded_at, recorded_by, step FROM registry.annual_update ORDER BY update_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (Update(*row[:-1]), str(row[-1]))


def filed_entries(connection: Connection) -> list[Filed]:
    """Return the entries that were filed at some time, in the order in which they were entered."""
    rows = connection.execute(_FILED, [list(_REGISTERS), _FILE]).fetchall()
    return [Filed(*row) for row in rows]


def entries_digest(entries: Sequence[Filed]) -> str:
    """Return what tells whether any entry of the filed state was moved since."""
    return digest_of([[entry.entry_id, entry.version] for entry in entries])


def bases(connection: Connection, update: Update) -> tuple[Basis, Basis]:
    """Return both states of an update.

    Raises:
        InputRefusedError: one is not there any more.
    """
    before, after = (_basis(connection, run) for run in update.runs)
    for said, basis in ((update.before, before), (update.after, after)):
        if said["digest"] != basis.classified.digest:
            raise InputRefusedError(
                f"Run {basis.run_id} is another one than the update of {update.year} was opened with."
                f" Open it again: lowland update open {update.year} --again"
            )
    return before, after


def _basis(connection: Connection, run: int) -> Basis:
    found = found_record(connection, run)
    if found is None or found.stage != CLASSIFY:
        raise InputRefusedError(
            f"The classification {run}, on which the filed state rests, was thrown away, so there is nothing to compare with."
            " Restore a copy of the database of that day, and name it in LOWLAND_DSN."
        )
    return basis_of(connection, str(run))


def _base(connection: Connection, entries: Sequence[Filed]) -> Basis:
    if not entries:
        raise UsageError(
            "Nothing is filed yet (备案), so there is no state of last year that could be updated. What stands where: lowland registry list;"
            " a filing is recorded with: lowland registry file"
        )
    runs = [entry.run_id for entry in entries if entry.run_id is not None]
    if not runs:
        raise UsageError(
            "None of the entries that are filed rests on a classification, so nothing says on which land they were decided."
            " Entries that the program drafts do: lowland registry draft"
        )
    return _basis(connection, max(runs))


def _refuse_opened(connection: Connection, year: int, *, again: bool) -> None:
    rows = connection.execute(
        "SELECT year, step, recorded_at FROM registry.annual_update ORDER BY update_id"
    ).fetchall()
    steps = {int(row[0]): (str(row[1]), row[2]) for row in rows}
    step, at = steps.get(year, (None, None))
    if step == CLOSED:
        raise UsageError(
            f"The update of {year} was closed on {at:%Y-%m-%d}; it is history and is not opened again."
        )
    others = [one for one, (last, _) in steps.items() if last == OPENED and one != year]
    if others:
        raise UsageError(f"The update of {others[0]} is still open. Close it first: lowland update close")
    later = [one for one in steps if one > year]
    if later:
        raise UsageError(
            f"The update of {max(later)} was made already, so {year} has no base any more: updates follow one another."
        )
    if step == OPENED and not again:
        raise UsageError(
            f"The update of {year} was opened on {at:%Y-%m-%d} already. Look at it with: lowland update diff – or have it rest on what is"
            f" in force by now: lowland update open {year} --again"
        )
    if again and step is None:
        raise UsageError(
            f"The update of {year} was not opened yet, so it is not opened again. Type: lowland update open {year}"
        )


def _refuse_days(year: int, before: Basis, after: Basis) -> None:
    """Refuse states that are none of two years that follow one another."""
    was, now = before.as_of, after.as_of
    if before.run_id == after.run_id:
        raise UsageError(
            f"Nothing was classified since the filed state (run {before.run_id}, of {was}), so there is nothing to update."
            " Deliver the land of this year: lowland ingest LAYER FILE, then: lowland run"
        )
    older = [
        f"{day_now} after {day_was}"
        for day_was, day_now in [(day_of(before), day_of(after))]
        if day_now < day_was
    ]
    if after.run_id < before.run_id or older:
        raise InputRefusedError(
            f"The parcels in force are older than those that the filed state rests on ({'; '.join(older) or 'an earlier run'}), so they are no"
            " update of it. Deliver those of this year: lowland ingest parcel FILE"
        )
    if was >= dt.date(year, 1, 1) or was >= now:
        raise UsageError(
            f"The year {year} has no base: the filed state was judged for {was}, and the new one for {now}. The day of this year stands in"
            " lowland.toml ([project] as_of); set it, and type: lowland run"
        )
    if now.year not in (year - 1, year):
        raise UsageError(
            f"The new state was judged for {now}, so it is none of the update of {year}, which takes up the land of the end of {year - 1}."
            f" Type: lowland update open {now.year + 1}"
        )


def day_of(basis: Basis) -> dt.date:
    """Return the day of the parcels that a classification read: of their deliveries, else the day that was judged for."""
    days = [version.as_of for version in basis.versions.get("parcel", []) if version.as_of is not None]
    return max(days) if days else basis.as_of


def numbered_all(basis: Basis) -> dict[str, str]:
    """Return the deliveries that a classification rests on: number → digest."""
    every: list[Version] = [version for versions in basis.versions.values() for version in versions]
    return numbered(sorted(every, key=lambda version: version.version_id))


def _said(basis: Basis) -> dict[str, Any]:
    return {
        "classify": basis.run_id,
        "digest": basis.classified.digest,
        "day": day_of(basis).isoformat(),
        "as_of": basis.as_of.isoformat(),
        "pack": basis.pack.name,
        "versions": numbered_all(basis),
    }
