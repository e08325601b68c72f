"""The private PostGIS of a project."""
