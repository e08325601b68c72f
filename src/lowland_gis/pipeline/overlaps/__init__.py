"""Parcels against zones: as a stage, and for two files without a database."""
