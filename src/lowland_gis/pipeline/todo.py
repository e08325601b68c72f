"""What would settle each unknown, by office."""

from __future__ import annotations

import pandas as pd

from lowland_gis.db.frames import read_frame
from lowland_gis.pipeline.classify import measure_run_of, pack_of, run_number
from lowland_gis.pipeline.determine import problems
from lowland_gis.pipeline.project import Project
from lowland_gis.pipeline.runs import run_inputs

M2_PER_HA = 10_000.0
COLUMNS = ["office", "needed", "clause", "question", "parcel_id", "town_code", "area_ha"]


def todo_list(project: Project, run: str, office: str | None = None) -> pd.DataFrame:
    """Return every unknown that an open answer of a run hangs on: office, needed, clause, question, parcel_id, town_code, area_ha.

    Raises:
        UsageError: there is no such run.
    """
    with project.transaction(dry_run=True) as connection:
        run_id = run_number(connection, run)
        pack = pack_of(connection, run_id)
        versions = run_inputs(connection, measure_run_of(connection, run_id), "measure")["parcel_versions"]
        verdicts = read_frame(
            connection,
            "SELECT v.parcel_id, v.question, v.answer, v.settled, v.rule, v.trace, p.town_code, p.area_m2"
            " FROM result.verdict v JOIN land.parcel p ON p.parcel_id = v.parcel_id AND p.version_id = ANY(%s)"
            " WHERE v.run_id = %s AND NOT v.settled ORDER BY v.question, v.parcel_id",
            [versions, run_id],
        )
    areas = verdicts[["parcel_id", "area_m2"]].drop_duplicates()
    rows = problems(verdicts, pack).merge(areas, on="parcel_id")
    titles = {question.name: question.title for question in pack.question}
    rows = rows.assign(question=rows["question"].map(titles), area_ha=rows["area_m2"] / M2_PER_HA)
    if office is not None:
        rows = rows[rows["office"].str.contains(office, regex=False)]
    return rows.sort_values(["office", "needed", "question", "parcel_id"], ignore_index=True)[COLUMNS]


def by_office(rows: pd.DataFrame) -> pd.DataFrame:
    """Return office, needed, clause, questions, parcels and hectares: the paper that settles most first, office by office."""
    groups = rows.groupby(["office", "needed", "clause"])
    each = rows.drop_duplicates(["office", "needed", "clause", "parcel_id"]).groupby(
        ["office", "needed", "clause"]
    )
    found = each.agg(parcels=("parcel_id", "count"), hectares=("area_ha", "sum")).reset_index()
    questions = (
        groups["question"].agg(lambda names: "、".join(dict.fromkeys(names))).reset_index(name="questions")
    )
    joined = found.merge(questions, on=["office", "needed", "clause"])
    return joined.sort_values(
        ["office", "parcels", "clause"], ascending=[True, False, True], ignore_index=True
    )[["office", "needed", "clause", "questions", "parcels", "hectares"]]
