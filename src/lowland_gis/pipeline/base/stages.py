"""The stages of the flow, in their order."""

from __future__ import annotations

STAGES = ("ingest", "tabulate", "measure", "classify", "delineate", "determine", "package")
