"""Tables of the update of a year (年度更新): what was compared and closed (`registry`), and what was found (`result`)."""

from __future__ import annotations

from lowland_gis.schema.decisions import RECORDED
from lowland_gis.schema.model import REGISTRY, RESULT, TOWN, Column, Table, identity

_RUN = Column("run_id", "bigint", "run that made the row", references="result.run.run_id")


def _area(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, unit="m²")


_AREAS = (
    _area("old_m2", "area in the old state (椭球面积)"),
    _area("added_m2", "land of the new state that was no parcel's before"),
    _area("removed_m2", "land of the old state that is no parcel's now"),
    _area("drift_m2", "what boundaries that were measured anew make of it, and rounding"),
    _area("new_m2", "area in the new state (椭球面积)"),
)

CHANGE = Table(
    RESULT,
    "change",
    "changes of parcels (变化) between the state of last year and the deliveries of this one",
    ("run_id", "change_no"),
    (
        _RUN,
        Column("change_no", "bigint", "number of the change in its run, from 1"),
        Column(
            "kind",
            "text",
            "added, removed, split, merged, regrouped, renumbered, reshaped, boundary_drifted, attribute_changed, reclassified, reanswered or disposed",
        ),
        Column("cause", "text", "what made it, as definitions/update.toml names causes"),
        Column(
            "basis",
            "text",
            "of what was reclassified: data, rule, or both where only both together made it",
            nullable=True,
        ),
        TOWN,
        Column("old_parcels", "texts", "parcels of the old state"),
        Column("new_parcels", "texts", "parcels of the new state"),
        *_AREAS,
        Column(
            "evidence",
            "json",
            "fields from what to what, land that is shared, measures and clauses that tipped the verdict, papers",
        ),
    ),
)

CHANGE_BALANCE = Table(
    RESULT,
    "change_balance",
    "how the area of the old state became that of the new one, town by town, the whole last; residual_m2 is 0 where it closes",
    ("run_id", "line_no"),
    (
        _RUN,
        Column("line_no", "bigint", "number of the line, from 1"),
        Column("town_code", "text", "town (镇街代码); empty with the whole", nullable=True),
        *_AREAS,
        _area("moved_in_m2", "land that lies in a parcel of this town by now, and lay in one of another"),
        _area("moved_out_m2", "land that lay in a parcel of this town, and lies in one of another by now"),
        _area("residual_m2", "what the parts do not explain, and what the deliveries hold beside them"),
    ),
)

ANNUAL_UPDATE = Table(
    REGISTRY,
    "annual_update",
    "updates of the registers by the year (年度更新): what is compared when one is opened, and what came of it when it is closed",
    ("update_id",),
    (
        identity("update_id", "number of the row"),
        Column("year", "integer", "year of the update"),
        Column("step", "text", "opened or closed"),
        Column(
            "before",
            "json",
            "the state of last year: classification, deliveries (number and digest), entries that were filed, head of the chain",
        ),
        Column("after", "json", "the new state: classification and deliveries (number and digest)"),
        Column(
            "run_id", "bigint", "comparison that it was closed with; empty where it was opened", nullable=True
        ),
        Column(
            "content",
            "json",
            "reason of opening it again; or counts, balance and package with which it was closed",
            nullable=True,
        ),
        Column(
            "account",
            "text",
            "account at the machine that it was typed on, as the program said; not proven",
            nullable=True,
        ),
        *RECORDED,
    ),
)
