"""Land in odd states, through every stage to the map: one parcel, islands, overlaps; each is drawn or left out with its reason."""

import geopandas as gpd
import psycopg
import pytest
import shapely
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.strip_ground import RULE, tell_left_out
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.units.drafts import draft_units, read_draft
from lowland_gis.pipeline.units.draw import delineate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

LARGE, SMALL = 200, 100
ISLAND = shapely.difference(box(0, 0, 300, 300), box(100, 100, 100, 100))
TOWN = box(-100, -100, 2_000, 2_000)


def code(number: int) -> str:
    return f"120113100001GB{number:05d}"


def deliver(project, layer, *shapes, **columns):
    frame = gpd.GeoDataFrame(
        {"BSM": [str(at) for at in range(len(shapes))], **columns}, geometry=list(shapes), crs=4548
    )
    path = project.settings.folder / f"{layer}.gpkg"
    frame.to_file(path, layer=layer)
    ingest(project, DeliverySettings(layer=layer, source=f"{path}:{layer}"))


def drawn(project, *parcels, towns=(TOWN,), last="delineate"):
    """Take parcels through the stages to the last one, all of them low-efficiency, and return the draft and its units."""
    path = write_parcels(
        project.settings.folder / "宗地.shp", {code(at): shape for at, shape in enumerate(parcels)}
    )
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    names = [f"12011310{at}" for at in range(len(towns))]
    deliver(project, "town", *towns, XZQDM=names, XZQMC=[f"试验镇{name}" for name in names])
    for layer in ("eco_redline", "farmland"):
        deliver(project, layer, box(8_000, 8_000))
    deliver(project, "development_boundary", shapely.union_all(towns))
    tabulate(project)
    measure(project)
    run = classify(project)
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            "UPDATE result.verdict SET answer = 'industrial', rule = 'industrial_stopped' WHERE run_id = %s AND question = 'kind'",
            [run.run_id],
        )
    rest = CliRunner().invoke(
        lowland,
        [
            "--project",
            str(project.settings.folder / "lowland.toml"),
            "run",
            "--from",
            "delineate",
            "--to",
            last,
        ],
    )
    assert rest.exit_code == 0, rest.output
    done = delineate(project)
    with project.transaction() as connection:
        return read_draft(connection, str(done.run_id)), draft_units(
            connection, done.run_id, srid=project.srid
        )


def said(draft) -> list[str]:
    """Return of each parcel its unit, or else the rule that keeps it out."""
    rows = draft.members.sort_values("parcel_id")
    return [
        unit if isinstance(unit, str) else why.split(":")[0]
        for unit, why in zip(rows["unit_id"], rows["reason"], strict=True)
    ]


def test_a_district_of_one_parcel(project):
    draft, units = drawn(project, box(0, 0, LARGE, LARGE), last="package")
    assert said(draft) == ["120113100-001"]
    assert units.geometry.area.tolist() == pytest.approx([LARGE**2])


def test_a_district_of_one_parcel_that_is_too_small_for_a_unit(project):
    draft, units = drawn(project, box(0, 0, SMALL, SMALL))
    assert said(draft) == ["min_ha"]
    assert units.empty
    assert draft.findings.empty


def test_a_parcel_in_the_hole_of_another_is_in_its_unit(project):
    draft, units = drawn(project, ISLAND, box(100, 100, 100, 100))
    assert said(draft) == ["120113100-001"] * 2
    assert units.geometry.area.tolist() == pytest.approx([300**2])


def test_a_district_of_two_islands_has_units_on_both(project):
    """One town of two pieces and a parcel of two pieces, each with a neighbour."""
    towns = shapely.union_all([box(-50, -50, 500, 500), box(5_000, -50, 500, 500)])
    both = shapely.union_all([box(0, 0, LARGE, LARGE), box(5_050, 0, 10, 10)])
    draft, units = drawn(project, both, box(5_100, 100, LARGE, LARGE), towns=(towns,))
    assert said(draft) == ["120113100-001", "120113100-002"]
    assert shapely.is_valid(units.geometry.to_numpy()).all()


