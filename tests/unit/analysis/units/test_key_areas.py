"""Key areas: ranked by weights that are data, each rank explained, the same whatever the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from lowland_gis.analysis.units.key_areas import KeyRules, areas_of, rank_areas
from lowland_gis.definitions.key_areas import key_rules
from lowland_gis.errors import DefinitionError


def rules(**changes: object) -> KeyRules:
    plain = {
        "document": "x", "example": True, "gathered_share": 0.5, "min_low_ha": 1.0, "ownership": ["2"], "road_grades": [],
        "distance_m": 100.0,
        "criterion": [
            {"name": "low_ha", "title": "规模", "form": "greatest", "weight": 0.6},
            {"name": "low_share", "title": "占比", "form": "share", "weight": 0.2},
            {"name": "potential_ha", "title": "潜力", "form": "greatest", "weight": 0.2},
        ],
    }  # fmt: skip
    return KeyRules.model_validate(plain | changes)


AREAS = pd.DataFrame(
    {
        "area_id": ["A", "B", "C", "D"],
        "low_ha": [10.0, 8.0, 0.5, 0.0],
        "low_share": [0.5, 1.0, 1.0, 0.0],
        "potential_ha": [np.nan, 4.0, 2.0, np.nan],
    }
)


def test_the_score_is_the_weighted_mean_of_the_marks_that_are_known_and_is_explained():
    table = rank_areas(AREAS, rules()).set_index("area_id")
    # B: 0.8 × 0.6 + 1 × 0.2 + 1 × 0.2; A has no potential, so the other weights count for all: (1 × 0.6 + 0.5 × 0.2) / 0.8.
    assert table["score"].to_dict() == pytest.approx(
        {"B": 0.88, "A": 0.875, "C": 0.05 * 0.6 + 0.2 + 0.1, "D": 0.0}
    )
    assert table["rank"].to_dict() == {"B": 1, "A": 2, "C": 3, "D": 4}
    assert table["known_share"].to_dict() == pytest.approx({"B": 1.0, "A": 0.8, "C": 1.0, "D": 0.8})
    assert table.loc["A", "reason"] == "规模 10.00: 1.00 × 0.75；占比 50%: 0.50 × 0.25；未知：潜力"
    for row in table.itertuples():
        shown = [part.rsplit(": ", 1)[1].split(" × ") for part in row.reason.split("；") if " × " in part]
        assert sum(float(mark) * float(weight) for mark, weight in shown) == pytest.approx(
            row.score, abs=0.01
        )


def test_key_areas_are_taken_by_rank_until_they_hold_the_share_of_all_low_efficiency_land():
    assert rank_areas(AREAS, rules())["key"].tolist() == [True, True, False, False]
    assert rank_areas(AREAS, rules(gathered_share=0.4))["key"].tolist() == [True, False, False, False]
    # Too small ones and those without such land are none, whatever share is asked for.
    assert rank_areas(AREAS, rules(gathered_share=1.0))["key"].tolist() == [True, True, False, False]
    least = rank_areas(AREAS, rules(gathered_share=1.0, min_low_ha=0.0))
    assert least["key"].tolist() == [True, True, True, False]
    assert least["gathered_share"].tolist() == pytest.approx([8 / 18.5, 18 / 18.5, 1, 1], abs=1e-6)


def test_the_order_of_rows_does_not_matter():
    twin = pd.concat([AREAS, AREAS.assign(area_id=["a", "b", "c", "d"])], ignore_index=True)
    first = rank_areas(twin, rules())
    for seed in range(5):
        again = rank_areas(twin.sample(frac=1, random_state=seed), rules())
        pd.testing.assert_frame_equal(again, first)


def test_an_area_is_told_by_its_low_efficiency_land():
    parcels = pd.DataFrame(
        {
            "area_id": ["A", "A", "A", None], "area_m2": [10_000.0, 20_000, 30_000, 1], "low_m2": [10_000.0, 20_000, 0, 1],
            "ownership": ["20", "30", "20", None], "unit_id": ["U1", "U2", None, None],
        }
    )  # fmt: skip
    near, known = pd.Series([1.0, 0.0, 1.0, 1.0]), pd.Series([0.5, np.nan, 1.0, 1.0])
    gains = pd.DataFrame({"land": [5_000.0, np.nan, 1_000.0, 7.0], "floor": [np.nan, 300.0, np.nan, 7.0]})
    table = areas_of(parcels, near, known, gains, ("2",))
    assert table["area_id"].tolist() == ["A"]
    row = table.iloc[0]
    assert (row["n_parcels"], row["area_ha"], row["low_ha"], row["low_share"]) == (3, 6.0, 3.0, 0.5)
    assert row["ownership_share"] == pytest.approx(1 / 3)
    assert row["near_share"] == pytest.approx(1 / 3)
    assert (row["papers_share"], row["potential_ha"], row["floor_ha"], row["n_units"]) == (0.5, 0.6, 0.03, 2)
    bare = areas_of(parcels.assign(ownership=None), near, known, None, ("2",)).iloc[0]
    assert np.isnan(bare["ownership_share"])
    assert np.isnan(bare["potential_ha"])
    assert np.isnan(bare["floor_ha"])


def test_rules_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(ValidationError, match="is there twice"):
        rules(criterion=[{"name": "low_ha", "title": "x", "form": "share", "weight": 1}] * 2)
    with pytest.raises(ValidationError, match="no criterion has a weight above 0"):
        rules(criterion=[{"name": "low_ha", "title": "x", "form": "share", "weight": 0}])
    file = tmp_path / "重点.toml"
    file.write_text('document = "x"\nexample = true\ngathered_share = 2\n', encoding="utf-8")
    with pytest.raises(DefinitionError, match="gathered_share"):
        key_rules(file)
    assert key_rules().example
