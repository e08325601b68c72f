"""The registers of people as lists: the problem list (问题清单) in force."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from lowland_gis.db.roles import my_towns
from lowland_gis.pipeline.base.entries import NOT_IN_FORCE, PROBLEM, PROMISE_QUESTION, PROMISE_TITLE
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading

# The newest row of a parcel, question and clause holds, unless its entry is history by now; only of parcels that the classification read.
_PROBLEMS = f"""
    SELECT parcel_id, question, clause, needed, office FROM (
        SELECT DISTINCT ON (parcel_id, question, clause) * FROM registry.problem
        ORDER BY parcel_id, question, clause, entry_id DESC
    ) AS newest LEFT JOIN (
        SELECT DISTINCT ON (subject, matter) subject, matter, state AS stands FROM registry.current_entry
        WHERE register = %s ORDER BY subject, matter, ordinal DESC
    ) AS entry ON entry.subject = newest.parcel_id AND entry.matter = {PROBLEM.matter}
    WHERE coalesce(stands <> ALL(%s), true)
        AND EXISTS (SELECT 1 FROM land.parcel p WHERE p.parcel_id = newest.parcel_id AND p.version_id = ANY(%s))
"""  # noqa: S608 - a constant


def registered_problems(held: Reading) -> list[dict[str, Any]]:
    """Return the problems in force, by parcel, question and clause: with question_title, clause_title and town_name (None: unknown)."""
    with held.connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            _PROBLEMS, [PROBLEM.register, list(NOT_IN_FORCE), held.basis.parcels]
        ).fetchall()
    rows.sort(key=lambda row: (row["parcel_id"], row["question"], row["clause"]))
    titles = {question.name: question.title for question in held.basis.pack.question}
    titles[PROMISE_QUESTION] = PROMISE_TITLE
    names = town_names(held.connection, held.versions("town"))
    towns = _town_codes(held, [row["parcel_id"] for row in rows])
    return [
        row
        | {
            "question_title": titles.get(row["question"]),
            "clause_title": row["clause"],
            "town_name": None if town is None else names.get(town),
        }
        for row, town in zip(rows, towns, strict=True)
    ]


def _town_codes(held: Reading, parcels: list[str]) -> list[str | None]:
    """Return the town of each parcel; a clerk sees no overlaps, which are of the whole district, so of his parcels the code says it."""
    if my_towns(held.connection) is None:
        return town_codes(held.connection, held.basis.measured, parcels)
    rows = held.connection.execute(
        "SELECT parcel_id, town_code FROM land.current_parcel WHERE parcel_id = ANY(%s)", [parcels]
    )
    known: dict[str, str | None] = dict(rows.fetchall())
    return [known.get(parcel) for parcel in parcels]
