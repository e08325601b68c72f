"""What would settle each unknown, by office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.registry.determine import problems
from lowland_gis.pipeline.verdicts.verdicts import unsettled_verdicts
from lowland_gis.quantities import M2_PER_HA

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["office", "needed", "clause", "question", "parcel_id", "town_code", "area_ha"]


def todo_list(held: Reading, office: str | None = None) -> pd.DataFrame:
    """Return every unknown that an open answer hangs on: office, needed, clause, question, parcel_id, town_code, area_ha."""
    pack, verdicts = held.basis.pack, unsettled_verdicts(held.connection, held.basis)
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
