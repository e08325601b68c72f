"""Read how a package or a delivery is judged: the rules with the classes of their faults, and how a mark is made of faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.own import in_use, path_of
from lowland_gis.definitions.reading import FOLDER, fitted, parsed, validated

FILE = "judging.toml"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


GradeName = Literal["A", "B", "C", "D"]


class JudgingRule(_Model):
    """One rule: the class of its faults, its title for people, what it means."""

    grade: GradeName = Field(alias="class")
    title: str
    meaning: str


class Grade(_Model):
    """The title of marks from a number on."""

    least: float = Field(alias="from")
    title: str


class DeliveryClasses(_Model):
    """The classes of what checks find in deliveries by its severity, of records by what ingest did with them, and of checks that stand apart."""

    error: GradeName
    warning: GradeName
    rejected: GradeName
    repaired: GradeName
    kept: GradeName
    checks: Mapping[str, GradeName] = {}


class Judging(_Model):
    """All rules, the points that a fault of each class takes off, and the grades from the best to the worst."""

    example: bool
    title: str
    source: str
    full: float = Field(gt=0)
    full_at_share: float = Field(gt=0, le=1)
    least: float = Field(ge=0, le=1)
    grades: tuple[Grade, ...] = Field(min_length=1)
    points: Mapping[GradeName, float]
    rules: Mapping[str, JudgingRule]
    deliveries: DeliveryClasses

    def grade(self, mark: float) -> str:
        """Return the title of a mark; the last grade has all that lie below the others."""
        return next((grade.title for grade in self.grades if mark >= grade.least), self.grades[-1].title)


ADAPTER = TypeAdapter(Judging)


def judging() -> Judging:
    """Return how packages are judged: by the project's own file, else the shipped one.

    Raises:
        DefinitionError: it is wrong; with every fault.
    """
    path = path_of(FILE, in_use())
    content = parsed(path)
    return validated(content, ADAPTER, path, beside=list(judging_faults(content)))


def own_faults(path: Path) -> Iterator[Fault]:
    """Yield the faults of a project's own file: of its form, and of what does not fit together."""
    content = parsed(path)
    yield from fitted(content, ADAPTER)[1]
    yield from judging_faults(content)


def judging_faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield classes without points, grades out of order, and rules that the shipped file has and this one has not, or the other way."""
    points = content.get("points")
    for name in "ABCD":
        if isinstance(points, dict) and name not in points:
            yield Fault("[points]", name, None, "it is missing, so faults of this class would weigh nothing")
    grades = content.get("grades")
    marks = (
        [grade.get("from") for grade in grades if isinstance(grade, dict)] if isinstance(grades, list) else []
    )
    numbers = [mark for mark in marks if isinstance(mark, int | float)]
    if numbers != sorted(numbers, reverse=True):
        yield Fault("[[grades]]", "from", numbers, "grades stand from the best to the worst")
    deliveries = content.get("deliveries")
    apart = deliveries.get("checks") if isinstance(deliveries, dict) else None
    for name in apart if isinstance(apart, dict) else ():
        if name not in checks():
            yield Fault("[deliveries.checks]", name, None, "there is no such check", tuple(checks()))
    rules = content.get("rules")
    known = parsed(FOLDER / FILE)["rules"]
    if not isinstance(rules, dict):
        return
    for name in known.keys() - rules.keys():
        yield Fault("[rules]", name, None, "it is missing, and packages are judged by this rule too")
    for name in rules.keys() - known.keys():
        yield Fault("[rules]", name, None, "there is no such rule", tuple(known))
