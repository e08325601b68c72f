"""Frames out of PostgreSQL by binary fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from lowland_gis.db.connect import Connection
from lowland_gis.errors import DatabaseError
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely
else:
    pd = when_used("pandas")
    shapely = when_used("shapely")

BATCH_ROWS = 20_000

Query = str | sql.SQL | sql.Composed

# The head of a binary COPY, its end, and how much of it is looked at together.
_COPY_HEAD, _COPY_END, _BLOCK_BYTES = 19, b"\xff\xff", 16_000_000
_OTHER_LENGTH = (
    "The database holds a result of another length than its run says, so something else than lowland has changed it."
    " Make the results anew: lowland run --from measure"
)
# By type number in pg_type: bool, int8, int2, int4, float4, float8.
_NUMPY_TYPES = {16: "bool", 20: "int64", 21: "int64", 23: "int64", 700: "float64", 701: "float64"}


def read_frame(connection: Connection, query: Query, parameters: Sequence[Any] = ()) -> pd.DataFrame:
    """Return the rows of a query as a frame, columns in the order of the query."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_composed(query), parameters)
        description = cursor.description or ()
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(description)
    return pd.DataFrame(
        {
            column.name: _series(column.type_code, values)
            for column, values in zip(description, columns, strict=True)
        }
    )


def read_texts_and_numbers(
    connection: Connection,
    rows: Query,
    parameters: Sequence[Any],
    *,
    texts: Sequence[str],
    numbers: Sequence[str],
) -> dict[str, npt.NDArray[Any]]:
    """Return columns of rows of texts and numbers that are never NULL: texts as objects, numbers as float64; by the names that `rows` gives.

    Each column comes as one value, so that millions of rows cost no more objects than they have texts.
    """
    names = [sql.Identifier(name) for name in (*texts, *numbers)]
    spelt = [sql.SQL("string_agg({}, chr(31))").format(name) for name in names[: len(texts)]]
    sent = [sql.SQL("array_send(array_agg({}))").format(name) for name in names[len(texts) :]]
    statement = sql.SQL("SELECT count(*), {} FROM ({}) AS rows").format(
        sql.SQL(", ").join([*spelt, *sent]), _composed(rows)
    )
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(statement, parameters).fetchone() or (0,)
    count, values = int(found[0]), found[1:]
    columns = [_split(value, count) for value in values[: len(texts)]]
    if any(len(column) != count for column in columns):
        # A text has the sign in it that stands between texts.
        frame = read_frame(connection, rows, parameters)
        return {
            name: frame[name].to_numpy(dtype=object if name in texts else np.float64)
            for name in (*texts, *numbers)
        }
    floats = [_members(value, count) for value in values[len(texts) :]]
    return dict(zip((*texts, *numbers), [*columns, *floats], strict=True))


def _split(joined: str | None, count: int) -> npt.NDArray[np.object_]:
    return np.array(joined.split(chr(31)) if joined is not None and count else [], dtype=object)


def _members(sent: bytes | None, count: int) -> npt.NDArray[np.float64]:
    """Return the numbers of an array as PostgreSQL sends it: a head of 20 bytes, then each with its length before it."""
    if sent is None or not count:
        return np.empty(0)
    return np.frombuffer(sent, dtype=[("size", ">i4"), ("value", ">f8")], offset=20)["value"].astype(
        np.float64
    )


def read_numbers(
    connection: Connection, query: str, parameters: Sequence[Any], kinds: Sequence[str]
) -> Iterator[npt.NDArray[np.void]]:
    """Yield the rows of a query of numbers that are never NULL, in blocks: the fields f0, f1 … of the kinds i4, i8 or f8.

    The rows come by binary COPY, in which every row of such a query has the same length, so that millions cost no object each.
    """
    fields = [field for n, kind in enumerate(kinds) for field in ((f"n{n}", ">i4"), (f"f{n}", f">{kind}"))]
    yield from _read_rows(connection, query, parameters, np.dtype([("count", ">i2"), *fields]))


def read_arrays(
    connection: Connection, query: str, parameters: Sequence[Any], length: int
) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the rows of a query of one float8[] of so many numbers, none of them NULL, in blocks of one row a line.

    Raises:
        DatabaseError: an array has another length, or holds NULL.
    """
    whole = np.dtype(
        [
            ("count", ">i2"),
            ("size", ">i4"),
            ("head", "S20"),
            ("member", [("size", ">i4"), ("value", ">f8")], (length,)),
        ]
    )
    for rows in _read_rows(connection, query, parameters, whole):
        if (rows["size"] != whole.itemsize - 6).any() or (rows["member"]["size"] != 8).any():  # noqa: PLR2004 - bytes of a float8
            raise DatabaseError(_OTHER_LENGTH)
        yield rows["member"]["value"].astype(np.float64)


def _read_rows(
    connection: Connection, query: str, parameters: Sequence[Any], row: np.dtype[np.void]
) -> Iterator[npt.NDArray[np.void]]:
    """Yield the rows of a query, all of which take the same bytes in a binary COPY, in blocks."""
    rest, skip, pieces, size = b"", _COPY_HEAD, [], 0
    statement = f"COPY ({query}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(_composed(statement), parameters) as copy:
        for block in copy:
            pieces.append(bytes(block))
            size += len(block)
            if size >= _BLOCK_BYTES:
                content = rest + b"".join(pieces)
                whole = skip + (len(content) - skip) // row.itemsize * row.itemsize
                yield np.frombuffer(content[skip:whole], dtype=row)
                rest, skip, pieces, size = content[whole:], 0, [], 0
    content = rest + b"".join(pieces)
    found = content[skip : -len(_COPY_END)]
    if len(found) % row.itemsize:
        raise DatabaseError(_OTHER_LENGTH)
    yield np.frombuffer(found, dtype=row)


def read_batches(
    connection: Connection, query: Query, parameters: Sequence[Any] = (), *, rows: int = BATCH_ROWS
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query so many at a time; the server holds the others. A geometry column comes as EWKB."""
    with connection.cursor("lowland_batches", binary=True) as cursor:
        cursor.itersize = rows
        cursor.execute(_composed(query), parameters)
        while batch := cursor.fetchmany(rows):
            yield batch


def _series(type_code: int, values: Sequence[Any]) -> pd.Series[Any]:
    """Return numbers as numbers and everything else as the objects they are, so that NULL stays None."""
    dtype = _NUMPY_TYPES.get(type_code)
    if dtype is None or (dtype != "float64" and None in values):
        return pd.Series(values, dtype=object)
    return pd.Series(np.array(values, dtype=dtype))


def read_geoframe(
    connection: Connection, query: Query, parameters: Sequence[Any] = (), *, srid: int
) -> gpd.GeoDataFrame:
    """Return the rows of a query whose column `geom` is selected with ST_AsBinary, as a GeoDataFrame."""
    rows = read_frame(connection, query, parameters)
    geometries = shapely.from_wkb(rows["geom"].to_numpy(dtype=object))
    import geopandas as gpd

    return gpd.GeoDataFrame(rows.drop(columns="geom"), geometry=geometries, crs=srid)


def _composed(query: Query) -> sql.SQL | sql.Composed:
    return sql.SQL(query) if isinstance(query, str) else query
