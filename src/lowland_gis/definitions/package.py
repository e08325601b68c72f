"""Read a package definition: which files, layers, fields and sheets a city bureau wants, as data."""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from lowland_gis.analysis.units import UNITS, converted, same_dimension, unit_named
from lowland_gis.definitions.reading import FOLDER, read_toml, shipped
from lowland_gis.errors import DefinitionError
from lowland_gis.schema.frames import FRAMES, Frame

PLACEHOLDERS = ("district_code", "district_name", "year")
SAFE_PART = re.compile(r"[^<>:\"/\\|?*\x00-\x1f]*[^<>:\"/\\|?*\x00-\x1f. ]")
DBF_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,9}")
LONGEST = {"C": 254, "N": 18, "D": 8}
LONGEST_SHEET_NAME = 31
AREA = "m²"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Code(_Model):
    """One entry of a code list: the value in our tables, the code in the file, the title for people."""

    value: str
    code: str
    title: str


class FieldDefinition(_Model):
    """One field of a layer; `column` names the frame column, `text` a template that is the same in every row."""

    name: str
    type: Literal["C", "N", "D"]
    length: int = 8
    decimals: int = 0
    title: str
    meaning: str = ""
    unit: str = ""
    column: str | None = None
    text: str | None = None
    required: bool = False
    codes: tuple[Code, ...] = Field(default=(), strict=False)

    @property
    def heading(self) -> str:
        """Return the Chinese heading with its unit."""
        return f"{self.title}（{self.unit}）" if self.unit else self.title

    def written(self, value: float, column_unit: str) -> float:
        """Return a value of a column in the unit of the field; a share without a unit stays one."""
        return converted(value, column_unit, unit_named(self.unit) or column_unit)

    def in_m2(self, value: float) -> float:
        """Return a value of an area field in m²."""
        return converted(value, unit_named(self.unit) or AREA, AREA)

    @property
    def is_area(self) -> bool:
        """Tell whether the unit is one of area."""
        unit = unit_named(self.unit)
        return unit is not None and same_dimension(unit, AREA)

    def check_unit(self, column_unit: str) -> None:
        """Refuse a unit that is not of the kind of the column's: the figures would mean something else."""
        unit = unit_named(self.unit)
        if not self.unit and column_unit == "share":
            return
        if unit is None or not same_dimension(unit, column_unit):
            fit = ", ".join(name for name in UNITS if same_dimension(name, column_unit))
            raise ValueError(
                f"{self.name}: its column {self.column} is in {column_unit} and its unit is "
                f"{self.unit or 'not given'}, so its figures would mean something else. Give unit as one of: {fit}"
            )

    @model_validator(mode="after")
    def _fits(self) -> FieldDefinition:
        if not DBF_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name}: a DBF name is 1 to 10 of A-Z, 0-9 and _, a letter first")
        if not 1 <= self.length <= LONGEST[self.type]:
            raise ValueError(f"{self.name}: a field of type {self.type} has length 1 to {LONGEST[self.type]}")
        if self.decimals and (self.type != "N" or not 0 < self.decimals <= self.length - 2):
            raise ValueError(f"{self.name}: decimals need type N and a length at least 2 above them")
        if (self.column is None) == (self.text is None):
            raise ValueError(f"{self.name}: give either column or text")
        if self.text is not None:
            check_template(self.text)
        self._check_codes()
        return self

    def _check_codes(self) -> None:
        values = [code.value for code in self.codes]
        if len(set(values)) != len(values):
            raise ValueError(f"{self.name}: a value stands twice in the code list")
        for code in self.codes:
            if self.type != "C" or len(code.code.encode("gbk", "replace")) > self.length:
                raise ValueError(f"{self.name}: the code {code.code!r} does not fit the field")


