"""Make the planning brief (单元规划策划简报) of a unit: what stands in it, of one state of the database, as Word or PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lowland_gis.analysis.potential.money import resting_on
from lowland_gis.analysis.potential.parameters import Parameters
from lowland_gis.analysis.rules.pack import RulePack
from lowland_gis.definitions.codes import code_names
from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.base.entries import PROMISE_QUESTION, PROMISE_TITLE
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.products.frames import pack_legend
from lowland_gis.pipeline.products.potential import UnitPotential, unit_potentials
from lowland_gis.pipeline.products.potential_rows import (
    BENEFIT,
    LAND,
    MONEY,
    NO_UNIT,
    ends,
    figure_rows,
    floor_ends,
    parameter_rows,
    said,
    use_rows,
)
from lowland_gis.pipeline.products.report import TEMPLATES
from lowland_gis.pipeline.products.unit_sheet import BOUNDS, planning_sheet
from lowland_gis.pipeline.registry.listed import registered_problems
from lowland_gis.pipeline.registry.todo import by_office, todo_list
from lowland_gis.pipeline.units.drafts import HeldDraft
from lowland_gis.pipeline.verdicts.verdicts import answers
from lowland_gis.products.maps.sheet_map import MapView
from lowland_gis.products.maps.unit_sheet import UnitSheet
from lowland_gis.products.reports.brief import Brief, brief_document, draw_brief_map
from lowland_gis.products.reports.document import BRIEF, template_of
from lowland_gis.products.reports.office_pdf import document_as_pdf, office
from lowland_gis.quantities import M2_PER_HA, MU_M2

SUFFIXES = (".docx", ".pdf")
STALE = "本简报所依据的成果已过期，更新后须重新出具"
# A brief of four pages lists so many parcels one by one, and so many papers and uses.
_PARCELS, _MISSING, _USES = 12, 10, 5
# Questions of a rule pack that ask whether a policy tool fits a parcel, and the answer that it does.
_TOOL, _FITS = "tool_", "yes"


def unit_brief(
    draft: HeldDraft,
    unit_id: str,
    target: Path,
    *,
    template: Path | None = None,
    overwrite: bool = False,
    tell: Tell = silent,
) -> Path:
    """Write the brief of a unit as .docx, or as .pdf by LibreOffice, and return its path.

    Raises:
        UsageError: there is no such unit, template or LibreOffice; the name ends otherwise; or the file is there, is not as lowland wrote it,
            and `overwrite` is not set.
        InputRefusedError: the template cannot be read, or has placeholders that nothing stands for. Nothing was written.
    """
    ending, project = target.suffix.lower(), draft.held.project
    if ending not in SUFFIXES:
        raise UsageError(
            f"{target}: a brief is a Word document or a PDF. Give a name that ends in .docx or .pdf."
        )
    used = template or template_of(BRIEF, project.settings.folder / TEMPLATES / f"{BRIEF}.docx")
    with project.outputs.writing(target, overwrite=overwrite, inputs=[used]):
        if ending == ".pdf":
            office()
        content = _content(draft, unit_id, used, tell)
        if ending == ".pdf":
            content = document_as_pdf(content, target)
        with refused(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as partial, refused(target):
            partial.write_bytes(content)
    return target


def _content(draft: HeldDraft, unit_id: str, template: Path, tell: Tell) -> bytes:
    inputs = draft.inputs()
    legend, doubts = pack_legend(draft.held)
    sheet = planning_sheet(draft, unit_id, legend, inputs)
    found = unit_potentials(draft, (unit_id,), inputs)
    for doubt in (*doubts, *found.doubts):
        tell(f"Warning: {doubt}")
    brief = brief_of(draft, sheet, found.units[0], found.parameters)
    view = MapView(sheet.outline, sheet.parcels, sheet.barriers, sheet.kinds)
    return brief_document(template, brief, draw_brief_map(view, sheet.legend))


def brief_of(draft: HeldDraft, sheet: UnitSheet, unit: UnitPotential, parameters: Parameters) -> Brief:
    """Return what the brief of a unit says; its figures are those of `lowland unit potential` and of the unit's ledger."""
    held = draft.held
    missing = todo_list(held)
    missing = missing[missing["parcel_id"].isin([each.parcel.parcel_id for each in unit.gains])]
    rows = figure_rows(unit, parameters)
    parcels, rest = _parcels(unit, sheet)
    papers, more = _papers(missing)
    steps = {way: getattr(parameters.way, way) for way in ("reserve", "owner")}
    ledger = draft.units().set_index("unit_id").loc[unit.unit_id]
    return Brief(
        {
            "district": held.project.settings.project.district_name,
            "title": sheet.title,
            "mark": sheet.mark,
            "stale": "" if draft.stale is None and draft.frozen is None else STALE,
            "source": sheet.notes[-1],
            "bounds": next((note for note in sheet.notes if BOUNDS in note), ""),
            "parcels_rest": rest,
            "papers_more": more,
            "proposal": _proposal(unit),
            "public_need": _public_need(unit),
            "alternative": _alternative(str(ledger["alternative"])),
            "tools_source": "" if held.basis.pack.policy is None else held.basis.pack.policy.document,
            "phase_source": parameters.phase.document,
        },
        {
            "facts": [{"item": name, "value": text} for name, text in {"规划单元": sheet.plan, **sheet.facts}.items()],
            "now_kinds": _shares(sheet, "用地类型"),
            "now_owners": _shares(sheet, "权属"),
            "plan_uses": _shares(sheet, "规划用途"),
            "plan_zones": _shares(sheet, "规划分区"),
            "parcels": parcels,
            "papers": papers,
            "potential": _figures(rows, LAND),
            "benefit": _figures(rows, BENEFIT),
            "benefit_uses": _public_uses(unit),
            "money": _figures(rows, MONEY),
            "uses": [
                {"rank": str(row["rank"]), "use": row["use"], "score": said(row["score_low"], row["score_high"]), "reasons": row["reasons"]}
                for row in use_rows(unit)[:_USES]
            ],
            "tools": list(_tools(draft, unit)),
            "phases": _phases(unit, set(missing["parcel_id"]), parameters),
            "steps": [{"way": way.title, "steps": " → ".join(way.step)} for way in steps.values()],
            "parameters": _parameters(unit, parameters, sheet.kinds),
        },
        {"problems": _problems(draft, unit.unit_id)},
    )  # fmt: skip


