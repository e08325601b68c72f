"""Deliveries that change something at random, one after the other: what a run takes over is what a run finds that takes over nothing."""

import random

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import affinity

from acceptance.test_taken_over import TABLES, clear, ran, results
from acceptance.test_two_deliveries import district
from lowland_gis.settings import DelineateSettings

# A few of so many.
SHARE = 0.02


def current(place, view, layer=None):
    """Return what is in force of a layer, as it was delivered."""
    where = "true" if layer is None else f"layer = '{layer}'"
    query = (
        f"SELECT attributes, ST_AsBinary(geom) FROM land.{view} WHERE {where} ORDER BY attributes::text, 2"  # noqa: S608
    )
    rows = place.rows(query)
    return gpd.GeoDataFrame(
        [row[0] for row in rows], geometry=shapely.from_wkb([row[1] for row in rows]), crs=4548
    )


def some(rows, chance):
    """Return a few of the rows by their labels, at least one."""
    return chance.sample(list(rows.index), max(1, round(SHARE * len(rows))))


def smaller(rows, labels, chance):
    """Draw some shapes a little smaller."""
    for label in labels:
        by = chance.uniform(0.9, 0.99)
        rows.loc[label, "geometry"] = affinity.scale(rows.geometry[label], by, by)


def parcels_of_a_town(place, chance):
    """Return the parcels of some town, and its code."""
    towns = place.rows("SELECT DISTINCT town_code FROM land.current_parcel ORDER BY 1")
    (town,) = chance.choice(towns)
    codes = place.rows("SELECT parcel_id FROM land.current_parcel WHERE town_code = %s", town)
    rows = current(place, "current_parcel")
    return rows[rows["ZDDM"].isin([code for (code,) in codes])].reset_index(drop=True), town


def written(rows, file):
    """Write rows to a file that can be ingested."""
    rows.to_file(file, engine="pyogrio")
    return str(file)


def corrected_parcels(place, chance, folder):
    """Some parcels are drawn smaller, others have other fields."""
    rows, town = parcels_of_a_town(place, chance)
    smaller(rows, some(rows, chance), chance)
    labels = some(rows, chance)
    rows.loc[labels, "RJL"] = [chance.uniform(0.1, 4.0) for _ in labels]
    return ("parcel", written(rows, folder / "parcels.gpkg"), "--part", town)


def removed_parcels(place, chance, folder):
    """Some parcels come no more."""
    rows, town = parcels_of_a_town(place, chance)
    return ("parcel", written(rows.drop(some(rows, chance)), folder / "fewer.gpkg"), "--part", town)


def changed_zones(place, chance, folder):
    """Some zones of a layer come no more, others are drawn smaller."""
    layer = chance.choice(("plan_zone", "farmland", "building", "plan_parcel", "dltb3", "supply"))
    rows = current(place, "current_feature", layer)
    smaller(rows, some(rows, chance), chance)
    return (layer, written(rows.drop(some(rows, chance)), folder / f"{layer}.gpkg"))


def changed_roads(place, chance, folder):
    """Some roads come no more, and new ones divide what hung together."""
    rows = current(place, "current_feature", "road")
    west, south, east, north = current(place, "current_parcel").total_bounds
    new = rows[rows["GRADE"].isin(DelineateSettings().road_grades)].head(6).copy()
    places = [(chance.uniform(west, east), chance.uniform(west, east)) for _ in new.index]
    new["geometry"] = [shapely.LineString([(one, south), (other, north)]) for one, other in places]
    both = pd.concat([rows.drop(some(rows, chance)), new], ignore_index=True)
    return ("road", written(both, folder / "road.gpkg"))


def changed_firms(place, chance, folder):
    """Some firms pay another tax, and some have gone."""
    found = place.rows(
        "SELECT v.part, e.attributes FROM land.enterprise e JOIN land.current_version v USING (version_id)"
        " WHERE v.part = (SELECT max(part) FROM land.current_version WHERE layer = 'enterprise') ORDER BY 2::text"
    )
    rows = pd.DataFrame([attributes for _, attributes in found])
    labels = some(rows, chance)
    rows.loc[labels, "MJSS"] = [round(chance.uniform(0, 900), 2) for _ in labels]
    rows.drop(some(rows, chance)).to_excel(folder / "firms.xlsx", index=False)
    return ("enterprise", str(folder / "firms.xlsx"), "--part", found[0][0])


CHANGES = (corrected_parcels, changed_zones, changed_firms, removed_parcels, changed_roads)


@pytest.fixture(scope="module")
def place(demo, cluster, tmp_path_factory):
    """The demo on a database of its own, as it stands."""
    folder = tmp_path_factory.mktemp("random")
    with district(demo, cluster, folder) as made:
        clear(made)
        ran(made)
        yield made


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_taken_over_is_what_is_found_anew(place, change):
    # Each begins from what the one before has left.
    chance = random.Random(change.__name__)  # noqa: S311 - the same at every run
    said = place.lowland("ingest", *change(place, chance, place.folder))
    assert said.code in (0, 1), said.err
    before = results(place)
    ran(place)
    partly = results(place)
    clear(place)
    ran(place)
    wholly = results(place)
    for key in ((stage, table) for stage, tables in TABLES.items() for table in tables):
        assert partly[key] == wholly[key], key
    assert before != partly
