"""What a proposed mapping leaves open, as comments to fill in: received columns that stand for nothing yet, and fields still wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lowland_gis.analysis.fields.recognise import Column
from lowland_gis.definitions.layer import FieldDefinition
from lowland_gis.definitions.mapping import quoted

_SHOWN = 60
_RENAME = "\n[rename]\n"


def with_blanks(text: str, columns: Sequence[Column], fields: Sequence[FieldDefinition]) -> str:
    """Return the text of a mapping with blanks under [rename]: `columns` that nothing is proposed for, `fields` that are wanted.

    Taking the # away and writing the field between the quotes is all that is left to do.
    """
    head, rename, tail = text.partition(_RENAME)
    entries, gap, rest = tail.partition("\n\n")
    lines = [*entries.splitlines(), *_received(columns), *_wanted(fields)]
    return head + rename + "\n".join(lines) + "\n" + (gap[1:] + rest if gap else "")


def _received(columns: Sequence[Column]) -> Iterator[str]:
    if columns:
        yield "# Received and not taken: take the # away and name the field that it is, or leave the line (未识别的字段)."
    for column in columns:
        yield f'# {quoted(column.name)} = ""  # {_plain((column.kind, *column.samples))}'


def _wanted(fields: Sequence[FieldDefinition]) -> Iterator[str]:
    if fields:
        yield "# Wanted and not found (缺少的字段); one that is the same for all rows goes under [constants]."
    for field in sorted(fields, key=lambda field: not field.required):
        must = "required 必填" if field.required else "optional"
        unit = f" in {field.unit}" if field.unit and field.unit not in field.title else ""
        yield f"#   {field.name}  {_plain((field.title,))} ({field.type}{unit}, {must})"


def _plain(words: Iterable[str]) -> str:
    """Return words for a comment: on one line, and without what no comment may hold."""
    text = ", ".join(words)
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
