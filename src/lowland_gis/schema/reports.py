"""Table of `registry` with the reports that left the house: of which period, made of what, and the figures that stood in them."""

from __future__ import annotations

from lowland_gis.schema.decisions import RECORDED
from lowland_gis.schema.model import REGISTRY, Column, Table, identity

REPORT = Table(
    REGISTRY,
    "report",
    "reports that were made (简报、报告) with the figures in them; append-only, the newest row of a report and period holds",
    ("row_id",),
    (
        identity("row_id", "number of the row"),
        Column("report", "text", "report by its name in reports.toml"),
        Column("period", "text", "period that it is of, such as 2026-11"),
        Column("on_date", "date", "day that its figures are of"),
        Column("run_id", "bigint", "classification that it rests on"),
        Column("figures", "json", "its figures, which the next report of the kind is held against"),
        Column("file_name", "text", "name of the document"),
        Column("document_sha256", "text", "SHA-256 of the document as it was made"),
        *RECORDED,
    ),
)
