"""Read the columns of a table of promises (`promise.toml`)."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from lowland_gis.definitions.layer import FieldDefinition
from lowland_gis.definitions.reading import FOLDER, parsed, validated

FILE = "promise.toml"
_ADAPTER = TypeAdapter(dict[str, tuple[FieldDefinition, ...]])


@cache
def promise_fields() -> tuple[FieldDefinition, ...]:
    """Return the columns of a table of promises, as deliveries of layers have theirs."""
    return validated(parsed(FOLDER / FILE), _ADAPTER, FOLDER / FILE)["field"]
