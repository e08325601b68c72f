"""Checks of the land in force and their findings."""
