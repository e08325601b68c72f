"""What is wrong with the answers of questions: what they mean, who asks for them, and what examples give; tables as they were parsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from lowland_gis.analysis.rules.exceptions import Table, asked_by, tables_of, text_of
from lowland_gis.analysis.rules.faults import Fault, doubles, place
from lowland_gis.analysis.rules.pack import KIND, Meaning

MEANINGS = get_args(Meaning)


def answers_of(question: Table) -> tuple[str, ...]:
    """Return the answers that a question can give, in the order of the file; none where they are no table."""
    answers = question.get("answers")
    return tuple(map(str, answers)) if isinstance(answers, dict) else ()


def meaning_faults(question: Table, where: str, answers: tuple[str, ...]) -> Iterator[Fault]:
    """Yield what keeps the answers of the question `kind` from meaning low-efficiency land, land that is not, or open."""
    means = question.get("means")
    if text_of(question, "name") != KIND:
        if means:
            yield Fault(where, "means", None, f"only the question {KIND} says what its answers mean")
        return
    if not isinstance(means, dict) or not means:
        yield Fault(where, "means", None, _missing_means(question, answers))
        return
    yield from (
        Fault(where, "means", key, "there is no such meaning", MEANINGS)
        for key in means
        if key not in MEANINGS
    )
    given = [(key, answer) for key, named in means.items() if isinstance(named, list) for answer in named]
    for key, answer in given:
        if answer not in answers:
            yield Fault(where, f"means.{key}", answer, "it has no title in answers", answers)
    for answer in doubles(answer for _, answer in given):
        yield Fault(where, "means", answer, "it stands twice, and an answer has one meaning")
    for answer in answers:
        if answer not in [name for _, name in given]:
            yield Fault(
                where, "means", answer, "nothing says what it means; name it under one of these", MEANINGS
            )
    if not means.get("low"):
        yield Fault(
            where,
            "means.low",
            None,
            "no answer means low-efficiency land, so no database would have an entry",
        )


def policy_faults(policy: Any, answers: tuple[str, ...]) -> Iterator[Fault]:
    """Yield tools for kinds of land that the question `kind` never gives."""
    tools = policy.get("tools") if isinstance(policy, dict) else None
    for name in tools if isinstance(tools, dict) else ():
        if name not in answers:
            yield Fault(
                "policy", f"tools.{name}", None, f"the question {KIND} never gives this answer", answers
            )


def only_faults(question: Table, where: str, earlier: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    """Yield what `only` names that is no earlier question, or no answer of it. A score or an estimate may have `only` too."""
    only = question.get("only")
    for other, wanted in only.items() if isinstance(only, dict) else ():
        yield from answer_faults(str(other), wanted, where, "only", earlier)


def answer_faults(
    other: str, wanted: Any, where: str, key: str, earlier: Mapping[str, tuple[str, ...]]
) -> Iterator[Fault]:
    """Yield what is wrong with a question that is asked for by name, and with the answers that are wanted of it.

    `earlier` has the answers of every question that may be asked for; `key` is where the file names them.
    """
    if other not in earlier:
        yield Fault(
            where, "question" if key == "answers" else key, other, "it is no earlier question", tuple(earlier)
        )
        return
    for answer in wanted if isinstance(wanted, list) else ():
        if answer not in earlier[other]:
            yield Fault(where, key, answer, f"the question {other} never gives this answer", earlier[other])


def example_given_faults(parts: list[tuple[str, int, Table]], where: str) -> Iterator[Fault]:
    """Yield measures in examples that neither the rule nor its exceptions ask for, and bands that are turned round."""
    by_name = {text_of(part, "name"): part for _, _, part in parts}
    for key, number, part in parts:
        asked = tuple(dict.fromkeys(asked_by(part, by_name, set())))
        for count, example in tables_of(part, "example"):
            here = f"{place(where, key, part, number)}, example {count}"
            given = example.get("given")
            for name, value in given.items() if isinstance(given, dict) else ():
                if name not in asked:
                    yield Fault(here, f"given.{name}", None, "no clause asks for it", asked)
                if isinstance(value, list) and len(value) == 2 and _turned(value):  # noqa: PLR2004
                    yield Fault(here, f"given.{name}", value, "the band ends below its start")


def _missing_means(question: Table, answers: tuple[str, ...]) -> str:
    """Say the line to add, as the answers suggest it: what no rule gives is land that is not."""
    otherwise = question.get("otherwise")
    low = ", ".join(f'"{answer}"' for answer in answers if answer != otherwise)
    line = f'means = {{ low = [{low}], not = ["{otherwise}"] }}'
    return f"nothing says which answers mean low-efficiency land. Add under answers, corrected where it is wrong: {line}"


def _turned(band: list[Any]) -> bool:
    return all(isinstance(end, (int, float)) for end in band) and band[1] < band[0]
