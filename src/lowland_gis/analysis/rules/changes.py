"""What differs between two sets of verdicts, or between a recorded table and the same table made again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

NOT_ASKED = "not asked"
NOTHING = "nothing"

Why = Literal["data", "rule", "both"]


def changed_answers(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the parcels whose answer to a question differs: question, parcel_id, before, after.

    Both frames have question, parcel_id and answer; a parcel that only one of them asked has `not asked` on the other side.

    >>> one = pd.DataFrame({"question": ["kind"], "parcel_id": ["A"], "answer": ["none"]})
    >>> changed_answers(one, one.assign(answer="town")).values.tolist()
    [['kind', 'A', 'none', 'town']]
    """
    key = ["question", "parcel_id"]
    joined = before[[*key, "answer"]].merge(
        after[[*key, "answer"]], on=key, how="outer", suffixes=("_b", "_a")
    )
    joined = joined.rename(columns={"answer_b": "before", "answer_a": "after"}).fillna(NOT_ASKED)
    return joined[joined["before"] != joined["after"]].reset_index(drop=True)


def reasons(
    changed: pd.DataFrame, with_new_data: pd.DataFrame, with_new_rule: pd.DataFrame
) -> pd.Series[Any]:
    """Say for each changed answer whether the data, the rule or only both together made the change.

    `with_new_data` has the answers of the old rules on the new evidence, `with_new_rule` those of the new rules on the old evidence.
    Either alone makes the change: it has its name. Both alone, or neither: both.
    """
    key = ["question", "parcel_id"]
    index = pd.MultiIndex.from_frame(changed[key])
    data = with_new_data.set_index(key)["answer"].reindex(index).fillna(NOT_ASKED).to_numpy()
    rule = with_new_rule.set_index(key)["answer"].reindex(index).fillna(NOT_ASKED).to_numpy()
    after = changed["after"].to_numpy()
    by_data, by_rule = data == after, rule == after
    why = np.where(by_data & ~by_rule, "data", np.where(by_rule & ~by_data, "rule", "both"))
    return pd.Series(why, index=changed.index, dtype=object)


def table_differences(recorded: pd.DataFrame, rebuilt: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return what differs between a table and the same table made again: key, column, recorded, rebuilt.

    Numbers must agree to the bit; NaN and None are equal. A row that only one side has differs in the column `row`.
    """
    columns = [name for name in recorded.columns if name not in key]
    joined = recorded.merge(rebuilt, on=list(key), how="outer", suffixes=("_1", "_2"), indicator="where_")
    where = joined["where_"].astype(str).to_numpy()
    found = [_rows(joined[where != "both"], key, "row", *_sides(where[where != "both"]))]
    both = joined[where == "both"]
    for name in columns:
        one, other = both[f"{name}_1"], both[f"{name}_2"]
        differs = ((one != other) & ~(one.isna() & other.isna())).to_numpy()
        found.append(_rows(both[differs], key, name, one[differs].tolist(), other[differs].tolist()))
    return pd.concat(found, ignore_index=True)


def _sides(where: Any) -> tuple[list[str], list[str]]:
    left = ["there" if side == "left_only" else NOTHING for side in where]
    right = ["there" if side == "right_only" else NOTHING for side in where]
    return left, right


def _rows(
    rows: pd.DataFrame, key: Sequence[str], column: str, recorded: list[Any], rebuilt: list[Any]
) -> pd.DataFrame:
    frame = rows[list(key)].reset_index(drop=True)
    return frame.assign(
        column=column,
        recorded=pd.Series(recorded, dtype=object, index=frame.index),
        rebuilt=pd.Series(rebuilt, dtype=object, index=frame.index),
    )
