"""Next uses: scores by hand, and the order."""

import math
from dataclasses import replace

import pytest

from lowland_gis.analysis.potential.gain import Plot, public
from lowland_gis.analysis.potential.uses import next_uses
from redeveloped import FACTORY, HOUSE, parameters

GIVEN = parameters()


def uses_of(*lands):
    return next_uses(lands, public(lands, GIVEN), GIVEN)


def test_scores_and_reasons_by_hand():
    industry, open_ = uses_of(FACTORY, HOUSE)
    # 5,000 of 7,000 m² are planned for it; all low-efficiency land and both zones fit; 1,800 of 2,800 m² of public-benefit land are lacking.
    assert industry.score.low == industry.score.high == pytest.approx(0.5 * 5 / 7 + 0.3 + 0.1 + 0.1 * 1 / 2.8)
    assert open_.score.low == pytest.approx(0.5 * 1 / 7 + 0.1 + 0.1 * 1.8 / 2.8)
    assert (industry.key, industry.rank, open_.rank) == ("industry", 1, 2)
    assert industry.reasons == (
        "详细规划：71.4% 为此用途", "低效类型：100.0% 的低效用地属适宜类型", "规划分区：100.0% 位于适宜分区", "公益性用地：尚缺 0.18 公顷",
    )  # fmt: skip


def test_what_the_plan_does_not_arrange_is_said():
    lands = [replace(FACTORY, plots=(Plot("1001", 6000.0, 1.0),))]
    reasons = {use.key: use.reasons[0] for use in uses_of(*lands)}
    assert reasons["open"] == "详细规划：未安排此用途，须先调整规划"


def test_without_a_plan_a_score_is_a_band():
    industry = next(
        use for use in uses_of(replace(FACTORY, plots=(), public_m2=math.nan)) if use.key == "industry"
    )
    assert industry.score.low == pytest.approx(0.4)
    assert industry.score.high == pytest.approx(1.0)
    assert industry.reasons[0] == "详细规划：未知（没有详细规划）"


def test_the_plan_decides_the_order():
    green = replace(
        FACTORY, kind="village", plots=(Plot("1401", 6000.0, 0.0, 0.0, public=True),), public_m2=0.0
    )
    assert uses_of(green)[0].key == "open"
