"""lowland: `lowland tabulate`, called in this process so that importing is not counted, as with every peer."""

from lowland_gis.cli.process import keep_memory

keep_memory()  # as the program does before it loads anything

import pyarrow.parquet  # noqa: E402, F401 - loaded when a Parquet file is opened; imports are not counted
from measured import Arguments, measured  # noqa: E402

from lowland_gis import cli  # noqa: E402
from lowland_gis.cli import tabulate as command  # noqa: E402, F401 - the command line loads its commands when they are called


def tabulate(arguments: Arguments) -> None:
    """Write the table by the command that a user types."""
    named = [
        "--id",
        "parcel_id",
        "--by",
        "code",
        "--threads",
        str(arguments.threads),
        "-o",
        arguments.output,
        "--overwrite",
    ]
    cli.lowland(["-q", "tabulate", arguments.parcels, arguments.zones, *named], standalone_mode=False)


measured(tabulate)
