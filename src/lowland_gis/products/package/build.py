"""Build and check the package that goes to the city bureau: layers, tables, dictionary, manifest.

The same frames, definition, names and provenance give the same bytes, and nothing stands under the final name unless
all of it does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from xlsxwriter.exceptions import XlsxWriterException

from lowland_gis import __version__
from lowland_gis.definitions.package import LayerDefinition, PackageDefinition
from lowland_gis.definitions.package_faults import SAFE_PART
from lowland_gis.errors import InputRefusedError, LowlandError, UsageError, listed
from lowland_gis.files.whole import refused
from lowland_gis.files.write import text_fault
from lowland_gis.products.package.check import check, manifest
from lowland_gis.products.package.dictionary import dictionary_sheets, sheet_content
from lowland_gis.products.package.forms import write_forms
from lowland_gis.products.package.layers import PackageNames, PreparedLayer, prepare_layers
from lowland_gis.products.package.staging import MANIFEST, staged, zip_tree
from lowland_gis.products.package.texts import write_texts
from lowland_gis.products.tables.workbook import write_workbook

FIRST_YEAR, LAST_YEAR = 1980, 2155
SOFTWARE = "lowland_gis"

__all__ = ["PackageNames", "PackageReport", "build", "check"]


@dataclass(frozen=True)
class PackageFile:
    """One file of a package: its path inside, size in bytes and digest."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class PackageLayer:
    """One layer of a package: its file inside (of the first form), the number of its rows, and form → file."""

    name: str
    title: str
    path: str
    rows: int
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PackageReport:
    """What was built and where."""

    target: Path
    layers: tuple[PackageLayer, ...]
    files: tuple[PackageFile, ...]


def build(
    frames: Mapping[str, pd.DataFrame],
    definition: PackageDefinition,
    names: PackageNames,
    target: Path,
    *,
    provenance: Mapping[str, Any],
    replace: bool = False,
    overwrite: bool = False,
) -> PackageReport:
    """Build a package as a folder, or as one file where the target ends in .zip.

    `provenance` goes into the manifest as it is; its entry `synthetic` marks the tables too. Dates inside files are
    1 January of the package's year. `replace` lets a package take the place of one that is whole as lowland built it; `overwrite`
    that of any file, and of a package with what was changed in it or put beside it.

    Raises:
        InputRefusedError: names or values do not fit, all of them are named; or the disk is full. Nothing is written.
        UsageError: the target exists and is not to be replaced, or its folder cannot be written.
    """
    _check_names(names, definition)
    layers = prepare_layers(frames, definition, names)
    dated = date(names.year, 1, 1)
    marks = {"example": definition.example, "synthetic": bool(provenance.get("synthetic"))}

    def refuse(existing: Path) -> None:
        _refuse_existing(existing, replace=replace, overwrite=overwrite)

    with staged(target, refuse=refuse) as product, refused(target, XlsxWriterException):
        tree = product.with_name("tree") if target.suffix == ".zip" else product
        root = tree / names.fill(definition.root)
        root.mkdir(parents=True)
        written = _write_layers(root, layers, definition, names)
        write_texts(root, layers, definition, names)
        _write_workbooks(root, layers, definition, names, _note(marks))
        files = tuple(_described(tree, path) for path in sorted(root.rglob("*")) if path.is_file())
        manifest = _manifest(layers, written, files, definition, names)
        _write_json(tree / MANIFEST, {**manifest, **marks, "provenance": dict(provenance)})
        if tree != product:
            zip_tree(tree, product, dated=dated)
    return PackageReport(target, written, files)


def _refuse_existing(target: Path, *, replace: bool, overwrite: bool) -> None:
    """Refuse to replace what is no package of ours, or one that somebody has changed or put something into."""
    if target.is_dir() and not (target / MANIFEST).is_file():
        raise UsageError(
            f"{target} is a folder without {MANIFEST}, so it is no package and replacing it could lose other work. "
            "Give another name."
        )
    if overwrite:
        return
    if not replace:
        raise UsageError(
            f"{target} exists, and a package that was sent must not change unnoticed. Give another name."
        )
    foreign = _foreign(target)
    if foreign:
        raise UsageError(
            f"{target} exists and is not as lowland built it, so it was left as it is:\n{listed(foreign)}\n"
            "Move what is yours elsewhere, give another name, or have all of it replaced: lowland package build --overwrite"
        )


