"""Classify parcels, explain and compare verdicts, make them again."""
