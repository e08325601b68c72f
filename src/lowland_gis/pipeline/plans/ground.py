"""What a plan is held against, out of the database: towns, frozen units with their control lines and filed entries, projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lowland_gis.analysis.registry.plan_known import Known, KnownProject, KnownUnit
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.db.roles import my_towns
from lowland_gis.definitions.measure import measures
from lowland_gis.errors import UsageError
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.land import town_names
from lowland_gis.pipeline.base.procedure import InForce
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.protection import Protection, protection
from lowland_gis.pipeline.base.requests import MEASURE
from lowland_gis.pipeline.base.runs import current_versions, latest_record
from lowland_gis.pipeline.units.frozen import NEWEST, WITHDRAWN, frozen_units

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

# States of the low-efficiency register from the filing on.
_FILED = ("filed", "redevelopment", "disposed")
_NOT_SHOWN = "is measured where a town's clerk does not see (the analyst looks: lowland plan check)"
_NOT_MEASURED = "nothing was measured yet (lowland run --to measure)"
# Rows of the newest version of each plan that was not withdrawn.
PLANNED = (
    "SELECT planned.*, plan.state AS plan_state, plan.since AS plan_since, project.state AS project_state, project.version AS project_version"
    " FROM registry.plan_row AS planned"
    " JOIN (SELECT plan_entry, max(plan_version) AS plan_version FROM registry.plan_row GROUP BY plan_entry) AS newest"
    " USING (plan_entry, plan_version)"
    " JOIN registry.current_entry AS plan ON plan.entry_id = planned.plan_entry AND plan.state <> 'withdrawn'"
    " JOIN registry.current_entry AS project ON project.entry_id = planned.project_entry"
)
REPORTS = "SELECT DISTINCT ON (number) * FROM registry.progress ORDER BY number, as_of DESC, row_id DESC"


def planned_rows(
    connection: Connection, year: int | None = None, town: str | None = None
) -> list[dict[str, Any]]:
    """Return the rows of the plans in force, of a year and a town where these are named, by town and number."""
    rows = read_frame(
        connection,
        f"{PLANNED} WHERE (%s::integer IS NULL OR planned.year = %s) AND (%s::text IS NULL OR planned.town_code = %s)"
        " ORDER BY planned.year, planned.town_code, planned.number",
        [year, year, town, town],
    )
    return plain(rows)


def plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries in which what is empty is None."""
    kept: list[Any] = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return kept


