"""Parts of a layer as GDAL hands them on, held against the rules of Arrow where a driver is known to break them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.source import Source

# After a record without a shape its offsets point beyond the data, so other shapes would be read from the wrong place.
_DOUBTED = ("FlatGeobuf",)


def sound(parts: Iterable[Any], source: Source) -> Iterator[Any]:
    """Yield the parts of a layer.

    Raises:
        InputRefusedError: a part is not what it says; nothing of it can be trusted.
    """
    for part in parts:
        if source.driver in _DOUBTED:
            try:
                for column in part.columns:
                    _as_bytes(column).validate(full=True)
            except pa.ArrowInvalid as error:
                raise InputRefusedError(
                    f"{source.name}: has records without a shape, and the library that reads {source.driver} hands those on as broken data"
                    f" ({str(error).splitlines()[0]}), so shapes would come to lie in the wrong rows. Ask the sender for a GeoPackage."
                ) from error
        yield part


def _as_bytes(column: Any) -> Any:
    """Return texts as the bytes that they are: whether these are UTF-8 is another matter."""
    return column.view(pa.binary()) if pa.types.is_string(column.type) else column
