"""Entries of the registers as an update sees them, and the lineage between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lowland_gis import schema
from lowland_gis.analysis.rules.pack import KIND, OPEN
from lowland_gis.analysis.update.closing import Became, Entry
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.procedure import InForce
from lowland_gis.pipeline.verdicts.verdicts import kinds

pd = when_used("pandas")

REGISTERS = ("low_efficiency", "legacy")


def standing_entries(connection: Connection, force: InForce) -> list[Entry]:
    """Return the newest entry of each parcel in each register of parcels, in the order in which they were entered.

    An entry that was withdrawn has ended: it is put into the register again by people only.
    """
    rows = connection.execute(
        "SELECT DISTINCT ON (register, subject) entry_id, register, subject, version, state FROM registry.current_entry"
        " WHERE register = ANY(%s) ORDER BY register, subject, ordinal DESC",
        [list(REGISTERS)],
    ).fetchall()
    found = [
        Entry(number, register, subject, version, state, _ended(force, register, state))
        for number, register, subject, version, state in rows
    ]
    return sorted(found, key=lambda entry: entry.entry_id)


def _ended(force: InForce, register: str, state: str) -> bool:
    return state == "withdrawn" or state in force.register(register).final


def became(connection: Connection, run_id: int) -> list[Became]:
    """Return the changes of a comparison as far as descent goes."""
    rows = connection.execute(
        "SELECT kind, old_parcels, new_parcels FROM result.change WHERE run_id = %s ORDER BY change_no",
        [run_id],
    ).fetchall()
    return [Became(kind, tuple(old), tuple(new)) for kind, old, new in rows]


def known_lineage(connection: Connection) -> set[tuple[int, int]]:
    """Return the rows of lineage that are there: entry, earlier entry."""
    return {
        (entry, part) for entry, part in connection.execute("SELECT entry_id, part_of FROM registry.lineage")
    }


def write_lineage(connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """Append rows of lineage; the database looks at each of them again."""
    frame = pd.DataFrame(list(rows), columns=["entry_id", "part_of"])
    copy_in(connection, schema.LINEAGE, frame, srid=0)


def low_now(basis: Basis, connection: Connection) -> Mapping[str, bool]:
    """Return each parcel of a classification, and whether it is low-efficient or still to be settled."""
    counted = {*basis.pack.low_answers, *basis.pack.question_named(KIND).meaning("open"), OPEN}
    return {str(parcel): answer in counted for parcel, answer in kinds(connection, basis).items()}
