"""Layers as files for other programs: shapefile, dBASE table, GeoPackage, FileGDB, GeoParquet."""
