"""Rows as the bytes and the statement of COPY."""

import pandas as pd
import pytest

from lowland_gis import schema
from lowland_gis.db.copy import encoded

ROWS = pd.DataFrame({"row_no": [0], "rule": ["r"], "action": ["kept"], "message": ["文"]})


@pytest.mark.parametrize("made_here", [True, False])
def test_only_a_table_of_this_transaction_takes_rows_as_seen_by_all(made_here):
    rows = encoded(schema.ISSUE, ROWS, srid=4548, constants={"version_id": 1}, made_here=made_here)
    assert ("FREEZE true" in rows.statement.as_string()) is made_here


def test_a_column_that_the_table_lacks_is_an_error():
    with pytest.raises(KeyError, match="no columns"):
        encoded(schema.ISSUE, ROWS.assign(other=1), srid=4548)
