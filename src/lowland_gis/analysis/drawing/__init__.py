"""Drawings (DXF): escapes of texts, arcs of polylines, blocks within blocks, units and rings; pure functions."""
