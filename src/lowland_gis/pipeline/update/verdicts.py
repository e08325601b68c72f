"""Parcels that are of another kind by now: whether the data or the rules made it, and which measure or limit tipped the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.rules.changes import reasons
from lowland_gis.analysis.rules.decide import Verdicts, decide
from lowland_gis.analysis.rules.pack import AnyClause, Clause, RulePack
from lowland_gis.analysis.update.causes import field_cause
from lowland_gis.analysis.update.tipped import Answered, Tipped, tipped
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.update import UpdateDefinition
from lowland_gis.pipeline.base.basis import Basis
from lowland_gis.pipeline.evidence.facts import evidence_facts
from lowland_gis.pipeline.update.fields import Differences

Objects = npt.NDArray[np.object_]

DATA, RULE = "data", "rule"
_OTHER = "other_layer"
_DAYS_OF_YEAR, _MONTHS = 365.25, 12
# So near must the growth of a value be to the time between both days, in years.
_NEAR_YEARS = 0.03
_TIMES = {"year": 1, "month": _MONTHS}

_CHANGED = """
    SELECT held.parcel_id, now.parcel_id, held.question, held.answer, now.answer, held.rule, now.rule, held.trace, now.trace
    FROM result.verdict held {1}
    JOIN result.verdict now ON now.question = held.question AND now.parcel_id = {0}
    WHERE held.run_id = %s AND now.run_id = %s AND held.answer <> now.answer ORDER BY held.question, held.parcel_id
"""
_PAIR = "JOIN unnest(%s::text[], %s::text[]) AS pair (one, other) ON pair.one = held.parcel_id"
_EVIDENCE = (
    "SELECT run_id, parcel_id, measure, value FROM result.evidence WHERE run_id = ANY(%s) AND parcel_id = ANY(%s)"
    " AND measure = ANY(%s)"
)
_FIRMS = "SELECT parcel_id, array_agg(DISTINCT attributes->>'TYSHXYDM') FROM land.enterprise WHERE version_id = ANY(%s) AND parcel_id = ANY(%s) GROUP BY 1"


@dataclass(frozen=True)
class Reclassified:
    """One parcel with another answer to a question; `tipped` is a list of mappings, as the evidence keeps it."""

    old: str
    new: str
    question: str
    before: str
    after: str
    basis: str
    cause: str
    tipped: list[dict[str, Any]]


def reclassified(
    connection: Connection,
    states: tuple[Basis, Basis],
    definition: UpdateDefinition,
    renumbered: Mapping[str, str],
    fields: Mapping[tuple[str, str], Differences],
) -> list[Reclassified]:
    """Return the parcels of both states with another answer; `renumbered` gives the new code of those that have another number.

    `fields` are the fields of parcels that differ.
    """
    before, after = states
    rows = _changed(connection, before.run_id, after.run_id, renumbered)
    if not rows:
        return []
    whys = _why(connection, before, after, rows)
    clauses = [_tipped(before.pack, after.pack, row) for row in rows]
    beside = [name for entry in definition.measure_cause for name in entry.fields]
    values = _Values(connection, before, after, rows, clauses, beside)
    firms = _firms(connection, before, rows, "one"), _firms(connection, after, rows, "other")
    causes = _Causes(before, after, definition, values, firms, fields)
    return [
        Reclassified(
            row["one"], row["other"], row["question"], row["before"], row["after"], why,
            causes.of(row, why, found), [values.said(row, one) for one in found],
        )
        for row, why, found in zip(rows, whys, clauses, strict=True)
    ]  # fmt: skip


def _changed(
    connection: Connection, before: int, after: int, renumbered: Mapping[str, str]
) -> list[dict[str, Any]]:
    columns = (
        "one",
        "other",
        "question",
        "before",
        "after",
        "rule_before",
        "rule_after",
        "trace_before",
        "trace_after",
    )
    rows = connection.execute(_CHANGED.format("held.parcel_id", ""), [before, after]).fetchall()
    if renumbered:
        rows += connection.execute(
            _CHANGED.format("pair.other", _PAIR),
            [list(renumbered), list(renumbered.values()), before, after],
        ).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _why(connection: Connection, before: Basis, after: Basis, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of each whether the data or the rule made it: old rules on the new evidence, and new rules on the old."""
    if before.measured.run_id == after.measured.run_id:
        return [RULE] * len(rows)
    if before.pack == after.pack:
        return [DATA] * len(rows)
    changed = pd.DataFrame(list(rows)).rename(columns={"other": "parcel_id"})
    new_data = _crossed(connection, before, after, {row["other"] for row in rows})
    new_rule = _crossed(connection, after, before, {row["one"] for row in rows})
    names = {row["one"]: row["other"] for row in rows if row["one"] != row["other"]}
    new_rule["parcel_id"] = new_rule["parcel_id"].map(lambda code: names.get(code, code))
    key = ["question", "parcel_id"]
    return [str(why) for why in reasons(changed[[*key, "before", "after"]], new_data, new_rule)]


