"""The data dictionary: every table, view and column of the database, with kind, unit and meaning.

One truth with many readers: the SQL tables (`db.tables`), the frames written by COPY (`db.frames`), the fields of
a package (`products.package.build`) and the documentation are all derived from here. There is one module a schema; all of them hold data only.
"""

from __future__ import annotations

from lowland_gis.schema.land import ENTERPRISE, FEATURE, FINDING, ISSUE, LAYER_VERSION, PARCEL, RASTER, SOURCE
from lowland_gis.schema.model import (
    AREA,
    LAND,
    PARCEL_ID,
    REGISTRY,
    RESULT,
    SCHEMAS,
    TOWN,
    Column,
    Kind,
    Table,
    View,
)
from lowland_gis.schema.registry import DOCUMENT, LEGACY, LOW_EFFICIENCY, PROBLEM, UNIT_FROZEN
from lowland_gis.schema.result import (
    COVER,
    DRAFT,
    EVIDENCE,
    EVIDENCE_APART,
    EVIDENCE_MEASURE,
    MEMBER,
    OVERLAP,
    PARCEL_EVIDENCE,
    RUN,
    UNIT,
    VERDICT,
)

__all__ = [
    "AREA",
    "COVER",
    "DOCUMENT",
    "DRAFT",
    "ENTERPRISE",
    "EVIDENCE",
    "EVIDENCE_APART",
    "EVIDENCE_MEASURE",
    "FEATURE",
    "FINDING",
    "ISSUE",
    "LAND",
    "LAYER_VERSION",
    "LEGACY",
    "LOW_EFFICIENCY",
    "MEMBER",
    "OVERLAP",
    "PARCEL",
    "PARCEL_EVIDENCE",
    "PARCEL_ID",
    "PROBLEM",
    "RASTER",
    "REGISTRY",
    "RESULT",
    "RUN",
    "SCHEMAS",
    "SOURCE",
    "TABLES",
    "TOWN",
    "UNIT",
    "UNIT_FROZEN",
    "VERDICT",
    "VIEWS",
    "Column",
    "Kind",
    "Table",
    "View",
]

TABLES = (
    SOURCE,
    LAYER_VERSION,
    FEATURE,
    PARCEL,
    ENTERPRISE,
    RASTER,
    ISSUE,
    FINDING,
    RUN,
    OVERLAP,
    COVER,
    EVIDENCE_MEASURE,
    PARCEL_EVIDENCE,
    EVIDENCE_APART,
    VERDICT,
    UNIT,
    MEMBER,
    DRAFT,
    LOW_EFFICIENCY,
    LEGACY,
    PROBLEM,
    UNIT_FROZEN,
    DOCUMENT,
)

VIEWS = (EVIDENCE,)
