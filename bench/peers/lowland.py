"""lowland: `lowland tabulate`, called in this process so that importing is not counted, as with every peer."""

from measured import Arguments, measured

from lowland_gis import cli
from lowland_gis.cli import tabulate as command  # noqa: F401 - the command line loads its commands when they are called


def tabulate(arguments: Arguments) -> None:
    """Write the table by the command that a user types."""
    named = ["--id", "parcel_id", "--by", "code", "--threads", str(arguments.threads), "-o", arguments.output]
    cli.lowland(["-q", "tabulate", arguments.parcels, arguments.zones, *named], standalone_mode=False)


measured(tabulate)
