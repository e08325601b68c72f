"""The classes of zones by their codes, numbered as the local engine numbers them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_NO_CODE = ""


def numbered_codes(distinct: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return the codes, the number of the class of each, and what the classes are called in the order of their numbers.

    They are sorted as the local engine sorts; a missing one is the text '' and comes first.
    """
    there = distinct.drop_null()
    names = there.take(pc.sort_indices(there))
    if distinct.null_count == 0:
        return names, pa.array(range(len(names)), pa.int64()), names
    texts = names.cast(pa.string())
    # A code that is the empty text is no code.
    same = int(len(texts) > 0 and texts[0].as_py() == _NO_CODE)
    numbers = [0, *(max(0, n + 1 - same) for n in range(len(names)))]
    called = pa.concat_arrays([pa.array([_NO_CODE]), texts.slice(same)])
    return pa.concat_arrays([pa.nulls(1, names.type), names]), pa.array(numbers, pa.int64()), called
