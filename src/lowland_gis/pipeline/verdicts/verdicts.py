"""Verdicts out of the database, with the parcels that they were given for: those that the classification itself read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lowland_gis.analysis.rules.pack import KIND
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.towns import town_codes

if TYPE_CHECKING:
    import pandas as pd

_VERDICTS = (
    "SELECT v.parcel_id, v.question, v.answer, v.settled, v.rule, v.trace, p.area_m2"
    " FROM result.verdict v JOIN land.parcel p ON p.parcel_id = v.parcel_id AND p.version_id = ANY(%s)"
    " WHERE v.run_id = %s AND {} ORDER BY v.question, v.parcel_id"
)


def all_verdicts(connection: Connection, basis: Basis) -> pd.DataFrame:
    """Return every verdict: parcel_id, question, answer, settled, rule, trace, town_code, area_m2."""
    return _with_towns(connection, basis, _read(connection, basis, "true"))


def registered_verdicts(connection: Connection, basis: Basis, questions: Sequence[str]) -> pd.DataFrame:
    """Return the verdicts that registers are drafted from, with the columns of `all_verdicts`.

    Those on the kind that make a parcel low-efficient, those on some questions, and those that an unknown could still change: of most
    parcels, and of most questions, there is none.
    """
    condition = f"(NOT v.settled OR v.question = ANY(%s) OR v.question = '{KIND}' AND v.answer = ANY(%s))"
    return _with_towns(
        connection,
        basis,
        _read(connection, basis, condition, [list(questions), list(basis.pack.low_answers)]),
    )


def unsettled_verdicts(connection: Connection, basis: Basis) -> pd.DataFrame:
    """Return the verdicts that an unknown could still change, with the columns of `all_verdicts`."""
    return _with_towns(connection, basis, _read(connection, basis, "NOT v.settled"))


def kind_verdicts(connection: Connection, basis: Basis) -> pd.DataFrame:
    """Return the verdicts on the kind, with the columns of `all_verdicts` but for the town."""
    return _read(connection, basis, f"v.question = '{KIND}'")


def kinds(connection: Connection, basis: Basis) -> pd.Series[Any]:
    """Return the kind of each parcel by its code."""
    rows = read_frame(
        connection,
        "SELECT v.parcel_id, v.answer FROM result.verdict v JOIN land.parcel p ON p.parcel_id = v.parcel_id"  # noqa: S608 - a constant
        f" AND p.version_id = ANY(%s) WHERE v.run_id = %s AND v.question = '{KIND}' ORDER BY v.parcel_id",
        [basis.parcels, basis.run_id],
    )
    answers: pd.Series[Any] = rows.set_index("parcel_id")["answer"]
    return answers


def answers(connection: Connection, basis: Basis) -> pd.DataFrame:
    """Return question, parcel_id and answer of every verdict."""
    return read_frame(
        connection,
        "SELECT question, parcel_id, answer FROM result.verdict WHERE run_id = %s",
        [basis.run_id],
    )


def _with_towns(connection: Connection, basis: Basis, rows: pd.DataFrame) -> pd.DataFrame:
    parcels = rows["parcel_id"].drop_duplicates().tolist()
    towns = dict(zip(parcels, town_codes(connection, basis.measured, parcels), strict=True))
    return rows.assign(town_code=[towns[parcel] for parcel in rows["parcel_id"]])


def _read(
    connection: Connection, basis: Basis, condition: str, values: Sequence[object] = ()
) -> pd.DataFrame:
    return read_frame(connection, _VERDICTS.format(condition), [basis.parcels, basis.run_id, *values])
