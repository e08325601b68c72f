"""Draw redevelopment units from the current verdicts, as a stage of the flow and as drafts beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from lowland_gis import schema
from lowland_gis.analysis.machine_code import is_kept
from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.analysis.units.draw import Draft, search_units
from lowland_gis.analysis.units.edit import units_of
from lowland_gis.analysis.units.ground import HECTARE_M2, Problem
from lowland_gis.analysis.units.heirs import lineage
from lowland_gis.analysis.units.judge import LEDGER
from lowland_gis.analysis.units.links import HandLink
from lowland_gis.analysis.units.resting import Before
from lowland_gis.db.copy import copy_in
from lowland_gis.errors import SHOWN_IN_FILES, InputRefusedError, UsageError, listed
from lowland_gis.pipeline.base.holding import FLOW
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DELINEATE, DRAFT, units
from lowland_gis.pipeline.base.runs import Request, Run, recorded
from lowland_gis.pipeline.base.stale import refuse
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading, read_in
from lowland_gis.pipeline.units.before import blocks_digest, read_before, read_blocks, write_searched
from lowland_gis.pipeline.units.ground import (
    DISTRICT,
    NO_GRADE,
    PARCELS,
    TOWNS,
    Blocks,
    Inherited,
    UnitInputs,
    effort_of,
    limits_of,
    read_unit_inputs,
    weights_of,
)
from lowland_gis.settings import DelineateSettings, faults_text

# What reads the earlier units that a draft starts from, and the run of their draft where they are of one.
Inherit = Callable[[Reading], tuple[Inherited, int | None]]
INHERITED = "inherited"
LINKS = "links_by_hand"
_PLAN = "plan_parcel"
# Units that are named where a draft says what hangs together by a neck.
_SHOWN_NECKS = 3
_UNBOUNDED = {
    TOWNS: "",
    DISTRICT: (
        "; no towns (镇街) were delivered, so units lie inside the boundary of the district and may cross the borders of towns; where"
        " they must not, type: lowland ingest town FILE"
    ),
    PARCELS: (
        "; neither towns (镇街) nor the boundary of the district were delivered, so units lie in one block over all parcels and may"
        " cross the borders of towns; where they must not, type: lowland ingest town FILE"
    ),
}


def delineate(project: Project, *, tell: Tell = silent) -> Run:
    """Write the units of the flow with the limits of lowland.toml.

    Raises:
        UsageError: the stage classify has not run.
        StaleError: the classification is not that of the deliveries in force.
    """
    return _draft(project, DELINEATE, FLOW, project.settings.delineate, tell)


def draft(
    project: Project,
    name: str,
    changes: Mapping[str, Any] | None = None,
    *,
    inherit: Inherit | None = None,
    tell: Tell = silent,
) -> Run:
    """Write a draft with other limits or weights beside the units of the flow.

    `changes` are settings of `[delineate]`, those of the weights as `weights.NAME`. `inherit` says which earlier units it starts from
    (`inherit.from_units`); the price of changing them is the weight `changed_land`.

    Raises:
        UsageError: a setting is unknown or makes no sense, or a stage before has not run.
        StaleError: the classification is not that of the deliveries in force.
    """
    settings = changed(project.settings.delineate, changes or {})
    return _draft(project, DRAFT, name, settings, tell, inherit)


def changed(settings: DelineateSettings, changes: Mapping[str, Any]) -> DelineateSettings:
    """Return settings with some of them changed.

    Raises:
        UsageError: a setting is unknown or makes no sense.
    """
    values, faults = settings.model_dump(), []
    names = (*values, *(f"{table}.{name}" for table in ("weights", "planning") for name in values[table]))
    for key, value in changes.items():
        place, _, name = key.rpartition(".")
        table = values.get(place) if place else values
        if isinstance(table, dict) and (name in table or place == "town_numbers"):
            table[name] = value
        else:
            faults.append(Fault("--set", key, None, "there is no such setting of [delineate]", names))
    if faults:
        lines = listed(fault_lines(faults), shown=SHOWN_IN_FILES)
        raise UsageError(f"draft: {len(faults)} setting(s) are wrong:\n{lines}\nMend them and try again.")
    try:
        return DelineateSettings.model_validate(values)
    except ValidationError as error:
        raise UsageError(faults_text("draft", error, DelineateSettings)) from error


def _draft(
    project: Project,
    stage: str,
    name: str,
    settings: DelineateSettings,
    tell: Tell,
    inherit: Inherit | None = None,
) -> Run:
    with project.turn(stage) as connection:
        held = read_in(connection, project)
        refuse(held.stale, "No units were drawn")

        def work(run_id: int) -> None:
            tell(f"delineate redevelopment units 再开发单元: {name}")
            if not is_kept("units"):
                tell("the search is compiled now and kept: it takes about a minute, once")
            links = () if inherited is None else inherited.links
            read = read_unit_inputs(held, settings, blocks=blocks)
            inputs = replace(read, inherited=inherited, links=links)
            drawn = drawn_from(inputs, settings, before)
            write_draft(held, run_id, name, "search", drawn, base=base)
            lain_in = blocks or Blocks(inputs.cells, inputs.missing)
            write_searched(connection, run_id, drawn, (digest, lain_in), srid=project.srid)
            tell(summary(drawn, inputs))
            if necks := said_of_necks(drawn, settings.neck_wide_m):
                tell(necks)
            if inherited is not None:
                tell(said_of_changes(inputs, settings, drawn.members))

        inherited, base = (None, None) if inherit is None else inherit(held)
        before = read_before(connection)
        district = project.settings.project.district_code
        digest = blocks_digest(settings, held.current, held.basis.as_of, district)
        blocks = read_blocks(connection, digest, srid=project.srid)
        request = units(stage, name, settings, held.current, held.basis.classified)
        return recorded(connection, started_from(request, inherited, base), work)


def started_from(request: Request, inherited: Inherited | None, base: int | None) -> Request:
    """Return a request with the earlier units that a draft starts from."""
    if inherited is None:
        return request
    inputs = request.inputs if base is None else {**request.inputs, "base_run": base}
    settings = {**request.settings, INHERITED: inherited.to_json(), **said_links(inherited.links)}
    return replace(request, inputs=inputs, settings=settings)


def said_links(links: tuple[HandLink, ...]) -> dict[str, list[dict[str, Any]]]:
    """Return links by hand as a run records them among its settings; nothing where there are none."""
    return {LINKS: [link.to_json() for link in links]} if links else {}


def said_of_changes(inputs: UnitInputs, settings: DelineateSettings, members: pd.DataFrame) -> str:
    """Return in one line what became of the earlier units that a draft started from."""
    if inputs.inherited is None:
        raise AssertionError("the draft started from no earlier units")
    problem = inputs.problem(limits_of(settings), weights_of(settings))
    became = lineage(problem, units_of(problem, members), inputs.inherited.lost)
    now = problem.parcels["parcel_id"].map(members.set_index("parcel_id")["unit_id"])
    before = problem.parcels["before"]
    moved = before.fillna("") != now.fillna("")
    hectares = problem.parcels["area_m2"][moved].sum() / HECTARE_M2
    said = (
        f"from {inputs.inherited.source}: {len(became.same)} units stay to the parcel, {len(became.changed)} live on with other"
        f" parcels, {len(became.gone)} are gone, {len(became.new)} are new; {int(moved.sum()):,} parcels ({hectares:,.1f} ha) changed"
        " their unit (each of them, why, and what it brings: lowland unit changes)"
    )
    lost = sorted(inputs.inherited.lost)
    if lost:
        said += f"; {len(lost):,} parcels of earlier units are not there any more: {', '.join(lost[:5])}"
        said += " …" if len(lost) > 5 else ""  # noqa: PLR2004 - as many as are shown
    return said


def drawn_from(inputs: UnitInputs, settings: DelineateSettings, before: Before | None = None) -> Draft:
    """Search units under some settings; what was found `before` of pieces that rest on the same is taken over.

    Raises:
        InputRefusedError: no parcel may be in any unit; the message says why.
    """
    problem = inputs.problem(limits_of(settings), weights_of(settings))
    if not problem.free.any():
        rules = pd.Series(problem.reason, dtype=object).str.split(":").str[0]
        groups = pd.Series(problem.ids).groupby(rules)
        causes = "; ".join(f"{text}: {len(codes):,}, for example {codes.iloc[0]}" for text, codes in groups)
        raise InputRefusedError(
            f"None of the {len(problem.cell):,} parcels may be in a unit, so there is nothing to draw ({causes})."
            " Look at [delineate] of lowland.toml: protected, protected_max, inside, inside_min, max_ha"
            " – and at parcels that overlap with: lowland check --suite topology, then lowland check show overlap."
        )
    return search_units(problem, inputs.cells, effort_of(settings), before, _locked(problem, inputs))


def _locked(problem: Problem, inputs: UnitInputs) -> list[npt.NDArray[np.int64]]:
    """Return the earlier units that are to stay as they are, as positions."""
    if inputs.inherited is None or not inputs.inherited.quiet:
        return []
    before = problem.parcels["before"].to_numpy(dtype=object)
    return [np.flatnonzero(before == name) for name in inputs.inherited.quiet]


def write_draft(
    held: Reading,
    run_id: int,
    name: str,
    origin: str,
    drawn: Draft,
    *,
    base: int | None = None,
) -> None:
    """Write a draft: its units with their ledgers, its members with their reasons, and how good it is.

    What the detailed plan gives to public benefit is unknown where none was delivered, and not 0.
    """
    connection, project = held.connection, held.project
    constants = {"run_id": run_id}
    head = {
        "name": name,
        "origin": origin,
        "base_run_id": base,
        "n_units": len(drawn.units),
        "value_m2": drawn.value_m2,
        "bound_m2": drawn.bound_m2,
        "gap": drawn.gap,
        "coverage": drawn.coverage,
        "findings": drawn.findings.astype(object).where(drawn.findings.notna(), None).to_dict("records"),
    }
    copy_in(connection, schema.DRAFT, pd.DataFrame([head]), srid=project.srid, constants=constants)
    units = pd.DataFrame(drawn.units)
    if _PLAN not in held.basis.versions:
        units = units.assign(public_share=np.nan)
    told = units[["low_m2", "outline_m", "lanes_m2", "neck_m", *LEDGER]].round(2).astype(object)
    ledger = told.where(told.notna(), None).to_dict("records")
    rows = units.assign(ledger=pd.Series(ledger, index=units.index, dtype=object)).rename(
        columns={"geometry": "geom", "limit": "limited_by"}
    )
    known = [column for column in schema.UNIT.column_names if column in rows.columns]
    copy_in(connection, schema.UNIT, rows[known], srid=project.srid, constants=constants)
    copy_in(connection, schema.MEMBER, drawn.members, srid=project.srid, constants=constants)


def summary(drawn: Draft, inputs: UnitInputs) -> str:
    """Return a draft in one line: units, value, bound, gap, coverage, parcels that barriers cut."""
    said = (
        f"{len(drawn.units)} units, value {drawn.value_m2:,.0f} m² of at most {drawn.bound_m2:,.0f} (gap {drawn.gap:.2%}),"
        f" {drawn.coverage:.1%} of the low-efficiency land"
    )
    if drawn.units.empty:
        said += f". No unit can be drawn: {_why_none(drawn, inputs)}"
    grades = [key.removeprefix(NO_GRADE) for key in inputs.missing if key.startswith(NO_GRADE)]
    layers = [key for key in inputs.missing if not key.startswith(NO_GRADE)]
    if layers:
        said += f"; barriers not delivered, so nothing divides along them: {', '.join(layers)}"
    if grades:
        said += f"; no road has the grade {', '.join(grades)}, which should divide"
    said += _UNBOUNDED[inputs.ground]
    said += "".join(f"; {doubt}" for doubt in _doubts(inputs))
    apart = drawn.findings[drawn.findings["rule"] == "parcels_overlap"]
    if len(apart):
        said += (
            f"; {len(apart):,} pairs of parcels share ground, so they are in no unit, for example {apart['parcels'].iloc[0]}"
            " (all of them: lowland unit metrics)"
        )
    if inputs.cut:
        said += f"; {len(inputs.cut)} parcels are cut by a barrier and count where their inside lies, for example {inputs.cut[0]}"
    return said


def said_of_necks(drawn: Draft, wide_m: float) -> str:
    """Say how many units hang together by a neck that is narrower than a wide one, and which most; nothing where none does."""
    narrow = drawn.units[drawn.units["neck_m"] < wide_m].sort_values(["neck_m", "unit_id"])
    if narrow.empty:
        return ""
    named = ", ".join(f"{row.unit_id} ({row.neck_m:.1f} m)" for row in narrow.head(_SHOWN_NECKS).itertuples())
    return (
        f"{len(narrow)} of {len(drawn.units)} units hang together by less than {wide_m:g} m at one parcel: {named}"
        f"{', …' if len(narrow) > _SHOWN_NECKS else ''} (all of them: neck_m in lowland unit metrics)"
    )


def _doubts(inputs: UnitInputs) -> list[str]:
    """Say of how many parcels the protection is not known, and what is missing."""
    parcels = inputs.parcels
    if "unknown" not in parcels.columns:
        return []
    groups = parcels.groupby("unknown", sort=True)["parcel_id"]
    return [
        f"of {len(codes):,} parcels it is not known {doubt}; units that hold them cannot be frozen"
        for doubt, codes in groups
    ]


def _why_none(drawn: Draft, inputs: UnitInputs) -> str:
    """Say which rules keep the low-efficiency parcels of an empty draft out, with their numbers and an example each."""
    low = inputs.parcels["parcel_id"][inputs.parcels["low_m2"] > 0]
    if low.empty:
        return "there is no low-efficiency parcel. Look at: lowland classify run"
    out = drawn.members[drawn.members["parcel_id"].isin(low)]
    groups = out.groupby(out["reason"].str.split(":").str[0])
    named = [
        f"{len(rows):,} parcels by {rule} (for example {rows['parcel_id'].iloc[0]}: {rows['reason'].iloc[0]})"
        for rule, rows in groups
    ]
    return "; ".join(named)
