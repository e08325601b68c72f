"""Read a rule pack, shipped or the district's own, and refuse one that has faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from lowland_gis.analysis.rules import RulePack, faults
from lowland_gis.definitions.measure import measures
from lowland_gis.definitions.reading import FOLDER, parsed, shipped, validated
from lowland_gis.errors import DefinitionError, listed

_ADAPTER = TypeAdapter(RulePack)


def rule_pack(name: str, folder: Path) -> RulePack:
    """Return a shipped rule pack by name, or the one in a TOML file (relative to `folder`).

    Raises:
        DefinitionError: there is no such pack, or it has faults; all are listed.
    """
    path = folder / name if name.endswith(".toml") else FOLDER / "rules" / f"{name}.toml"
    if not path.is_file():
        raise DefinitionError(
            f"There is no rule pack {name!r}. Shipped: {', '.join(shipped('rules'))}; or name a .toml file."
        )
    pack = validated(parsed(path), _ADAPTER, path)
    found = faults(pack, set(measures()))
    if found:
        raise DefinitionError(f"{path}: {len(found)} fault(s):\n{listed(found)}\nMend them and try again.")
    return pack


def to_json(pack: RulePack) -> dict[str, Any]:
    """Return a pack as JSON, for the record of a run."""
    return json.loads(_ADAPTER.dump_json(pack))  # type: ignore[no-any-return]


def from_json(recorded: dict[str, Any]) -> RulePack:
    """Return the pack that a run recorded."""
    return _ADAPTER.validate_python(recorded)
