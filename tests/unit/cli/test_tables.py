"""Lists as JSON: what any program reads, so without NaN and Infinity, which JSON does not have."""

import json
import math

import numpy as np
import pandas as pd

from lowland_gis.cli.tables import Rows, show


def strict(text):
    """Read JSON as programs do that keep to its rules."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def test_what_is_missing_is_null_in_every_way_of_saying_it(capsys):
    frame = pd.DataFrame(
        {
            "number": [1.5, math.nan],
            "text": pd.Series(["甲", None], dtype=object),
            "kept": pd.array([3, pd.NA], dtype="Int64"),
            "day": [pd.Timestamp("2024-06-30"), pd.NaT],
            "large": [np.float64(2), np.inf],
        }
    )
    show(frame, as_json=True)
    first, second = strict(capsys.readouterr().out)
    assert first == {"number": 1.5, "text": "甲", "kept": 3, "day": "2024-06-30 00:00:00", "large": 2.0}
    assert set(second.values()) == {None}


def test_rows_of_plain_values_too(capsys):
    show(Rows(("a", "b"), ((1, math.nan), ("乙", None))), as_json=True)
    assert strict(capsys.readouterr().out) == [{"a": 1, "b": None}, {"a": "乙", "b": None}]
