"""Which layer a file's fields make: the share of fields covered, what is missing, and which field may be which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from lowland_gis.analysis.fields import headings
from lowland_gis.analysis.fields.headings import FieldSpec
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.fields.written_quantities import unit_factor

# Codes that a list knows speak for a layer more than no codes at all, and unknown ones against it.
_WITHOUT_CODES = 0.8
# Beyond this a double no longer holds every whole number.
_EXACT_DIGITS = 15


class LayerSpec(Protocol):
    """What the definition says of one layer."""

    @property
    def key(self) -> str:
        """Key of the layer."""

    @property
    def title(self) -> str:
        """Chinese title."""

    @property
    def geometry(self) -> str:
        """One of polygon, line, point, table, raster."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the layer in databases."""

    @property
    def as_of(self) -> dt.date | None:
        """Day whose state the layer always shows, None where it comes with the delivery."""

    @property
    def code(self) -> str | None:
        """Name of the field with the class code."""

    @property
    def field(self) -> Sequence[FieldSpec]:
        """Fields of the layer."""


@dataclass(frozen=True)
class Column:
    """A received column: its name, kind (text, integer, number, date), longest text and distinct codes if they are few."""

    name: str
    kind: str
    longest: int = 0
    n_filled: int = 0
    samples: tuple[str, ...] = ()
    codes: frozenset[str] | None = None


@dataclass(frozen=True)
class Match:
    """A received column that stands for a standard field, and why: name, synonym, unit, or a proposal (title, cut off, alike).

    Its numbers are multiplied by `factor`, because its heading names `unit`, or a line beside the table does: `line` then.
    """

    received: str
    standard: str
    why: str
    factor: float = 1.0
    unit: str | None = None
    line: str | None = None

    @property
    def certain(self) -> bool:
        """Return whether ingest finds it without a mapping."""
        return self.why in ("name", "synonym", "unit")


@dataclass(frozen=True)
class Fit:
    """How well columns fit one layer.

    `covered_share` is the share of the layer's fields that are found, `explained_share` the share of the columns that
    belong to it, both without proposals; `code_share` the share of its class codes that the code list knows (None:
    nothing to compare). `missing` are required fields without a certain match.
    """

    key: str
    title: str
    covered_share: float
    explained_share: float
    code_share: float | None
    geometry_fits: bool
    matches: tuple[Match, ...]
    missing: tuple[str, ...]

    @property
    def score(self) -> float:
        """Return the harmonic mean of both shares, halved where geometry does not fit, and weighted by how many codes are known."""
        total = self.covered_share + self.explained_share
        shares = 2 * self.covered_share * self.explained_share / total if total else 0.0
        codes = _WITHOUT_CODES if self.code_share is None else 0.5 + self.code_share / 2
        return shares * codes * (1.0 if self.geometry_fits else 0.5) * (0.5 if self.missing else 1.0)

    @property
    def rename(self) -> dict[str, str]:
        """Return received name → standard name of what is proposed, and of what is known by its unit only beside this table."""
        return {match.received: match.standard for match in self.matches if not match.certain or match.line}


@dataclass(frozen=True)
class FieldFault:
    """What is wrong with one received column against the definition."""

    received: str
    standard: str
    rule: str
    message: str


def recognise(
    columns: Sequence[Column],
    layers: Iterable[LayerSpec],
    geometry: str | None,
    codes: Mapping[str, Mapping[str, str]],
    *,
    name: str = "",
    stated: Stated = NOTHING,
) -> list[Fit]:
    """Return how well columns fit each layer, best first; layers that share nothing with them are left out.

    The structure is recognised by its fields, not by its year: the second survey's structure was delivered until 2019.
    Only where the fields fit two layers alike, the data year (SJNF) and the `name` of the file and its layer decide.
    `geometry` is the kind of the file (polygon, line, point, table), None if nothing can be seen of it; `stated` are the units that a
    line beside the table names.
    """
    known = {layer.key: layer for layer in layers if layer.field}
    fits = [_fit(columns, layer, geometry, codes, stated) for layer in known.values()]
    found = [fit for fit in fits if fit.matches]
    years = next((column.codes for column in columns if column.name.upper() == "SJNF" and column.codes), None)

    def order(fit: Fit) -> tuple[float, bool, int, str]:
        layer = known[fit.key]
        other_year = years is not None and years != {str(layer.as_of.year) if layer.as_of else None}
        return -round(fit.score, 9), other_year and layer.as_of is not None, -_common(layer, name), fit.key

    return sorted(found, key=order)


def _common(layer: LayerSpec, name: str) -> int:
    """Return the length of the longest piece that a name shares with a layer's title or key; a name of its own wins."""
    if {word.upper() for word in name.split()} & {word.upper() for word in layer.names}:
        return len(name) + 1
    return max(
        SequenceMatcher(None, name.lower(), word.lower(), autojunk=False).find_longest_match().size
        for word in (layer.title, layer.key)
    )


