"""Read the procedure (办理程序): the shipped `states.toml`, and over it what a project changes about its moves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lowland_gis.analysis.registry.procedure import (
    ADAPTER,
    Procedure,
    Register,
    procedure_faults,
    weaker,
    without_basis,
)
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, fitted, parsed, refused, validated

FILE = "states.toml"


def procedure() -> dict[str, Register]:
    """Return the registers by name, with what the project at work changes about them.

    Raises:
        DefinitionError: the project's own file has faults.
    """
    return _procedure(in_use())


def shipped_procedure() -> dict[str, Register]:
    """Return the registers as they are shipped."""
    path = FOLDER / FILE
    return validated(parsed(path), ADAPTER, path)


@cache
def _procedure(own: Own) -> dict[str, Register]:
    added = own.file(FILE)
    if added is None:
        return shipped_procedure()
    found, faults = _over(parsed(added))
    if faults or found is None:
        raise refused(added, faults)
    return found


def own_faults(path: Path) -> Iterable[Fault]:
    """Return the faults of a project's own file: of its form, of what does not fit, and where it asks for less and does not say why it may."""
    return _over(parsed(path))[1]


def _over(added: dict[str, Any]) -> tuple[dict[str, Register] | None, list[Fault]]:
    """Return the shipped procedure with the tables of a file laid over it, move by move, key by key."""
    content = parsed(FOLDER / FILE)
    for register, changes in added.items():
        content[register] = _merged(content.get(register, {}), changes)
    fit = fitted(content, ADAPTER)
    found, faults = fit
    if found is not None:
        faults = [*procedure_faults(found), *without_basis(shipped_procedure(), found)]
    return (None if faults else found), faults


def _merged(before: Any, changes: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(changes, dict):
        return changes
    return before | {name: _merged(before.get(name), value) for name, value in changes.items()}


def weaker_than_shipped(found: Procedure) -> list[str]:
    """Return each point at which a procedure asks for less than the shipped one, with the document that lets it, one line each."""
    return [
        f"{found[register].title}（{register}） {found[register].move[name].title}（{name}）: {'; '.join(said)} – {found[register].move[name].basis}"
        for (register, name), said in weaker(shipped_procedure(), found).items()
    ]


def procedure_json(found: Procedure) -> dict[str, Any]:
    """Return a procedure as JSON, for the database that enforces it."""
    return {name: register.model_dump(mode="json", exclude_defaults=True) for name, register in found.items()}


def procedure_digest(found: Procedure) -> str:
    """Return the digest of a procedure: equal digests enforce the same."""
    text = json.dumps(procedure_json(found), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