def _foreign(target: Path) -> tuple[str, ...]:
    """Return what of a target is no package of ours; nothing where it is one and whole."""
    try:
        if manifest(target).software != SOFTWARE:
            return (f"{MANIFEST}: not of {SOFTWARE}",)
        return check(target)
    except (LowlandError, ValueError) as fault:
        return (f"no package: {fault}",)


def _check_names(names: PackageNames, definition: PackageDefinition) -> None:
    faults = []
    if not re.fullmatch(r"[0-9]{6}", names.district_code):
        faults.append(f"district code {names.district_code!r} is not 6 digits")
    fault = text_fault(names.district_name)
    if fault or not SAFE_PART.fullmatch(names.district_name):
        faults.append(
            f"district name {names.district_name!r} cannot stand in a file name{f': {fault}' if fault else ''}"
        )
    if not FIRST_YEAR <= names.year <= LAST_YEAR:
        faults.append(f"year {names.year} is not {FIRST_YEAR} to {LAST_YEAR}")
    if faults:
        raise InputRefusedError(
            f"package {definition.name}: {'; '.join(faults)}, so its files cannot be named. "
            "Correct the district and the year in lowland.toml."
        )


def _write_layers(
    root: Path, layers: Sequence[PreparedLayer], definition: PackageDefinition, names: PackageNames
) -> tuple[PackageLayer, ...]:
    forms = write_forms(root, layers, definition, names)
    written = []
    for layer in layers:
        name = layer.definition.name
        inside = {form: paths[name].relative_to(root.parent).as_posix() for form, paths in forms.items()}
        first = inside[definition.forms[0]]
        written.append(PackageLayer(name, layer.definition.title, first, layer.n_rows, inside))
    return tuple(written)


def _write_workbooks(
    root: Path, layers: Sequence[PreparedLayer], definition: PackageDefinition, names: PackageNames, note: str
) -> None:
    by_name = {layer.definition.name: layer for layer in layers}
    dated = date(names.year, 1, 1)
    for workbook in definition.workbooks:
        sheets = [sheet_content(s, by_name[s.layer]) for s in workbook.sheets if s.layer in by_name]
        if sheets:
            path = _place(root, names.fill(workbook.path))
            write_workbook(path, sheets, title=names.fill(workbook.title), note=note, dated=dated)
    path = _place(root, names.fill(definition.dictionary))
    title = f"{names.district_name}{definition.title}数据字典"
    write_workbook(path, dictionary_sheets(layers), title=title, note=note, dated=dated)


def _place(root: Path, inside: str) -> Path:
    path = root / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _note(marks: Mapping[str, bool]) -> str:
    parts = ["面积为椭球面积；1 公顷 = 10 000 m²，1 亩 = 2000/3 m²"]
    parts += ["示例格式，非官方汇交格式"] if marks["example"] else []
    parts += ["合成数据，不代表任何真实地块"] if marks["synthetic"] else []
    return "；".join(parts)


def _described(tree: Path, path: Path) -> PackageFile:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return PackageFile(path.relative_to(tree).as_posix(), path.stat().st_size, digest.hexdigest())


def _manifest(
    layers: Sequence[PreparedLayer],
    written: Sequence[PackageLayer],
    files: Sequence[PackageFile],
    definition: PackageDefinition,
    names: PackageNames,
) -> dict[str, Any]:
    return {
        "package": {"name": definition.name, "version": definition.version, "source": definition.source},
        "software": {"name": SOFTWARE, "version": __version__},
        "names": asdict(names),
        "forms": list(definition.forms),
        "layers": [
            {**asdict(row), "crs": layer.crs, "fields": _fields(layer.definition)}
            for layer, row in zip(layers, written, strict=True)
        ],
        "files": [asdict(file) for file in files],
    }


def _fields(layer: LayerDefinition) -> list[dict[str, Any]]:
    return [
        {"name": f.name, "title": f.title, "type": f.type, "length": f.length, "decimals": f.decimals}
        | ({} if f.short is None else {"short": f.short})
        for f in layer.fields
    ]


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
