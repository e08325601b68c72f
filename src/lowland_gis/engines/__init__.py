"""Overlaps of parcels and zones, computed in different ways that must agree."""
