"""Check what was received: every layer against the suites of `definitions/checks.toml`, every finding kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.repair import area_changes
from lowland_gis.analysis.quality import attributes as checks
from lowland_gis.analysis.quality import topology
from lowland_gis.analysis.quality import towns as town_checks
from lowland_gis.db.connect import Connection
from lowland_gis.definitions.check import CheckDefinition, chosen_checks, law_classes, permitted
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.files.raster_cover import places_without_value
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import CHECK, checking
from lowland_gis.pipeline.base.runs import Run, Version, current_versions, recorded
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.pipeline.quality.findings import store, with_digests
from lowland_gis.pipeline.quality.increment import increment_findings, town_increment_findings
from lowland_gis.pipeline.quality.layers import Layer, OtherLayers, Others, read_layer

_UNITS = {
    "duplicate": "m²", "hole": "m²", "multipart": "count", "unique": "count", "small_feature": "m²",
}  # fmt: skip
ALL_RECORDS = "all records"
_COLUMNS = (
    "version_id", "layer", "rule", "official", "severity", "subject", "keys", "value", "limit_value", "unit",
    "message", "place", "row_no",
)  # fmt: skip


def check(project: Project, *, suite: str | None = None, tell: Tell = silent) -> Run:
    """Check every current layer and keep the findings; nothing is done again where nothing has changed.

    Raises:
        DefinitionError: the project's settings name a check or a limit that does not exist.
        UsageError: there is no such suite.
    """
    chosen = chosen_checks(project.settings.check, suite)
    with project.turn(CHECK) as connection:
        versions = current_versions(connection)
        layers = sorted({key for item in chosen.values() for key in item.layer_keys} & versions.keys())

        def work(_run_id: int) -> None:
            for number, key in enumerate(layers, start=1):
                tell(Passing(f"check {number} of {len(layers)}: {key} {layer_definition(key).title}"))
                # A check against a layer that was not delivered says nothing, so its findings stay as they are.
                asked = {
                    name: item
                    for name, item in chosen.items()
                    if key in item.layer_keys and (item.other is None or item.other in versions)
                }
                findings = check_layer(connection, key, versions, asked, project.settings.folder)
                store(connection, with_digests(findings), rules=asked, layers=[key], srid=project.srid)
            tell(f"check {len(layers)} layers")

        return recorded(connection, checking(versions, chosen), work)


def check_layer(
    connection: Connection,
    key: str,
    versions: Mapping[str, list[Version]],
    asked: Mapping[str, CheckDefinition],
    folder: Path,
) -> pd.DataFrame:
    """Return the findings of one layer; the other layers that the checks name are all there, and rasters are sought below `folder` too.

    Raises:
        InputRefusedError: a raster is gone, or is another one than was delivered.
    """
    definition = layer_definition(key)
    fields = sorted({field for item in asked.values() for field in item.used_fields(key)})
    layer = read_layer(connection, definition, versions[key], tuple(fields))
    return layer_findings(layer, asked, Others(connection, versions, folder))


def layer_findings(layer: Layer, asked: Mapping[str, CheckDefinition], others: OtherLayers) -> pd.DataFrame:
    """Return the findings of a layer that was read; the other layers that the checks name are all there.

    Raises:
        InputRefusedError: a raster is gone, or is another one than was delivered.
    """
    found = [_described(name, item, layer, _found(item, layer, others)) for name, item in asked.items()]
    return pd.concat([frame for frame in found if len(frame)] or [pd.DataFrame(columns=_COLUMNS)])


def _found(item: CheckDefinition, layer: Layer, others: OtherLayers) -> pd.DataFrame:
    """Return the raw findings of one check on one layer."""
    if item.kind in _SHAPES:
        found = _SHAPES[item.kind](item, layer, others)
    else:
        fields = item.fields.get(layer.definition.key, ())
        found = _FIELDS[item.kind](item, layer, fields, others)
    if item.kind == "mandatory":
        # A field that a delivery does not have at all is one finding, not as many as there are records.
        found = checks.one_for_all(found, layer.rows["version_id"].to_numpy())
    if item.when:
        found = found[checks.selected(layer.texts, item.when)[found["row"].to_numpy(dtype=np.intp)]]
    return found


def _limit(item: CheckDefinition) -> float:
    return next((parameter.value for parameter in item.parameter.values()), np.nan)


def _described(name: str, item: CheckDefinition, layer: Layer, found: pd.DataFrame) -> pd.DataFrame:
    """Name the features of raw findings and say in words what is wrong."""
    if found.empty:
        return pd.DataFrame(columns=_COLUMNS)
    found = found.reset_index(drop=True)
    row, other = found["row"].to_numpy(dtype=np.intp), found["other"].to_numpy(dtype=np.intp)
    rows = layer.rows.iloc[row]
    key = layer.rows["key"].to_numpy(dtype=object)
    limit = found["limit"] if "limit" in found else pd.Series(_limit(item), index=found.index)
    subject = (
        found["subject"] if "subject" in found else pd.Series(item.other, index=found.index, dtype=object)
    )
    detail = found["detail"] if "detail" in found else pd.Series("", index=found.index)
    whole = found["whole"] if "whole" in found else pd.Series(0, index=found.index)
    detail = detail.where(whole == 0, [f" in all {count:,} records" for count in whole])
    unit = next((parameter.unit for parameter in item.parameter.values()), _UNITS.get(item.kind))
    words = [
        f"{item.title}: " + item.message.format(subject=a, value=b, limit=c, detail=d)
        for a, b, c, d in zip(subject, found["value"], limit, detail, strict=True)
    ]
    return pd.DataFrame(
        {
            "version_id": rows["version_id"].to_numpy(),
            "layer": layer.definition.key,
            "rule": name,
            "official": item.official,
            "severity": item.severity,
            "subject": subject,
            "keys": found["names"]
            if "names" in found
            else [
                [ALL_RECORDS] if every else [key[a]] if b == topology.NONE else [key[a], key[b]]
                for a, b, every in zip(row, other, whole, strict=True)
            ],
            "value": found["value"],
            "limit_value": limit,
            "unit": unit,
            "message": words,
            "place": pd.Series(_places(layer, found), index=found.index).where(whole == 0, None),
            "row_no": rows["row_no"].to_numpy(),
        }
    )


def _places(layer: Layer, found: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the place of each finding; a finding about fields lies on its feature."""
    if "place" in found:
        return found["place"].to_numpy(dtype=object)
    shapes: npt.NDArray[np.object_] = shapely.point_on_surface(layer.geometries[found["row"].to_numpy()])
    return shapes