def test_parcels_that_overlap_a_little_are_drawn(project):
    """0.2 m over 100 m: 20 m² of a hectare."""
    draft, _ = drawn(project, *[box(99.8 * at, 0, SMALL, SMALL) for at in range(4)])
    assert said(draft) == ["120113100-001"] * 4
    assert draft.findings.empty


def test_parcels_that_overlap_a_lot_are_left_out_and_the_rest_is_drawn(project):
    """The second and third share 80 %; of which it is, nobody knows. The others touch each other above."""
    rest = [box(100 * at, 100, SMALL, SMALL) for at in range(4)]
    draft, units = drawn(
        project, box(0, 0, SMALL, SMALL), box(100, 0, SMALL, SMALL), box(120, 0, SMALL, SMALL), *rest
    )
    assert said(draft) == ["120113100-001", *["overlaps another parcel"] * 2, *["120113100-001"] * 4]
    finding = draft.findings.to_dict("records")[0]
    assert (finding["rule"], finding["parcels"]) == ("parcels_overlap", f"{code(1)}, {code(2)}")
    assert "share 8,000 m² (80.0% of the smaller one)" in finding["message"]
    assert units.geometry.area.tolist() == pytest.approx([5 * SMALL**2])


def test_a_parcel_registered_twice_under_two_codes_is_left_out_twice(project):
    draft, _ = drawn(project, box(0, 0, LARGE, LARGE), box(0, 0, LARGE, LARGE), box(600, 0, LARGE, LARGE))
    assert said(draft) == ["overlaps another parcel"] * 2 + ["120113100-001"]


def test_what_is_left_out_of_the_overlaps_is_told_once_for_the_delivery(project):
    deliver(project, "dltb2", box(0, 0), box(100, 0), TBBH=["1", "2"], DLBM=["201", "202"])
    with project.transaction() as connection:
        version, first, second = connection.execute(
            "SELECT version_id, min(feature_id), max(feature_id) FROM land.feature WHERE layer = 'dltb2' GROUP BY 1"
        ).fetchone()
        for left_out in ([first, second], [second]):
            tell_left_out(connection, "BSM", [version], left_out)
        found = connection.execute(
            "SELECT rule, key, row_no, action, ST_GeometryType(place) FROM land.issue WHERE rule = %s", [RULE]
        ).fetchall()
    assert found == [(RULE, "1", 1, "kept", "ST_Point")]


def test_ground_that_cannot_be_derived_costs_its_own_feature(project):
    """The first of two fields is made a bow tie in the database; a ditch of 10 m runs through both of them."""
    path = write_parcels(project.settings.folder / "宗地.shp", {code(0): box(0, 0, 200, 100)})
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    deliver(project, "dltb2", box(0, 0), box(100, 0), TBBH=["1", "2"], DLBM=["011", "012"])
    ditch = shapely.LineString([(515_000, 4_345_020), (515_200, 4_345_020)])
    deliver(project, "xzdw2", ditch, DLBM=["117"], KD=[10.0])
    x, y = 515_000, 4_345_000
    bow_tie = shapely.Polygon([(x, y), (x + 100, y + 100), (x + 100, y), (x, y + 100)])
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            "UPDATE land.feature SET geom = ST_Multi(ST_GeomFromWKB(%s, 4548)) WHERE layer = 'dltb2' AND code = '011'",
            [bow_tie.wkb],
        )
    told = []
    run = tabulate(project, tell=told.append)
    with psycopg.connect(project.dsn) as connection:
        overlaps = connection.execute(
            "SELECT layer, code, area_m2 FROM result.overlap WHERE run_id = %s ORDER BY 1, 2", [run.run_id]
        ).fetchall()
        issues = connection.execute(
            "SELECT rule, key, action FROM land.issue WHERE rule = %s", [RULE]
        ).fetchall()
    assert overlaps == [("dltb2", "012", pytest.approx(9_000)), ("xzdw2", "117", pytest.approx(2_000))]
    assert issues == [(RULE, "0", "kept")]
    assert "dltb2: 1 features are left out, see land.issue (geometry_derived)" in told
