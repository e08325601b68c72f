"""What is wrong with a rule pack, all of it at once: its form, its names, its units, its dates, its circles, its examples."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lowland_gis.analysis.rules.examples import run_examples
from lowland_gis.analysis.rules.exceptions import Table, circles, tables_of, text_of, unless_of
from lowland_gis.analysis.rules.faults import Fault, doubles, place
from lowland_gis.analysis.rules.model_faults import Loc, model_faults
from lowland_gis.analysis.rules.pack import KIND, OPEN, RulePack
from lowland_gis.analysis.rules.pack_limits import size_faults
from lowland_gis.analysis.rules.question_faults import (
    answer_faults,
    answers_of,
    example_given_faults,
    meaning_faults,
    only_faults,
    policy_faults,
)
from lowland_gis.quantities import UNITS, comparable, product, same_dimension

ADAPTER = TypeAdapter(RulePack)
TRUTH = "yes/no"
# More are no help to anybody, and each is held against all names.
MAX_FAULTS = 200


def pack_faults(content: Table, measures: Mapping[str, str], as_of: dt.date | None = None) -> list[Fault]:
    """Return every fault of a pack as it was parsed, in the order of the file.

    `measures` has the unit of every measure that there is. With `as_of`, parameters that are not in force on that day (or on the
    day the pack came into force, if that is later) are faults too. Examples are left to `example_faults`.
    """
    found = list(size_faults(content))
    if found:
        return found
    names = _Names(content, measures, as_of)
    for fault in chain(form_faults(content), names.faults()):
        # A fault that two looks find is one.
        if fault not in found:
            found.append(fault)
        if len(found) == MAX_FAULTS:
            return [*found, Fault("", "file", None, "there are more faults, which were not looked for")]
    return found


def form_faults(content: Table) -> list[Fault]:
    """Return what does not fit the form of a pack: keys that there are not, missing ones, values of another kind."""
    try:
        ADAPTER.validate_python(content)
    except ValidationError as error:
        return model_faults(error, RulePack, lambda loc: _placed(content, loc))
    return []


def _placed(content: Table, loc: Loc) -> tuple[str, str]:
    """Return where a key stands, by the names of questions, rules and parameters, and the key."""
    where, key = "", ""
    item: Any = content
    for step in loc:
        if isinstance(step, int):
            item = item[step]
            if isinstance(item, dict):
                where, key = place(where, key, item, step + 1), ""
            else:
                key = f"{key}[{step + 1}]"
        else:
            key = f"{key}.{step}" if key else step
            item = item.get(step) if isinstance(item, dict) else None
            if not where and key == step and isinstance(item, dict) and len(loc) > 1:
                # A table on its own, such as [policy], is a place by its name.
                where, key = step, ""
    return where, key or "file"


def example_faults(pack: RulePack, measures: Mapping[str, str], day: dt.date) -> list[Fault]:
    """Return the examples that do not hold, of a pack that has no other fault."""
    return [
        Fault(f"question {ran.question}, rule {ran.rule}, example {ran.number}", "gives", ran.example.gives,
              f"the rule gives {ran.found}, not {ran.example.gives}")
        for ran in run_examples(pack, measures, day)
        if not ran.holds
    ]  # fmt: skip


class _Names:
    """The names that a pack uses and defines, and the faults between them."""

    def __init__(self, content: Table, measures: Mapping[str, str], as_of: dt.date | None) -> None:
        self.content = content
        in_force = content.get("in_force")
        started = (
            in_force if isinstance(in_force, dt.date) and not isinstance(in_force, dt.datetime) else None
        )
        self.day = None if as_of is None else max(as_of, started or as_of)
        self.parameters: dict[str, list[Table]] = {}
        for _, table in tables_of(content, "parameter"):
            self.parameters.setdefault(text_of(table, "name"), []).append(table)
        self.units = dict(measures)
        self.given = set(measures)
        for key, unit in (("score", "point"), ("rank", "share"), ("estimate", None)):
            for _, table in tables_of(content, key):
                self.units[text_of(table, "name")] = unit or text_of(table, "unit")

    def faults(self) -> Iterator[Fault]:
        yield from self._parameter_faults()
        yield from self._derived_faults()
        earlier: dict[str, tuple[str, ...]] = {}
        names = [text_of(table, "name") for _, table in tables_of(self.content, "question")]
        yield from (Fault(f"question {name}", "name", name, "it is defined twice") for name in doubles(names))
        if KIND not in names:
            yield Fault(
                "",
                "question",
                None,
                f"there is no question named {KIND}, from which the databases are drawn",
                tuple(names),
            )
        for number, question in tables_of(self.content, "question"):
            yield from self._question_faults(question, place("", "question", question, number), earlier)
            earlier[text_of(question, "name")] = answers_of(question)
        yield from policy_faults(self.content.get("policy"), earlier.get(KIND, ()))

    # ------------------------------------------------------------------------------------------- parameters

    def _parameter_faults(self) -> Iterator[Fault]:
        for name, entries in self.parameters.items():
            where = f"parameter {name}"
            places = [(entry.get("town"), entry.get("zone"), str(entry.get("in_force"))) for entry in entries]
            if doubles(places):
                yield Fault(where, "name", name, "it is defined twice for one place and date")
            units = list(dict.fromkeys(text_of(entry, "unit") for entry in entries))
            yield from (
                Fault(where, "unit", unit, "there is no such unit", tuple(UNITS))
                for unit in units
                if unit not in UNITS
            )
            if len(units) > 1:
                yield Fault(
                    where, "unit", units[1], "entries of one parameter differ in their unit", (units[0],)
                )
            if name in self.units:
                yield Fault(where, "name", name, "a measure has this name already")
            for entry in entries:
                yield from _date_faults(where, entry)
                yield from _place_faults(where, entry)

    def _in_force(self, name: str) -> str | None:
        """Say why a parameter does not hold on the day, or nothing."""
        if self.day is None:
            return None
        starts = [
            entry["in_force"] for entry in self.parameters[name] if isinstance(entry.get("in_force"), dt.date)
        ]
        ends = [entry.get("until") for entry in self.parameters[name]]
        if len(starts) < len(self.parameters[name]):
            return None
        if any(
            start <= self.day and (not isinstance(end, dt.date) or self.day < end)
            for start, end in zip(starts, ends, strict=True)
        ):
            return None
        if min(starts) > self.day:
            return f"it is not in force on {self.day}, only from {min(starts)}"
        last = max(end for end in ends if isinstance(end, dt.date))
        return f"it expired on {last}, before {self.day}"

    # ------------------------------------------------------------------------------------------- scores, ranks, estimates

    def _derived_faults(self) -> Iterator[Fault]:
        kinds = ("score", "rank", "estimate")
        tables = [(kind, number, table) for kind in kinds for number, table in tables_of(self.content, kind)]
        for name in doubles(text_of(table, "name") for _, _, table in tables):
            yield Fault("", "name", name, "two scores, ranks or estimates have this name")
        for kind, number, table in tables:
            where = place("", kind, table, number)
            if text_of(table, "name") in self.given:
                yield Fault(where, "name", table.get("name"), "a measure has this name already")
            yield from getattr(self, f"_{kind}_faults")(table, where)

    def _score_faults(self, score: Table, where: str) -> Iterator[Fault]:
        for number, clause in tables_of(score, "among"):
            yield from self._clause_faults(clause, place(where, "among", clause, number), {}, measured=True)
        if not tables_of(score, "term"):
            yield Fault(where, "term", None, "a score needs at least one term")
        for number, term in tables_of(score, "term"):
            here = place(where, "term", term, number)
            yield from self._measure_faults(term, here, measured=True)
            for key in ("weight", "base", "cap"):
                yield from self._parameter_use_faults(term.get(key), here, key)
            unit = self.units.get(text_of(term, "measure"))
            base = self._parameter_unit(term.get("base"))
            if unit in UNITS and base in UNITS and not same_dimension(str(unit), str(base)):
                yield Fault(
                    here,
                    "base",
                    term.get("base"),
                    f"its unit {base} cannot be compared with {unit}",
                    tuple(comparable(str(unit))),
                )

    def _rank_faults(self, rank: Table, where: str) -> Iterator[Fault]:
        scores = tuple(text_of(table, "name") for _, table in tables_of(self.content, "score"))
        if rank.get("of") not in scores:
            yield Fault(where, "of", rank.get("of"), "there is no such score", scores)

    def _estimate_faults(self, estimate: Table, where: str) -> Iterator[Fault]:
        unit = text_of(estimate, "unit")
        if unit not in UNITS:
            yield Fault(where, "unit", unit, "there is no such unit", tuple(UNITS))
        known = (*self.given, *self.parameters)
        questions = {
            text_of(table, "name"): answers_of(table) for _, table in tables_of(self.content, "question")
        }
        yield from only_faults(estimate, where, questions)
        for number, term in tables_of(estimate, "term"):
            here = place(where, "term", term, number)
            listed = term.get("factors")
            factors = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
            strange = [name for name in factors if name not in known]
            yield from (
                Fault(here, "factors", name, "there is no such measure or parameter", known)
                for name in strange
            )
            yield from (
                fault
                for name in factors
                for fault in self._parameter_use_faults(name, here, "factors", known=known)
            )
            units = [self._parameter_unit(name) or self.units.get(name, "") for name in factors]
            if unit in UNITS and all(item in UNITS for item in units) and product(units) != product([unit]):
                yield Fault(
                    here,
                    "factors",
                    " × ".join(factors),
                    f"their units {' × '.join(units)} do not make {unit}",
                )

    # ------------------------------------------------------------------------------------------- questions

    def _question_faults(
        self, question: Table, where: str, earlier: Mapping[str, tuple[str, ...]]
    ) -> Iterator[Fault]:
        answers = answers_of(question)
        parts = [
            (key, number, part) for key in ("rule", "exception") for number, part in tables_of(question, key)
        ]
        if not tables_of(question, "rule"):
            yield Fault(where, "rule", None, "it has no rule")
        if OPEN in answers:
            yield Fault(where, "answers", OPEN, "this answer is kept for questions that cannot be settled")
        if question.get("otherwise") not in answers:
            yield Fault(where, "otherwise", question.get("otherwise"), "it has no title in answers", answers)
        yield from meaning_faults(question, where, answers)
        yield from only_faults(question, where, earlier)
        names = [text_of(part, "name") for _, _, part in parts]
        yield from (
            Fault(f"{where}, rule {name}", "name", name, "it is defined twice") for name in doubles(names)
        )
        for key, number, part in parts:
            here = place(where, key, part, number)
            if key == "rule" and part.get("answer") not in answers:
                yield Fault(here, "answer", part.get("answer"), "it has no title in answers", answers)
            yield from self._part_faults(part, here, earlier)
            exceptions = tuple(name for name in names if name != text_of(part, "name"))
            yield from (Fault(here, "unless", name, "there is no such rule or exception", exceptions)
                        for name in unless_of(part) if name not in exceptions and name != text_of(part, "name"))  # fmt: skip
        yield from circles({text_of(part, "name"): unless_of(part) for _, _, part in parts}, where)
        yield from example_given_faults(parts, where)

    def _part_faults(
        self, part: Table, where: str, earlier: Mapping[str, tuple[str, ...]]
    ) -> Iterator[Fault]:
        if not tables_of(part, "all"):
            yield Fault(where, "all", None, "it has no clause")
        for number, clause in tables_of(part, "all"):
            yield from self._clause_faults(clause, place(where, "all", clause, number), earlier)

    def _clause_faults(
        self, clause: Table, where: str, earlier: Mapping[str, tuple[str, ...]], *, measured: bool = False
    ) -> Iterator[Fault]:
        if "question" in clause:
            yield from answer_faults(
                text_of(clause, "question"), clause.get("answers"), where, "answers", earlier
            )
            return
        yield from self._measure_faults(clause, where, measured=measured)
        yield from self._parameter_use_faults(clause.get("limit"), where, "limit")
        yield from self._unit_faults(clause, where)

    def _measure_faults(self, table: Table, where: str, *, measured: bool = False) -> Iterator[Fault]:
        known = self.given if measured else self.units
        name = table.get("measure")
        if isinstance(name, str) and name not in known:
            yield Fault(where, "measure", name, "there is no such measure", tuple(known))

    def _parameter_use_faults(
        self, name: Any, where: str, key: str, known: tuple[str, ...] | None = None
    ) -> Iterator[Fault]:
        if not isinstance(name, str):
            return
        if name not in self.parameters:
            if known is None:
                yield Fault(where, key, name, "there is no such parameter", tuple(self.parameters))
            return
        why = self._in_force(name)
        if why:
            yield Fault(where, key, name, why)

    def _parameter_unit(self, name: Any) -> str | None:
        entries = self.parameters.get(name, []) if isinstance(name, str) else []
        return text_of(entries[0], "unit") if entries else None

    def _unit_faults(self, clause: Table, where: str) -> Iterator[Fault]:
        """Yield wrong units and dimensions of a clause against the unit of its measure."""
        unit = self.units.get(text_of(clause, "measure"))
        if unit not in UNITS:
            return
        limit, own = clause.get("limit"), clause.get("unit")
        parameter = self._parameter_unit(limit)
        if isinstance(own, str) and own not in UNITS:
            yield Fault(where, "unit", own, "there is no such unit", tuple(comparable(unit)))
            return
        if unit == TRUTH and not isinstance(limit, str) and (clause.get("op") != "=" or limit not in (0, 1)):
            yield Fault(
                where, "limit", limit, 'a yes-or-no measure is asked by op "=" and limit 0 or 1', ("0", "1")
            )
        if not isinstance(limit, str) and own is None and unit != TRUTH:
            yield Fault(
                where,
                "unit",
                None,
                f"a number needs its unit; the measure is in {unit}",
                tuple(comparable(unit)),
            )
        for key, given in (("unit", own), ("limit", parameter)):
            if isinstance(given, str) and given in UNITS and not same_dimension(given, unit):
                value = given if key == "unit" else limit
                yield Fault(
                    where,
                    key,
                    value,
                    f"its unit {given} cannot be compared with the measure's {unit}",
                    tuple(comparable(unit)),
                )
        if isinstance(own, str) and parameter is not None and own != parameter:
            yield Fault(where, "unit", own, f"the parameter {limit} is in {parameter}", (parameter,))


def _date_faults(where: str, entry: Table) -> Iterator[Fault]:
    start, end = entry.get("in_force"), entry.get("until")
    if type(start) is dt.date and type(end) is dt.date and end <= start:
        yield Fault(where, "until", str(end), f"it is not after in_force {start}")


def _place_faults(where: str, entry: Table) -> Iterator[Fault]:
    town = entry.get("town")
    if isinstance(town, str) and not (len(town) == 9 and town.isascii() and town.isdigit()):  # noqa: PLR2004
        yield Fault(where, "town", town, "a town code (镇街代码) has nine digits")
