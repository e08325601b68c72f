"""The plane of a project that names none."""

from __future__ import annotations

DEFAULT_CRS = "EPSG:4548"
