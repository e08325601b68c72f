"""Shapes and planes: repair, curves, geodesic area, strips, and where coordinates can lie."""
