"""What the registers say of a subject, fact by fact, and what it means where they say nothing: unknown, other, or not applicable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Answer = Literal["known", "unknown", "other", "not_applicable"]
# How each is written for people; what is known is written itself.
ANSWER_TITLES: dict[str, str] = {"unknown": "未知", "other": "其他", "not_applicable": "不适用"}
# Codes of answers, as rule packs give them, that say so themselves.
_CODES: dict[Any, Answer] = {"open": "unknown", "": "unknown", "other": "other", "none": "not_applicable"}


@dataclass(frozen=True)
class Fact:
    """One fact of an entry: its name, what it is called, its value as it stands in the database, and what that means."""

    name: str
    title: str
    value: Any
    answer: Answer

    @property
    def text(self) -> str:
        """Return it for people: a value, or 未知, 其他 (with its code), 不适用."""
        if self.answer == "known":
            return f"{self.value:,.2f}" if isinstance(self.value, float) else str(self.value)
        return ANSWER_TITLES[self.answer]


# Register → names of the columns of its own table, with what they are called. What no table of a register has is not applicable to it.
FACTS: dict[str, dict[str, str]] = {
    "low_efficiency": {"kind": "类型", "rule": "判定规则", "area_m2": "面积（平方米）"},
    "legacy": {"retention": "可否保留", "area_m2": "面积（平方米）"},
    "problem": {"needed": "所需材料", "office": "主管部门"},
    "unit": {"area_m2": "面积（平方米）", "low_share": "低效占比"},
}


def answer_of(value: Any, *, applies: bool = True) -> Answer:
    """Return what a value means; `applies` says whether the question can be asked of the subject at all.

    >>> answer_of("industrial"), answer_of(None), answer_of("other"), answer_of(None, applies=False)
    ('known', 'unknown', 'other', 'not_applicable')
    """
    if not applies:
        return "not_applicable"
    if value is None or value != value:  # noqa: PLR0124 - no number is not itself
        return "unknown"
    return _CODES.get(value, "known") if isinstance(value, str) else "known"


def facts(register: str, town_code: str | None, row: Mapping[str, Any] | None) -> Iterator[Fact]:
    """Yield the facts of an entry: the town, and what the newest row of its register's own table says; None where there is no row.

    A subject that somebody entered, and of which nothing was computed, has facts that are unknown; a plan, a project and a disposal have
    no kind and no area, so these are not applicable.
    """
    yield Fact("town_code", "镇街", town_code, answer_of(town_code, applies=register != "project"))
    own = FACTS.get(register)
    for name, title in (own if own is not None else {"kind": "类型", "area_m2": "面积（平方米）"}).items():
        value = None if row is None else row.get(name)
        yield Fact(name, title, value, answer_of(value, applies=own is not None))


def paper_answer(document: str | None, needed: str | None, *, taken_over: bool) -> Answer:
    """Return what it means that an event has a paper or none: a move that needs none has none, and of what was taken over it is unknown.

    >>> paper_answer(None, None, taken_over=False), paper_answer(None, None, taken_over=True)
    ('not_applicable', 'unknown')
    """
    if document is not None:
        return "known"
    return "unknown" if taken_over or needed is not None else "not_applicable"
