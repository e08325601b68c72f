"""The option that says which draft of units a command looks at."""

from __future__ import annotations

import click

draft_option = click.option(
    "--draft", "which", default="latest", show_default=True, help="Name or run number of a draft, or latest."
)
