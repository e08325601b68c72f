"""Which parcels changed their answer between two runs, and whether the data, the rule or both made them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lowland_gis.analysis.rules.amend import limits_of, pack_differences
from lowland_gis.analysis.rules.changes import changed_answers, reasons
from lowland_gis.analysis.rules.decide import Facts
from lowland_gis.analysis.rules.pack import OPEN, Clause, RulePack
from lowland_gis.pipeline.base.basis import basis_of
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.verdicts.classify import decided
from lowland_gis.pipeline.verdicts.verdicts import answers
from lowland_gis.pipeline.verdicts.what_if import titled, with_areas

COLUMNS = ["question", "parcel_id", "before", "after", "why", "what", "area_ha"]


def compare(held: Reading, earlier: str) -> pd.DataFrame:
    """Return the parcels whose answer changed from an earlier classification (a number, or latest) to the one that is held.

    Columns: question, parcel_id, before, after (titles), why (data, rule or both), what (which values and limits changed), area_ha.

    Raises:
        UsageError: there is no such run.
    """
    connection = held.connection
    bases = basis_of(connection, earlier), held.basis
    packs = [basis.pack for basis in bases]
    changed = changed_answers(*(answers(connection, basis) for basis in bases))
    if changed.empty:
        return pd.DataFrame(columns=COLUMNS)
    crossed = [
        decided(connection, packs[0], bases[1].measured), decided(connection, packs[1], bases[0].measured)
    ]  # fmt: skip
    same_evidence = bases[0].measured.run_id == bases[1].measured.run_id
    if same_evidence or packs[0] == packs[1]:
        why = pd.Series("rule" if same_evidence else "data", index=changed.index, dtype=object)
    else:
        why = reasons(changed, crossed[0].frame(), crossed[1].frame())
    what = _what(changed, packs, (crossed[1].facts, crossed[0].facts))
    rows = with_areas(connection, changed.assign(why=why, what=what), held.basis)
    return titled(rows, held.project.legend.answers[OPEN].title, packs[1], packs[0])[COLUMNS]


def _what(changed: pd.DataFrame, packs: list[RulePack], facts: tuple[Facts, Facts]) -> pd.Series[Any]:
    """Say for each changed answer which values and which limits of its question changed."""
    texts = pd.Series("", index=changed.index, dtype=object)
    differences = list(pack_differences(*packs))
    for name, rows in changed.groupby("question"):
        own = "; ".join(_rule_changes(differences, packs, str(name)))
        texts[rows.index] = _value_changes(rows["parcel_id"], packs, str(name), facts) + ([own] * len(rows))
    return texts.str.strip("; ")


def _rule_changes(
    differences: list[tuple[str | None, str]], packs: list[RulePack], question: str
) -> list[str]:
    used = limits_of(packs[0], question) | limits_of(packs[1], question)
    return [
        words
        for where, words in differences
        if where == question or (where is None and words.split(" ")[0] in used)
    ]


def _value_changes(
    parcels: pd.Series[Any], packs: list[RulePack], question: str, facts: tuple[Facts, Facts]
) -> Any:
    texts = np.full(len(parcels), "", dtype=object)
    for measure in _measures(packs, question):
        old, new = (_values(one, measure, parcels) for one in facts)
        differs = ~((old == new) | (np.isnan(old) & np.isnan(new)))
        for place in np.flatnonzero(differs).tolist():
            texts[place] += f"{measure} {_number(old[place])} → {_number(new[place])}; "
    return texts


def _measures(packs: list[RulePack], question: str) -> list[str]:
    asked = [item for pack in packs for item in pack.question if item.name == question]
    clauses = [clause for item in asked for part in item.parts for clause in part.all]
    names = [clause.measure for clause in clauses if isinstance(clause, Clause)]
    behind = {name: measures for pack in packs for name, measures in pack.behind.items()}
    return list(dict.fromkeys(measure for name in names for measure in behind.get(name, (name,))))


def _values(facts: Facts, measure: str, parcels: pd.Series[Any]) -> Any:
    values = facts.measured.get(measure)
    if values is None:
        return np.full(len(parcels), np.nan)
    return pd.Series(values, index=facts.parcels).reindex(parcels.to_numpy()).to_numpy()


def _number(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.6g}"
