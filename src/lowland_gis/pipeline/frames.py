"""What leaves the house, as frames with titles: the same for packages, maps and tables on the terminal."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis import schema
from lowland_gis.analysis.rules import OPEN, RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.definitions.rule_pack import from_json
from lowland_gis.pipeline import land
from lowland_gis.pipeline.determine import WITHDRAWN, newest
from lowland_gis.pipeline.frozen import frozen_shapes
from lowland_gis.pipeline.project import Project
from lowland_gis.pipeline.runs import current_versions, needed_run, run_settings

MU_M2 = 2000 / 3
OPEN_TITLE = "待核"
_OUTCOME_OPEN, _OUTCOME_FALSE = "u", "f"


def delivery_frames(connection: Connection, project: Project) -> dict[str, pd.DataFrame]:
    """Return the frames of a package: low_efficiency, legacy, problem and unit, from the registry and the newest units."""
    pack = current_pack(connection)
    parcels = _parcels(connection, project)
    return {
        "low_efficiency": _low_efficiency(connection, parcels, pack),
        "legacy": _legacy(connection, parcels, pack),
        "problem": _problem(connection, parcels, pack),
        "unit": units(connection, project),
    }


def current_pack(connection: Connection) -> RulePack:
    """Return the rule pack that the newest verdicts rest on."""
    return from_json(run_settings(connection, needed_run(connection, "classify").run_id, "classify")["pack"])


def kind_titles(pack: RulePack) -> dict[str, str]:
    """Return answer → title of the question `kind`, with open land."""
    return {**pack.question_named("kind").answers, OPEN: OPEN_TITLE}


def map_frames(connection: Connection, project: Project) -> dict[str, gpd.GeoDataFrame]:
    """Return the frames of the overview map."""
    versions = current_versions(connection)

    def shapes(key: str) -> gpd.GeoDataFrame:
        return land.layer_shapes(connection, key, versions, srid=project.srid)

    kinds = read_frame(
        connection,
        "SELECT parcel_id, answer FROM result.verdict WHERE run_id = %s AND question = 'kind'",
        [needed_run(connection, "classify").run_id],
    )
    parcels = land.parcels(connection, versions, srid=project.srid)[["parcel_id", "area_m2", "geometry"]]
    towns = shapes("town")
    return {
        "parcels": parcels.merge(kinds, on="parcel_id"),
        "units": units(connection, project),
        "roads": shapes("road").rename(columns={"code": "grade"}),
        "river": shapes("river"),
        "towns": towns.assign(name=[values["XZQMC"] for values in towns["attributes"]]),
        "eco_redline": shapes("eco_redline"),
        "farmland": shapes("farmland"),
    }


def units(connection: Connection, project: Project) -> gpd.GeoDataFrame:
    """Return the units that leave the house, with the names of their towns.

    Where units are frozen these are it, with the numbers of their towns as unit_id; else the newest of the flow.
    """
    rows = frozen_shapes(connection, srid=project.srid)
    if rows.empty:
        rows = _units_of_the_flow(connection, project)
    names = town_names(connection)
    return rows.assign(town_name=rows["town_code"].map(names), area_mu=_mu(rows["area_m2"]))


def _units_of_the_flow(connection: Connection, project: Project) -> gpd.GeoDataFrame:
    return read_geoframe(
        connection,
        "SELECT unit_id, town_code, n_parcels, area_m2, low_share, compactness, ST_AsBinary(geom) AS geom"
        " FROM result.unit WHERE run_id = %s ORDER BY unit_id",
        [needed_run(connection, "delineate").run_id],
        srid=project.srid,
    )


def town_names(connection: Connection) -> dict[str, str]:
    """Return town code → name from the current towns."""
    ids = [version.version_id for version in current_versions(connection).get("town", [])]
    rows = connection.execute(
        "SELECT code, attributes->>'XZQMC' FROM land.feature WHERE version_id = ANY(%s)", [ids]
    ).fetchall()
    return dict(rows)


def kind_table(connection: Connection) -> pd.DataFrame:
    """Return kinds × parcels × area: kind, title, parcels, area_m2, area_mu, in the order of the rule pack."""
    question = next(item for item in current_pack(connection).question if item.name == "kind")
    answers = dict.fromkeys([*(rule.answer for rule in question.rule), question.otherwise])
    titles = {**{answer: question.answers[answer] for answer in answers}, OPEN: OPEN_TITLE}
    ids = [version.version_id for version in current_versions(connection).get("parcel", [])]
    sums = read_frame(
        connection,
        "SELECT v.answer AS kind, count(*) AS parcels, sum(p.area_m2) AS area_m2 FROM result.verdict v"
        " JOIN land.parcel p ON p.parcel_id = v.parcel_id AND p.version_id = ANY(%s)"
        " WHERE v.run_id = %s AND v.question = 'kind' GROUP BY v.answer",
        [ids, needed_run(connection, "classify").run_id],
    ).set_index("kind")
    table = sums.reindex([kind for kind in titles if kind in sums.index]).reset_index()
    return table.assign(title=table["kind"].map(titles), area_mu=_mu(table["area_m2"]))[
        ["kind", "title", "parcels", "area_m2", "area_mu"]
    ]


def _parcels(connection: Connection, project: Project) -> gpd.GeoDataFrame:
    rows = land.parcels(connection, current_versions(connection), srid=project.srid)
    names = town_names(connection)
    return gpd.GeoDataFrame(
        {
            "parcel_id": rows["parcel_id"],
            "town_name": rows["town_code"].map(names),
            "location": [values.get("ZL") for values in rows["attributes"]],
            "land_use": [values.get("YT") for values in rows["attributes"]],
            "ownership": [values.get("QSXZ") for values in rows["attributes"]],
        },
        geometry=rows.geometry,
        crs=rows.crs,
    )


def _registered(
    connection: Connection, table: schema.Table, key: list[str], parcels: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the entries in force, with what is known of their parcels."""
    rows = newest(connection, table, key)
    return parcels.merge(rows[rows["state"] != WITHDRAWN], on="parcel_id").sort_values(key, ignore_index=True)