def newest_reports(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the newest report of each project by its number."""
    return {row["number"]: row for row in plain(read_frame(connection, REPORTS))}


def known_ground(
    project: Project,
    connection: Connection,
    force: InForce,
    year: int,
    without_towns: Sequence[str] | None = (),
) -> Known:
    """Return all that a plan is held against.

    `without_towns` are those whose plan of the year is looked at, so that their own units are not taken; None: all of them are.
    """
    rows = planned_rows(connection)
    taken = {
        row["unit"]: row["number"]
        for row in rows
        if row["unit"]
        and row["year"] == year
        and without_towns is not None
        and row["town_code"] not in without_towns
    }
    withdrawn = connection.execute(
        f"SELECT number, reason FROM {NEWEST} AS newest WHERE state = %s",  # noqa: S608 - constants
        [WITHDRAWN],
    )
    return Known(
        known_towns(connection),
        known_units(project, connection, force),
        known_projects(connection, rows),
        {number: reason or "" for number, reason in withdrawn},
        taken,
    )


def known_towns(connection: Connection) -> dict[str, str]:
    """Return the towns by code with their names: of the layer town, else those of the parcels, whose names nobody knows.

    To a town clerk they are the own ones.
    """
    mine = my_towns(connection)
    if mine is not None:
        return dict.fromkeys(mine, "")
    versions = current_versions(connection).get("town", [])
    named = town_names(connection, versions)
    if versions:
        rows = connection.execute(
            "SELECT DISTINCT code FROM land.feature WHERE version_id = ANY(%s) AND code IS NOT NULL ORDER BY 1",
            [[version.version_id for version in versions]],
        )
    else:
        rows = connection.execute(
            "SELECT DISTINCT town_code FROM land.current_parcel WHERE town_code IS NOT NULL ORDER BY 1"
        )
    return {code: named.get(code, "") for (code,) in rows}


def town_of(connection: Connection, town: str) -> str:
    """Return the code of a town that is named by its code or its name.

    Raises:
        UsageError: there is none.
    """
    towns = known_towns(connection)
    found = [code for code, name in towns.items() if town in (code, name)]
    if len(found) != 1:
        all_of_them = ", ".join(f"{code} {name}".rstrip() for code, name in towns.items())
        raise UsageError(f"There is no town {town!r}. Towns: {all_of_them or 'none yet: no parcels'}")
    return found[0]


def known_units(project: Project, connection: Connection, force: InForce) -> dict[str, KnownUnit]:
    """Return the frozen units in force by number, with what stands against their parcels."""
    units = frozen_units(connection)
    parcels = sorted({parcel for each in units["parcels"] for parcel in each})
    titles = force.register("low_efficiency").state
    states = dict(
        connection.execute(
            "SELECT DISTINCT ON (subject) subject, state FROM registry.current_entry WHERE register = 'low_efficiency'"
            " AND subject = ANY(%s) ORDER BY subject, ordinal DESC",
            [parcels],
        ).fetchall()
    )
    protected, unknown = _protected(project, connection, parcels)
    return {
        row["number"]: KnownUnit(
            row["town_code"],
            float(row["area_m2"]),
            tuple(parcel for parcel in row["parcels"] if states.get(parcel) in _FILED),
            tuple(
                (parcel, titles[states[parcel]])
                for parcel in sorted(row["parcels"])
                if parcel in states and states[parcel] not in (*_FILED, "withdrawn")
            ),
            tuple((parcel, protected[parcel]) for parcel in sorted(row["parcels"]) if parcel in protected),
            tuple((parcel, unknown[parcel]) for parcel in sorted(row["parcels"]) if parcel in unknown),
        )
        for row in units.to_dict("records")
    }


def _protected(
    project: Project, connection: Connection, parcels: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return why parcels may be in no unit, and what is not known of that, by the newest measures."""
    settings = project.settings.delineate
    names = [*settings.protected, *settings.inside]
    record = latest_record(connection, MEASURE)
    if record is None or not parcels:
        return {}, dict.fromkeys(parcels, _NOT_MEASURED)
    if my_towns(connection) is not None:
        # Measures are of the whole district; the database shows a clerk none of them.
        return {}, dict.fromkeys(parcels, _NOT_SHOWN)
    rows = read_frame(
        connection,
        "SELECT parcel_id, measure, value FROM result.evidence WHERE run_id = %s AND parcel_id = ANY(%s) AND measure = ANY(%s)",
        [record.run_id, list(parcels), names],
    )
    evidence = rows.pivot_table(index="parcel_id", columns="measure", values="value").reindex(list(parcels))
    versions = current_versions(connection)
    missing = {
        name: tuple(layer for layer in measures()[name].needs if not versions.get(layer)) for name in names
    }
    found: Protection = protection(evidence, settings, missing)
    return (
        {parcel: why for parcel, why in zip(parcels, found.reason, strict=True) if why is not None},
        {parcel: why for parcel, why in zip(parcels, found.unknown, strict=True) if why is not None},
    )


def known_projects(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[str, KnownProject]:  # fmt: skip
    """Return the projects of the register by number; `rows` are those of all plans in force, the newest year last."""
    planned = {row["number"]: row for row in rows}
    reported = {number: row["as_of"] for number, row in newest_reports(connection).items()}
    entries = connection.execute(
        "SELECT DISTINCT ON (subject) subject, state, town_code FROM registry.current_entry WHERE register = 'project'"
        " ORDER BY subject, ordinal DESC"
    )
    found = {}
    for number, state, town in entries:
        row = planned.get(number, {})
        found[number] = KnownProject(
            state, town, row.get("kind"), row.get("unit"), row.get("area_m2"), reported.get(number)
        )
    return found