def _crossed(connection: Connection, law: Basis, data: Basis, asked: set[str]) -> pd.DataFrame:
    """Return the answers of the law of one state, as it stood on its day, on the data of the other: question, parcel_id and answer.

    All parcels are judged, since a rank is one among all; only the answers of those that are asked for come back.
    """
    facts = evidence_facts(connection, data.measured, law.pack)
    decision = decide(law.pack, replace(facts, day=law.pack.day(law.as_of)))
    wanted = np.fromiter((code in asked for code in facts.parcels.tolist()), bool, len(facts))
    return pd.concat([_answers(found, facts.parcels, wanted) for found in decision.verdicts.values()])


def _answers(found: Verdicts, parcels: Objects, wanted: npt.NDArray[np.bool_]) -> pd.DataFrame:
    chosen = np.flatnonzero(wanted[found.rows])
    answers = np.array(found.answers, dtype=object)
    codes = parcels[found.rows[chosen]]
    return pd.DataFrame(
        {"question": found.question.name, "parcel_id": codes, "answer": answers[found.answer[chosen]]}
    )


def _tipped(before: RulePack, after: RulePack, row: Mapping[str, Any]) -> list[Tipped]:
    return tipped(
        Answered(before.question_named(row["question"]), row["rule_before"], row["trace_before"]),
        Answered(after.question_named(row["question"]), row["rule_after"], row["trace_after"]),
    )


class _Values:
    """The values of the measures of clauses, before and after."""

    def __init__(
        self,
        connection: Connection,
        before: Basis,
        after: Basis,
        rows: Sequence[Mapping[str, Any]],
        clauses: Sequence[Sequence[Tipped]],
        beside: Iterable[str],
    ) -> None:
        self.before, self.after = before, after
        own = {name for each in clauses for clause in each for name in clause.measures} | set(beside)
        behind = {
            name for pack in (before.pack, after.pack) for name in own for name in pack.behind.get(name, ())
        }
        codes = sorted({row[side] for row in rows for side in ("one", "other")})
        runs = [each.run_id for basis in (before, after) for each in (basis.measured, basis.classified)]
        found = connection.execute(_EVIDENCE, [sorted(set(runs)), codes, sorted(own | behind)]).fetchall()
        self._found = {(run, code, measure): float(value) for run, code, measure, value in found}

    def of(self, row: Mapping[str, Any], measure: str) -> tuple[float | None, float | None]:
        return self._one(self.before, row["one"], measure), self._one(self.after, row["other"], measure)

    def _one(self, basis: Basis, code: str, measure: str) -> float | None:
        runs = (basis.measured.run_id, basis.classified.run_id)
        return next(
            (self._found[run, code, measure] for run in runs if (run, code, measure) in self._found), None
        )

    def is_rank(self, measure: str) -> bool:
        """Return whether a measure says where a parcel stands among all."""
        return any(rank.name == measure for pack in (self.before.pack, self.after.pack) for rank in pack.rank)

    def behind(self, measure: str) -> tuple[str, ...]:
        """Return what a measure is computed from, where the pack computes it; else itself."""
        return self.after.pack.behind.get(measure) or self.before.pack.behind.get(measure) or (measure,)

    def said(self, row: Mapping[str, Any], clause: Tipped) -> dict[str, Any]:
        """Return what the evidence keeps of a clause: title, outcome, and each measure and limit from what to what."""
        measures = {name: list(self.of(row, name)) for name in clause.measures}
        limits = [_limit(basis, one) for basis, one in ((self.before, clause.was), (self.after, clause.now))]
        return {
            "rule": clause.part, "clause": clause.title, "outcome": [clause.before, clause.after],
            **({"measures": measures} if measures else {}),
            **({"limit": limits} if limits[0] != limits[1] or limits[0] is not None else {}),
        }  # fmt: skip


def _limit(basis: Basis, clause: AnyClause | None) -> float | str | None:
    if not isinstance(clause, Clause):
        return None
    try:
        return basis.pack.limit(clause, day=basis.pack.day(basis.as_of))
    except KeyError:
        # Law that differs from place to place.
        return str(clause.limit)


