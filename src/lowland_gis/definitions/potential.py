"""Read the parameters of potential (再开发潜力): the shipped `potential.toml`, and over it what a project sets itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lowland_gis.analysis.potential.parameters import (
    ADAPTER,
    Parameters,
    laid_over,
    named_faults,
    parameter_faults,
)
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.over import in_force
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, fitted, parsed, refused

FILE = "potential.toml"


def potential_parameters(own: Path | None = None) -> Parameters:
    """Return the parameters of potential, with what the project at work sets itself, or a file instead of that.

    Raises:
        DefinitionError: the project's own file, or the one that is named, has faults.
    """
    if own is None:
        return _parameters(in_use())
    found, faults = _over(parsed(own))
    if found is None or faults:
        raise refused(own, faults)
    return found


@cache
def _parameters(own: Own) -> Parameters:
    return in_force(FILE, own, _over)


def own_faults(path: Path) -> Iterable[Fault]:
    """Return the faults of a project's own file: of its form, and of what does not fit together."""
    return _over(parsed(path))[1]


def _over(added: dict[str, Any]) -> tuple[Parameters | None, list[Fault]]:
    """Return the shipped parameters with those of a file laid over them.

    A number without a unit or a document is told by its name, before the form of the file is looked at.
    """
    named = list(named_faults(added))
    if named:
        return None, named
    fit = fitted(laid_over(parsed(FOLDER / FILE), added), ADAPTER)
    found, faults = fit
    return found, faults if found is None else list(parameter_faults(found))
