"""How a clause reads on the screen."""

import pytest

from lowland_gis.cli.classify import _clause
from lowland_gis.pipeline.classify import ClauseLine


def line(value, limit, unit, op=">="):
    return ClauseLine("主导", "m", "占比", op, limit, unit, value, "false", "dltb3 2019-12-31", None, None)


@pytest.mark.parametrize(
    ("value", "limit", "unit", "said"),
    [
        (1.0, 0.5, "share", "100%，要求 ≥ 50%"),
        (0.49999, 0.5, "share", "49.999%，要求 ≥ 50%"),
        (0.5, 0.5, "share", "50%，要求 ≥ 50%"),
        (1990.4, 1990, "year", "1990.4 年，要求 ≥ 1990.0 年"),
        (1978.0, 1990, "year", "1978 年，要求 ≥ 1990 年"),
        (2.0, 3, "year", "2.00 年，要求 ≥ 3.00 年"),
        (4.999, 5, "万元/亩", "4.999 万元/亩，要求 ≥ 5.000 万元/亩"),
    ],
)
def test_a_value_never_reads_as_its_limit(value, limit, unit, said):
    assert said in _clause(line(value, limit, unit))
