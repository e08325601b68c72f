"""Compare verdicts with a planted truth and give the reason of every difference."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Agreement:
    """`share` of planted parcels that got their kind; `differences` has parcel_id, planted, found and reason."""

    share: float
    n_planted: int
    differences: pd.DataFrame


def compare(truth: pd.DataFrame, verdicts: pd.DataFrame, set_aside: pd.DataFrame) -> Agreement:
    """Compare planted kinds with answers.

    `truth` has parcel_id, kind, spoilt and note; `verdicts` has parcel_id, answer, doubt (what is unknown, in words) and
    trace (rule that decided); `set_aside` has parcel_id and message of parcels that were not loaded.
    """
    joined = truth.merge(verdicts, on="parcel_id", how="left")
    differs = joined["answer"] != joined["kind"]
    differences = joined[differs].assign(found=joined["answer"].fillna("not loaded"))
    aside = set_aside.drop_duplicates("parcel_id").set_index("parcel_id")["message"]
    reasons = [_reason(row, aside) for row in differences.to_dict("records")]
    listed = differences.assign(reason=reasons).rename(columns={"kind": "planted"})
    return Agreement(
        float(1 - differs.mean()) if len(joined) else 1.0,
        len(joined),
        listed[["parcel_id", "planted", "found", "reason"]].reset_index(drop=True),
    )


def _reason(row: dict[str, object], aside: pd.Series[str]) -> str:
    planted = str(row["note"]) if isinstance(row["note"], str) and row["note"] else ""
    if row["parcel_id"] in aside.index:
        measured = f"set aside at ingest: {aside[row['parcel_id']]}"
    elif isinstance(row["doubt"], str) and row["doubt"]:
        measured = f"unknown: {row['doubt']}"
    else:
        measured = f"decided by {row['rule'] or 'no rule'}"
    return "; ".join(part for part in (planted, measured) if part)
