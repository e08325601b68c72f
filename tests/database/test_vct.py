"""A survey that comes as VCT is loaded as the same survey from a geodatabase is, and inspect foretells it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import shapely

from lowland_gis.pipeline.conversion.convert import Asked, convert
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.inspect import Options, inspect_source
from lowland_gis.settings import DeliverySettings

SURVEY = Path(__file__).parents[2] / "sample_data" / "incoming" / "规资分局" / "三调成果.gdb"
OF_LAND = "SELECT attributes::text, ST_AsBinary(geom) FROM land.current_feature ORDER BY 1"
ISSUES = "SELECT rule, count(*) FROM land.current_issue GROUP BY 1 ORDER BY 1"


def loaded(project, source: str) -> tuple[list, list]:
    """Load a survey and return its rows and issues."""
    ingest(project, DeliverySettings(layer="dltb3", source=source))
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(OF_LAND).fetchall(), connection.execute(ISSUES).fetchall()


def test_a_survey_as_vct_is_the_same_land(project, tmp_path):
    (tmp_path / "files").mkdir()
    file = tmp_path / "files" / "2001H2019120113.vct"
    (found,) = convert(f"{SURVEY}:DLTB", file, Asked(), folder=tmp_path)
    assert found.lost == ()
    (seen,) = inspect_source(f"{file}:DLTB", tmp_path, Options(plane="EPSG:4548"))
    assert (seen.driver, seen.chosen, seen.used_crs, seen.refusals) == ("VCT", "dltb3", "EPSG:4548", [])
    vct = loaded(project, f"{file}:DLTB")
    assert len(vct[0]) == seen.n_loaded
    geodatabase = loaded(project, f"{SURVEY}:DLTB")
    assert vct[0]
    # A row without a shape is a row without an object there.
    assert vct[1] == sorted([*geodatabase[1], ("object_missing", 1)])
    assert [attributes for attributes, _ in vct[0]] == [attributes for attributes, _ in geodatabase[0]]
    ours, theirs = (
        shapely.from_wkb([bytes(shape) for _, shape in rows]) for rows in (vct[0], geodatabase[0])
    )
    # Coordinates are written to a tenth of a millimetre.
    assert shapely.hausdorff_distance(ours, theirs).max() < 0.001