def _figures(rows: Sequence[dict[str, Any]], group: str) -> list[dict[str, str]]:
    return [
        {
            "figure": row["figure"],
            "value": said(row["low"], row["high"], row["unit"]),
            "hangs_on": f"{row['hangs_on']}（{row['unknown_ha']:,.2f} 公顷）"
            if row["hangs_on"] and row["unknown_ha"]
            else row["hangs_on"],
        }
        for row in rows
        if row["group"] == group
    ]


def _shares(sheet: UnitSheet, table: str) -> list[dict[str, str]]:
    rows = sheet.tables[table].sort_values(["area_m2", "name"], ascending=[False, True])
    whole_m2 = float(rows["area_m2"].sum()) or 1.0
    return [
        _area(str(name), float(area), whole_m2)
        for name, area in zip(rows["name"], rows["area_m2"], strict=True)
    ]


def _area(name: str, area: float, whole_m2: float) -> dict[str, str]:
    return {
        "name": name,
        "ha": f"{area / M2_PER_HA:,.2f}",
        "mu": f"{area / MU_M2:,.2f}",
        "share": f"{area / whole_m2:.1%}",
    }


def _parcels(unit: UnitPotential, sheet: UnitSheet) -> tuple[list[dict[str, str]], str]:
    """Return the largest parcels one by one, and what is said of the others."""
    titles = dict(zip(sheet.members["parcel_id"], sheet.members["kind"], strict=True))
    ordered = sorted(unit.gains, key=lambda each: (-each.parcel.area_m2, each.parcel.parcel_id))
    rows = [
        {
            "parcel": each.parcel.parcel_id,
            "kind": str(titles[each.parcel.parcel_id]),
            "ha": f"{each.parcel.area_m2 / M2_PER_HA:,.2f}",
            "floor": "未知" if pd.isna(each.parcel.floor_m2) else f"{each.parcel.floor_m2:,.0f}",
            "gain": "—" if each.parcel.kind is None else said(*floor_ends(each)),
        }
        for each in ordered[:_PARCELS]
    ]
    left = ordered[_PARCELS:]
    area = sum(each.parcel.area_m2 for each in left) / M2_PER_HA
    return rows, f"其余 {len(left)} 宗，共 {area:,.2f} 公顷，见：lowland unit members" if left else ""


