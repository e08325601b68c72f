"""Checks of land (质检): topology, attributes and towns."""
