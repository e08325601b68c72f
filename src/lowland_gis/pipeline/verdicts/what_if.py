"""What would change under other limits: decided on the newest evidence, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lowland_gis.analysis.rules.amend import Change, amended
from lowland_gis.analysis.rules.changes import NOT_ASKED, changed_answers
from lowland_gis.analysis.rules.pack import OPEN, RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.verdicts.classify import decided
from lowland_gis.quantities import M2_PER_HA


def flips(held: Reading, changes: Sequence[str]) -> pd.DataFrame:
    """Return the parcels whose answer would change: question, before, after (titles), parcel_id, area_ha.

    Each change is `[RULE.]PARAM=VALUE`.

    Raises:
        UsageError: a change makes no sense; the nearest names are given.
        DefinitionError: the rule pack of the project has faults.
    """
    project, connection = held.project, held.connection
    pack = rule_pack(project.settings.classify.pack, project.settings.folder, project.settings.project.as_of)
    other = pack
    for text in changes:
        try:
            other = amended(other, parsed_change(text))
        except KeyError as error:
            raise UsageError(
                f"--set {text}: {error.args[0]}. All of them: lowland rules show {pack.name}"
            ) from error
    before, after = (decided(connection, one, held.basis.measured).frame() for one in (pack, other))
    areas = with_areas(connection, changed_answers(before, after), held.basis)
    changed = titled(areas, project.legend.answers[OPEN].title, pack)
    return changed[["question", "before", "after", "parcel_id", "town_code", "area_ha"]]


def parsed_change(text: str) -> Change:
    """Return the change behind `[RULE.]PARAM=VALUE`.

    Raises:
        UsageError: it is not of that form.
    """
    name, equal, value = text.partition("=")
    rule, _, parameter = name.strip().rpartition(".")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not equal or not parameter or number != number:  # noqa: PLR0124 - NaN
        raise UsageError(
            f"--set {text}: that is no change. Write PARAM=VALUE or RULE.PARAM=VALUE, for example tax_min=8"
        )
    return Change(parameter, number, rule or None)


def with_areas(connection: Connection, changed: pd.DataFrame, basis: Basis) -> pd.DataFrame:
    """Add area_ha and town_code of the parcels that a classification read."""
    parcels = read_frame(
        connection,
        "SELECT parcel_id, area_m2 FROM land.parcel WHERE version_id = ANY(%s)",
        [basis.parcels],
    )
    joined = changed.merge(parcels, on="parcel_id", how="left")
    joined["town_code"] = town_codes(connection, basis.measured, joined["parcel_id"].tolist())
    return joined.assign(area_ha=joined["area_m2"] / M2_PER_HA).drop(columns="area_m2")


def titled(changed: pd.DataFrame, open_title: str, *packs: RulePack) -> pd.DataFrame:
    """Return changed answers in the words of the packs (the first that knows one), in the order of their questions."""
    questions = [question for pack in packs for question in pack.question]
    order = {name: place for place, name in enumerate(dict.fromkeys(question.name for question in questions))}
    rows = changed.assign(order=changed["question"].map(order)).sort_values(
        ["order", "before", "after", "parcel_id"], ignore_index=True
    )
    titles = {
        (question.name, answer): title
        for question in reversed(questions)
        for answer, title in {**question.answers, OPEN: open_title, NOT_ASKED: "未问及"}.items()
    }
    for column in ("before", "after"):
        pairs = zip(rows["question"], rows[column], strict=True)
        rows[column] = [titles.get(pair, pair[1]) for pair in pairs]
    names = {question.name: question.title for question in reversed(questions)}
    return rows.assign(question=rows["question"].map(names)).drop(columns="order")


def summed(flipped: pd.DataFrame) -> pd.DataFrame:
    """Return question, before, after, parcels and hectares."""
    groups = flipped.groupby(["question", "before", "after"], sort=False)
    found = groups.agg(parcels=("parcel_id", "count"), hectares=("area_ha", "sum")).reset_index()
    return found.astype({"parcels": int, "hectares": float})
