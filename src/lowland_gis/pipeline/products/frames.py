"""What leaves the house, as frames with titles: the same for packages, maps and tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from lowland_gis.analysis.rules.pack import KIND, OPEN, RulePack
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_geoframe
from lowland_gis.definitions.layer import Drawn, drawn_layers
from lowland_gis.definitions.legend import Legend, legend_doubts
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.entries import (
    LEGACY,
    LOW_EFFICIENCY,
    NOT_IN_FORCE,
    PROBLEM,
    PROMISE_QUESTION,
    PROMISE_TITLE,
    Drafted,
)
from lowland_gis.pipeline.base.requests import DELINEATE
from lowland_gis.pipeline.base.runs import needed_record
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.registry.determine import newest, with_states
from lowland_gis.pipeline.units.frozen import frozen_shapes
from lowland_gis.pipeline.units.tiers import plan_of_outlines, planning_areas
from lowland_gis.pipeline.verdicts.verdicts import kind_verdicts, kinds
from lowland_gis.quantities import MU_M2

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
else:
    gpd = when_used("geopandas")
    pd = when_used("pandas")

_OUTCOME_OPEN, _OUTCOME_FALSE = "u", "f"
# What is told of a parcel, and the fields of its delivery that say it.
_TOLD = {"location": "ZL", "land_use": "YT", "ownership": "QSXZ"}


def shown_parcels(held: Reading) -> gpd.GeoDataFrame:
    """Return what packages and maps tell of the parcels: parcel_id, area_m2, location, land_use, ownership, geometry."""
    # One text each costs less than all attributes.
    single = [
        sql.SQL("attributes->>{} AS {}").format(sql.Literal(field), sql.Identifier(name))
        for name, field in _TOLD.items()
    ]
    return land.parcels(
        held.connection,
        held.basis.versions,
        srid=held.project.srid,
        columns=("parcel_id", "area_m2", *single),
        kept=held.project.kept,
    )


def delivery_frames(held: Reading, shown: gpd.GeoDataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Return the frames of a package: low_efficiency, legacy, problem and unit, from the registry and the newest units.

    `shown` are the `shown_parcels`, where they have been read already.
    """
    connection, pack, parcels = held.connection, held.basis.pack, _parcels(held, shown)
    return {
        "low_efficiency": _low_efficiency(connection, parcels, pack),
        "legacy": _legacy(held, parcels),
        "problem": _problem(connection, parcels, pack),
        "unit": _planned(held, units(held)),
    }


