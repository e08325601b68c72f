"""Read a package definition: which files, layers, fields and sheets a city bureau wants, as data."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.own import in_use, names, path_of
from lowland_gis.definitions.package_faults import AREA, is_area, package_faults
from lowland_gis.definitions.reading import FOLDER, parsed, validated
from lowland_gis.errors import DefinitionError
from lowland_gis.quantities import converted, unit_named
from lowland_gis.schema.frames import FRAMES, Frame

SHAPEFILE: Literal["shapefile"] = "shapefile"
FILEGDB, GEOPACKAGE, GEOPARQUET = "filegdb", "geopackage", "geoparquet"
FORMS = (SHAPEFILE, FILEGDB, GEOPACKAGE, GEOPARQUET)
Form = Literal["shapefile", "filegdb", "geopackage", "geoparquet"]
# Forms of which one file holds all layers.
DATABASES = {FILEGDB: ".gdb", GEOPACKAGE: ".gpkg"}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Code(_Model):
    """One entry of a code list: the value in our tables, the code in the file, the title for people."""

    value: str
    code: str
    title: str


class FieldDefinition(_Model):
    """One field of a layer; `column` names the frame column, `text` a template that is the same in every row.

    An `empty` field is filled in by hand. `short` is the name in a DBF, where that of the field is longer than ten letters.
    `of_shape` says that the figure is the ellipsoidal area of the outline itself, which a check holds it against.
    """

    name: str
    type: Literal["C", "N", "D"]
    length: int = 8
    decimals: int = 0
    title: str
    meaning: str = ""
    unit: str = ""
    column: str | None = None
    text: str | None = None
    empty: bool = False
    short: str | None = None
    of_shape: bool = False
    required: bool = False
    codes: tuple[Code, ...] = Field(default=(), strict=False)

    @property
    def dbf_name(self) -> str:
        """Return what the field is called in a DBF."""
        return self.short or self.name

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
        return is_area(self.unit)


class LayerDefinition(_Model):
    """One layer of the package: which frame it comes from, its key, its fields in order.

    `key` is a column of the frame. A layer without a frame is delivered empty, and its key is the name of a field.
    """

    name: str
    title: str
    frame: str | None = None
    geometry: Literal["polygon", "none"]
    folder: str
    key: str
    unique: bool = True
    required: bool = True
    fields: tuple[FieldDefinition, ...] = Field(strict=False, min_length=1)

    @property
    def source(self) -> Frame | None:
        """Return the frame that the rows come from, None where it has none."""
        return None if self.frame is None else FRAMES[self.frame]

    @property
    def key_field(self) -> FieldDefinition:
        """Return the field that tells rows apart."""
        wanted = "name" if self.frame is None else "column"
        return next(field for field in self.fields if getattr(field, wanted) == self.key)

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


class CoordinateText(_Model):
    """The outlines of a layer as a coordinate text (勘测定界 TXT), in the form (`template`) that a receiving system asks for.

    `number`, `name` and `use` are fields of the layer; what stands under 地块名称 is the number where no name is given.
    """

    layer: str
    path: str
    number: str
    template: str = "standard"
    name: str | None = None
    use: str | None = None


class Tolerances(_Model):
    """How far a stated area may lie from that of the outline before it is a finding: in m², and as a share of it."""

    area_m2: float = 0.01
    area_share: float = 0.0


class PackageDefinition(_Model):
    """A whole package; `example` says that no official format stands behind it.

    `forms` are the forms that every layer is delivered in, `texts` the coordinate texts beside them; `database` is where the FileGDB and the GeoPackage lie, without their endings.
    """

    name: str
    title: str
    version: str
    example: bool
    source: str
    root: str
    dictionary: str
    crs_epsg: int | None = None
    forms: tuple[Form, ...] = Field(default=(SHAPEFILE,), strict=False, min_length=1)
    database: str | None = None
    tolerances: Tolerances = Tolerances()
    layers: tuple[LayerDefinition, ...] = Field(strict=False, min_length=1)
    workbooks: tuple[WorkbookDefinition, ...] = Field(default=(), strict=False)
    texts: tuple[CoordinateText, ...] = Field(default=(), strict=False)

    def layer(self, name: str) -> LayerDefinition:
        """Return the layer of that name; every sheet's layer exists."""
        return next(layer for layer in self.layers if layer.name == name)

    def in_forms(self, forms: Sequence[str]) -> PackageDefinition:
        """Return the definition with other forms, where some are given; a database without a place lies beside the first layer."""
        if not forms:
            return self
        beside = f"{self.layers[0].folder}/{{district_name}}({{district_code}})"
        change = {"forms": tuple(dict.fromkeys(forms)), "database": self.database or beside}
        return self.model_copy(update=change)

    def place(self, layer: LayerDefinition, form: str) -> str:
        """Return where a layer lies in the package in a form, as a template; a table is a bare .dbf beside shapefiles."""
        if form in DATABASES:
            return f"{self.database}{DATABASES[form]}"
        suffix = ".parquet" if form == GEOPARQUET else ".shp" if layer.geometry == "polygon" else ".dbf"
        return f"{layer.folder}/{layer.name}{suffix}"


ADAPTER = TypeAdapter(PackageDefinition)


def package_names() -> list[str]:
    """Return the names of the packages: the shipped ones, and those in the project's `definitions/packages`."""
    return names("packages", in_use())


def package_definition(name: str, folder: Path) -> PackageDefinition:
    """Return a shipped definition by name, or the one in a TOML file (relative to `folder`).

    Raises:
        DefinitionError: there is no such definition, or it is wrong; with every fault.
    """
    if name.endswith(".toml"):
        return _read(folder / name)
    known = package_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
        raise DefinitionError(
            f"package {name}: there is no such definition, so nothing says which fields to write. "
            f"Nearest: {', '.join(near)}. Or name a .toml file."
        )
    return _read(path_of(f"packages/{name}.toml", in_use()))


def _read(path: Path) -> PackageDefinition:
    content = parsed(path)
    if not content.keys() & PackageDefinition.model_fields.keys():
        raise DefinitionError(
            f"{path}: it names nothing of ours ({', '.join(content) or 'it is empty'}), so it says of no layer, field or sheet what is"
            f" to be filed. A package definition has {', '.join(PackageDefinition.model_fields)}; take the shipped one as the pattern:"
            f" {FOLDER / 'packages' / 'example_city.toml'}"
        )
    return validated(content, ADAPTER, path, beside=list(package_faults(content)))
