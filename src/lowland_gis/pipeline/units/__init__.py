"""Drafts of units: draw, edit, freeze, withdraw."""
