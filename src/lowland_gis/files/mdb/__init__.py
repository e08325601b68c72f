"""Personal geodatabases (.mdb): read by the programs of mdbtools, each in a process of its own; shapes are decoded here."""
