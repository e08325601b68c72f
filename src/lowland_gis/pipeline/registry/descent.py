"""From which earlier entries one comes: a second entry after the first has ended, and parcels that came from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lowland_gis import schema
from lowland_gis.analysis.registry.procedure import Register
from lowland_gis.analysis.update.closing import DESCENT, Became, parents
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.errors import UsageError
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

Gathered = tuple[str, str, str]

_CHANGES = """
    SELECT kind, old_parcels, new_parcels FROM result.change WHERE kind = ANY(%s) AND new_parcels && %s
        AND run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'update') ORDER BY change_no
"""
_NEWEST = """
    SELECT DISTINCT ON (subject) subject, entry_id FROM registry.entry WHERE register = %s AND subject = ANY(%s)
    ORDER BY subject, ordinal DESC
"""
_LINKED = """
    SELECT entry.entry_id, other.subject, other.ordinal, lineage.part_of = other.entry_id AS before
    FROM registry.lineage JOIN registry.entry ON entry.entry_id IN (lineage.entry_id, lineage.part_of)
    JOIN registry.entry AS other ON other.entry_id IN (lineage.entry_id, lineage.part_of) AND other.entry_id <> entry.entry_id
    WHERE entry.entry_id = ANY(%s) ORDER BY lineage.lineage_id
"""


def entered_anew(entries: pd.DataFrame, register: Register, verb: str) -> pd.DataFrame:
    """Return entries with `ended` and `ordinal`: what has ended, and is put into the register again by a verb, gets an entry of its own.

    `ended` is the number of the entry before, empty where it is none; such a row looks like one that is not in the register.
    """
    again = entries["state"].isin(register.final) & bool(register.meant(verb, None))
    fresh = again | entries["entry_id"].isna()
    looked = entries["seen"].isna() | (entries["seen"] != entries["version"])
    rows = entries.assign(
        ended=entries["entry_id"].where(again),
        ordinal=(entries["ordinal"].fillna(0) + fresh).astype(int),
        seen=entries["seen"].where(looked | ~again, None),
    )
    return rows.assign(
        **{name: rows[name].astype(object).where(~again, None) for name in ("entry_id", "state", "version")}
    )


def parent_faults(
    connection: Connection, register: str, entries: pd.DataFrame, part_of: Sequence[str]
) -> list[Gathered]:
    """Return what is wrong with the parents of what is entered: named ones that are in no register, and ones that are not named.

    Raises:
        UsageError: parents are named, and nothing is entered.
    """
    fresh = entries.loc[entries["entry_id"].isna(), "subject"].tolist()
    if part_of and not fresh:
        raise UsageError(
            "--part-of says from which parcels one came that is entered, and all that is named is in the register already, so nothing was"
            " recorded"
        )
    known = _newest(connection, register, part_of)
    words = "a parcel that another came from is in this register not, so a split without its parents would be entered"
    faults = [(code, f"{code}: {words}", words) for code in part_of if code not in known]
    for child, olds in _came_from(connection, fresh).items():
        lacking = [
            code for code in _newest(connection, register, olds) if code not in part_of and code != child
        ]
        if lacking:
            named = " ".join(f"--part-of {code}" for code in sorted(lacking))
            together = "it came from parcels that are in this register, and they are not named"
            faults.append((child, f"{child}: {together}: {named}", together))
    return faults


def linked(
    connection: Connection,
    register: str,
    events: pd.DataFrame,
    ended: Mapping[tuple[str, str], int],
    part_of: Sequence[str],
) -> None:
    """Append the lineage of entries that are new: to the entry before of the same parcel, and to those of its parents."""
    before = _newest(connection, register, part_of)
    rows = []
    for event in events.to_dict("records"):
        if event["version"] != 1:
            continue
        number = int(event["entry_id"])
        earlier = [ended.get((event["subject"], event["matter"])), *before.values()]
        rows += [
            (number, int(other)) for other in dict.fromkeys(earlier) if other is not None and other < number
        ]
    if rows:
        copy_in(connection, schema.LINEAGE, pd.DataFrame(rows, columns=["entry_id", "part_of"]), srid=0)


def relatives(connection: Connection, entries: Sequence[int]) -> dict[int, tuple[list[str], list[str]]]:
    """Return entry → the parcels that it came from, and those that came from it; of a second entry with its number."""
    found: dict[int, tuple[list[str], list[str]]] = {entry: ([], []) for entry in entries}
    for entry, subject, ordinal, before in connection.execute(_LINKED, [list(entries)]).fetchall():
        name = subject if ordinal == 1 else f"{subject}（第{ordinal}次）"
        found[entry][0 if before else 1].append(name)
    return found


def _newest(connection: Connection, register: str, subjects: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(_NEWEST, [register, list(subjects)]).fetchall()
    return {subject: int(entry) for subject, entry in rows}


def _came_from(connection: Connection, codes: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """Return parcel → the parcels that it came from, as the newest comparison of an update has found."""
    rows = connection.execute(_CHANGES, [list(DESCENT), list(codes)]).fetchall() if codes else []
    found = parents([Became(kind, tuple(old), tuple(new)) for kind, old, new in rows])
    return {code: found[code] for code in codes if code in found}
