"""Run the command line with `python -m lowland_gis`."""

from lowland_gis.cli import program

program()
