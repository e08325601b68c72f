"""Read the terms of the annual plan (年度实施计划): the shipped `plan.toml`, and over it what a project changes, table by table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lowland_gis.analysis.registry.plan_terms import ADAPTER, Terms, terms_faults
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.over import in_force, table_by_table
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, fitted, parsed

FILE = "plan.toml"


def plan_terms() -> Terms:
    """Return the terms of the plan, with what the project at work changes about them.

    Raises:
        DefinitionError: the project's own file has faults.
    """
    return _terms(in_use())


@cache
def _terms(own: Own) -> Terms:
    return in_force(FILE, own, _over)


def own_faults(path: Path) -> Iterable[Fault]:
    """Return the faults of a project's own file: of its form, and of what does not fit together."""
    return _over(parsed(path))[1]


def _over(added: dict[str, Any]) -> tuple[Terms | None, list[Fault]]:
    """Return the shipped terms with those of a file laid over them; a kind is taken as a whole."""
    fit = fitted(table_by_table(parsed(FOLDER / FILE), added), ADAPTER)
    found, faults = fit
    return found, faults if found is None else list(terms_faults(found))
