"""Read how key areas are ranked (`key_areas.toml`)."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from lowland_gis.analysis.units.key_areas import KeyRules
from lowland_gis.definitions.reading import FOLDER, parsed, validated

FILE = "key_areas.toml"
_ADAPTER = TypeAdapter(KeyRules)


def key_rules(own: Path | None = None) -> KeyRules:
    """Return the shipped rules, or those of a file of the office.

    Raises:
        DefinitionError: the file is no TOML, or says something that makes no sense; all faults together.
    """
    path = own or FOLDER / FILE
    return validated(parsed(path), _ADAPTER, path)
