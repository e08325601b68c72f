"""Tables of `registry` with the figures of what is registered: what was drafted, frozen, and said by papers; append-only, never lost."""

from __future__ import annotations

from lowland_gis.schema.model import AREA, REGISTRY, TOWN, Column, Table, identity


def _history() -> tuple[Column, ...]:
    return (
        Column(
            "state",
            "text",
            "what the program drafted: draft (草案), or withdrawn; where an entry stands is in registry.current_entry",
        ),
        # No foreign key: results may be thrown away, the registry may not.
        Column("run_id", "bigint", "classification that it rests on"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    )


LOW_EFFICIENCY = Table(
    REGISTRY,
    "low_efficiency",
    "figures of the low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
    ("entry_id",),
    (
        identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("kind", "text", "kind of low-efficiency land"),
        Column("rule", "text", "rule that decided"),
        AREA,
        *_history(),
    ),
)

LEGACY = Table(
    REGISTRY,
    "legacy",
    "figures of the historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
    ("entry_id",),
    (
        identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("retention", "text", "whether the parcel may be kept: yes, no or open"),
        Column("clauses", "json", "each clause of the test with its outcome"),
        AREA,
        *_history(),
    ),
)

PROBLEM = Table(
    REGISTRY,
    "problem",
    "problem list (问题清单): what is unknown and which paper would settle it; append-only",
    ("entry_id",),
    (
        identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        TOWN,
        Column("question", "text", "question that is open"),
        Column("clause", "text", "clause that is unknown"),
        Column("needed", "text", "what would settle it"),
        Column("office", "text", "office that can say"),
        *_history(),
    ),
)

UNIT_FROZEN = Table(
    REGISTRY,
    "unit",
    "frozen redevelopment units with their numbers; append-only, the newest row of a number holds",
    ("entry_id",),
    (
        identity("entry_id", "number of the row"),
        Column("number", "text", "number by the town's scheme", indexed=True),
        Column("unit_id", "text", "number of the unit in its draft"),
        TOWN,
        Column("parcels", "json", "codes of its parcels"),
        Column(
            "members",
            "json",
            "its parcels as they were: delivery of the outline, area in m², answer and whether it was low-efficiency; empty where an"
            " older program froze it",
            nullable=True,
        ),
        Column("area_m2", "number", "ellipsoidal area of its parcels", unit="m²"),
        Column("low_share", "number", "share of low-efficiency land", unit="[0, 1]"),
        Column("value_m2", "number", "value of the unit", unit="m²"),
        Column("ledger", "json", "every term of the value, in m²"),
        Column("geom", "geometry", "outline", geometry_type="MULTIPOLYGON"),
        Column("state", "text", "frozen or withdrawn"),
        Column("replaces", "json", "numbers of the frozen units that it took the place of", nullable=True),
        Column("reason", "text", "why it was withdrawn; empty while it is frozen", nullable=True),
        Column("run_id", "bigint", "draft that it was frozen from"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    ),
)

DOCUMENT = Table(
    REGISTRY,
    "document",
    "registered papers (登记材料): what a paper says of one clause of one parcel; append-only, the newest row of both holds",
    ("entry_id",),
    (
        identity("entry_id", "number of the row"),
        Column("parcel_id", "text", "parcel code", indexed=True),
        Column(
            "condition", "text", "measure that the paper states, or the condition of a clause that it settles"
        ),
        Column("says", "boolean", "what the paper says of it; empty when it was withdrawn", nullable=True),
        Column("file_name", "text", "name of the file"),
        Column("sha256", "text", "digest of the file"),
        Column("size_bytes", "bigint", "size of the file", unit="byte"),
        Column("state", "text", "registered or withdrawn"),
        Column("recorded_at", "timestamp", "when this row was added"),
        Column("recorded_by", "text", "who added it"),
    ),
)