def _firms(
    connection: Connection, basis: Basis, rows: Iterable[Mapping[str, Any]], side: str
) -> dict[str, set[str]]:
    versions = [version.version_id for version in basis.versions.get("enterprise", [])]
    found = connection.execute(_FIRMS, [versions, [row[side] for row in rows]]).fetchall()
    return {code: set(filter(None, firms)) for code, firms in found}


class _Causes:
    """What made another verdict."""

    def __init__(
        self,
        before: Basis,
        after: Basis,
        definition: UpdateDefinition,
        values: _Values,
        firms: tuple[dict[str, set[str]], dict[str, set[str]]],
        fields: Mapping[tuple[str, str], Differences],
    ) -> None:
        self.before, self.after, self.definition, self.values, self.firms, self.fields = (
            before, after, definition, values, firms, fields,
        )  # fmt: skip
        self.years = (after.as_of - before.as_of).days / _DAYS_OF_YEAR

    def of(self, row: Mapping[str, Any], why: str, clauses: Sequence[Tipped]) -> str:
        if why == RULE:
            return "rule_changed"
        measures = [name for clause in clauses for own in clause.measures for name in self.values.behind(own)]
        changed = [(name, *self.values.of(row, name)) for name in dict.fromkeys(measures)]
        changed = [(name, old, new) for name, old, new in changed if old != new]
        if not changed and any(self.values.is_rank(own) for clause in clauses for own in clause.measures):
            return "others_ranked"
        found = [self._measure(row, name, old, new) for name, old, new in changed]
        # What people did says more than that time went by.
        return next((cause for cause in found if cause != "time_passed"), next(iter(found), _OTHER))

    def _measure(self, row: Mapping[str, Any], name: str, old: float | None, new: float | None) -> str:
        definition = self.after.measures.get(name) or self.before.measures.get(name)
        if definition is None:
            return _OTHER
        if definition.kind == "paper":
            return "paper"
        if self._by_time(definition.unit, old, new):
            return "time_passed"
        layers = [*definition.needs, *definition.may_use]
        found = [
            self._of_fields(row, layers),
            self._of_firms(row, layers),
            self._said(row, layers),
            self._of_layers(layers, old, new),
        ]
        return next(filter(None, found), _OTHER)

    def _said(self, row: Mapping[str, Any], layers: Sequence[str]) -> str | None:
        """Return what a measure says by itself that comes from the same layer first of all, such as that a firm has stopped."""
        for entry in self.definition.measure_cause:
            for name in entry.fields:
                definition = self.after.measures.get(name)
                old, new = self.values.of(row, name)
                if definition is not None and layers[:1] == list(definition.needs[:1]) and old != new:
                    return field_cause({name: (old, new)}, [entry], "") or None
        return None

    def _of_fields(self, row: Mapping[str, Any], layers: Sequence[str]) -> str | None:
        differences = self.fields.get((row["one"], row["other"]))
        if "parcel" not in layers or differences is None:
            return None
        return field_cause(differences, self.definition.field_cause, "use_changed")

    def _of_firms(self, row: Mapping[str, Any], layers: Sequence[str]) -> str | None:
        before, after = self.firms[0].get(row["one"], set()), self.firms[1].get(row["other"], set())
        if "enterprise" not in layers or before == after:
            return None
        return "firm_new" if after - before else "firm_closed"

    def _of_layers(self, layers: Sequence[str], old: float | None, new: float | None) -> str | None:
        if not any(self._delivered_anew(layer) for layer in layers):
            # The same layers under another outline.
            return "resurvey"
        named = (
            self.definition.layer_cause[layer] for layer in layers if layer in self.definition.layer_cause
        )
        return self._building(layers, old, new) or next(named, None)

    def _building(self, layers: Sequence[str], old: float | None, new: float | None) -> str | None:
        if layers[:1] != ["building"] or old is None or new is None:
            return None
        return "new_construction" if new > old else "demolished"

    def _by_time(self, unit: str, old: float | None, new: float | None) -> bool:
        times = _TIMES.get(unit)
        if times is None or new is None:
            return False
        # What only began to count since has grown by no more than the time between.
        grown = new - (old or 0.0)
        if old is None or old == 0:
            return times == 1 and 0 < grown <= self.years + _NEAR_YEARS
        return abs(grown / times - self.years) <= _NEAR_YEARS

    def _delivered_anew(self, layer: str) -> bool:
        def of(basis: Basis) -> list[str]:
            return sorted(version.digest for version in basis.versions.get(layer, []))

        return of(self.before) != of(self.after)
