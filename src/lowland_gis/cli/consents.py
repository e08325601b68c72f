"""Options by which the bureau answers what no reading of a file can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def consent_options(command: _Command) -> _Command:
    """Add `--gcj02` and `--conversion` to a command."""
    command = click.option(
        "--conversion",
        type=click.Choice(["done"]),
        help="The parameters that a coordinate text records (转换参数) have been applied to its coordinates already.",
    )(command)
    return click.option(
        "--gcj02",
        type=click.Choice(["no"]),
        help="The coordinates of a KML are not those of a map of the internet (GCJ-02 火星坐标); only who made it knows.",
    )(command)