def _boundary(item: CheckDefinition, others: OtherLayers) -> Any:
    return shapely.union_all(others.shapes(str(item.other)))


def _small_features(item: CheckDefinition, layer: Layer) -> pd.DataFrame:
    limits = checks.area_limits(
        layer.texts[item.class_field],
        law_classes(str(item.law_classes)),
        [(item.value(limit.parameter), limit.classes, limit.law_class) for limit in item.limit],
    )
    # Where a width is stated, the feature was mapped by its width.
    for field in item.fields.get(layer.definition.key, ()):
        limits[checks.numbers(layer.texts[field]) > 0] = np.nan
    found = topology.small_rows(layer.geometries, limits)
    return found.assign(limit=limits[found["row"].to_numpy()])


def _within(item: CheckDefinition, layer: Layer, others: OtherLayers) -> pd.DataFrame:
    chosen = np.flatnonzero(checks.selected(layer.texts, item.when))
    cover = others.shapes(str(item.other))
    share = topology.uncovered_shares(layer.geometries[chosen], cover)
    over = share > item.value("max_share")
    rows = chosen[over]
    return topology.found(rows, share[over], shapely.point_on_surface(layer.geometries[rows]))


def _repair_loss(item: CheckDefinition, layer: Layer, others: OtherLayers) -> pd.DataFrame:
    """Return the features whose area the repair of ingest changed by more than a share; the received outlines are kept beside."""
    rows, before = others.repaired(layer)
    share = area_changes(before, layer.geometries[rows])
    over = share > item.value("max_share")
    found = topology.found(rows[over], share[over], layer.geometries[rows[over]])
    areas = zip(shapely.area(before[over]), shapely.area(layer.geometries[rows[over]]), strict=True)
    return found.assign(detail=[f"{one:,.2f} m² before, {two:,.2f} m² after" for one, two in areas])


def _without_value(item: CheckDefinition, layer: Layer, others: OtherLayers) -> pd.DataFrame:
    ground = others.shapes(str(item.other))
    parts = []
    for row, file in enumerate(others.rasters(layer.definition.key)):
        places = places_without_value(file, ground)
        area = shapely.area(places)
        chosen = area > item.value("min_area_m2")
        parts.append(topology.found(np.full(int(chosen.sum()), row), area[chosen], places[chosen]))
    return pd.concat(parts, ignore_index=True)


