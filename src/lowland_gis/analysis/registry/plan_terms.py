"""The terms of the annual plan (年度实施计划), as `plan.toml` gives them: kinds of projects with their steps, states, reasons, the balance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.rules.faults import Fault

# Registry state of a project by the number that is reported of it.
_STATES = ("not_started", "in_progress", "done")
NOT_STARTED, IN_PROGRESS, DONE = range(3)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Frozen):
    """A step of a project, and the paper that shows that it is done."""

    title: str = Field(min_length=1)
    paper: str | None = None


class Kind(_Frozen):
    """A kind of projects: `unit` says whether it lies in a frozen unit, `quota` whether land is exchanged (增减挂钩)."""

    title: str = Field(min_length=1)
    source: str
    step: tuple[Step, ...] = Field(min_length=1)
    unit: bool = False
    quota: bool = False
    example: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the titles of its steps in their order."""
        return tuple(step.title for step in self.step)


class Values(_Frozen):
    """A list of values that a town chooses from."""

    title: str
    values: tuple[str, ...] = Field(min_length=1)
    source: str
    states: tuple[str, ...] = ()
    example: bool = False

    def numbered(self, first: int) -> tuple[str, ...]:
        """Return the values with their numbers before them, as towns choose them.

        >>> Values(title="t", values=("未实施", "正在实施"), source="s").numbered(0)
        ('0 未实施', '1 正在实施')
        """
        return tuple(f"{number} {value}" for number, value in enumerate(self.values, start=first))


class Balance(_Frozen):
    """How much must be reclaimed for what is newly built on: area reclaimed ≥ `ratio` times area built on."""

    ratio: float = Field(gt=0, le=10)
    document: str
    date: dt.date
    example: bool = False


class Terms(_Frozen):
    """All terms of the annual plan."""

    kind: dict[str, Kind] = Field(min_length=1)
    phases: Values
    status: Values
    reason: Values
    balance: Balance

    def kind_titled(self, title: str) -> Kind | None:
        """Return the kind that is called so, None where there is none."""
        return next((kind for kind in self.kind.values() if kind.title == title), None)

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the titles of the steps of all kinds, each once."""
        return tuple(dict.fromkeys(title for kind in self.kind.values() for title in kind.steps))


ADAPTER = TypeAdapter(Terms)


def terms_faults(terms: Terms) -> Iterator[Fault]:
    """Yield what does not fit together: the registry knows three states of a project, and titles must tell kinds and steps apart."""
    if terms.status.states != _STATES:
        yield Fault(
            "status", "states", list(terms.status.states), f"the states of a project are {', '.join(_STATES)}"
        )
    if len(terms.status.values) != len(_STATES):
        yield Fault("status", "values", list(terms.status.values), "there must be one for each state")
    titles = [kind.title for kind in terms.kind.values()]
    for name, kind in terms.kind.items():
        if titles.count(kind.title) > 1:
            yield Fault(f"kind.{name}", "title", kind.title, "two kinds have this title")
        if len(set(kind.steps)) < len(kind.steps):
            yield Fault(f"kind.{name}", "step", list(kind.steps), "a step stands twice")