def _papers(missing: pd.DataFrame) -> tuple[list[dict[str, str]], str]:
    """Return the papers that are missing, office by office, and how many are left out."""
    if missing.empty:
        return [], ""
    grouped = by_office(missing).sort_values(["parcels", "office", "clause"], ascending=[False, True, True])
    rows = [
        {
            "office": str(row["office"]), "needed": str(row["needed"]), "clause": str(row["clause"]), "n": f"{row['parcels']:,}",
            "ha": f"{row['hectares']:,.2f}",
        }
        for row in grouped.head(_MISSING).to_dict("records")
    ]  # fmt: skip
    left = len(grouped) - len(rows)
    return rows, f"另有 {left} 项，见：lowland classify todo" if left > 0 else ""


def _problems(draft: HeldDraft, unit_id: str) -> list[str]:
    """Return what is wrong with the drawing of a unit, and what became of its parcels since."""
    found, changes = draft.stored.findings, draft.changes
    own = found[found["unit_id"] == unit_id] if len(found) else found
    said_of = [f"{row['rule']}：{row['message']}" for row in own.to_dict("records")]
    members = draft.stored.members
    inside = set(members["parcel_id"][members["unit_id"] == unit_id])
    touched = [parcel for parcel in changes["parcel_id"].unique() if parcel in inside] if len(changes) else []
    said_of += [
        f"{PROMISE_TITLE}：{row['parcel_id']} {row['clause']}"
        for row in registered_problems(draft.held)
        if row["question"] == PROMISE_QUESTION and row["parcel_id"] in inside
    ]
    return said_of + ([f"{len(touched)} 宗地已被更正：{'、'.join(touched[:5])}"] if touched else [])


def _proposal(unit: UnitPotential) -> str:
    """Return the proposal: the use of the best score, what it gains, and which other one comes near."""
    best, second = unit.uses[0], unit.uses[1] if len(unit.uses) > 1 else None
    text = f"建议以“{best.title}”为主导用途（得分 {said(best.score.low, best.score.high)}）：{'；'.join(best.reasons)}。"
    return text + (
        f"备选用途为“{second.title}”（得分 {said(second.score.low, second.score.high)}）。" if second else ""
    )


def _public_need(unit: UnitPotential) -> str:
    """Return what is lacking of public-benefit land, and empty where nothing is."""
    short = unit.public.short.times(1 / M2_PER_HA)
    if short.high <= 0:
        return ""
    if not unit.public.known:
        return "没有详细规划，公益性用地是否满足最低占比未知。"
    text = said(*ends(short), "公顷")
    return f"公益性用地尚缺 {text}，须在单元内落实，或经批准在更大范围统筹。"


def _alternative(text: str) -> str:
    """Return the best other drawing of a unit, in the words of the brief.

    >>> _alternative("with A without B: -43 m²"), _alternative("none that keeps the rules")
    ('范围备选：并入 A、剔除 B，净值 -43 m²。', '范围备选：没有符合全部限值的单宗增减。')
    """
    change, colon, value = text.partition(": ")
    if not colon:
        return "范围备选：没有符合全部限值的单宗增减。"
    words = change.replace("with ", "并入 ", 1) if change.startswith("with ") else change
    words = (
        words.replace(" without ", "、剔除 ", 1)
        if " without " in words
        else words.replace("without ", "剔除 ", 1)
    )
    return f"范围备选：{words}，净值 {value}。"


