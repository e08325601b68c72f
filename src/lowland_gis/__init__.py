"""lowland_gis: a PostGIS parcel database and analysis toolkit for low-efficiency land (低效用地).

The functions have the names of the commands. Each is imported when it is asked for, so that the package itself loads at once.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each name of the API stands; `__init__.pyi` says the same to type checkers.
_PLACES = {
    "DatabaseError": "errors",
    "DefinitionError": "errors",
    "Delivery": "api.deliveries",
    "InputRefusedError": "errors",
    "LowlandError": "errors",
    "LowlandWarning": "errors",
    "Project": "api.project",
    "StaleError": "errors",
    "Tabulated": "api.overlaps",
    "UsageError": "errors",
    "area": "api.areas",
    "check": "api.deliveries",
    "classify": "api.verdicts",
    "UnitEditing": "api.unit_editing",
    "draft_units": "api.units",
    "edit_units": "api.units",
    "facing_neighbours": "api.units",
    "key_areas": "api.gains",
    "open_project": "api.project",
    "read_delivery": "api.deliveries",
    "tabulate": "api.overlaps",
    "unit_potential": "api.gains",
}

__all__ = [
    "DatabaseError",
    "DefinitionError",
    "Delivery",
    "InputRefusedError",
    "LowlandError",
    "LowlandWarning",
    "Project",
    "StaleError",
    "Tabulated",
    "UnitEditing",
    "UsageError",
    "__version__",
    "area",
    "check",
    "classify",
    "draft_units",
    "edit_units",
    "facing_neighbours",
    "key_areas",
    "open_project",
    "read_delivery",
    "tabulate",
    "unit_potential",
]


def __getattr__(name: str) -> Any:
    """Import a name of the API when it is asked for first."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of the API."""
    return sorted(__all__)
