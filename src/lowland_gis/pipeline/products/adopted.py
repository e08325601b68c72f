"""Adopt a field table of a bureau: a definition among the project's own, and empty files to fill in; no database is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lowland_gis.analysis.fields.field_tables import field_tables
from lowland_gis.analysis.fields.spreadsheet import Merged
from lowland_gis.definitions.layer import layer_keys
from lowland_gis.definitions.own import OWN_FOLDER
from lowland_gis.definitions.package import FORMS, PackageDefinition, package_definition
from lowland_gis.definitions.package_faults import SAFE_PART
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.source import opened
from lowland_gis.files.spreadsheet.book import read_cells, read_sheet, sheet_names
from lowland_gis.files.whole import refused, write_text
from lowland_gis.products.package.adopted import Adopted, adopted, emptied
from lowland_gis.products.package.adopted_layers import layer_texts
from lowland_gis.products.package.build import PackageNames, PackageReport, build
from lowland_gis.settings import Settings


@dataclass(frozen=True)
class Asked:
    """How a table is adopted: the name of the definition (None: that of the file), the forms, and a definition to fill fields like."""

    name: str | None = None
    forms: Sequence[str] = FORMS
    like: str | None = None


def adopted_path(table: Path, asked: Asked, folder: Path) -> Path:
    """Return the file of the definition that a table becomes.

    Raises:
        UsageError: the name cannot be that of a file.
    """
    name = asked.name or table.stem
    if not SAFE_PART.fullmatch(name) or name.startswith(".") or re.search(r"[{}]", name):
        raise UsageError(f"{name!r} cannot be the name of a definition. Give another: --name NAME")
    return folder / OWN_FOLDER / "packages" / f"{name}.toml"


def read_table(table: Path, name: str, asked: Asked, settings: Settings) -> Adopted:
    """Read a field table and return the definition that it describes.

    Raises:
        InputRefusedError: it is no workbook, or describes no layer that a definition can be.
    """
    like = None if asked.like is None else package_definition(asked.like, settings.folder)
    number = settings.project.crs.partition(":")[2]
    try:
        return adopted(
            field_tables(_sheets(table)),
            name=name,
            source=table.name,
            crs_epsg=int(number) if number.isdigit() else None,
            forms=tuple(asked.forms) or FORMS,
            like=like,
        )
    except (ValidationError, ValueError) as error:
        raise InputRefusedError(
            f"{table}: {error}; so no definition was made. Put one row of headings over the fields of each layer, and its code into the"
            " title above them or the name of the sheet."
        ) from error


def write_definition(found: Adopted, target: Path) -> None:
    """Write a definition where `adopted_path` says.

    Raises:
        InputRefusedError: it cannot be written.
    """
    with refused(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, found.text)


def layer_files(found: Adopted, folder: Path) -> dict[Path, str]:
    """Return the files of layer definitions that make an adopted definition's layers layers of the database too, with what they hold."""
    texts = layer_texts(found.definition, layer_keys())
    return {folder / OWN_FOLDER / "layers" / f"{key}.toml": text for key, text in texts.items()}


def write_layers(files: Mapping[Path, str]) -> None:
    """Write layer definitions; a file that was made so before is made anew.

    Raises:
        InputRefusedError: one cannot be written.
    """
    for target, text in files.items():
        with refused(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text)


def empty_package(
    definition: PackageDefinition, settings: Settings, target: Path, *, overwrite: bool
) -> PackageReport:
    """Build a package without rows: every layer in every form with its fields, the sheets with their headings, the dictionary.

    Raises:
        UsageError: the target exists.
        InputRefusedError: it cannot be written.
    """
    project = settings.project
    names = PackageNames(project.district_code, project.district_name, project.as_of.year)
    provenance = {"synthetic": project.synthetic, "empty": True}
    return build(
        {}, emptied(definition), names, target, provenance=provenance, replace=True, overwrite=overwrite
    )


def _sheets(table: Path) -> list[tuple[str, list[list[Any]], tuple[Merged, ...]]]:
    with opened(str(table.resolve()), table.resolve().parent) as source:
        if source.driver == "XLSX":
            return [(sheet.name, sheet.rows, sheet.merged) for sheet in read_cells(source)]
        names = sheet_names(source)
    found = []
    for name in names:
        with opened(f"{table.resolve()}:{name}", table.resolve().parent) as source:
            sheet = read_sheet(source)
            found.append((sheet.name, sheet.rows, sheet.merged))
    return found
