"""Judge a package that anybody made by a definition: layers, fields, values, outlines, tables; no database is asked."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lowland_gis.definitions.judging import Judging
from lowland_gis.definitions.package import SHAPEFILE, LayerDefinition, PackageDefinition, WorkbookDefinition
from lowland_gis.errors import LowlandError, UsageError
from lowland_gis.files.archive import unpacked_whole
from lowland_gis.files.dbf_table import Cell
from lowland_gis.products.judging.delivered import (
    Arrived,
    Held,
    Inventory,
    inventory,
    pattern,
    read_layer,
    suffix_of,
)
from lowland_gis.products.judging.fields import matched, text_findings
from lowland_gis.products.judging.findings import Finding, Mark, marked
from lowland_gis.products.judging.shapes import area_faults, places, plane_findings, shape_faults, total_area
from lowland_gis.products.judging.sheets import workbook_findings
from lowland_gis.products.judging.texts import coordinate_text_findings
from lowland_gis.products.judging.values import RowFault, cleaned, value_faults
from lowland_gis.products.package.check import check
from lowland_gis.products.package.layers import PreparedLayer
from lowland_gis.products.package.staging import MANIFEST

# A layer of another name is taken for the one that is missing where it has so many of its fields.
_ALIKE = 0.6
_SAME_AREA = 1e-6
_UNREADABLE = (LowlandError, OSError, ValueError)
_AT = re.compile(r"\[(-?[\d.eE+-]+) (-?[\d.eE+-]+)\]")

Tell = Callable[[str], None]


@dataclass
class Judged:
    """What was found in a package: findings, the rows of its layers by file and layer, the mark, and the system of its outlines."""

    findings: list[Finding] = field(default_factory=list)
    n_rows: dict[tuple[str, str], int] = field(default_factory=dict)
    mark: Mark | None = None
    crs: str | None = None


@dataclass
class _Read:
    """A layer that was read: its definition, and its values as that means them."""

    held: Held
    prepared: PreparedLayer
    area: float


@contextmanager
def package_folder(target: Path) -> Iterator[Path]:
    """Yield the folder of a package; a zip is unpacked into a temporary one.

    Raises:
        UsageError: it is neither a folder nor a zip.
        InputRefusedError: the zip is broken, unsafe or too large.
    """
    if target.is_dir():
        # Files in it are named by paths that hold from anywhere.
        yield target.resolve()
        return
    if target.suffix.lower() != ".zip":
        raise UsageError(
            f"{target}: neither a folder nor a .zip, so there is no package to check. Check the path."
        )
    with tempfile.TemporaryDirectory(prefix="lowland-package-") as folder:
        # Who packs what is in the folder, without it, calls the zip as the folder.
        inside = Path(folder).resolve() / target.stem
        inside.mkdir()
        unpacked_whole(target, inside)
        yield inside


def said_by_manifest(package: Path) -> Mapping[str, Any]:
    """Return what the manifest of a package says of its definition and forms; nothing where there is none that can be read."""
    try:
        said = json.loads((package / MANIFEST).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def judge(
    package: Path,
    definition: PackageDefinition,
    how: Judging,
    *,
    forms: Sequence[str] | None = None,
    tell: Tell,
) -> Judged:
    """Judge the package in a folder; `forms` are those that are asked for, by default those of the definition."""
    held = inventory(package, definition.root)
    judged = Judged()
    if (package / MANIFEST).is_file():
        judged.findings += [_told(difference) for difference in check(package)]
    if held.root is None:
        judged.findings.append(Finding("root_name", ".", expected=definition.root))
    judged.findings += [Finding("unreadable", file, value=why) for file, why in held.unreadable.items()]
    at_work = _Work(definition, held, judged, tell)
    first: dict[str, PreparedLayer] = {}
    for layer in definition.layers:
        read = [
            found for form in forms or definition.forms if (found := at_work.layer(form, layer)) is not None
        ]
        if read:
            first[layer.name] = read[0].prepared
            judged.findings += _forms_differ(read, layer)
    texts: set[str] = set()
    judged.findings += coordinate_text_findings(held, definition, first, texts)
    judged.findings += _unknown(held, at_work.taken, texts)
    judged.findings += _workbooks(held, definition, first, tell)
    judged.mark = marked(judged.findings, how, judged.n_rows)
    return judged


def _told(difference: str) -> Finding:
    file, _, words = difference.partition(": ")
    return Finding("manifest", file, value=words)


@dataclass
class _Work:
    """A package at work: what it holds, what was found of it, and the layers that were taken for one of the definition."""

    definition: PackageDefinition
    held: Inventory
    judged: Judged
    tell: Tell
    taken: set[tuple[str, str]] = field(default_factory=set)

    def layer(self, form: str, layer: LayerDefinition) -> _Read | None:
        """Judge a layer in one form, and return it as it was read."""
        place, found = self.definition.place(layer, form), self._found(form, layer)
        add = self.judged.findings.append
        if found is None:
            if layer.required:
                expected = place if self.held.names is None else self.held.names.fill(place)
                add(Finding("layer_missing", expected, layer.name, expected=form))
            return None
        self.taken.add((found.file, found.name))
        self.tell(f"checks {found.file} {found.name}")
        try:
            arrived = read_layer(found)
        except _UNREADABLE as error:
            add(Finding("unreadable", found.file, layer.name, value=str(error)))
            return None
        inside = self.held.inside(found.file)
        if found.name != layer.name:
            add(Finding("layer_name", found.file, layer.name, value=found.name, expected=layer.name))
        elif not pattern(place, self.held.names).fullmatch(inside):
            add(Finding("place", found.file, layer.name, value=inside, expected=place))
        return self._judged(arrived, layer)

    def _found(self, form: str, layer: LayerDefinition) -> Held | None:
        """Return the layer of that name in a form, else one of its title or in other letters, else the free one that has its fields."""
        free = [
            each
            for each in self.held.layers
            if each.form == form and (each.file, each.name) not in self.taken
        ]
        if form == SHAPEFILE:
            kind = ".shp" if layer.geometry == "polygon" else ".dbf"
            free = [each for each in free if suffix_of(each.file) == kind] or free
        near = (layer.name.casefold(), layer.title.casefold())
        named = [each for each in free if each.name == layer.name]
        named += [each for each in free if each.name.casefold() in near]
        if named:
            return named[0]
        others = {each.name for each in self.definition.layers}
        return max(
            (each for each in free if each.name not in others and _alike(each, layer) >= _ALIKE),
            key=lambda each: _alike(each, layer),
            default=None,
        )

    def _judged(self, arrived: Arrived, layer: LayerDefinition) -> _Read:
        file, judged = arrived.held.file, self.judged
        judged.n_rows[file, layer.name] = arrived.n_rows
        fields = matched(arrived, layer)
        judged.findings += [*text_findings(arrived, layer), *fields.findings]
        values = {name: arrived.table.column(column).to_pylist() for name, column in fields.columns.items()}
        clean = {each.name: cleaned(values[each.name], each) for each in layer.fields if each.name in values}
        faults = list(value_faults(values, layer, self.held.names))
        if layer.geometry == "polygon":
            faults += self._shape_faults(arrived, layer, clean)
        nothing: list[Cell] = [None] * arrived.n_rows
        keys = ["" if value is None else str(value) for value in values.get(layer.key_field.name, nothing)]
        judged.findings += _row_findings(faults, arrived, layer, keys, values)
        columns: dict[str, Sequence[Cell]] = {
            each.name: clean.get(each.name, nothing) for each in layer.fields
        }
        shapes: Sequence[Any] = [] if arrived.shapes is None else list(arrived.shapes)
        prepared = PreparedLayer(layer, columns, shapes, arrived.crs)
        return _Read(arrived.held, prepared, total_area(arrived.shapes))

    def _shape_faults(
        self, arrived: Arrived, layer: LayerDefinition, clean: Mapping[str, Sequence[Cell]]
    ) -> list[RowFault]:
        if arrived.shapes is None:
            missing = Finding("geometry_missing", arrived.held.file, layer.name, expected="polygon")
            self.judged.findings.append(missing)
            return []
        prescribed = self.definition.crs_epsg
        wanted = self.judged.crs if prescribed is None else f"EPSG:{prescribed}"
        self.judged.findings += plane_findings(arrived, layer, wanted)
        self.judged.crs = self.judged.crs or arrived.crs
        areas = area_faults(
            arrived.shapes, arrived.held.form, clean, arrived.crs or wanted or "", layer, self.definition
        )
        return [*shape_faults(arrived.shapes), *areas]


def _alike(held: Held, layer: LayerDefinition) -> float:
    """Return which share of the fields of a layer another one has; 0 where it has many others."""
    try:
        columns = set(read_layer(held).table.column_names)
    except _UNREADABLE:
        return 0.0
    names = {name for each in layer.fields for name in (each.name, each.dbf_name)}
    return 0.0 if len(columns) > 2 * len(layer.fields) else len(columns & names) / len(layer.fields)


def _row_findings(
    faults: Sequence[RowFault],
    arrived: Arrived,
    layer: LayerDefinition,
    keys: Sequence[str],
    values: Mapping[str, Sequence[Any]],
) -> Iterator[Finding]:
    where = places(arrived.shapes, sorted({row for row, *_ in faults}))
    for row, name, rule, expected in faults:
        x, y = where.get(row, (None, None))
        at = _AT.search(expected) if rule == "geometry_invalid" else None
        if at is not None:
            x, y = float(at[1]), float(at[2])
        value = values[name][row] if name else None
        said = None if value is None or value == "" else str(value)
        yield Finding(rule, arrived.held.file, layer.name, row + 1, keys[row], name, said, expected, x, y)


def _forms_differ(read: Sequence[_Read], layer: LayerDefinition) -> Iterator[Finding]:
    """Yield forms that do not hold the rows of the first one: other keys, other values, another area in all."""
    one = read[0]
    before = _as_rows(one) if len(read) > 1 else []
    for other in read[1:]:
        after = _as_rows(other)
        if before != after:
            n = (Counter(before) - Counter(after)).total() + (Counter(after) - Counter(before)).total()
            found, wanted = f"{n:,} rows", f"as in {one.held.file}"
        elif abs(one.area - other.area) > _SAME_AREA * max(1.0, one.area):
            found, wanted = f"{other.area:.2f} m²", f"{one.area:.2f} m²"
        else:
            continue
        yield Finding("forms_differ", other.held.file, layer.name, value=found, expected=wanted)


def _as_rows(read: _Read) -> list[tuple[str, ...]]:
    columns = [read.prepared.columns[each.name] for each in read.prepared.definition.fields]
    return sorted(
        tuple("" if cell is None else str(cell) for cell in row) for row in zip(*columns, strict=True)
    )


def _unknown(held: Inventory, taken: set[tuple[str, str]], texts: set[str]) -> Iterator[Finding]:
    for each in held.layers:
        if (each.file, each.name) not in taken:
            yield Finding("unknown_file", each.file, each.name, value=each.name)
    for file in held.others:
        if file not in texts:
            yield Finding("unknown_file", file, value=file)


def _workbooks(
    held: Inventory, definition: PackageDefinition, layers: Mapping[str, PreparedLayer], tell: Tell
) -> Iterator[Finding]:
    free = dict(held.workbooks)
    wanted: list[tuple[str, WorkbookDefinition | None]] = [
        (workbook.path, workbook) for workbook in definition.workbooks
    ]
    for template, workbook in [*wanted, (definition.dictionary, None)]:
        file = _workbook(template, held, free)
        expected = template if held.names is None else held.names.fill(template)
        if file is None:
            # Without its layers a workbook has nothing to show.
            if workbook is None or any(sheet.layer in layers for sheet in workbook.sheets):
                yield Finding("table_missing", expected, expected=expected)
            continue
        path = free.pop(file)
        if not pattern(template, held.names).fullmatch(held.inside(file)):
            yield Finding("place", file, value=held.inside(file), expected=expected)
        if workbook is not None:
            tell(f"checks {file}")
            yield from workbook_findings(file, path, workbook, layers)
    for file in free:
        yield Finding("unknown_file", file, value=file)


def _workbook(template: str, held: Inventory, free: Mapping[str, Path]) -> str | None:
    """Return the workbook of a template: at its place, else of its name anywhere, else of its name with another ending."""
    name = template.rsplit("/", 1)[-1]
    stem = name.removesuffix(".xlsx")
    tests = (
        pattern(template, held.names),
        pattern(name, held.names),
        re.compile(pattern(stem, held.names).pattern + r"\.\w+", re.IGNORECASE),
    )
    for place, test in enumerate(tests):
        for file in free:
            said = held.inside(file) if place == 0 else file.rsplit("/", 1)[-1]
            if test.fullmatch(said):
                return file
    return None
