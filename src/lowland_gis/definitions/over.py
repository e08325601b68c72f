"""A shipped definition file with what a project changes laid over it: one way for every file of which a project changes a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.own import Own
from lowland_gis.definitions.reading import FOLDER, parsed, refused

Model = TypeVar("Model")
# What a file becomes with what a project adds to it: the model and its faults, or no model and why.
Over = Callable[[dict[str, Any]], tuple[Model | None, list[Fault]]]


def in_force(file: str, own: Own, over: Over[Model]) -> Model:
    """Return what a definition file says, with the project's own of that name laid over it.

    Raises:
        DefinitionError: the project's own file has faults; with all of them.
    """
    path = own.file(file)
    found, faults = over({} if path is None else parsed(path))
    if found is None or faults:
        raise refused(path or FOLDER / file, faults)
    return found


def table_by_table(content: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """Return a file with another laid over it: of a table the keys that it names, anything else as a whole."""
    return content | {
        name: content.get(name, {}) | table if isinstance(table, dict) else table
        for name, table in added.items()
    }