def _low_efficiency(connection: Connection, parcels: gpd.GeoDataFrame, pack: RulePack) -> gpd.GeoDataFrame:
    rows = _registered(connection, schema.LOW_EFFICIENCY, ["parcel_id"], parcels)
    question = next(item for item in pack.question if item.name == "kind")
    rules = {rule.name: rule.title for rule in question.rule}
    return rows.assign(
        kind_title=rows["kind"].map(question.answers),
        rule_title=rows["rule"].map(rules),
        area_mu=_mu(rows["area_m2"]),
    )


def _legacy(connection: Connection, parcels: gpd.GeoDataFrame, pack: RulePack) -> gpd.GeoDataFrame:
    rows = _registered(connection, schema.LEGACY, ["parcel_id"], parcels)
    tests = [question for question in pack.question if question.name == "retention"]
    titles = {OPEN: OPEN_TITLE} | {
        key: title for question in tests for key, title in question.answers.items()
    }
    order = [clause.title for question in tests for rule in question.rule for clause in rule.all]
    return rows.assign(
        retention_title=rows["retention"].map(titles),
        failed=[_titles(clauses, _OUTCOME_FALSE, order) for clauses in rows["clauses"]],
        unknown=[_titles(clauses, _OUTCOME_OPEN, order) for clauses in rows["clauses"]],
        area_mu=_mu(rows["area_m2"]),
    )


def _problem(connection: Connection, parcels: gpd.GeoDataFrame, pack: RulePack) -> pd.DataFrame:
    rows = _registered(connection, schema.PROBLEM, ["parcel_id", "question", "clause"], parcels)
    titles = {question.name: question.title for question in pack.question}
    return pd.DataFrame(rows.drop(columns="geometry")).assign(
        question_title=rows["question"].map(titles), clause_title=rows["clause"]
    )


def _titles(clauses: dict[str, str], letter: str, order: list[str]) -> str:
    """Join the titles of clauses with one outcome in the order of the rule; JSON in the database keeps none.

    Clauses of an older pack that the rule has no more come last.
    """
    found = [title for title, outcome in clauses.items() if outcome == letter]
    return "；".join(
        sorted(found, key=lambda title: (order.index(title) if title in order else len(order), title))
    )


def _mu(area_m2: pd.Series[Any]) -> pd.Series[Any]:
    return (area_m2.astype(float) / MU_M2).round(4)