def _fit(
    columns: Sequence[Column],
    layer: LayerSpec,
    geometry: str | None,
    codes: Mapping[str, Mapping[str, str]],
    stated: Stated,
) -> Fit:
    matches = _matches(columns, layer.field, stated)
    certain = [match for match in matches if match.certain]
    found = {match.standard for match in certain}
    return Fit(
        layer.key,
        layer.title,
        len(certain) / len(layer.field),
        len(certain) / max(1, len(columns)),
        _code_share(columns, layer, matches, codes),
        geometry is None or geometry == layer.geometry,
        tuple(matches),
        tuple(
            f"{field.name} {field.title}"
            for field in layer.field
            if field.required and field.name not in found
        ),
    )


def _matches(columns: Sequence[Column], fields: Sequence[FieldSpec], stated: Stated) -> list[Match]:
    """Pair columns and fields: as ingest does, then by what a person would guess."""
    taken = headings.found([column.name for column in columns], fields, stated)
    matches = [
        Match(name, hit.standard, hit.why, hit.factor, hit.unit, hit.line) for name, hit in taken.items()
    ]
    left = {column.name: column for column in columns if column.name not in taken}
    for why, resembles in _GUESSES.items():
        for field in fields:
            if any(match.standard == field.name for match in matches):
                continue
            found = next(
                (name for name in left if resembles(name, field) and _units_agree(name, field)), None
            )
            if found is not None:
                matches.append(_guess(found, field, why, stated))
                del left[found]
    order = {column.name: number for number, column in enumerate(columns)}
    ranks = {"name": 0, "synonym": 1, "unit": 2}
    return sorted(matches, key=lambda match: (ranks.get(match.why, 3), order[match.received]))


def _guess(received: str, field: FieldSpec, why: str, stated: Stated) -> Match:
    """Return a proposal, with the unit that the heading names or a line beside the table."""
    if field.unit is None:
        return Match(received, field.name, why)
    own = headings.parted(received)[1]
    unit = own or stated.meant_for(received, field.unit, own)
    line = None if unit is None or own is not None else stated.lines[unit]
    factor = None if unit is None else unit_factor(unit, field.unit)
    return Match(received, field.name, why, factor or 1.0, unit, line)


_GUESSES: dict[str, Callable[[str, FieldSpec], bool]] = {
    "title": headings.is_title,
    "cut off": headings.is_cut,
    "alike": headings.is_alike,
}


def _units_agree(name: str, field: FieldSpec) -> bool:
    """Tell whether numbers under a heading can become numbers of a field: no guess crosses units."""
    unit = headings.parted(name)[1]
    if unit is None:
        return True
    return field.unit is not None and unit_factor(unit, field.unit) is not None


def _code_share(
    columns: Sequence[Column],
    layer: LayerSpec,
    matches: Sequence[Match],
    codes: Mapping[str, Mapping[str, str]],
) -> float | None:
    received = {match.standard: match.received for match in matches}.get(layer.code or "")
    lists = {field.name: field.codes for field in layer.field}
    column = next((column for column in columns if column.name == received), None)
    list_name = lists.get(layer.code or "")
    if column is None or list_name is None or not column.codes:
        return None
    known = codes[list_name]
    return sum(code in known or f"0{code}" in known for code in column.codes) / len(column.codes)


def field_faults(
    columns: Sequence[Column],
    fit: Fit,
    fields: Sequence[FieldSpec],
    codes: Mapping[str, Mapping[str, str]],
    lengths: Mapping[str, int | None],
) -> list[FieldFault]:
    """Return what is wrong with matched columns: wrong kind, too long, lost leading zeros, digits lost to a number.

    `lengths` maps a standard field to its greatest length in characters.
    """
    by_name = {column.name: column for column in columns}
    by_standard = {field.name: field for field in fields}
    faults = []
    for match in fit.matches:
        column, field = by_name[match.received], by_standard[match.standard]
        for rule, message in _of_one(column, field, codes.get(field.codes or ""), lengths.get(field.name)):
            faults.append(FieldFault(column.name, field.name, rule, message))
    return faults


def _of_one(
    column: Column, field: FieldSpec, known: Mapping[str, str] | None, length: int | None
) -> list[tuple[str, str]]:
    found = []
    if not column.n_filled:
        return [("field_empty", "has no value at all")] if field.required else []
    if field.type == "text" and column.kind in ("integer", "number"):
        found.append(("field_kind", f"is a number, but {field.name} is text: leading zeros may be lost"))
        if length is not None and length > _EXACT_DIGITS:
            found.append(("digits_lost", f"{length} digits do not fit a number without loss"))
    if field.type in ("integer", "number", "date") and column.kind == "date" != field.type:
        found.append(("field_kind", f"is a date, but {field.name} is {field.type}"))
    if known is not None and column.codes:
        zeros = sorted(code for code in column.codes if code not in known and f"0{code}" in known)
        if zeros:
            shown = ", ".join(f"{code} → 0{code}" for code in zeros[:3])
            found.append(("leading_zero_lost", f"{len(zeros)} codes lost their leading zero: {shown}"))
    if length is not None and field.type == "text" and column.longest > length:
        found.append(
            ("value_too_long", f"holds texts of {column.longest} characters, the standard allows {length}")
        )
    return found


def zero_codes(column: Column, known: Mapping[str, str]) -> dict[str, str]:
    """Return received code → code with its leading zero back, where only that makes it known."""
    present = column.codes or frozenset()
    return {code: f"0{code}" for code in sorted(present) if code not in known and f"0{code}" in known}
