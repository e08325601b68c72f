"""Profile the columns of a delivery batch by batch: kind, longest text, a few samples, distinct codes where they are few."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.recognise import Column

# More distinct values than this are names or numbers, no codes.
_MAX_CODES = 300
_SAMPLES = 3


@dataclass
class _Seen:
    kind: str
    longest: int = 0
    n_filled: int = 0
    samples: list[str] = field(default_factory=list)
    codes: set[str] | None = field(default_factory=set)


@dataclass
class Profile:
    """Columns as seen so far."""

    seen: dict[str, _Seen] = field(default_factory=dict)

    def add(self, batch: pa.Table) -> None:
        """Take in a batch."""
        for name, values in zip(batch.column_names, batch.columns, strict=True):
            column = self.seen.setdefault(name, _Seen(_kind(values.type)))
            _add(column, values)

    def columns(self) -> tuple[Column, ...]:
        """Return what was seen."""
        return tuple(
            Column(
                name,
                seen.kind,
                seen.longest,
                seen.n_filled,
                tuple(seen.samples),
                frozenset(seen.codes) if seen.codes is not None else None,
            )
            for name, seen in self.seen.items()
        )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "date" if pa.types.is_temporal(kind) else "text"


def _add(column: _Seen, values: pa.ChunkedArray) -> None:
    if (
        pa.types.is_binary(values.type)
        or pa.types.is_large_binary(values.type)
        or pa.types.is_nested(values.type)
    ):
        column.n_filled += len(values) - values.null_count
        return
    texts = _texts(values)
    filled = pc.filter(texts, pc.fill_null(pc.not_equal(texts, ""), False))  # noqa: FBT003 - Arrow's signature
    column.n_filled += len(filled)
    if not len(filled):
        return
    column.longest = max(column.longest, pc.max(pc.utf8_length(filled)).as_py())
    distinct = pc.unique(filled)
    if len(column.samples) < _SAMPLES:
        new = [text for text in distinct[: 2 * _SAMPLES].to_pylist() if text not in column.samples]
        column.samples += new[: _SAMPLES - len(column.samples)]
    if column.codes is not None:
        column.codes = None if len(distinct) > _MAX_CODES else column.codes | set(distinct.to_pylist())
        if column.codes is not None and len(column.codes) > _MAX_CODES:
            column.codes = None


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values as people write them: a whole number without the point that a spreadsheet gave it."""
    if pa.types.is_floating(values.type):
        return pc.replace_substring_regex(values.cast(pa.string()), r"\.0$", "")
    return pc.utf8_trim_whitespace(values.cast(pa.large_string()))