class LayerDefinition(_Model):
    """One layer of the package: which frame it comes from, its key, its fields in order."""

    name: str
    title: str
    frame: str
    geometry: Literal["polygon", "none"]
    folder: str
    key: str
    unique: bool = True
    required: bool = True
    fields: tuple[FieldDefinition, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> LayerDefinition:
        if not DBF_NAME.fullmatch(self.name):
            raise ValueError(f"layer {self.name}: the name is 1 to 10 of A-Z, 0-9 and _, a letter first")
        names = [field.name for field in self.fields]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"layer {self.name}: fields stand twice: {', '.join(twice)}")
        check_path(self.folder)
        self._check_frame()
        return self

    @property
    def source(self) -> Frame:
        """Return the frame that the rows come from."""
        return FRAMES[self.frame]

    def _check_frame(self) -> None:
        """Refuse frames and columns that there are not, and units that do not fit their columns."""
        if self.frame not in FRAMES:
            raise ValueError(
                f"layer {self.name}: there is no frame {self.frame}. {_named(self.frame, FRAMES)}"
            )
        if self.geometry == "polygon" and not self.source.geometry:
            raise ValueError(
                f"layer {self.name}: the frame {self.frame} has no outlines; give geometry = 'none'"
            )
        known = self.source.column_names
        strange = [field for field in self.fields if field.column is not None and field.column not in known]
        if strange:
            first = strange[0]
            raise ValueError(
                f"layer {self.name}: the frame {self.frame} has no column for "
                f"{', '.join(f'{field.name} ({field.column})' for field in strange)}. {_named(str(first.column), known)}"
            )
        if self.key not in [field.column for field in self.fields]:
            raise ValueError(
                f"layer {self.name}: its key {self.key} is the column of no field, so rows could not be told apart. "
                f"Give one of: {', '.join(field.column for field in self.fields if field.column)}"
            )
        for field in self.fields:
            unit = self.source.unit(field.column)
            if unit is not None and field.type == "N":
                field.check_unit(unit)

    def field(self, name: str) -> FieldDefinition:
        """Return the field of that name.

        Raises:
            KeyError: there is none.
        """
        found = next((field for field in self.fields if field.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


class SummarySheet(_Model):
    """Counts and areas of a layer's rows by town and one more field, with sums; all but titles name fields."""

    form: Literal["summary"]
    name: str
    layer: str
    by: str
    by_title: str
    area: str
    town_code: str
    town_name: str


class ListSheet(_Model):
    """Every row of a layer under the titles of its fields, codes shown by their titles."""

    form: Literal["list"]
    name: str
    layer: str


Sheet = Annotated[SummarySheet | ListSheet, Field(discriminator="form")]


class WorkbookDefinition(_Model):
    """One spreadsheet of the package."""

    path: str
    title: str
    sheets: tuple[Sheet, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _safe(self) -> WorkbookDefinition:
        check_path(self.path)
        if not self.path.endswith(".xlsx"):
            raise ValueError(f"workbook {self.path}: the name ends in .xlsx")
        for sheet in self.sheets:
            if not 1 <= len(sheet.name) <= LONGEST_SHEET_NAME or re.search(r"[\[\]:*?/\\']", sheet.name):
                raise ValueError(
                    f"sheet {sheet.name!r}: a sheet name has 1 to 31 characters and none of []:*?/\\'"
                )
        return self


class PackageDefinition(_Model):
    """A whole package; `example` says that no official format stands behind it."""

    name: str
    title: str
    version: str
    example: bool
    source: str
    root: str
    dictionary: str
    crs_epsg: int | None = None
    layers: tuple[LayerDefinition, ...] = Field(strict=False, min_length=1)
    workbooks: tuple[WorkbookDefinition, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _consistent(self) -> PackageDefinition:
        names = [layer.name for layer in self.layers]
        if len(set(names)) != len(names):
            raise ValueError("a layer name stands twice")
        for workbook in self.workbooks:
            for sheet in workbook.sheets:
                self._check_sheet(sheet)
        check_path(self.root)
        check_path(self.dictionary)
        return self

    def _check_sheet(self, sheet: Sheet) -> None:
        if sheet.layer not in [layer.name for layer in self.layers]:
            raise ValueError(f"sheet {sheet.name}: there is no layer {sheet.layer}")
        if isinstance(sheet, SummarySheet):
            types = {field.name: field.type for field in self.layer(sheet.layer).fields}
            wanted = {sheet.by: "C", sheet.town_code: "C", sheet.town_name: "C", sheet.area: "N"}
            for name, kind in wanted.items():
                if types.get(name) != kind:
                    raise ValueError(f"sheet {sheet.name}: {sheet.layer} has no field {name} of type {kind}")
            area = self.layer(sheet.layer).field(sheet.area)
            if not area.is_area:
                raise ValueError(
                    f"sheet {sheet.name}: {sheet.layer}.{area.name} has the unit {area.unit or 'none'}, "
                    "so its areas cannot be summed. Give the field unit = 'm²', '亩' or '公顷'"
                )

    def layer(self, name: str) -> LayerDefinition:
        """Return the layer of that name; every sheet's layer exists."""
        return next(layer for layer in self.layers if layer.name == name)


def _named(given: str, known: Iterable[str]) -> str:
    """Say which names there are, and which is the nearest."""
    near = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f"{f'Did you mean {near[0]}? ' if near else ''}There are: {', '.join(known)}"


ADAPTER = TypeAdapter(PackageDefinition)


def check_template(template: str) -> None:
    """Refuse a template with anything but the known placeholders, bare.

    >>> check_template("{district_name}({district_code})")
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as fault:
        raise ValueError(f"template {template!r}: {fault}") from fault
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            raise ValueError(f"template {template!r}: only {', '.join(PLACEHOLDERS)} may stand in braces")


def check_path(template: str) -> None:
    """Refuse a path template that leaves the package or that another system cannot store."""
    check_template(template)
    for part in template.split("/"):
        if part in (".", "..") or not SAFE_PART.fullmatch(part):
            raise ValueError(f"path {template!r}: {part!r} is no file name that every system can store")


def package_names() -> list[str]:
    """Return the names of the packages that come with lowland_gis."""
    return shipped("packages")


def package_definition(name: str, folder: Path) -> PackageDefinition:
    """Return a shipped definition by name, or the one in a TOML file (relative to `folder`).

    Raises:
        DefinitionError: there is no such definition, or it is wrong; with every fault.
    """
    if name.endswith(".toml"):
        return read_toml(folder / name, ADAPTER)
    known = package_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
        raise DefinitionError(
            f"package {name}: there is no such definition, so nothing says which fields to write. "
            f"Nearest: {', '.join(near)}. Or name a .toml file."
        )
    return read_toml(FOLDER / "packages" / f"{name}.toml", ADAPTER)
