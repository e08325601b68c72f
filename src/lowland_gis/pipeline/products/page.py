"""What the page shows of one state of the database: shapes, verdicts with the values behind them, and states of the register."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.rules.decide import Facts
from lowland_gis.analysis.rules.limits import limit_of
from lowland_gis.analysis.rules.pack import KIND, AnyClause, Clause, Exemption, Question
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.layer import Drawn, drawn_layers
from lowland_gis.definitions.legend import UNJUDGED, Style
from lowland_gis.definitions.states import procedure
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.entries import LOW_EFFICIENCY
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.base.towns import town_codes
from lowland_gis.pipeline.evidence.facts import evidence_facts
from lowland_gis.pipeline.evidence.stored import Measured, read_measured
from lowland_gis.pipeline.intake.reading import Reading
from lowland_gis.pipeline.products.frames import shown_parcels
from lowland_gis.pipeline.products.package import MapContents, map_contents
from lowland_gis.pipeline.registry.determine import newest, with_states
from lowland_gis.pipeline.units.tiers import planning_areas
from lowland_gis.products.maps.page.build import write_page
from lowland_gis.products.maps.page.encode import PER_METRE, shapes, simplified, varints
from lowland_gis.quantities import MU_M2

Objects = npt.NDArray[np.object_]

# Metres: the root of the least triangle that a simplified outline keeps, below what shows at 1:2000.
TOLERANCE = 0.5
_DIGITS = 6
_STALE = "成果已过期，与现行数据不一致"
_UNKNOWN_TOWN, _NO_STATE = "镇街不明", "未入库"
_PARCELS_ORDER = 5
_PLANNING = Style(title="规划单元", fill="none", outline="#2F5D8A", width=1.0, dash=(5.0, 2.0))


def page_contents(held: Reading) -> tuple[dict[str, Any], MapContents]:
    """Return what the page reads, as values of JSON, and the map that it is of: what is out of date, doubts of the legend.

    Raises:
        UsageError: there are no verdicts, or no units.
        InputRefusedError: there are no parcels.
    """
    shown = shown_parcels(held).sort_values("parcel_id", ignore_index=True)
    contents = map_contents(held, shown)
    if shown.empty:
        raise InputRefusedError(
            "page: there are no parcels, so there is nothing to show. Run `lowland classify run` first."
        )
    settings = held.project.settings.project
    west, south, east, north = (float(number) for number in shown.total_bounds)
    corner = (float(np.floor(west)), float(np.floor(south)))
    kind_of = dict(
        zip(contents.frames["parcels"]["parcel_id"], contents.frames["parcels"]["answer"], strict=True)
    )
    kinds = [kind_of.get(parcel, UNJUDGED) for parcel in shown["parcel_id"]]
    legend = contents.legend.knowing(set(kinds), contents.kinds)
    listed = [name for name in legend.answers if name in set(kinds)]
    stale = contents.stale is not None or contents.frozen is not None
    runs = f"认定：第 {held.basis.run_id} 次运行"
    note = f"数据时点：{settings.as_of.isoformat()}；{runs}；坐标系 {settings.crs}；界线经简化，仅供浏览"
    data = {
        "title": f"{settings.district_name}低效用地与再开发单元",
        "note": note + ("；认定阈值为示例" if settings.synthetic else ""),
        "mark": "合成数据 示例" if settings.synthetic else "",
        "stale": _STALE if stale else "",
        "crs": {"name": settings.crs, "proj4": _proj4(shown)},
        "corner": corner,
        "box": [west - corner[0], south - corner[1], east - corner[0], north - corner[1]],
        "per_metre": PER_METRE,
        "mu_m2": MU_M2,
        "ink": legend.paper.ink,
        "main": KIND,
        "kinds": [{"key": name, "style": _style(legend.answers[name])} for name in listed],
        "layers": [*_planning(held, corner), *_layers(contents, corner)],
        **_parcels(held, shown, corner, [listed.index(kind) for kind in kinds]),
        **_verdicts(held, shown["parcel_id"].to_numpy(dtype=object)),
    }
    return data, contents


def draw_page(
    project: Project,
    data: Mapping[str, Any],
    contents: MapContents,
    target: Path,
    *,
    overwrite: bool = False,
    tell: Tell = silent,
) -> Path:
    """Write the page; where it is out of date, it says so too.

    Raises:
        UsageError: the file is there, is not as lowland wrote it, and `overwrite` is not set.
    """
    tell(f"page {target}")
    for doubt in contents.doubts:
        tell(f"Warning: {doubt}")
    with project.outputs.writing(target, overwrite=overwrite):
        return write_page(data, target)


def _proj4(parcels: gpd.GeoDataFrame) -> str:
    """Return the plane as Proj4js reads it."""
    with warnings.catch_warnings():
        # What is lost is the name of the datum; the page only goes from the plane to the plane.
        warnings.simplefilter("ignore", UserWarning)
        return str(parcels.crs.to_proj4())


def _style(style: Style) -> dict[str, Any]:
    return style.model_dump(mode="json", exclude_defaults=True) | {"width": style.width}


def _parcels(
    held: Reading, shown: gpd.GeoDataFrame, corner: tuple[float, float], kinds: Sequence[int]
) -> dict[str, Any]:
    """Return the parcels in the order of their codes, and the towns and states that their numbers name."""
    codes = shown["parcel_id"].tolist()
    names = land.town_names(held.connection, held.versions("town"))
    towns = [
        _UNKNOWN_TOWN if code is None else names.get(code, code)
        for code in town_codes(held.connection, held.basis.measured, codes)
    ]
    stands = _states(held)
    states = [stands.get(code, _NO_STATE) for code in codes]
    inner = (
        np.rint((shapely.get_coordinates(shapely.point_on_surface(shown.geometry.values)) - corner) * 10) / 10
    )
    town_list, state_list = (
        sorted(set(towns)),
        sorted(set(states), key=lambda name: (name == _NO_STATE, name)),
    )
    return {
        "towns": town_list,
        "states": state_list,
        "parcels": {
            "codes": codes,
            "location": [None if pd.isna(text) else str(text) for text in shown["location"]],
            "area": [round(float(area), 2) for area in shown["area_m2"]],
            "places": inner.tolist(),
            "kind": varints(kinds),
            "town": varints([town_list.index(town) for town in towns]),
            "state": varints([state_list.index(state) for state in states]),
            "shapes": shapes(simplified(shown.geometry.values, TOLERANCE), corner),
        },
    }


def _states(held: Reading) -> dict[str, str]:
    """Return the state of each parcel that stands in the register of low-efficiency land."""
    rows = with_states(
        held.connection, LOW_EFFICIENCY, newest(held.connection, LOW_EFFICIENCY.table, ["parcel_id"])
    )
    titles = procedure()[LOW_EFFICIENCY.register].state
    known = rows[rows["stands"].notna()]
    return {
        str(parcel): titles.get(state, state)
        for parcel, state in zip(known["parcel_id"], known["stands"], strict=True)
    }


def _layers(contents: MapContents, corner: tuple[float, float]) -> list[dict[str, Any]]:
    """Return the layers in the order in which they are drawn; `below` are those that parcels lie above."""
    found = []
    for key, drawn in sorted(drawn_layers().items(), key=lambda item: item[1].order):
        frame = contents.frames.get(key)
        if frame is not None and not frame.empty:
            found += _drawn(contents, key, drawn, frame, corner)
    units = contents.frames["units"]
    if not units.empty:
        style = contents.legend.layers["unit"]
        found.append(_layer("unit", style, units.geometry.values, corner, names=units["unit_id"].tolist()))
    return found


def _planning(held: Reading, corner: tuple[float, float]) -> list[dict[str, Any]]:
    """Return the planning units as a layer that is not shown at first, nothing where they are not known."""
    areas = planning_areas(held)
    if areas is None:
        return []
    names = areas["plan_id"].tolist()
    return [_layer("planning", _PLANNING, areas.geometry.values, corner, names=names) | {"off": True}]


def _drawn(
    contents: MapContents, key: str, drawn: Drawn, frame: gpd.GeoDataFrame, corner: tuple[float, float]
) -> list[dict[str, Any]]:
    below = drawn.order < _PARCELS_ORDER
    if drawn.way == "classes":
        return [
            _layer(f"{key}.{grade}", style, some, corner, lines=True, below=below)
            for grade, style in contents.legend.roads.items()
            if len(some := frame.geometry[frame["grade"] == grade].to_numpy())
        ]
    names = frame["name"].tolist() if drawn.way == "names" else None
    return [_layer(key, contents.legend.layers[key], frame.geometry.values, corner, names=names, below=below)]


def _layer(
    key: str,
    style: Style,
    geometry: Any,
    corner: tuple[float, float],
    *,
    names: list[str] | None = None,
    lines: bool = False,
    below: bool = False,
) -> dict[str, Any]:
    some = np.asarray(geometry, dtype=object)
    simple = shapely.simplify(some, TOLERANCE) if lines else simplified(some, TOLERANCE)
    layer: dict[str, Any] = {
        "key": key, "style": _style(style), "lines": lines, "below": below, "shapes": shapes(simple, corner),
    }  # fmt: skip
    if names is not None:
        inner = shapely.get_coordinates(shapely.point_on_surface(some)) - corner
        layer |= {"names": names, "places": np.rint(inner).tolist()}
    return layer


def _verdicts(held: Reading, codes: Objects) -> dict[str, Any]:
    """Return the questions with the verdict on each parcel by number, and the measures with the value of each."""
    basis, connection = held.basis, held.connection
    facts = evidence_facts(connection, basis.measured, basis.pack)
    derived = read_measured(connection, basis.run_id, basis.parcels)
    given = read_measured(connection, basis.measured.run_id, basis.parcels)
    values = {**given, **derived}
    if not np.array_equal(facts.parcels, codes):
        raise InputRefusedError(
            "page: the parcels are not those that were measured. Bring all up to date with: lowland run"
        )
    asked = dict.fromkeys(
        clause.measure
        for question in basis.pack.question
        for part in question.parts
        for clause in part.all
        if isinstance(clause, Clause)
    )
    measures = list(asked)
    rows = read_frame(
        connection,
        "SELECT parcel_id, question, answer, settled, rule, candidate, trace FROM result.verdict WHERE run_id = %s",
        [basis.run_id],
    )
    return {
        "measures": [_measure(held, name, values.get(name)) for name in measures],
        "questions": [
            _question(held, question, rows[rows["question"] == question.name], codes, facts, measures)
            for question in basis.pack.question
        ],
    }


def _measure(held: Reading, name: str, found: Measured | None) -> dict[str, Any]:
    """Return a measure with its values in one text, split where a parcel is looked at, and the bands where there are any."""
    known = held.basis.measures.get(name) or {item.name: item for item in held.basis.pack.derived}.get(name)
    said: dict[str, Any] = {
        "title": name if known is None else known.title,
        "unit": "" if known is None else known.unit,
    }
    if found is None:
        return said | {"values": "", "bands": {}}
    values = ",".join("" if np.isnan(value) else f"{value:.{_DIGITS}g}" for value in found.value.tolist())
    banded = np.flatnonzero((found.low < found.value) | (found.high > found.value)).tolist()
    bands = {str(at): [float(f"{found.low[at]:.4g}"), float(f"{found.high[at]:.4g}")] for at in banded}
    return said | {"values": values, "bands": bands}


def _question(
    held: Reading, question: Question, rows: pd.DataFrame, codes: Objects, facts: Facts, measures: list[str]
) -> dict[str, Any]:
    """Return a question with its rules, the different verdicts on it, and the number of the one on each parcel, 0 where it was not asked."""
    same = ["answer", "settled", "rule", "candidate", "trace"]
    numbers = rows.groupby(same, dropna=False, sort=True).ngroup() + 1
    combos = rows.assign(number=numbers).drop_duplicates("number").sort_values("number")
    of = pd.Series(numbers.to_numpy(), index=rows["parcel_id"].to_numpy()).reindex(codes, fill_value=0)
    return {
        "name": question.name,
        "title": question.title,
        "answers": {**question.answers, "open": held.project.legend.answers["open"].title},
        "combos": [
            [None if not isinstance(value, (str, bool, np.bool_)) else value if isinstance(value, str) else bool(value) for value in row]
            for row in combos[same].itertuples(index=False)
        ],
        "of": varints(of.to_numpy()),
        "parts": [
            {
                "name": part.name,
                "title": part.title,
                "article": part.article,
                "answer": None if isinstance(part, Exemption) else part.answer,
                "unless": list(part.unless),
                "clauses": [_clause(held, clause, facts, measures) for clause in part.all],
            }
            for part in question.parts
        ],
    }  # fmt: skip


def _clause(held: Reading, clause: AnyClause, facts: Facts, measures: list[str]) -> dict[str, Any]:
    if not isinstance(clause, Clause):
        return {"title": clause.title, "measure": -1}
    said = {
        "title": clause.title,
        "measure": measures.index(clause.measure),
        "op": clause.op,
        "needed": clause.needed,
        "office": clause.office,
    }
    limits, number = np.unique(np.ravel(limit_of(held.basis.pack, clause, facts)), return_inverse=True)
    plain = [None if np.isnan(limit) else float(limit) for limit in limits]
    if len(plain) == 1:
        return said | {"limit": plain[0]}
    return said | {"limits": plain, "limit_of": varints(number)}
