"""Read what the update of a year compares by: the shipped `update.toml`, and over it what a project changes about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.analysis.update.limits import Limits, Tolerance
from lowland_gis.definitions.over import in_force
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, fitted, parsed

FILE = "update.toml"
_ANY = "*"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drift(_Frozen):
    """By how many metres a boundary that was measured anew may lie off, and where that is stated."""

    bound_m: float = Field(gt=0, le=20)
    document: str
    example: bool = False


class Overlap(_Frozen):
    """From which share on an overlap is lineage, and within which factor of a limit that is a doubt."""

    share: float = Field(gt=0, lt=0.5)
    doubtful: float = Field(ge=1, le=10)
    document: str
    example: bool = False


class Survey(_Frozen):
    """By how much what the survey increment states may differ from outlines: m², or a share of the area where that is more."""

    area_m2: float = Field(ge=0.01, le=1000)
    share: float = Field(ge=0, lt=0.5)
    document: str
    example: bool = False


class Fields(_Frozen):
    """Fields that are no change of a parcel by themselves."""

    ignored: tuple[str, ...] = Field(default=(), strict=False)
    follow_outline: tuple[str, ...] = Field(default=(), strict=False)
    document: str
    example: bool = False


class FieldCause(_Frozen):
    """What made fields differ; `greater` and `less` say it where the first number that differs rose, or fell."""

    fields: tuple[str, ...] = Field(strict=False, min_length=1)
    cause: str | None = None
    greater: str | None = None
    less: str | None = None

    def of(self, differing: Sequence[str]) -> bool:
        """Return whether all of some fields are among its own."""
        return _ANY in self.fields or set(differing) <= set(self.fields)


class UpdateDefinition(_Frozen):
    """What two states are compared by, and what changes and causes are called."""

    drift: Drift
    overlap: Overlap
    survey: Survey
    fields: Fields
    kind_cause: dict[str, str]
    field_cause: tuple[FieldCause, ...] = Field(strict=False)
    measure_cause: tuple[FieldCause, ...] = Field(strict=False)
    layer_cause: dict[str, str]
    title: dict[str, str]
    cause_title: dict[str, str]

    @property
    def limits(self) -> Limits:
        """Return the limits of lineage."""
        return Limits(self.drift.bound_m, self.overlap.share, self.overlap.doubtful)

    @property
    def survey_tolerance(self) -> Tolerance:
        """Return by how much what the survey increment states may differ from outlines."""
        return Tolerance(self.survey.area_m2, self.survey.share)


ADAPTER = TypeAdapter(UpdateDefinition)


def update_definition() -> UpdateDefinition:
    """Return what two states are compared by, with what the project at work changes about it.

    Raises:
        DefinitionError: the project's own file has faults.
    """
    return _definition(in_use())


@cache
def _definition(own: Own) -> UpdateDefinition:
    return in_force(FILE, own, _over)


def own_faults(path: Path) -> Iterable[Fault]:
    """Return the faults of a project's own file, laid over the shipped one."""
    return _over(parsed(path))[1]


def _over(added: dict[str, Any]) -> tuple[UpdateDefinition | None, list[Fault]]:
    content = parsed(FOLDER / FILE)
    for name, value in added.items():
        before = content.get(name)
        content[name] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return fitted(content, ADAPTER)
