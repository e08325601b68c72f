"""The engines by their names; each is loaded when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from lowland_gis.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from lowland_gis.engines.base import Engine

# Name → module and class. An engine is made with a function that says where there is a database, which it may ask or not.
_PLACES = {
    "local": ("local", "Local"),
    "postgis": ("postgis", "PostGIS"),
    "sedona": ("sedona.engine", "Sedona"),
}
NAMES = tuple(_PLACES)
ON_SPARK = ("sedona",)
DEFAULT = NAMES[0]


def refuse_unknown(name: str, said: str = "[tabulate] engine") -> None:
    """Refuse a name that no engine has; `said` is where it was given.

    Raises:
        UsageError: there is no such engine.
    """
    if name not in NAMES:
        near = get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"{said} = {name!r}: there is no such engine.{hint} The engines are: {', '.join(NAMES)}."
        )


def engine(
    name: str, database: Callable[[], str], *, master: str | None = None, memory: str | None = None
) -> Engine:
    """Return the engine of a name; `database` gives the connection string of one to compute in, or raises.

    `master` and `memory` are for engines on Spark: where it computes, and with how much memory; others have no use for them.
    """
    module, kind = _PLACES[name]
    made = getattr(import_module(f"lowland_gis.engines.{module}"), kind)
    found: Engine = made(database, master, memory) if name in ON_SPARK else made(database)
    return found


def without_database() -> Engine:
    """Return the engine that computes where none is chosen, which needs no database."""
    return engine(DEFAULT, _no_database)


def _no_database() -> str:
    raise DatabaseError(
        "This engine computes in a database, and none was named. Leave --engine away: the local one needs none."
    )
