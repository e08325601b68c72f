"""Every input that one engine takes, the other takes as well, with the same rows and the same doubts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from odd_shapes import ODD, SQUARE, polygon, several, write_odd
from overlaid import LOCAL, files_by, in_sql

ZONE = polygon([(10, 10), (500, 10), (500, 500), (10, 500), (10, 10)])
BY_NAME = {"id_field": "ZDDM", "by_field": "DLBM"}


def both(folder, database, **fields):
    """Return parcel, code, area and share of each engine, and what it said of the files."""
    paths = [str(folder / name) for name in ("parcels.parquet", "zones.parquet")]
    answers = []
    for engine in (LOCAL, in_sql(database)):
        said = []
        found = files_by(engine, *paths, **fields, tell=said.append)
        answers.append((found.to_pylist(), sorted(words for words in said if " × " in words)))
    return answers


def assert_agree(local, postgis):
    (ours, said), (theirs, told) = local, postgis
    assert told == said
    keys = [(row["parcel_id"], row["code"]) for row in ours]
    assert [(row["parcel_id"], row["code"]) for row in theirs] == keys
    for one, other in zip(ours, theirs, strict=True):
        assert other["area_m2"] == pytest.approx(one["area_m2"], abs=1e-5, rel=1e-9), one
        assert other["share"] == pytest.approx(one["share"], abs=1e-5, rel=1e-7), one


# The plane of the parcels, a metre farther west: what is declared in it is moved before it is judged.
ASIDE = CRS.from_wkt(CRS.from_epsg(4548).to_wkt().replace('"False easting",500000', '"False easting",499999'))


def write(folder, parcels, zones, crs=None):
    write_odd(folder / "parcels.parquet", list(parcels.values()), ZDDM=list(parcels))
    write_odd(folder / "zones.parquet", list(zones.values()), crs, DLBM=list(zones))


def test_odd_parcels(database, tmp_path):
    write(tmp_path, ODD, {"0601": ZONE, "0701": polygon(SQUARE)})
    local, postgis = both(tmp_path, database, **BY_NAME)
    assert_agree(local, postgis)
    found = {(row["parcel_id"], row["code"]): row["area_m2"] for row in local[0]}
    assert (
        found["empty hole", "0701"] == found["hole of two points", "0701"]
        if ("hole of two points", "0701") in found
        else 10_000
    )
    assert found["hole and empty hole", "0701"] == pytest.approx(9_600)
    assert found["part with an empty hole", "0701"] == pytest.approx(10_000)
    assert ("farther than the Earth", "0701") not in found


@pytest.mark.parametrize("crs", [None, ASIDE], ids=["its own plane", "moved"])
def test_odd_zones(database, tmp_path, crs):
    write(tmp_path, {"P1": polygon(SQUARE), "P2": ZONE}, ODD, crs)
    local, postgis = both(tmp_path, database, **BY_NAME)
    assert_agree(local, postgis)
    assert len(local[0]) > 50
    area = next(row["area_m2"] for row in local[0] if (row["parcel_id"], row["code"]) == ("P1", "square"))
    assert area == pytest.approx(10_000 if crs is None else 9_900, abs=1e-3)


STEP = st.integers(0, 12).map(lambda n: 10.0 * n)
PLACES = st.lists(st.tuples(STEP, STEP), min_size=0, max_size=7)
CLOSED = PLACES.map(lambda ring: [*ring, *ring[:1]])
POLYGON = st.lists(CLOSED, min_size=0, max_size=3).map(lambda rings: polygon(*rings))
MULTI = st.tuples(st.lists(POLYGON, max_size=3), st.sampled_from([6, 7])).map(
    lambda drawn: several(*drawn[0], kind=drawn[1])
)
CUT = st.tuples(POLYGON, st.integers(0, 60)).map(lambda drawn: drawn[0][: drawn[1]])
SHAPES = st.lists(st.one_of(POLYGON, MULTI, CUT, st.none()), min_size=1, max_size=8)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parcels=SHAPES, zones=SHAPES)
def test_any_bytes(database, tmp_path, parcels, zones):
    """Rings of any places, crossed, doubled, too short, and bytes that end anywhere."""
    write(
        tmp_path,
        {f"P{n}": shape for n, shape in enumerate(parcels)},
        {f"{n:04}": shape for n, shape in enumerate([*zones, ZONE])},
    )
    assert_agree(*both(tmp_path, database, **BY_NAME))
