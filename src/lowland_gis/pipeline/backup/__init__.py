"""Backups: one file with all that a project holds, proved when it is read, restored as a whole or not at all."""
