"""Geometry columns of Parquet that say themselves what they are: the logical types GEOMETRY and GEOGRAPHY, and GeoArrow's WKB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

# Longitude and latitude on WGS 84: what a column of a logical type without a system means. Source: the Parquet format, "Geospatial".
DEFAULT_CRS = "OGC:CRS84"
_LOGICAL = ("GEOMETRY", "GEOGRAPHY")
_ARROW_NAME, _ARROW_FACTS, _ARROW_WKB = b"ARROW:extension:name", b"ARROW:extension:metadata", b"geoarrow.wkb"


@dataclass(frozen=True)
class NativeColumn:
    """A column of WKB; `crs` is what pyproj understands, None where the system is said to be unknown."""

    name: str
    crs: str | None


def native_columns(file: Any) -> list[NativeColumn]:
    """Return the geometry columns of an open Parquet file, in its order; those inside of structures and lists are none."""
    schema, metadata = file.schema_arrow, file.metadata.metadata or {}
    logical = {}
    for index in range(file.metadata.num_columns):
        column = file.schema.column(index)
        if column.logical_type.type in _LOGICAL:
            logical[column.path] = json.loads(column.logical_type.to_json()).get("crs")
    found = []
    for field in schema:
        if field.name in logical:
            found.append(NativeColumn(field.name, _crs(logical[field.name] or DEFAULT_CRS, metadata)))
        elif (field.metadata or {}).get(_ARROW_NAME) == _ARROW_WKB and _holds_bytes(field.type):
            found.append(NativeColumn(field.name, arrow_crs(field.metadata, metadata)))
    return found


def _holds_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _crs(said: str, metadata: Mapping[bytes, bytes]) -> str | None:
    """Return a coordinate system as pyproj understands it; `projjson:KEY` stands in the metadata of the file, `srid:0` for none."""
    kind, _, rest = said.partition(":")
    if kind == "projjson":
        return metadata.get(rest.encode(), b"").decode("utf-8", "replace") or said
    number = rest if kind == "srid" else said
    if number.isdecimal():
        return f"EPSG:{int(number)}" if int(number) else None
    return said


def arrow_crs(facts: Mapping[bytes, bytes], metadata: Mapping[bytes, bytes]) -> str | None:
    """Return the system that GeoArrow's own description names; without one it is unknown."""
    try:
        said = json.loads(facts.get(_ARROW_FACTS) or b"{}").get("crs")
    except (ValueError, AttributeError):
        return None
    if said is None:
        return None
    return json.dumps(said) if isinstance(said, dict) else _crs(str(said), metadata)
