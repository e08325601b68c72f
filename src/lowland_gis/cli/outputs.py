"""Files that a command reads and files that it writes, told apart in its parameters, and the option that lets one be replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class InputPath(click.Path):
    """A file or folder that a command reads."""

    def __init__(self, **options: Any) -> None:
        """Take the options of click.Path; the command gets a `Path`."""
        super().__init__(path_type=Path, **options)


class OutputPath(click.Path):
    """A file or folder that a command writes; a command that has one has `--overwrite` too, or never replaces anything."""

    def __init__(self, **options: Any) -> None:
        """Take the options of click.Path; the command gets a `Path`."""
        super().__init__(path_type=Path, **options)


overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help="Replace a file that is there although lowland did not make it here, or it was changed since.",
)
