"""Texts of a format that has only UTF-8, which hold other bytes all the same: programs write what they were given, or cut by bytes."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.analysis.fields.doubts import Doubt
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.encoding import cut_words, reads_as_gbk, whole_characters

_UTF_8, _GBK = "utf-8", "gb18030"


def whole_texts(
    columns: Mapping[str, pa.Array], first: int, where: str
) -> tuple[dict[str, pa.Array], tuple[Doubt, ...]]:
    """Return the columns of a batch that begins at row `first`, without half characters at the end of texts, and a doubt for each.

    Raises:
        InputRefusedError: a text holds bytes that are no UTF-8, and no half character either.
    """
    whole, doubts = dict(columns), list[Doubt]()
    for name, column in columns.items():
        values = _texts(column)
        if values is None or _is_sound(values):
            continue
        whole[name], cut = _without_halves(name, values, first, where)
        doubts += cut
    return whole, tuple(doubts)


def _texts(column: pa.Array) -> pa.Array | None:
    """Return a column of texts, None for one of another kind."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode() if pa.types.is_string(kind.value_type) else None
    return column if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


def _is_sound(values: pa.Array) -> bool:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _without_halves(name: str, values: pa.Array, first: int, where: str) -> tuple[pa.Array, list[Doubt]]:
    distinct = values.cast(pa.large_binary()).dictionary_encode()
    received = distinct.dictionary.to_pylist()
    texts = [_decoded(content) for content in received]
    for content, text in zip(received, texts, strict=True):
        if text is None:
            raise InputRefusedError(
                f"{where}: the field {name} holds texts that are no UTF-8, as texts of this format are{_reading(content)}, so they cannot be"
                " read. Ask the sender to write the file again."
            )
    halved = [len(str(text).encode()) < len(content) for content, text in zip(received, texts, strict=True)]
    rows = pc.indices_nonzero(pc.fill_null(pa.array(halved).take(distinct.indices), fill_value=False))
    whole = pa.array(texts, pa.string()).take(distinct.indices)
    return whole, [
        Doubt(first + row, "value_cut", cut_words(name, whole[row].as_py())) for row in rows.to_pylist()
    ]


def _decoded(content: bytes) -> str | None:
    """Return a text without the beginning of a character at its end, None where it is no UTF-8 even so."""
    for text in (content, whole_characters(content, _UTF_8)):
        try:
            return text.decode(_UTF_8)
        except UnicodeDecodeError:
            continue
    return None


def _reading(content: bytes) -> str:
    return f" (read as GBK: {content.decode(_GBK)!r})" if reads_as_gbk(content) else ""
