"""Variations that are known to change the answers, each with the reason; one that no longer does fails the tests."""

KNOWN_DIFFERENCES: dict[str, str] = {}
