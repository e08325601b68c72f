"""Compare verdicts with a planted truth and give the reason of every difference."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

NOT_LOADED = "not loaded"


@dataclass(frozen=True)
class Agreement:
    """`share` of planted parcels that got their kind; `differences` has parcel_id, planted, found and reason."""

    share: float
    n_planted: int
    differences: pd.DataFrame


def compare(truth: pd.DataFrame, verdicts: pd.DataFrame, set_aside: pd.DataFrame) -> Agreement:
    """Compare planted kinds with answers.

    `truth` has parcel_id, kind, spoilt and note; `verdicts` has parcel_id, answer, doubt (what is unknown, in words) and
    rule (that decided); `set_aside` has parcel_id and message of parcels that were not loaded.
    """
    joined = truth.merge(verdicts, on="parcel_id", how="left")
    differs = joined["answer"] != joined["kind"]
    differences = joined.assign(found=joined["answer"].fillna(NOT_LOADED))[differs]
    aside = set_aside.drop_duplicates("parcel_id").set_index("parcel_id")["message"]
    reasons = [
        _reason(str(row.parcel_id), row.note, row.doubt, row.rule, row.found, aside.to_dict())
        for row in differences.itertuples()
    ]
    listed = differences.assign(reason=reasons).rename(columns={"kind": "planted"})
    return Agreement(
        float(1 - differs.mean()) if len(joined) else 1.0,
        len(joined),
        listed[["parcel_id", "planted", "found", "reason"]].reset_index(drop=True),
    )


def _reason(
    parcel_id: str, note: object, doubt: object, rule: object, found: object, aside: dict[Hashable, str]
) -> str:
    planted = note if isinstance(note, str) else ""
    if parcel_id in aside:
        measured = f"set aside at ingest: {aside[parcel_id]}"
    elif found == NOT_LOADED:
        measured = "no verdict, and no issue says why"
    elif isinstance(doubt, str) and doubt:
        measured = f"unknown: {doubt}"
    else:
        measured = f"decided by {rule if isinstance(rule, str) and rule else 'no rule'}"
    return "; ".join(part for part in (planted, measured) if part)


@dataclass(frozen=True)
class ChangeAgreement:
    """`share` of changes, planted or found, that were both, with their cause.

    `differences` has change, before, after, planted and found (causes, empty where it was not) and reason.
    """

    share: float
    n_planted: int
    differences: pd.DataFrame


def compare_changes(truth: pd.DataFrame, found: pd.DataFrame) -> ChangeAgreement:
    """Compare the changes of parcels that were planted with those that an update found.

    Both have change, before, after (codes in their order, joined by `;`) and cause; `truth` is `truth/changes.csv`, of which the rows
    of parcels count.
    """
    keys = ["change", "before", "after"]
    planted = truth[truth["layer"] == "parcel"] if "layer" in truth else truth
    joined = planted[[*keys, "cause"]].merge(
        found[[*keys, "cause"]], on=keys, how="outer", suffixes=("_planted", "_found"), indicator=True
    )
    same = (joined["_merge"] == "both") & (joined["cause_planted"] == joined["cause_found"])
    reasons = joined["_merge"].map(
        {"left_only": "not found", "right_only": "not planted", "both": "another cause"}
    )
    listed = joined.assign(
        planted=joined["cause_planted"].fillna(""), found=joined["cause_found"].fillna(""), reason=reasons
    )
    rows = listed.loc[~same, [*keys, "planted", "found", "reason"]]
    return ChangeAgreement(
        float(same.mean()) if len(joined) else 1.0, len(planted), rows.reset_index(drop=True)
    )