def _public_uses(unit: UnitPotential) -> list[dict[str, str]]:
    """Return the land of a unit that the plan gives to public benefit, by use."""
    names, sums = code_names("ydyh_2023"), dict[str, float]()
    for each in unit.gains:
        for piece in each.parcel.pieces:
            if piece.public and piece.use is not None:
                sums[piece.use] = sums.get(piece.use, 0.0) + piece.area_m2
    whole_m2 = unit.area_m2
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return [_area(f"{use} {names.get(use, '')}".strip(), area, whole_m2) for use, area in ordered]


def _tools(draft: HeldDraft, unit: UnitPotential) -> Iterator[dict[str, str]]:
    """Yield the policy tools that fit: what the pack answers for each parcel, then what it offers to the kinds of the unit."""
    pack: RulePack = draft.held.basis.pack
    areas = {each.parcel.parcel_id: each.parcel.area_m2 for each in unit.gains}
    asked = [question for question in pack.question if question.name.startswith(_TOOL)]
    found = answers(draft.held.connection, draft.held.basis)
    found = found[found["parcel_id"].isin(list(areas)) & (found["answer"] == _FITS)]
    for question in asked:
        fitting = found["parcel_id"][found["question"] == question.name]
        if len(fitting):
            area = sum(areas[parcel] for parcel in fitting) / M2_PER_HA
            yield {
                "tool": question.title,
                "why": "逐宗符合条件",
                "n": f"{len(fitting):,}",
                "ha": f"{area:,.2f}",
            }
    if pack.policy is None:
        return
    kinds = sorted({each.parcel.kind for each in unit.gains if each.parcel.kind is not None})
    for tool in pack.policy.of(kinds):
        fits = [
            each.parcel.area_m2
            for each in unit.gains
            if each.parcel.kind in kinds and tool in pack.policy.of([each.parcel.kind])
        ]
        yield {
            "tool": tool,
            "why": "按低效类型适用",
            "n": f"{len(fits):,}",
            "ha": f"{sum(fits) / M2_PER_HA:,.2f}",
        }


def _phases(unit: UnitPotential, missing: set[str], parameters: Parameters) -> list[dict[str, str]]:
    """Return the phases of a unit: what is ready, what lacks papers, what is not low-efficiency land."""
    parts: dict[str, list[float]] = {"ready": [], "papers": [], "open": []}
    for each in unit.gains:
        phase = (
            "open" if each.parcel.kind is None else "papers" if each.parcel.parcel_id in missing else "ready"
        )
        parts[phase].append(each.parcel.area_m2)
    rows = []
    for name, areas in parts.items():
        phase = getattr(parameters.phase, name)
        rows.append(
            {
                "title": phase.title,
                "what": phase.what,
                "n": f"{len(areas):,}",
                "ha": f"{sum(areas) / M2_PER_HA:,.2f}",
            }
        )
    return rows


def _parameters(
    unit: UnitPotential, parameters: Parameters, kinds: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return the parameters that the figures of a unit rest on, with what they hold for and their documents."""
    held = resting_on(unit.gains, parameters)
    rows = []
    for each, row in zip(parameters.parameter, parameter_rows(parameters), strict=True):
        if each not in held:
            continue
        land = (
            each.use and f"用途 {each.use}",
            each.kind and kinds.get(each.kind, each.kind),
            each.zone and f"分区 {each.zone}",
        )
        value = said(row["low"], row["high"], "" if row["unit"] == NO_UNIT else row["unit"])
        rows.append(
            {
                "title": row["title"],
                "land": "、".join(text for text in land if text) or "全部",
                "value": value,
                "document": row["document"],
            }
        )
    return rows
