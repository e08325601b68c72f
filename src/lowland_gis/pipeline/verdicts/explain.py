"""Explain a verdict from the record of its run: every clause with value, limit, source, date and article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lowland_gis.analysis.rules import trace
from lowland_gis.analysis.rules.decide import Facts
from lowland_gis.analysis.rules.limits import limit_of, other_limits
from lowland_gis.analysis.rules.pack import (
    OPEN,
    AnyClause,
    Clause,
    Clauses,
    Exemption,
    Parameter,
    Question,
)
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.absent import absent_fields
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.papers import SAID
from lowland_gis.pipeline.base.towns import CLAIM_MIN
from lowland_gis.pipeline.evidence.facts import Where, measured_units, places_of
from lowland_gis.pipeline.evidence.stored import Known, read_parcel
from lowland_gis.pipeline.intake.reading import Reading

_TOWN_SHARE, _OPEN = "town_share", "u"
OUTCOMES = {"t": "true", "f": "false", "u": "unknown"}


@dataclass(frozen=True)
class ClauseLine:
    """One clause of an explanation: what was asked, what was measured, and where both come from."""

    title: str
    outcome: str
    condition: str
    measure: str
    measure_title: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    op: str
    limit: float | None
    answer: str | None
    source: str | None
    detail: str | None
    notes: tuple[str, ...]
    paper: str | None
    document: str | None
    in_force: dt.date | None
    example: bool
    needed: str | None
    office: str | None
    lacking: str | None = None


@dataclass(frozen=True)
class RuleLine:
    """One rule or exception of an explanation with its clauses."""

    rule: str
    title: str
    answer: str | None
    answer_title: str | None
    article: str
    outcome: str
    unless: tuple[str, ...]
    clauses: tuple[ClauseLine, ...]


@dataclass(frozen=True)
class Estimated:
    """A score, rank or estimate of the pack for the parcel."""

    name: str
    title: str
    value: float
    unit: str
    document: str


@dataclass(frozen=True)
class QuestionLine:
    """The verdict on one question, with everything that it rests on."""

    question: str
    title: str
    answer: str
    answer_title: str
    settled: bool
    rule: str | None
    candidate_title: str | None
    rules: tuple[RuleLine, ...]


@dataclass(frozen=True)
class Explanation:
    """The verdicts on one parcel, what the parcel is, and the run, the pack and the day that they are of.

    `engine` is what computed the overlaps that measures rest on.
    """

    parcel_id: str
    location: str | None
    town: str | None
    ownership: str | None
    area_m2: float
    run_id: int
    run_at: dt.datetime
    as_of: dt.date
    pack: str
    pack_title: str
    pack_document: str
    example: bool
    questions: tuple[QuestionLine, ...]
    derived: tuple[Estimated, ...]
    town_code: str | None = None
    town_from: str = ""
    engine: str | None = None


def explain(held: Reading, parcel_id: str) -> Explanation:
    """Return the explanation of every question that was asked of a parcel, from the record of a run.

    Raises:
        UsageError: there is no such parcel in the run; the message says what the run is out of date by.
    """
    record = _Record(held, parcel_id)
    verdicts = record.verdicts()
    if not verdicts:
        stale = "" if held.stale is None else f" {held.stale}"
        raise UsageError(
            f"Run {record.run_id} holds no parcel {parcel_id!r}. Check the code (宗地代码 ZDDM); a parcel that was set"
            f" aside at ingest is in land.issue.{stale}"
        )
    return record.explanation(verdicts)


class _Record:
    """What a run recorded of a parcel."""

    def __init__(self, held: Reading, parcel_id: str) -> None:
        self._held, self._basis, self._parcel_id = held, held.basis, parcel_id
        self.run_id = held.basis.run_id
        self._pack, self._measures, self._as_of = held.basis.pack, held.basis.measures, held.basis.as_of
        self._derived = {item.name: item for item in self._pack.derived}
        runs = [held.basis.measured.run_id, self.run_id]
        self._evidence = read_parcel(held.connection, runs, parcel_id)
        self._answers: dict[str, str] = {}

    def verdicts(self) -> dict[str, tuple[Any, ...]]:
        """Return question → answer, settled, rule, candidate, trace."""
        rows = self._held.connection.execute(
            "SELECT question, answer, settled, rule, candidate, trace FROM result.verdict WHERE run_id = %s AND parcel_id = %s",
            [self.run_id, self._parcel_id],
        ).fetchall()
        return {row[0]: row[1:] for row in rows}

    def explanation(self, verdicts: Mapping[str, tuple[Any, ...]]) -> Explanation:
        """Return everything about the parcel."""
        pack, land = self._pack, self._land
        self._answers = {name: row[0] for name, row in verdicts.items()}
        return Explanation(
            self._parcel_id, land["location"], land["town_name"], land["ownership"], land["area_m2"],
            self.run_id, self._basis.classified.started_at, self._as_of,
            pack.name, pack.title, pack.document, pack.example,
            tuple(self._question(item, verdicts[item.name]) for item in pack.question if item.name in verdicts),
            tuple(self._estimates()), land["town"], self._town_from, self._basis.tabulated.engine,
        )  # fmt: skip

    @cached_property
    def _land(self) -> dict[str, Any]:
        connection, basis = self._held.connection, self._basis
        row = connection.execute(
            "SELECT attributes->>'ZL', attributes->>'QSXZ', area_m2 FROM land.parcel"
            " WHERE parcel_id = %s AND version_id = ANY(%s)",
            [self._parcel_id, basis.parcels],
        ).fetchone()
        found = dict(
            zip(
                ("location", "ownership", "area_m2"),
                row or (None, None, float("nan")),
                strict=True,
            )
        )
        zone, town = self._where.zones[0], self._where.towns.town[0]
        names = town_names(connection, self._held.versions("town"))
        return found | {
            "town": town,
            "town_name": names.get(town, town),
            "zone": zone if isinstance(zone, str) else None,
        }

    @cached_property
    def _town_from(self) -> str:
        """Say what the town rests on: where the parcel lies, or only its code."""
        found = self._evidence.get(_TOWN_SHARE)
        if found is not None:
            return f"位于其中 {found.detail}；{_cited(found.source)}"
        if self._land["town"] is None:
            return "宗地代码未载明"
        if CLAIM_MIN not in self._basis.measured.settings:
            return "该次运行的程序按宗地代码前九位定镇街"
        return (
            "不在任何镇街内，按宗地代码"
            if self._basis.versions.get("town")
            else "未交付镇街图层，按宗地代码前九位"
        )

    @cached_property
    def _where(self) -> Where:
        return places_of(self._held.connection, self._basis.measured, self._pack, [self._parcel_id])

    @cached_property
    def _place(self) -> Facts:
        units = measured_units(self._basis.measured)
        one = {key: np.array([self._land[key]], dtype=object) for key in ("town", "zone")}
        return Facts(
            np.array([self._parcel_id], dtype=object), {}, units=units, towns=one["town"], zones=one["zone"],
            elsewhere=self._where.elsewhere, day=self._pack.day(self._as_of),
        )  # fmt: skip

    @cached_property
    def _open(self) -> str:
        return self._held.project.legend.answers[OPEN].title

    def _question(self, question: Question, verdict: tuple[Any, ...]) -> QuestionLine:
        answer, settled, rule, candidate, letters = verdict
        titles = {**question.answers, OPEN: self._open}
        outcomes = trace.split(question, letters)
        lines = tuple(self._part(question, part, outcomes) for part in question.parts)
        return QuestionLine(
            question.name,
            question.title,
            answer,
            titles[answer],
            bool(settled),
            rule,
            titles.get(candidate),
            lines,
        )

    def _part(self, question: Question, part: Clauses, outcomes: dict[str, str]) -> RuleLine:
        answer = None if isinstance(part, Exemption) else part.answer
        clauses = tuple(
            self._clause(clause, letter) for clause, letter in zip(part.all, outcomes[part.name], strict=True)
        )
        whole = OUTCOMES[trace.whole(question, part, outcomes)]
        title = None if answer is None else question.answers[answer]
        return RuleLine(part.name, part.title, answer, title, part.article, whole, part.unless, clauses)

    def _clause(self, clause: AnyClause, letter: str) -> ClauseLine:
        if not isinstance(clause, Clause):
            return self._answer_clause(clause, letter)
        found, paper = self._evidence.get(clause.measure), self._evidence.get(SAID + clause.condition)
        definition, derived = self._measures.get(clause.measure), self._derived.get(clause.measure)
        title = definition.title if definition else derived.title if derived else clause.measure
        unit = definition.unit if definition else derived.unit if derived else ""
        limit = float(np.ravel(limit_of(self._pack, clause, self._place))[0])
        entry, notes = self._entry(clause), self._notes(definition, found)
        others = {float(np.ravel(other)[0]) for other in other_limits(self._pack, clause, self._place)} - {
            limit
        }
        if others and letter == _OPEN:
            other = "、".join(f"{value:g}" for value in sorted(others))
            notes = (
                *notes,
                f"限值因镇街或规划分区而异（本处 {limit:g}，他处 {other}），宗地所在未定，须核实",
            )
        return ClauseLine(
            clause.title, OUTCOMES[letter], clause.condition, clause.measure, title,
            found.value if found else None, found.low if found else None, found.high if found else None,
            unit, clause.op, None if np.isnan(limit) else limit, None,
            _cited(found.source) if found else None, found.detail if found else None, notes,
            paper.source if paper else None,
            entry.document if entry else None, entry.in_force if entry else None, bool(entry and entry.example),
            clause.needed, clause.office, None if found else self._lacking(definition),
        )  # fmt: skip

    def _lacking(self, definition: define.AnyMeasure | None) -> str | None:
        """Say which layer or field that a measure cannot do without was not delivered; None where none is missing."""
        if definition is None:
            return None
        layers = [layer_definition(key) for key in definition.needs if key not in self._basis.versions]
        if layers:
            return f"未交付：{'、'.join(f'{layer.title} {layer.key}' for layer in layers)}"
        fields = [f"{layer}.{field}" for layer, field in definition.fields if self._absent(layer, field)]
        return f"来件无此字段：{'、'.join(fields)}" if fields else None

    def _absent(self, layer: str, field: str) -> bool:
        versions = self._basis.versions.get(layer, [])
        absent = absent_fields(self._held.connection, versions)
        return any(field in absent.get(version.version_id, ()) for version in versions)

    def _answer_clause(self, clause: Any, letter: str) -> ClauseLine:
        question = self._pack.question_named(clause.question)
        answer = self._answers.get(question.name)
        titles = {**question.answers, OPEN: self._open}
        return ClauseLine(
            clause.title, OUTCOMES[letter], clause.condition, "", question.title, None, None, None, "", "", None,
            titles[answer] if answer else "未问及", None, None, (), None, None, None, example=False, needed=None, office=None,
        )  # fmt: skip

    def _entry(self, clause: Clause) -> Parameter | None:
        if not isinstance(clause.limit, str):
            return None
        try:
            return self._pack.entry(
                clause.limit,
                town=self._land["town"],
                zone=self._land["zone"],
                day=self._pack.day(self._as_of),
            )
        except KeyError:
            return None

    def _notes(self, definition: define.AnyMeasure | None, found: Known | None) -> tuple[str, ...]:
        """Return the pair of classes in both surveys, what they are easily taken for, and how far the boundaries may be off."""
        if not isinstance(definition, define.OverlapMeasure) or found is None or not found.detail:
            return ()
        codes = [_code(label) for label in found.detail.split("、")]
        notes = [self._class_pair] if self._class_pair else []
        notes += [definition.traps[code] for code in codes if code in definition.traps]
        if definition.drift is not None:
            notes.append(f"边界容差 ±{definition.drift.tolerance_m:g} m〔{definition.drift.document}〕")
        return tuple(notes)

    @cached_property
    def _class_pair(self) -> str:
        """Return the main class of the parcel in each survey that names its classes."""
        named = [
            self._evidence[name].detail
            for name, definition in self._measures.items()
            if isinstance(definition, define.OverlapMeasure) and definition.classes and name in self._evidence
        ]
        main = [detail.split("、")[0].rpartition(" ")[0] for detail in named if detail]
        return f"地类对：{' → '.join(main)}" if len(main) > 1 else ""

    def _estimates(self) -> Iterator[Estimated]:
        for item in self._pack.derived:
            found = self._evidence.get(item.name)
            if found is not None:
                yield Estimated(item.name, item.title, found.value, item.unit, item.document)


def _code(label: str) -> str:
    """Return the class code before its name and share.

    >>> _code("203村庄 90%"), _code("05H1商业服务业设施用地 3%")
    ('203', '05H1')
    """
    plain = [place for place, sign in enumerate(label) if not (sign.isascii() and sign.isalnum())]
    return label[: plain[0]] if plain else label


def _cited(source: str) -> str:
    """Return the sources of evidence with the titles of their layers for their keys; deliveries of one layer and day together."""
    parts: dict[str, list[str]] = {}
    for part in source.split("; "):
        key, _, rest = part.partition(" ")
        known = key in layer_keys()
        day, _, version = rest.rpartition(" ")
        label = f"{layer_definition(key).title} {day}".strip() if known else part
        parts.setdefault(label, []).extend([version] if known else [])
    return "；".join(f"{label} {'、'.join(versions)}".strip() for label, versions in parts.items())
