"""Turn frames into the exact columns of a package's layers, or say everything that keeps them from fitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis.definitions.package import FieldDefinition, LayerDefinition, PackageDefinition
from lowland_gis.errors import SHOWN_IN_FILES, InputRefusedError, gathered, listed
from lowland_gis.files.dbf_table import Cell, DbfField
from lowland_gis.files.write import Misfit, columns_for, geometry_faults
from lowland_gis.schema.frames import FRAMES


@dataclass(frozen=True)
class PackageNames:
    """What the templates of a package are filled with."""

    district_code: str
    district_name: str
    year: int

    def fill(self, template: str) -> str:
        """Return a template with its placeholders filled.

        >>> PackageNames("120113", "北辰区", 2024).fill("{district_name}({district_code})")
        '北辰区(120113)'
        """
        return template.format(
            district_code=self.district_code, district_name=self.district_name, year=self.year
        )


@dataclass(frozen=True)
class PreparedLayer:
    """A layer as it will be written: one column per field, rows in the order of the key."""

    definition: LayerDefinition
    columns: Mapping[str, Sequence[Cell]]
    geometries: Sequence[Any]
    crs: str | None

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.columns[self.definition.fields[0].name])


def prepare_layers(
    frames: Mapping[str, pd.DataFrame], definition: PackageDefinition, names: PackageNames
) -> tuple[PreparedLayer, ...]:
    """Prepare every layer whose frame is given; rows are sorted, so their order in the frame does not matter.

    Raises:
        InputRefusedError: a required frame or column is missing, or values do not fit; all faults at once.
    """
    layers: list[PreparedLayer] = []
    lines: list[str] = []
    count = 0
    for layer in definition.layers:
        if layer.frame is None:
            layers.append(_nothing(layer, definition))
        elif layer.frame in frames:
            prepared, found = _prepare(frames[layer.frame], layer, names)
            layers.extend(prepared)
            count += len(found)
            lines += gathered(
                (
                    fault.row,
                    f"{layer.name}.{fault}",
                    f"{layer.name}.{fault.field}: {fault.together}",
                )
                for fault in found
            )
        elif layer.required:
            lines.append(f"{layer.name}: there is no frame {layer.frame}")
            count += 1
    layers = _in_one_plane(layers)
    systems = _crs_faults(layers, definition)
    lines += systems
    count += len(systems)
    if lines:
        raise InputRefusedError(
            f"package {definition.name}: {count:,} fault(s), and cutting or guessing would falsify what is filed, "
            f"so nothing was written:\n{listed(lines, shown=SHOWN_IN_FILES)}\n"
            "Correct the values at their source, or change the field in a package definition of your own."
        )
    return tuple(layers)


def dbf_fields(layer: LayerDefinition) -> tuple[DbfField, ...]:
    """Return the fields of a layer as the writer of a DBF wants them."""
    return tuple(
        DbfField(field.dbf_name, field.type, field.length, field.decimals, field.required)
        for field in layer.fields
    )


def dbf_columns(layer: PreparedLayer) -> dict[str, Sequence[Cell]]:
    """Return the columns of a layer by their names in a DBF."""
    return {field.dbf_name: layer.columns[field.name] for field in layer.definition.fields}


def _nothing(layer: LayerDefinition, definition: PackageDefinition) -> PreparedLayer:
    """Return a layer that is delivered empty, in the plane of the package; where that names none, of the other layers."""
    crs = f"EPSG:{definition.crs_epsg}" if layer.geometry == "polygon" and definition.crs_epsg else None
    return PreparedLayer(layer, {field.name: [] for field in layer.fields}, [], crs)


def _prepare(
    frame: pd.DataFrame, layer: LayerDefinition, names: PackageNames
) -> tuple[list[PreparedLayer], list[Misfit]]:
    absent = sorted({f.column for f in layer.fields if f.column is not None} - set(frame.columns))
    if absent:
        problem = f"the frame {layer.frame} has no such column"
        return [], [_misfit("column", column, problem) for column in absent]
    if layer.geometry == "polygon" and not isinstance(frame, gpd.GeoDataFrame):
        problem = f"the frame {layer.frame} has none"
        return [], [_misfit("geometry", "of the layer", problem)]
    rows = _sorted(frame, layer)
    keys = [str(key) for key in rows[layer.key]]
    records, faults = _records(rows, layer, names, keys)
    named, misfits = columns_for(
        {field.dbf_name: records[field.name] for field in layer.fields}, dbf_fields(layer), keys
    )
    columns = {field.name: named[field.dbf_name] for field in layer.fields}
    faults += misfits
    if layer.unique:
        faults += [
            Misfit(layer.key, key, f"it stands {n} times", "keys that stand several times")
            for key, n in Counter(keys).items()
            if n > 1
        ]
    geometries: Sequence[Any] = ()
    if layer.geometry == "polygon":
        geometries = list(rows.geometry)
        faults += geometry_faults(geometries, keys)
    return [PreparedLayer(layer, columns, geometries, _crs(rows))], faults


def _sorted(frame: pd.DataFrame, layer: LayerDefinition) -> pd.DataFrame:
    """Order rows by the key and then by what is written, never by what is not."""
    if frame[layer.key].notna().all() and frame[layer.key].is_unique:
        # Nothing but the key decides then, and the other columns cost most of the time.
        return frame.sort_values(layer.key, key=lambda column: column.astype(str), kind="stable")
    written = {field.column: None for field in layer.fields if field.column not in (None, layer.key)}
    return frame.sort_values([layer.key, *written], key=lambda column: column.astype(str), kind="stable")


def _records(
    rows: pd.DataFrame, layer: LayerDefinition, names: PackageNames, keys: Sequence[str]
) -> tuple[dict[str, list[Any]], list[Misfit]]:
    records: dict[str, list[Any]] = {}
    faults: list[Misfit] = []
    for field in layer.fields:
        if field.text is not None:
            records[field.name] = [names.fill(field.text)] * len(rows)
            continue
        if field.empty:
            records[field.name] = [None] * len(rows)
            continue
        values = rows[field.column].tolist()
        missing = rows[field.column].isna().tolist()
        unit = FRAMES[str(layer.frame)].unit(field.column)
        if unit is not None and field.type == "N":
            values = [
                value if absent else field.written(value, unit)
                for value, absent in zip(values, missing, strict=True)
            ]
        if field.codes:
            faults += _code_faults(values, field, keys)
            codes = {entry.value: entry.code for entry in field.codes}
            values = [
                codes.get(value, None if absent else "")
                for value, absent in zip(values, missing, strict=True)
            ]
        records[field.name] = values
    return records, faults


def _code_faults(values: Sequence[Any], field: FieldDefinition, keys: Sequence[str]) -> list[Misfit]:
    known = {entry.value for entry in field.codes}
    if known.issuperset(values):
        return []
    listed_codes = ", ".join(sorted(known))
    return [
        _misfit(field.name, f"row {row} ({key})", f"{value!r} is not in its code list ({listed_codes})")
        for row, (value, key) in enumerate(zip(values, keys, strict=True))
        if not pd.isna(value) and value not in known
    ]


def _misfit(field: str, row: str, why: str) -> Misfit:
    return Misfit(field, row, why, why)


def _crs(rows: pd.DataFrame) -> str | None:
    if not isinstance(rows, gpd.GeoDataFrame) or rows.crs is None:
        return None
    code = rows.crs.to_epsg()
    return None if code is None else f"EPSG:{code}"


def _in_one_plane(layers: Sequence[PreparedLayer]) -> list[PreparedLayer]:
    """Give layers that are delivered empty the plane of those that hold something."""
    known = next((layer.crs for layer in layers if layer.crs is not None), None)
    return [
        replace(layer, crs=known) if layer.crs is None and layer.definition.frame is None else layer
        for layer in layers
    ]


def _crs_faults(layers: Sequence[PreparedLayer], definition: PackageDefinition) -> list[str]:
    faults = []
    systems = {layer.definition.name: layer.crs for layer in layers if layer.definition.geometry == "polygon"}
    wanted = f"EPSG:{definition.crs_epsg}" if definition.crs_epsg else next(iter(systems.values()), None)
    for name, crs in systems.items():
        if crs is None and not definition.layer(name).frame:
            faults.append(f"{name}: no layer says in which plane it is to lie; give the definition crs_epsg")
        elif crs is None:
            faults.append(f"{name}: the frame's coordinate system is unknown or has no EPSG code")
        elif wanted is not None and crs != wanted:
            faults.append(f"{name}: the frame is in {crs}, the package in {wanted}")
    return faults
