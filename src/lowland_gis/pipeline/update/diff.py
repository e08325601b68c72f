"""Compare the two states of the update that is open: every change with cause and evidence, and the balance of areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.definitions.update import UpdateDefinition, update_definition
from lowland_gis.errors import StaleError
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.land import refuse_double_parcels
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.runs import Request, Run, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import read_in
from lowland_gis.pipeline.update.built import built_causes
from lowland_gis.pipeline.update.change_rows import (
    DISPOSED,
    Became,
    Rows,
    balance_lines,
    disposed_rows,
    field_rows,
    land_rows,
    verdict_rows,
)
from lowland_gis.pipeline.update.doubts import keep_doubts, lineage_doubts
from lowland_gis.pipeline.update.fields import differing_fields
from lowland_gis.pipeline.update.land import TwoStates, two_states
from lowland_gis.pipeline.update.opening import (
    Filed,
    Update,
    bases,
    entries_digest,
    filed_entries,
    opened,
)
from lowland_gis.pipeline.update.surveyed import (
    Increment,
    increment_in_force,
    keep_pair_doubts,
    survey_doubts,
)
from lowland_gis.pipeline.update.verdicts import reclassified

UPDATE = "update"


def diff_update(project: Project, *, tell: Tell = silent) -> tuple[Update, Run]:
    """Compare the two states of the update that is open, and keep what was found as a run; the same again is not computed twice.

    Raises:
        UsageError: no update is open.
        StaleError: deliveries, rules or verdicts are others by now than those that it was opened with.
        InputRefusedError: a parcel stands in two parts; or a state is not in the database any more.
    """
    with project.turn(UPDATE) as connection:
        update = opened(connection)
        refuse_moved_on(connection, project, update)
        states, entries = bases(connection, update), filed_entries(connection)
        increment, definition = increment_in_force(connection), update_definition()
        request = comparison(update, states, entries, increment, definition)

        def work(run_id: int) -> None:
            for basis in states:
                refuse_double_parcels(connection, basis.versions)
            _Comparison(connection, project, states, definition, tell).write(run_id, entries, increment)

        return update, recorded(connection, request, work)


def comparison(
    update: Update,
    states: Sequence[Basis],
    entries: Sequence[Filed],
    increment: Increment,
    definition: UpdateDefinition,
) -> Request:
    """Return what the comparison of an update rests on."""
    return Request(
        UPDATE,
        {
            "update": update.update_id,
            "before": states[0].classified.digest,
            "after": states[1].classified.digest,
            "entries": entries_digest(entries),
            "increment": increment.recorded,
        },
        {"definition": definition.model_dump(mode="json"), "year": update.year},
    )


def refuse_moved_on(connection: Connection, project: Project, update: Update) -> None:
    """Refuse an update that was opened with other deliveries, rules or verdicts than those in force.

    Raises:
        StaleError: it was; with the command to type.
    """
    held = read_in(connection, project)
    again = f"lowland update open {update.year} --again"
    if held.stale is not None:
        raise StaleError(
            f"The update of {update.year} cannot be compared, because {held.stale}, then: {again}"
        )
    if held.basis.run_id != update.runs[1]:
        raise StaleError(
            f"The update of {update.year} was opened with the classification {update.runs[1]}, and the newest one is {held.basis.run_id}, so"
            f" it would compare what is not in force any more. Have it rest on what is: {again}"
        )


class _Comparison:
    def __init__(
        self,
        connection: Connection,
        project: Project,
        states: tuple[Basis, Basis],
        definition: UpdateDefinition,
        tell: Tell,
    ) -> None:
        self.connection, self.project, self.states, self.definition, self.tell = (
            connection, project, states, definition, tell,
        )  # fmt: skip

    def write(self, run_id: int, entries: Sequence[Filed], increment: Increment) -> None:
        """Write the changes and the balance under a run, and the doubts as issues of the deliveries."""
        before, after = self.states
        self.tell("update: land of both states")
        land = two_states(self.connection, self.project, before, after)
        made = Became.of(land, self.definition.limits)
        fields = differing_fields(self.connection, before, after, self.definition, made.outlines)
        fields = {pair: found for pair, found in fields.items() if pair[0] not in made.strangers}
        self.tell("update: verdicts of both states")
        verdicts = reclassified(self.connection, self.states, self.definition, made.renumbered, fields)
        rows = [
            *land_rows(
                made, self.definition, built_causes(self.connection, self.states, made.added, made.removed)
            ),
            *field_rows(land, fields, self.definition),
            *verdict_rows(made, verdicts),
            *self._disposed(land, entries),
        ]
        columns = [name for name in schema.CHANGE.column_names if name != "run_id"]
        # Column by column: of rows pandas would look for the columns in each.
        table = {name: [row[name] for row in rows] for name in columns if name != "change_no"}
        self._copied(schema.CHANGE, run_id, pd.DataFrame({"change_no": range(1, len(rows) + 1), **table}))
        # What the deliveries hold is counted by the database and not by what was compared.
        held = [_held(self.connection, basis) for basis in self.states]
        self._copied(schema.CHANGE_BALANCE, run_id, balance_lines(made, held))
        doubts = list(lineage_doubts(land, made.found, self.definition.limits))
        if increment.usable:
            self.tell("update: survey increment")
            doubts += survey_doubts(self.connection, increment, self.states, rows, self.definition)
        keep_doubts(self.connection, self.states, doubts, increment.pieces)
        keep_pair_doubts(self.connection, increment, self.definition, self.project.settings.folder)

    def _copied(self, table: schema.Table, run_id: int, rows: pd.DataFrame) -> None:
        copy_in(self.connection, table, rows, srid=self.project.srid, constants={"run_id": run_id})

    def _disposed(self, land: TwoStates, entries: Sequence[Filed]) -> Rows:
        disposed = [entry for entry in entries if entry.state == DISPOSED and not self._closed_before(entry)]
        said = _disposals(self.connection, [entry.entry_id for entry in disposed])
        return disposed_rows(land, disposed, said, self.definition)

    def _closed_before(self, entry: Filed) -> bool:
        """Return whether an earlier update has told of a disposal already."""
        row = self.connection.execute(
            "SELECT EXISTS (SELECT FROM registry.annual_update closed JOIN registry.event ON event.entry_id = %s AND event.to_state = %s"
            " WHERE closed.step = 'closed' AND event.recorded_at < closed.recorded_at)",
            [entry.entry_id, DISPOSED],
        ).fetchone()
        return bool(row and row[0])


def _held(connection: Connection, basis: Basis) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(round((area_m2 * 100)::numeric)), 0)::bigint FROM land.parcel WHERE version_id = ANY(%s)",
        [basis.parcels],
    ).fetchone()
    return int(row[0]) if row else 0


def _disposals(connection: Connection, entries: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return day, number and digest of the paper with which each entry was disposed of."""
    rows = connection.execute(
        "SELECT DISTINCT ON (entry_id) entry_id, on_date, document_no, document_sha256 FROM registry.event"
        " WHERE entry_id = ANY(%s) AND to_state = %s ORDER BY entry_id, version DESC",
        [list(entries), DISPOSED],
    ).fetchall()
    return {
        entry: {"on": str(day), "document_no": number, "document_sha256": digest}
        for entry, day, number, digest in rows
    }
