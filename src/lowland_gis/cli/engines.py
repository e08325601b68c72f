"""Options about the engines of overlaps that several commands have."""

from __future__ import annotations

import click

master_option = click.option(
    "--master",
    metavar="URL",
    help="Where Spark computes for --engine sedona, instead of local[*,4]: spark://host:7077, yarn …; files must be readable there.",
)
