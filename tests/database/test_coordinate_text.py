"""An approval that comes as coordinate text is loaded with its doubts, as inspect foretells; a broken one changes nothing."""

from __future__ import annotations

import psycopg
import pytest
import shapely
from pyproj import Transformer

from coordinate_texts import HEADER, LOTS, STANDARD
from lowland_gis.definitions.mapping import read_mapping
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.inspect import Options, inspect_source
from lowland_gis.settings import DeliverySettings
from other_formats import kml, placemark, polygon, ring

MAPPING = """layer = "approval"
supplier = "勘测单位"
[rename]
"批准文号" = "PZWH"
"地块用途" = "YT"
"地块面积" = "DKMJ"
"""
COUNTS = "SELECT (SELECT count(*) FROM land.layer_version), (SELECT count(*) FROM land.source), (SELECT count(*) FROM land.issue)"


def counts(project):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(COUNTS).fetchone()


def test_an_approval_is_loaded_as_it_is_foretold(project, tmp_path):
    folder = tmp_path / "勘界"
    folder.mkdir()
    text = STANDARD.but(project={"批准文号": "津政地〔2024〕1号"})
    (folder / "a.txt").write_bytes(text.content(LOTS[:2]))
    (folder / "b.txt").write_bytes(
        text.but(unit_m2=1.0, zone=False).text(LOTS[2:]).replace("9790.0000", "9000.0000").encode("gbk")
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    (seen,) = inspect_source(str(folder), tmp_path, Options(plane="EPSG:4548", mapping=read_mapping(mapping)))
    assert (seen.driver, seen.chosen, seen.used_crs, seen.refusals, seen.n_loaded) == (
        "TXT",
        "approval",
        "EPSG:4527",
        [],
        3,
    )
    found = ingest(project, DeliverySettings(layer="approval", source=str(folder), mapping=str(mapping)))
    assert (found.n_read, found.n_loaded, found.n_rejected) == (3, 3, 0)
    with psycopg.connect(project.dsn) as connection:
        rows = connection.execute(
            "SELECT attributes, ST_AsBinary(geom) FROM land.current_feature ORDER BY row_no"
        ).fetchall()
        how = connection.execute("SELECT driver, encoding_reason FROM land.source").fetchall()
        issues = connection.execute("SELECT row_no, rule, message FROM land.current_issue").fetchall()
    assert [attributes["YT"] for attributes, _ in rows] == ["工业用地", "住宅用地", "工业用地"]
    # Stated areas are hectares in the text, and square metres here.
    assert [attributes["DKMJ"] for attributes, _ in rows] == pytest.approx([8000, 9600, 9000])
    for (_, wkb), lot in zip(rows, LOTS, strict=True):
        shape = shapely.transform(lot.shape, lambda xy: xy - (39_000_000, 0))
        assert shapely.hausdorff_distance(shapely.from_wkb(bytes(wkb)), shape) < 0.001
    assert how[0][0] == "TXT"
    assert "north first, zone 39 before the east" in how[0][1]
    assert (2, "stated_area_differs") in {(row, rule) for row, rule, _ in issues}


@pytest.mark.parametrize(
    "text",
    [
        STANDARD.text()[:900],
        STANDARD.text() + STANDARD.text(),
        STANDARD.but(header=HEADER | {"转换参数": "1,2,3,0,0,0,0"}).text(),
    ],
)
def test_a_broken_text_changes_nothing(project, tmp_path, text):
    before = counts(project)
    (tmp_path / "a.txt").write_bytes(text.encode("gbk"))
    with pytest.raises(InputRefusedError):
        ingest(project, DeliverySettings(layer="approval", source=str(tmp_path / "a.txt")))
    assert counts(project) == before


def test_a_kml_is_loaded_once_somebody_has_answered_for_it(project, tmp_path):
    lot = polygon(ring((117.1, 39.2), (117.101, 39.2), (117.101, 39.201), (117.1, 39.201), (117.1, 39.2)))
    file = tmp_path / "a.kml"
    file.write_bytes(kml(placemark("甲", lot, 批准文号="津政地1号", 用途="工业")))
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('layer = "approval"\nsupplier = "x"\n[rename]\n"批准文号" = "PZWH"\n"用途" = "YT"\n')
    said = {"layer": "approval", "source": str(file), "mapping": str(mapping)}
    before = counts(project)
    with pytest.raises(InputRefusedError, match="--gcj02 no"):
        ingest(project, DeliverySettings(**said))
    assert counts(project) == before
    found = ingest(project, DeliverySettings(**said, gcj02="no"))
    assert (found.n_read, found.n_loaded) == (1, 1)
    with psycopg.connect(project.dsn) as connection:
        attributes, east = connection.execute(
            "SELECT attributes, ST_X(ST_Centroid(geom)) FROM land.current_feature"
        ).fetchone()
        options = connection.execute(
            "SELECT options FROM land.layer_version ORDER BY version_id DESC"
        ).fetchone()[0]
    expected, _ = Transformer.from_crs(4490, 4548, always_xy=True).transform(117.1005, 39.2005)
    assert (attributes["PZWH"], attributes["YT"], round(east)) == ("津政地1号", "工业", round(expected))
    assert options["gcj02"] == "no"
