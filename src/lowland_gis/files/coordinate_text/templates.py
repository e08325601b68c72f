"""The forms of coordinate text that receiving systems ask for, each as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lowland_gis import toml
from lowland_gis.errors import DefinitionError, UsageError

_FILE = Path(__file__).with_name("templates.toml")
STANDARD = "standard"


@dataclass(frozen=True)
class Template:
    """A form: its title and where it was read, the lines of its header, the values of a parcel's line, and how a point is written.

    `counts` is "closing" where the number of points is that of all lines, "less one" where one is left out; `behind` stands
    behind the @ of a parcel.
    """

    title: str
    document: str
    header: tuple[str, ...]
    line: tuple[str, ...]
    point: str = "{label},{ring},{north},{east}"
    counts: str = "closing"
    behind: str = ""


@cache
def templates() -> dict[str, Template]:
    """Return all forms by their names."""
    read = toml.read(_FILE, DefinitionError)
    return {name: _template(form) for name, form in read.items()}


def _template(form: dict[str, Any]) -> Template:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in form.items()
    }
    return Template(**values)


def template(name: str) -> Template:
    """Return a form.

    Raises:
        UsageError: there is none of that name.
    """
    found = templates().get(name)
    if found is None:
        raise UsageError(
            f"--template {name}: there is no form of coordinate text of that name. Name one of: {', '.join(templates())}."
        )
    return found
