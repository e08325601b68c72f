"""Code lists of the standards, and the sets of codes that measures sum over."""

from __future__ import annotations

import csv
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.reading import FOLDER, parsed, validated
from lowland_gis.errors import DefinitionError


@cache
def code_names(table: str) -> dict[str, str]:
    """Return code → name of one code list; codes are text, so leading zeros stay."""
    return {row["code"]: row["name"] for row in _rows(table)}


@cache
def domain_names(domain: str) -> dict[str, str]:
    """Return code → name of one of the small lists of `domain_codes.csv`, such as QSXZ.

    >>> len(domain_names("QSXZ"))
    10
    """
    return {row["code"]: row["name"] for row in _rows("domain_codes") if row["domain"] == domain}


class ListedCodes(BaseModel):
    """A set that names its codes; a trailing * stands for every code that begins so."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["listed"]
    title: str
    document: str
    codes: tuple[str, ...]


class MarkedCodes(BaseModel):
    """A set of all codes of a list that a column marks with 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["marked"]
    title: str
    document: str
    table: str
    column: str


CodeSet = Annotated[ListedCodes | MarkedCodes, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[dict[str, ListedCodes | MarkedCodes]] = TypeAdapter(dict[str, CodeSet])


@cache
def code_sets() -> dict[str, ListedCodes | MarkedCodes]:
    """Return the code sets by name."""
    path = FOLDER / "codes" / "sets.toml"
    return validated(parsed(path), _ADAPTER, path)


def codes_of(name: str, present: list[str]) -> list[str]:
    """Return those of the present codes that belong to a set.

    Raises:
        DefinitionError: there is no such set.
    """
    if name == "all":
        return present
    try:
        code_set = code_sets()[name]
    except KeyError as error:
        known = ", ".join(sorted(code_sets()))
        raise DefinitionError(f"There is no code set called {name!r}. Known sets: all, {known}.") from error
    if isinstance(code_set, MarkedCodes):
        marked = {row["code"] for row in _rows(code_set.table) if row[code_set.column] == "1"}
        return [code for code in present if code in marked]
    exact = {code for code in code_set.codes if not code.endswith("*")}
    prefixes = tuple(code[:-1] for code in code_set.codes if code.endswith("*"))
    return [code for code in present if code in exact or (prefixes and code.startswith(prefixes))]


def _rows(table: str) -> list[dict[str, str]]:
    with (FOLDER / "codes" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