def _planned(held: Reading, rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give units the planning units that they lie in; missing where these are not known."""
    planning = planning_areas(held)
    return rows.assign(plan_id=None if planning is None else plan_of_outlines(rows.geometry, planning))


def kind_titles(pack: RulePack, legend: Legend) -> dict[str, str]:
    """Return answer → title of the question `kind`, with open land as the legend calls it."""
    return {**pack.question_named(KIND).answers, OPEN: legend.answers[OPEN].title}


def pack_legend(held: Reading) -> tuple[Legend, list[str]]:
    """Return the project's legend with a style for every answer of the rule pack, and what of it a person should know."""
    pack, legend = held.basis.pack, held.project.legend
    titles, not_low = kind_titles(pack, legend), pack.question_named(KIND).meaning("not")
    return legend.knowing((), titles, not_low), legend_doubts(legend, titles, not_low)


def map_frames(held: Reading, shown: gpd.GeoDataFrame | None = None) -> dict[str, gpd.GeoDataFrame]:
    """Return the frames of the overview map; `shown` are the `shown_parcels`, where they have been read already."""
    answers = kinds(held.connection, held.basis).rename("answer").reset_index()
    parcels = shown_parcels(held) if shown is None else shown
    return {
        "parcels": parcels[["parcel_id", "area_m2", "geometry"]].merge(answers, on="parcel_id"),
        "units": units(held),
        **{key: _drawn(held, key, drawn) for key, drawn in drawn_layers().items()},
    }


def _drawn(held: Reading, key: str, drawn: Drawn) -> gpd.GeoDataFrame:
    """Return a layer as the map draws it: with `grade` where lines have classes, with `name` where areas are named."""
    found = land.layer_shapes(
        held.connection, key, held.versions(key), held.basis.as_of, srid=held.project.srid
    )
    if drawn.way == "classes":
        return found.rename(columns={"code": "grade"})
    if drawn.way == "names":
        rows = zip(found["attributes"], found["code"], strict=True)
        return found.assign(name=[values.get(drawn.name) or str(code or "") for values, code in rows])
    return found


def units(held: Reading) -> gpd.GeoDataFrame:
    """Return the units that leave the house, with the names of their towns.

    Where units are frozen these are it, with the numbers of their towns as unit_id; else the newest of the flow.
    """
    rows = frozen_shapes(held.connection, srid=held.project.srid)
    if rows.empty:
        rows = _units_of_the_flow(held.connection, srid=held.project.srid)
    names = land.town_names(held.connection, held.versions("town"))
    # Drawn without towns, a unit lies in the district and in no town that could be named.
    in_town = rows["town_code"] != held.project.settings.project.district_code
    rows["town_code"] = rows["town_code"].where(in_town, None)
    return rows.assign(town_name=rows["town_code"].map(names), area_mu=_mu(rows["area_m2"]))


def _units_of_the_flow(connection: Connection, *, srid: int) -> gpd.GeoDataFrame:
    return read_geoframe(
        connection,
        "SELECT unit_id, town_code, n_parcels, area_m2, low_share, compactness, ST_AsBinary(geom) AS geom"
        " FROM result.unit WHERE run_id = %s ORDER BY unit_id",
        [needed_record(connection, DELINEATE).run_id],
        srid=srid,
    )


def kind_table(held: Reading) -> pd.DataFrame:
    """Return kinds × parcels × area: kind, title, parcels, area_m2, area_mu.

    They are in the order of the project's own legend, where there is one, else of the rule pack.
    """
    question, legend = held.basis.pack.question_named(KIND), held.project.legend
    answers = dict.fromkeys([*(rule.answer for rule in question.rule), question.otherwise])
    known = {**{answer: question.answers[answer] for answer in answers}, OPEN: legend.answers[OPEN].title}
    order = legend.in_order(known, question.meaning("not")) if legend.own else list(known)
    titles = {answer: known[answer] for answer in order}
    verdicts = kind_verdicts(held.connection, held.basis).rename(columns={"answer": "kind"})
    sums = verdicts.groupby("kind").agg(parcels=("parcel_id", "count"), area_m2=("area_m2", "sum"))
    table = sums.reindex([kind for kind in titles if kind in sums.index]).reset_index()
    return table.assign(title=table["kind"].map(titles), area_mu=_mu(table["area_m2"]))[
        ["kind", "title", "parcels", "area_m2", "area_mu"]
    ]


def _parcels(held: Reading, shown: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """Return the parcels with their towns: parcel_id, town_code, town_name, location, land_use, ownership, geometry."""
    rows = shown_parcels(held) if shown is None else shown
    names = land.town_names(held.connection, held.versions("town"))
    towns = town_codes(held.connection, held.basis.measured, rows["parcel_id"].tolist())
    return gpd.GeoDataFrame(
        {
            "parcel_id": rows["parcel_id"],
            "town_code": towns,
            "town_name": [names.get(town) if town is not None else None for town in towns],
            **{name: rows[name] for name in _TOLD},
        },
        geometry=rows.geometry,
        crs=rows.crs,
    )


def _registered(
    connection: Connection, drafted: Drafted, key: list[str], parcels: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the entries in force, with the state that they stand in and what is known of their parcels.

    The town is where the parcel lies: an entry that people took further keeps the code that it was drafted with, but not its name.
    """
    rows = with_states(connection, drafted, newest(connection, drafted.table, key))
    rows = rows.drop(columns=["town_code", "state", "people"]).rename(columns={"stands": "state"})
    return parcels.merge(rows[~rows["state"].isin(NOT_IN_FORCE)], on="parcel_id").sort_values(
        key, ignore_index=True
    )


def _low_efficiency(connection: Connection, parcels: gpd.GeoDataFrame, pack: RulePack) -> gpd.GeoDataFrame:
    rows = _registered(connection, LOW_EFFICIENCY, ["parcel_id"], parcels)
    question = next(item for item in pack.question if item.name == "kind")
    rules = {rule.name: rule.title for rule in question.rule}
    return rows.assign(
        kind_title=rows["kind"].map(question.answers),
        rule_title=rows["rule"].map(rules),
        area_mu=_mu(rows["area_m2"]),
    )


def _legacy(held: Reading, parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows = _registered(held.connection, LEGACY, ["parcel_id"], parcels)
    tests = [question for question in held.basis.pack.question if question.name == "retention"]
    titles = {OPEN: held.project.legend.answers[OPEN].title} | {
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
    rows = _registered(connection, PROBLEM, ["parcel_id", "question", "clause"], parcels)
    titles = {question.name: question.title for question in pack.question}
    titles[PROMISE_QUESTION] = PROMISE_TITLE
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
