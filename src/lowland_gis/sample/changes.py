"""What is planted between the two years of a sample district: the words of `truth/changes.csv`, and the list as it grows.

One row is one change of one record, or of several that a split or a merge binds together. An update is judged on the rows of the layer
`parcel`; the other layers are listed too, so that whatever differs between the files of the two years has its row.

A parcel stands in at most one row that says how its record changed (added, removed, split, merged, attribute_changed, boundary_drifted),
and besides it in one that says that it is of another kind by now (reclassified), and in one that says that people disposed of it.
Children of a split or a merge are no reclassified ones. Faults of the first year stand in the second as they were: no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

CHANGES = {
    "added": "a new record; `before` is empty",
    "removed": "the record is gone; `after` is empty",
    "split": "one record before, several new ones after",
    "merged": "several records before, one new one after",
    "attribute_changed": "the same record and shape, other fields (`fields`)",
    "boundary_drifted": "the same record, its outline moved by centimetres to decimetres (a town: by metres)",
    "reclassified": "the same parcel, another kind of low-efficiency land, or none",
    "disposed": "people disposed of the entry (已处置)",
}
CAUSES = {
    "survey_increment": "the survey increment of the year (变更调查增量) brings it",
    "resurvey": "boundary points were measured again (界址点重测)",
    "new_construction": "something was built (新建)",
    "demolished": "buildings were taken down (拆除)",
    "firm_closed": "the firm produces no more (关停)",
    "firm_new": "another firm came (新入驻)",
    "firm_figures": "tax and output of the firm fell or rose (效益变化)",
    "use_changed": "use or user in the register changed (用途、使用人变更)",
    "subdivided": "the register split the parcel (宗地分割)",
    "joined": "the register joined the parcels (宗地合并)",
    "contract_completed": "the works of a contract were finished (竣工)",
    "time_passed": "the day of judgement moved on: a contract is overdue by now",
    "rule_changed": "another edition of the rule pack, on the same data",
    "decision": "people decided",
    "boundary_moved": "the line between two towns was moved (界线调整)",
}
COLUMNS = (
    "layer", "change", "before", "after", "cause", "fields", "register", "kind_before", "kind_after", "area_before_m2", "area_after_m2",
    "note",
)  # fmt: skip
SEPARATOR = ";"


@dataclass
class Changes:
    """The list as it grows; `kinds` is the kind of each parcel of the first year, `low` those that are low-efficiency land."""

    kinds: dict[str, str]
    registers: dict[str, tuple[str, ...]]
    _rows: list[dict[str, object]] = field(default_factory=list)

    def add(
        self,
        layer: str,
        change: str,
        cause: str,
        *,
        before: Sequence[str] = (),
        after: Sequence[str] = (),
        areas: tuple[float, float] = (0.0, 0.0),
        kind_after: str = "",
        fields: Sequence[str] = (),
        note: str = "",
    ) -> None:
        """List one change; `areas` are the sums before and after (m², on the ellipsoid)."""
        if change not in CHANGES or cause not in CAUSES:
            raise ValueError(f"{change} {cause}: no change, or no cause, that the list knows")
        parcel = layer == "parcel"
        entries = [
            f"{register}:{name}"
            for name in sorted(before)
            for register in (self.registers.get(name, ()) if parcel else ())
        ]
        kind_before = self.kinds.get(min(before), "") if parcel and before else ""
        row = (
            layer, change, SEPARATOR.join(sorted(before)), SEPARATOR.join(sorted(after)), cause, SEPARATOR.join(fields),
            SEPARATOR.join(entries), kind_before, kind_after if parcel else "", round(areas[0], 2), round(areas[1], 2), note,
        )  # fmt: skip
        self._rows.append(dict(zip(COLUMNS, row, strict=True)))

    def table(self) -> pd.DataFrame:
        """Return the list in the order layer (parcels first), change, before, after."""
        rows = pd.DataFrame(self._rows, columns=list(COLUMNS))
        order = rows.assign(first=rows["layer"] != "parcel")
        keys = ["first", "layer", "change", "before", "after", "cause"]
        return order.sort_values(keys, kind="stable", ignore_index=True)[list(COLUMNS)]
