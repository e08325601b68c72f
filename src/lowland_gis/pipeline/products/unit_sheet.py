"""Put together the one-page planning sheet of a unit from its draft and the current land."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from lowland_gis.analysis.rules.pack import Policy
from lowland_gis.analysis.units.judge import PROTECTION_UNKNOWN
from lowland_gis.definitions.codes import code_names, domain_names
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.legend import UNJUDGED, Legend
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.basis import LATEST
from lowland_gis.pipeline.base.land import feature_names, town_names
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.products.frames import kind_titles, pack_legend
from lowland_gis.pipeline.units.drafts import HeldDraft, Stored, read_draft
from lowland_gis.pipeline.units.frozen import WITHDRAWN, unit_history
from lowland_gis.pipeline.units.ground import UnitInputs
from lowland_gis.pipeline.units.tiers import tiers
from lowland_gis.products.maps.unit_sheet import UnitSheet, draw_unit_sheet

_AROUND_M = 150.0
_NOT_DELIVERED = "未交付"
BOUNDS = "四至界线"
_STALE = "成果已过期：数据、规则或程序已更新"


def sheet_of(project: Project, which: str, unit: str) -> tuple[str, str]:
    """Return the draft and the name in it of a unit that was asked for; the number of a frozen unit leads to the draft it was frozen from.

    Raises:
        UsageError: the unit was frozen from another draft than the one that is named.
    """
    with project.snapshot() as connection:
        frozen = unit_history(connection)
        found = frozen[frozen["number"] == unit]
        if found.empty:
            return which, unit
        run_id, named = str(found["run_id"].iloc[-1]), str(found["unit_id"].iloc[-1])
        if which == LATEST or str(read_draft(connection, which).run_id) == run_id:
            return run_id, named
    raise UsageError(
        f"The frozen unit {unit} was drawn by the draft of run {run_id}, not by {which}. Leave --draft away, or name --draft {run_id}"
    )


def unit_sheet(
    draft: HeldDraft, unit_id: str, target: Path, *, overwrite: bool = False, tell: Tell = silent
) -> Path:
    """Draw the sheet of a unit of a draft; `tell` hears which kinds the legend has no colour for.

    Raises:
        UsageError: there is no such unit; or the file is there, is not as lowland wrote it, and `overwrite` is not set.
    """
    with draft.held.project.outputs.writing(target, overwrite=overwrite):
        legend, doubts = pack_legend(draft.held)
        for doubt in doubts:
            tell(f"Warning: {doubt}")
        return draw_unit_sheet(planning_sheet(draft, unit_id, legend), target)


def planning_sheet(
    draft: HeldDraft, unit_id: str, legend: Legend, inputs: UnitInputs | None = None
) -> UnitSheet:
    """Return what the sheet of a unit shows; `inputs` are those of the draft, where they have been read already.

    Raises:
        UsageError: there is no such unit.
    """
    held, stored = draft.held, draft.stored
    units, inputs = draft.units(), draft.inputs() if inputs is None else inputs
    towns = town_names(held.connection, held.versions("town"))
    zones = feature_names(held.connection, held.versions("plan_zone"), "GHFQMC")
    kinds = kind_titles(held.basis.pack, legend)
    if unit_id not in set(units["unit_id"]):
        raise UsageError(
            f"Draft {stored.name} has no unit {unit_id!r}. Its units are: {', '.join(units['unit_id'][:10])}."
            f" Type: lowland unit metrics {stored.run_id}"
        )
    unit = units[units["unit_id"] == unit_id].iloc[0]
    name, remarks = _number(draft, unit_id)
    # A town or zone that was delivered without a name is called by its code.
    town = towns.get(str(unit["town_code"]), str(unit["town_code"]))
    named = _named(
        inputs, legend.knowing(set(inputs.parcels["answer"].dropna()), kinds), zones, held.basis.versions
    )
    sheet = _sheet(held, stored, unit, named, f"{town}　再开发单元 {name}")
    sheet = replace(sheet, kinds=kinds, legend=legend, plan=_plan(draft, unit_id, inputs))
    sheet = replace(sheet, notes=tuple(_with_plan(note, sheet.plan) for note in sheet.notes))
    remarks = ([] if draft.stale is None else [_STALE]) + remarks
    if remarks:
        sheet = replace(sheet, notes=(*sheet.notes[:-1], "；".join((sheet.notes[-1], *remarks))))
    return sheet


def _plan(draft: HeldDraft, unit_id: str, inputs: UnitInputs) -> str:
    """Return the planning unit that a unit lies in, and how it stands where it lies in none."""
    both = tiers(inputs, draft.stored.settings, draft.stored.members).parcels
    found = both["plan_id"][both["unit_id"] == unit_id].dropna()
    return str(found.iloc[0]) if len(found) else "不在规划单元内"


def _with_plan(note: str, plan: str) -> str:
    """Put the planning unit before what bounds the unit."""
    return f"规划单元：{plan}；{note}" if note.startswith(BOUNDS) else note


def _number(draft: HeldDraft, unit_id: str) -> tuple[str, list[str]]:
    """Return what a unit of a draft is called, and what is to be remarked of its number: withdrawn, or touched by a correction."""
    entries = unit_history(draft.held.connection)
    own = (entries["run_id"] == draft.stored.run_id) & (entries["unit_id"] == unit_id) & entries["newest"]
    if not own.any():
        return f"{unit_id}（草案）", []
    entry = entries[own].iloc[-1]
    number = str(entry["number"])
    if entry["state"] == WITHDRAWN:
        return f"{number}（已撤销）", [f"本单元已撤销：{entry['reason']}"]
    touched = draft.changes["parcel_id"][draft.changes["number"] == number].unique()
    return number, [
        f"本单元 {len(touched)} 宗地已变更：{touched[0]}" + ("等" if len(touched) > 1 else "")
    ] if len(touched) else []


def _named(
    inputs: UnitInputs, legend: Legend, zones: Mapping[str, str], delivered: Collection[str]
) -> UnitInputs:
    """Give parcels the names that are printed: title (of their verdict), zone, planned use and ownership; a code without a name stays one.

    Outside of all zones of a plan there is none; where the plan was not delivered, nobody knows.
    """
    rows, titles, uses = inputs.parcels, legend.answers, code_names("ydyh_2023")
    no_zone, no_use = (
        nothing if key in delivered else _NOT_DELIVERED
        for key, nothing in (("plan_zone", "无"), ("plan_parcel", "无控规"))
    )
    return replace(
        inputs,
        parcels=rows.assign(
            title=[titles[UNJUDGED if pd.isna(answer) else answer].title for answer in rows["answer"]],
            zone=[no_zone if pd.isna(code) else zones.get(code, str(code)) for code in rows["zone"]],
            plan_use=[no_use if pd.isna(code) else _use(str(code), uses) for code in rows["plan_use"]],
            ownership=[ownership(code) for code in rows["ownership"]],
        ),
    )


def ownership(code: object) -> str:
    """Return the name of an ownership code (QSXZ), and what is said of one that is missing or in no list.

    >>> ownership("21"), ownership(None), ownership("99")
    ('国有无居民海岛使用权', '未登记', '代码 99（不在标准内）')
    """
    text = "" if code is None else str(code).strip()
    return domain_names("QSXZ").get(text, f"代码 {text}（不在标准内）") if text else "未登记"


def _sheet(held: Reading, stored: Stored, unit: pd.Series, inputs: UnitInputs, title: str) -> UnitSheet:
    project, policy = held.project, held.basis.pack.policy
    members = inputs.parcels.merge(stored.members, on="parcel_id", suffixes=("_not_allowed", ""))
    inside = members[members["unit_id"] == unit["unit_id"]]
    near = shapely.dwithin(inputs.parcels.geometry.to_numpy(), unit["geometry"], _AROUND_M)
    close = shapely.dwithin(inputs.barriers.geometry.to_numpy(), unit["geometry"], _AROUND_M)
    barriers = _titled(inputs.barriers[close])
    public = _public(unit)
    example = "；认定阈值与单元限值均为示例" if project.settings.project.synthetic else ""
    return UnitSheet(
        title,
        {
            "面积": f"{unit['area_m2'] / 10_000:.2f} 公顷",
            "宗地": f"{unit['n_parcels']} 宗",
            "低效占比": f"{unit['low_share']:.1%}",
            "规划公益性用地": public,
            "紧凑度 4πA/P²": f"{unit['compactness']:.2f}",
            "净值": f"{unit['value_m2']:,.0f} m²",
        },
        _tables(inside),
        None if policy is None else policy.of(sorted(set(inside["kind"].dropna()))),
        (
            *_policy_notes(policy, public),
            f"{BOUNDS}：{_bounding(unit['geometry'], barriers)}{_unproven(stored, unit)}",
            f"方案 {stored.name}（run {stored.run_id}），数据时点 {project.settings.project.as_of.isoformat()}{example}",
        ),
        unit["geometry"],
        inputs.parcels[near],
        barriers,
        pd.DataFrame(
            {
                "parcel_id": inside["parcel_id"],
                "kind": inside["title"],
                "area_m2": inside["area_m2"].astype(float),
            }
        ),
        mark="合成数据 示例" if project.settings.project.synthetic else "",
    )


def _policy_notes(policy: Policy | None, public: str) -> tuple[str, ...]:
    """Return what the sheet says of the policy tools; nothing where the rule pack has none."""
    if policy is None:
        return ()
    against = f"公益性用地：本单元规划占比 {public}；参照 {policy.public_benefit}"
    return (*((against,) if policy.public_benefit else ()), f"政策工具：{policy.document}")


def _public(unit: pd.Series) -> str:
    """Return the share of planned public benefit; without a detailed plan nobody knows it."""
    return "未知（未交付详细规划）" if pd.isna(unit["public_share"]) else f"{float(unit['public_share']):.1%}"


def _unproven(stored: Stored, unit: pd.Series) -> str:
    """Say where the protection of parcels of a unit is not known: what was not delivered is not free."""
    found = stored.findings
    doubts = (
        found[(found["unit_id"] == unit["unit_id"]) & (found["rule"] == PROTECTION_UNKNOWN)]
        if len(found)
        else found
    )
    return "".join(
        f"；保护范围未核实：{int(row['value'])} 宗（{row['message']}）" for row in doubts.to_dict("records")
    )


def _tables(inside: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    columns = {"用地类型": "title", "规划用途": "plan_use", "权属": "ownership", "规划分区": "zone"}
    return {title: _by(inside, inside[column]) for title, column in columns.items()}


def _by(rows: gpd.GeoDataFrame, names: Sequence[str] | pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"name": list(names), "area_m2": rows["area_m2"].to_numpy(dtype=float)})
    return table.groupby("name")["area_m2"].sum().reset_index()


def _use(code: str, uses: Mapping[str, str]) -> str:
    """Return the name of a planned use, by its longest known beginning."""
    for length in range(len(code), 1, -1):
        if code[:length] in uses:
            return uses[code[:length]]
    return code


def _titled(barriers: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Name barriers as people do: roads by their grade, others by their layer."""
    titles = [
        str(code) if code else layer_definition(layer).title
        for layer, code in zip(barriers["layer"], barriers["code"], strict=True)
    ]
    return barriers.assign(title=titles)


def _bounding(outline: shapely.Geometry, barriers: gpd.GeoDataFrame) -> str:
    """Name the barriers around a unit with their distances."""
    away = pd.Series(shapely.distance(barriers.geometry.to_numpy(), outline), index=barriers["title"])
    nearest = away.groupby(level=0).min().sort_values(kind="stable")
    return "、".join(f"{name}（{m:.0f} m）" for name, m in nearest.items()) or f"{_AROUND_M:g} m 内无"
