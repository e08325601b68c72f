"""The database floor: the private PostGIS, the tables, and frames in and out by COPY."""
