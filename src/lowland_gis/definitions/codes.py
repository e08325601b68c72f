"""Code lists of the standards, and the sets of codes that measures sum over."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.own import CODES, Own, in_use, path_of
from lowland_gis.definitions.reading import FOLDER, read_toml
from lowland_gis.errors import DefinitionError

SETS = f"{CODES}/sets.toml"
DOMAINS = "domain_codes"


def code_names(table: str) -> dict[str, str]:
    """Return code → name of one code list; codes are text, so leading zeros stay."""
    return {row["code"]: row["name"] for row in code_rows(table)}


def domain_names(domain: str) -> dict[str, str]:
    """Return code → name of one of the small lists of `domain_codes.csv`, such as QSXZ.

    >>> len(domain_names("QSXZ"))
    10
    """
    return {row["code"]: row["name"] for row in code_rows(DOMAINS) if row["domain"] == domain}


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
ADAPTER: TypeAdapter[dict[str, ListedCodes | MarkedCodes]] = TypeAdapter(dict[str, CodeSet])


def code_sets() -> dict[str, ListedCodes | MarkedCodes]:
    """Return the code sets by name, those of the project among them."""
    return _sets(in_use())


@cache
def _sets(own: Own) -> dict[str, ListedCodes | MarkedCodes]:
    shipped, added = read_toml(FOLDER / SETS, ADAPTER), own.file(SETS)
    return shipped if added is None else shipped | read_toml(added, ADAPTER)


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
        marked = {row["code"] for row in code_rows(code_set.table) if row[code_set.column] == "1"}
        return [code for code in present if code in marked]
    exact = {code for code in code_set.codes if not code.endswith("*")}
    prefixes = tuple(code[:-1] for code in code_set.codes if code.endswith("*"))
    return [code for code in present if code in exact or (prefixes and code.startswith(prefixes))]


def code_tables() -> list[str]:
    """Return the names of the code lists, those of the project among them."""
    own = in_use().folder
    folders = [FOLDER] if own is None else [FOLDER, own]
    return sorted({path.stem for folder in folders for path in (folder / CODES).glob("*.csv")})


def code_rows(table: str) -> list[dict[str, str]]:
    """Return the rows of a code list, by column.

    The domains that the project's own `domain_codes` names take the place of those shipped; any other list of its own is the whole list.

    Raises:
        DefinitionError: the project's own list is in another encoding than UTF-8.
    """
    return _rows(table, in_use())


@cache
def _rows(table: str, own: Own) -> list[dict[str, str]]:
    name = f"{CODES}/{table}.csv"
    path = path_of(name, own)
    rows = read_csv(path)
    if table == DOMAINS and own.file(name) is not None:
        named = {row["domain"] for row in rows}
        rows = [row for row in read_csv(FOLDER / name) if row["domain"] not in named] + rows
    return rows


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a code list in a file; a byte order mark, as Excel writes it, is no fault.

    Raises:
        DefinitionError: it is in another encoding than UTF-8.
    """
    return _csv(path)[0]


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the columns of a code list in a file.

    Raises:
        DefinitionError: it is in another encoding than UTF-8.
    """
    return _csv(path)[1]


def _csv(path: Path) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return list(reader), tuple(reader.fieldnames or ())
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"{path}: not readable as UTF-8, which code lists are in. In Excel save it as “CSV UTF-8”, or type:"
            f" iconv -f GB18030 -t UTF-8 {path} > new.csv"
        ) from error