def _each(fields: tuple[str, ...], look: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([look(field) for field in fields], ignore_index=True)


def _combinations(item: CheckDefinition, layer: Layer, fields: tuple[str, ...]) -> pd.DataFrame:
    found = [
        checks.combination(
            layer.texts,
            field,
            layer.texts[item.class_field],
            rule.values,
            allowed=rule.allowed,
            forbidden=rule.forbidden,
        )
        for field in fields
        for rule in item.combination
    ]
    return pd.concat(found, ignore_index=True)


def _limits(item: CheckDefinition) -> dict[str, float]:
    return {name: item.value(name) for name in ("minimum", "below") if name in item.parameter}


_SHAPES: dict[str, Callable[[CheckDefinition, Layer, OtherLayers], pd.DataFrame]] = {
    "overlap": lambda c, a, _: topology.overlaps(a.coverage, min_area_m2=c.value("min_area_m2")),
    "duplicate": lambda _c, a, _: topology.duplicates(a.coverage),
    "gap": lambda c, a, _: topology.gaps(a.coverage, min_area_m2=c.value("min_area_m2")),
    "uncovered": lambda c, a, o: topology.uncovered(
        a.coverage, _boundary(c, o), min_area_m2=c.value("min_area_m2")
    ),
    "outside": lambda c, a, o: topology.outside(
        a.coverage, _boundary(c, o), min_area_m2=c.value("min_area_m2")
    ),
    "small_part": lambda c, a, _: topology.small_parts(a.geometries, min_area_m2=c.value("min_area_m2")),
    "narrow_part": lambda c, a, _: topology.narrow_parts(a.geometries, min_width_m=c.value("min_width_m")),
    "small_feature": lambda c, a, _: _small_features(c, a),
    "multipart": lambda _c, a, _: topology.multiparts(a.geometries),
    "hole": lambda _c, a, _: topology.holed(a.geometries),
    "short_edge": lambda c, a, _: topology.short_edges(a.corners, min_length_m=c.value("min_length_m")),
    "short_line": lambda c, a, _: topology.short_lines(a.geometries, min_length_m=c.value("min_length_m")),
    "sharp_angle": lambda c, a, _: topology.sharp_angles(a.corners, min_angle_deg=c.value("min_angle_deg")),
    "within": _within,
    "astride": lambda c, a, o: town_checks.astride(
        a.geometries, *o.coded(str(c.other), str(c.other_field)), claim_min=c.value("claim_min")
    ),
    "repair_loss": _repair_loss,
    "increment": lambda c, a, o: increment_findings(a, o, str(c.other)),
    "town_increment": lambda c, a, o: town_increment_findings(a, o, str(c.other)),
    "without_value": _without_value,
}

_FIELDS: dict[str, Callable[[CheckDefinition, Layer, tuple[str, ...], OtherLayers], pd.DataFrame]] = {
    "mandatory": lambda _c, a, f, _: _each(f, lambda name: checks.mandatory(a.texts, name)),
    "domain": lambda c, a, f, _: _each(f, lambda name: checks.domain(a.texts, name, permitted(c))),
    "range": lambda c, a, f, _: _each(
        f, lambda name: checks.in_range(a.texts, name, exclusive=c.exclusive, **_limits(c))
    ),
    "pattern": lambda c, a, f, _: _each(f, lambda name: checks.pattern(a.texts, name, str(c.pattern))),
    "unique": lambda _c, a, f, _: _each(f, lambda name: checks.unique(a.texts, name)),
    "unique_within": lambda _c, a, f, _: checks.unique_within(a.texts, f[0], f[1:]),
    "date_order": lambda _c, a, f, _: checks.date_order(a.texts, f),
    "begins": lambda c, a, f, o: checks.begins(
        a.texts, f[0], o.values(str(c.other), str(c.other_field)), digits=int(c.value("digits"))
    ),
    "only_on": lambda c, a, f, _: _each(
        f,
        lambda name: checks.only_on(
            a.texts, name, a.texts[c.class_field], classes=c.classes, permitted=c.values
        ),
    ),
    "combination": lambda c, a, f, _: _combinations(c, a, f),
    "equation": lambda c, a, f, _: checks.equation(a.texts, f, tolerance=c.value("tolerance")),
    "product": lambda c, a, f, _: checks.product(a.texts, f, tolerance=c.value("tolerance")),
    "area": lambda c, a, f, _: checks.area(
        a.texts,
        f[0],
        a.rows["area_m2"].to_numpy(dtype=float),
        tolerance_m2=c.value("tolerance_m2"),
        above_only=c.above_only,
    ),
    "floor_area": lambda c, a, f, _: checks.floor_area(
        a.texts,
        f[0],
        f[1],
        a.rows["area_m2"].to_numpy(dtype=float),
        tolerance_share=c.value("tolerance_share"),
    ),
    "credit_code": lambda _c, a, f, _: _each(f, lambda name: checks.credit_codes(a.texts, name)),
    "misplaced": lambda c, a, f, o: town_checks.misplaced(
        a.texts,
        f[0],
        a.geometries,
        *o.coded(str(c.other), str(c.other_field)),
        digits=int(c.value("digits")),
        claim_min=c.value("claim_min"),
    ),
    "partner": lambda c, a, f, o: checks.partner(a.texts, f[0], o.values(str(c.other), f[0])),
}
