"""What `import lowland_gis` offers: the commands as functions over frames, Arrow tables and files, and projects as frames."""
