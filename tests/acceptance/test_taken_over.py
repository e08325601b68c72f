"""A town sends corrected parcels: what a run takes over of the run before is, to the last bit, what a run that takes over nothing finds."""

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely
from shapely import affinity

from acceptance.test_two_deliveries import another_survey, district
from lowland_gis.pipeline.evidence import measure
from registered import owned

TABLES = {
    "tabulate": ("overlap", "cover"),
    "measure": ("evidence_measure", "parcel_evidence", "evidence_apart"),
    "classify": ("evidence_measure", "parcel_evidence", "verdict"),
    "delineate": ("unit", "member", "draft"),
}
RESULTS = tuple(dict.fromkeys(table for tables in TABLES.values() for table in tables))
# Views show them; what they show is stored elsewhere.
STORED = (
    *(table for table in RESULTS if table not in ("overlap", "cover")),
    *("computed_overlap", "computed_cover", "overlap_run", "other_parcel"),
)
CLAUSE = "消防合格"


def town_of(place, rank):
    """Return the code of the town that comes at a place (from 0) in the order of their sizes."""
    return place.rows(
        "SELECT town_code FROM land.current_parcel GROUP BY town_code ORDER BY count(*) DESC, town_code LIMIT 1 OFFSET %s",
        rank,
    )[0][0]


def corrected(place, file, town):
    """Write the parcels of a town: a firm's parcel smaller, one with another right, one gone, one in halves."""
    rows = place.rows(
        "SELECT attributes, ST_AsBinary(geom) FROM land.current_parcel WHERE town_code = %s ORDER BY parcel_id",
        town,
    )
    parcels = gpd.GeoDataFrame(
        [row[0] for row in rows], geometry=shapely.from_wkb([row[1] for row in rows]), crs=4548
    )
    # A firm that stands on two parcels spreads its total over both.
    (firm,) = place.rows(
        "SELECT a.parcel_id FROM land.enterprise a JOIN land.enterprise b USING (credit_code, year)"
        " WHERE a.parcel_id < b.parcel_id AND a.parcel_id = ANY(%s) ORDER BY 1 LIMIT 1",
        parcels["ZDDM"].tolist(),
    ) or [(parcels["ZDDM"][3],)]
    others = parcels.index[parcels["ZDDM"] != firm[0]]
    smaller, right, gone, halved = parcels.index[parcels["ZDDM"] == firm[0]][0], *others[[5, 9, 14]]
    parcels.loc[smaller, "geometry"] = affinity.scale(parcels.geometry[smaller], 0.98, 0.98)
    parcels.loc[right, ["RJL", "QSXZ"]] = [9.0, None]
    west, south, east, north = parcels.geometry[halved].bounds
    half = parcels.loc[[halved]].copy()
    half["ZDDM"] = half["ZDDM"].str[:-3] + "999"
    half["geometry"] = half.intersection(shapely.box(west, south, (west + east) / 2, north))
    parcels.loc[halved, "geometry"] = parcels.geometry[halved].difference(half.geometry[halved])
    pd.concat([parcels.drop(gone), half], ignore_index=True).to_file(file, engine="pyogrio")


def fewer(place, file, town):
    """Write the parcels of a town without every seventh, and one of them moved by half a metre."""
    rows = place.rows(
        "SELECT attributes, ST_AsBinary(geom) FROM land.current_parcel WHERE town_code = %s ORDER BY parcel_id",
        town,
    )
    shapes = shapely.from_wkb([row[1] for row in rows])
    parcels = gpd.GeoDataFrame([row[0] for row in rows], geometry=shapes, crs=4548)
    parcels.loc[1, "geometry"] = affinity.translate(parcels.geometry[1], 0.5, 0.0)
    parcels[parcels.index % 7 != 0].to_file(file, engine="pyogrio")


def results(place):
    """Return what the newest run of every stage wrote, but for its number."""
    found = {}
    for stage, tables in TABLES.items():
        for table in tables:
            found[stage, table] = place.rows(
                f"SELECT (to_jsonb(t) - 'run_id')::text FROM result.{table} t WHERE run_id ="  # noqa: S608 - fixed names
                " (SELECT max(run_id) FROM result.run WHERE stage = %s) ORDER BY 1",
                stage,
            )
    return found


def ran(place):
    """Run what rests on parcels."""
    said = place.lowland("run", "--from", "tabulate", "--to", "delineate")
    assert said.code == 0, said.err


def delivered(place, layer, file, *more):
    """Load a file."""
    said = place.lowland("ingest", layer, str(file), *more)
    assert said.code == 0, said.err


@pytest.fixture(scope="module")
def taken(demo, cluster, tmp_path_factory):
    """What is found by runs that take over, and by ones that have nothing to take over; and how many parcels were measured.

    First two corrections of two towns, each with a run after it; then other zones.
    """
    folder = tmp_path_factory.mktemp("taken")
    with district(demo, cluster, folder) as place, pytest.MonkeyPatch.context() as patch:
        paper = folder / "意见书.pdf"
        paper.write_bytes(b"%PDF-1.4")
        parcel = place.first("SELECT min(parcel_id) FROM land.current_parcel")
        said = place.lowland("registry", "document", parcel, CLAUSE, str(paper), "--says", "true")
        assert said.code == 0, said.err
        ran(place)
        anew, taken_over = [], measure.taken_over

        def spied(*arguments):
            anew.append(taken_over(*arguments))
            return anew[-1]

        patch.setattr(measure, "taken_over", spied)
        for rank, change in enumerate((corrected, fewer)):
            town, file = town_of(place, rank), folder / f"镇{rank}.gpkg"
            change(place, file, town)
            delivered(place, "parcel", file, "--part", town)
            ran(place)
        found = {"corrections": (results(place), made_anew(place))}
        delivered(place, "dltb3", another_survey(place, folder / "三调"))
        ran(place)
        found["zones"] = results(place), made_anew(place)
        yield found, anew


def made_anew(place):
    """Return what is found where there is nothing to take over."""
    clear(place)
    ran(place)
    return results(place)


def clear(place):
    """Throw every result away."""
    with psycopg.connect(owned(place.dsn)) as connection:
        connection.execute(f"TRUNCATE {', '.join(f'result.{table}' for table in (*STORED, 'run'))} CASCADE")


@pytest.mark.parametrize("change", ["corrections", "zones"])
@pytest.mark.parametrize("table", [(stage, table) for stage, tables in TABLES.items() for table in tables])
def test_the_rows_are_the_same(taken, table, change):
    partly, wholly = taken[0][change]
    assert partly[table] == wholly[table]
    assert partly[table] or table == ("tabulate", "cover")


def test_only_what_changed_was_measured(taken):
    first, second, wholly, *_ = taken[1]
    assert 4 <= len(first.anew) < 20
    assert second.anew
    assert wholly is None
