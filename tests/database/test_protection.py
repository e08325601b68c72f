"""Red line and farmland keep parcels out of units by the measures that the settings name; a layer that is not there is not free."""

import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from drawn_units import THIRD, ZONES, deliver, ready
from lowland_gis.cli import lowland
from lowland_gis.definitions.legend import read_legend
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.base.protection import protection
from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.package import package_contents
from lowland_gis.pipeline.products.unit_sheet import planning_sheet
from lowland_gis.pipeline.registry.determine import determine
from lowland_gis.pipeline.units.drafts import held_draft, read_draft
from lowland_gis.pipeline.units.draw import delineate, draft
from lowland_gis.pipeline.units.freeze import freeze
from lowland_gis.settings import DelineateSettings


def stored(project, run):
    with project.transaction() as connection:
        return read_draft(connection, str(run.run_id))


def out_of(found):
    rows = found.members[found.members["unit_id"].isna()]
    return dict(zip(rows["parcel_id"], rows["reason"], strict=True))


def test_what_is_delivered_protects_and_says_by_which_measure(project):
    ready(project, *ZONES)
    found = stored(project, delineate(project))
    assert out_of(found) == {THIRD: "touches protected land (生态保护红线占比 eco_share)"}
    assert found.findings.empty
    assert len(freeze(project, "latest")) == 1


def test_a_layer_that_was_not_delivered_is_unknown_and_its_units_cannot_be_frozen(project):
    ready(project, "farmland", "development_boundary")
    told = []
    found = stored(project, delineate(project, tell=told.append))
    assert out_of(found) == {}
    doubt = "it is not known whether it is protected: 生态保护红线占比 eco_share (not delivered: eco_redline)"
    assert found.findings[["rule", "value", "message"]].to_numpy().tolist() == [
        ["protection_unknown", 3.0, doubt]
    ]
    assert f"of 3 parcels {doubt}; units that hold them cannot be frozen" in told[-1]
    with pytest.raises(UsageError, match="nothing was frozen.*\n.*protection_unknown"):
        freeze(project, "latest")


def test_drawing_says_so_every_time_and_ends_with_the_code_of_findings(project):
    ready(project, "eco_redline", "development_boundary")
    for _ in range(2):
        done = CliRunner().invoke(
            lowland, ["--project", str(project.settings.folder / "lowland.toml"), "unit", "draft"]
        )
        assert done.exit_code == 1, done.output
        assert (
            "protection_unknown: it is not known whether it is protected: 永久基本农田占比 farmland_share"
            in done.stderr
        )


def test_where_no_layer_bounds_the_land_for_units_that_is_unknown_too(project):
    ready(project, "eco_redline", "farmland")
    found = stored(project, delineate(project))
    assert found.findings["message"].tolist() == [
        (
            "it is not known whether it is inside the land for units: 城镇开发边界内占比 boundary_share (not delivered: development_boundary),"
            " 村庄范围占比（203） settlement_village_share (not delivered: czcdyd3)"
        )
    ]


def test_what_is_outside_of_all_that_is_known_stays_out_and_says_what_is_not(project):
    settings = DelineateSettings()
    evidence = pd.DataFrame({"boundary_share": [0.0, 0.9], "eco_share": 0.0, "farmland_share": 0.0})
    found = protection(evidence, settings, {"settlement_village_share": ("czcdyd3",)})
    assert found.reason.tolist() == [
        (
            "outside the land for units (城镇开发边界内占比 boundary_share; unknown: 村庄范围占比（203） settlement_village_share"
            " (not delivered: czcdyd3))"
        ),
        None,
    ]
    assert found.unknown.tolist() == [None, None]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("protected", ["eco_shar"], "protected: there is no measure 'eco_shar'; did you mean eco_share"),
        ("inside", ["bounds"], "inside: there is no measure 'bounds'"),
        ("protected", ["tax_per_mu"], "protected: the measure 'tax_per_mu' is in .*, but a share"),
        ("barriers", ["rivr"], "barriers: there is no layer 'rivr'; did you mean river"),
    ],
)
def test_a_name_that_is_not_there_is_a_fault_when_the_settings_are_read(project, key, value, said):
    file = project.settings.folder / "lowland.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + f"\n[delineate]\n{key} = {value!r}\n", encoding="utf-8"
    )
    with pytest.raises(UsageError, match=said):
        open_project(file)
    ready(project, *ZONES)
    with pytest.raises(UsageError, match=said):
        draft(project, "x", {key: value})


def test_a_measure_that_is_renamed_protects_no_longer_in_silence(project, monkeypatch):
    """The names of the settings are held against the measures that there are."""
    from lowland_gis.pipeline.base import protection as module

    renamed = {
        ("red_share" if name == "eco_share" else name): found for name, found in module.measures().items()
    }
    monkeypatch.setattr(module, "measures", lambda: renamed)
    with pytest.raises(UsageError, match="protected: there is no measure 'eco_share'"):
        open_project(project.settings.folder)


def test_other_measures_protect_where_the_settings_name_them(project):
    ready(project, *ZONES)
    found = stored(project, draft(project, "无红线", {"protected": ["farmland_share"], "barriers": []}))
    assert out_of(found) == {}
    assert found.findings.empty


def test_what_leaves_the_house_says_what_is_not_known(project):
    """Units that are not frozen go into the package and on sheets; there the doubt stands too."""
    ready(project, "farmland", "development_boundary")
    delineate(project)
    determine(project)
    doubt = "it is not known whether it is protected: 生态保护红线占比 eco_share (not delivered: eco_redline)"
    with reading(project) as held:
        contents = package_contents(held)
        draft_held = held_draft(held.connection, project, "latest")
        unit = draft_held.units()["unit_id"].iloc[0]
        sheet = planning_sheet(draft_held, unit, read_legend())
    assert contents.doubts == (f"1 units hold parcels of which {doubt}",)
    assert contents.provenance["doubts"] == [f"1 units hold parcels of which {doubt}"]
    assert f"保护范围未核实：3 宗（{doubt}）" in "".join(sheet.notes)


def test_nothing_is_said_where_all_is_known(project):
    ready(project, *ZONES)
    delineate(project)
    determine(project)
    with reading(project) as held:
        contents = package_contents(held)
    assert contents.doubts == ()
    assert "doubts" not in contents.provenance


def test_a_grade_of_roads_that_is_spelt_otherwise_divides_nothing_and_is_told(project):
    ready(project, *ZONES)
    deliver(project, "road", shapely.LineString([(515000, 4340000), (515000, 4350000)]), GRADE="次干路")
    told = []
    delineate(project, tell=told.append)
    assert (
        "barriers not delivered, so nothing divides along them: river, rail; no road has the grade 主干路, which should divide"
        in told[-1]
    )
    told.clear()
    draft(project, "一级", {"road_grades": ["次干路"], "barriers": []}, tell=told.append)
    assert "not delivered" not in told[-1]
    assert "no road has" not in told[-1]
