"""The settings of one project: frozen, from `lowland.toml` and the environment, never guessed."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lowland_gis import toml
from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
from lowland_gis.analysis.rules.faults import fault_lines
from lowland_gis.analysis.rules.model_faults import model_faults
from lowland_gis.errors import SHOWN_IN_FILES, UsageError, listed
from lowland_gis.loading import when_used

if TYPE_CHECKING:
    import pyproj
else:
    pyproj = when_used("pyproj")

PROJECT_FILE = "lowland.toml"
_CGCS2000_DATUM = "China 2000"
# The CGCS2000 Gauss-Krüger planes of EPSG: first code, how many, the first zone or 0 where the easting names none, degrees from one
# central meridian to the next; the first one is 75°. Nearly every project has one of them, and pyproj takes longer to load than to ask.
_PLANES = ((4491, 11, 13, 6), (4502, 11, 0, 6), (4513, 21, 25, 3), (4534, 21, 0, 3))
_FIRST_MERIDIAN, _FALSE_EASTING, _EASTING_OF_ZONE = 75.0, 500_000.0, 1e6


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def gauss_plane(crs: str) -> GaussPlane:
    """Return the Gauss-Krüger plane behind an EPSG code.

    Raises:
        ValueError: the code is unknown, or is not a CGCS2000 Gauss-Krüger plane, which the survey area formula needs.
    """
    known = _known_plane(crs)
    if known is not None:
        return known
    try:
        system = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise ValueError(f"{crs!r} is no known coordinate system") from error
    operation = system.coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator" or system.datum is None:
        raise ValueError(f"{crs} is not a Gauss-Krüger plane; type for example {DEFAULT_CRS}")
    if _CGCS2000_DATUM not in system.datum.name:
        raise ValueError(f"{crs} is not CGCS2000 (its datum is {system.datum.name})")
    values = {parameter.name: parameter.value for parameter in operation.params}
    return GaussPlane(float(values["Longitude of natural origin"]), float(values["False easting"]))


def _known_plane(crs: str) -> GaussPlane | None:
    authority, _, number = crs.partition(":")
    if authority != "EPSG" or not number.isascii() or not number.isdigit():
        return None
    for first, count, zone, degrees in _PLANES:
        place = int(number) - first
        if 0 <= place < count:
            easting = _FALSE_EASTING + (_EASTING_OF_ZONE * (zone + place) if zone else 0.0)
            return GaussPlane(_FIRST_MERIDIAN + degrees * place, easting)
    return None


def _checked_crs(crs: str) -> str:
    if re.fullmatch(r"EPSG:\d+", crs) is None:
        raise ValueError(f"{crs!r} is no EPSG code; write it as for example {DEFAULT_CRS}")
    gauss_plane(crs)
    return crs


class ProjectSettings(_Frozen):
    """What the project is and where."""

    name: str = Field(description="Name of the project, as reports carry it")
    district_code: str = Field(pattern=r"^\d{6}$", description="Six digits (行政区代码)")
    district_name: str = Field(
        description="Name of the district (行政区名称), printed on maps and in packages"
    )
    crs: Annotated[str, AfterValidator(_checked_crs)] = Field(
        default=DEFAULT_CRS, description="The one plane of the database, a CGCS2000 Gauss-Krüger plane"
    )
    as_of: dt.date = Field(description="The day that time-dependent rules are judged for")
    synthetic: bool = Field(
        default=False, description="Made-up data: everything that leaves the house is marked 示例"
    )

    @property
    def srid(self) -> int:
        """Return the EPSG number of the project's plane."""
        return int(self.crs.rpartition(":")[2])


class DeliverySettings(_Frozen):
    """One layer to ingest: its key, its file (or `file:layer`), and what the file does not say itself.

    `mapping` names a file of other field names, `datum` one of the bureau's own datum parameters. A layer that comes in several files (a year or a town each) names each as a `part`; a newer delivery replaces only the
    same part, and on a layer that was delivered whole the part of a town takes the place of its pieces of the whole. `allow_empty` lets a delivery without any usable row take the place of the one before it,
    `allow_older` one of an earlier day.
    """

    layer: str = Field(description="Key of the layer (`layers.md`), such as parcel or dltb3")
    source: str = Field(
        description="The file, or `file:layer` where it holds several; relative to lowland.toml"
    )
    part: str | None = Field(
        default=None,
        description="Name of the piece of a layer that comes in several files (a year or a town each); a newer delivery replaces the same piece only",
    )
    part_by: Literal["place", "code"] | None = Field(
        default=None,
        description="What says which pieces of a whole delivery the part takes the place of, where places and codes disagree",
    )
    as_of: dt.date | None = Field(default=None, description="Day of the data; without it, none is known")
    encoding: str | None = Field(
        default=None, description="Text encoding, where the bytes do not tell it: GBK, UTF-8, Big5 …"
    )
    src_crs: str | None = Field(
        default=None, description="Coordinate system of the file, where it states none: EPSG:4548 …"
    )
    gcj02: Literal["no"] | None = Field(
        default=None, description="`no`: a KML is in survey coordinates, not those of a map of the internet"
    )
    conversion: Literal["done"] | None = Field(
        default=None, description="`done`: parameters in a coordinate text (转换参数) have been applied to it"
    )
    mapping: str | None = Field(
        default=None, description="TOML file of other field names, constants and replacements"
    )
    datum: str | None = Field(
        default=None, description="TOML file of the bureau's own parameters, for data in an old datum"
    )
    allow_empty: bool = Field(
        default=False, description="Let a delivery without any usable row take the place of the one before it"
    )
    allow_older: bool = Field(
        default=False, description="Let a delivery of an earlier day take the place of a newer one"
    )


class TabulateSettings(_Frozen):
    """What computes the overlaps, and whether to tell beside them what of each parcel no zone covers, and what zones cover twice."""

    engine: str = Field(
        default="local",
        description="What computes the areas: local (lowland itself), postgis (SQL in the database) or sedona (Apache Spark)",
    )
    master: str = Field(
        default="local[*,4]",
        description="Where the engine sedona computes: local[*,4] is all cores of this machine, a task may fail three times; spark://host:7077 a cluster",
    )
    memory: str = Field(
        default="2g",
        pattern=r"^[1-9][0-9]*[mg]$",
        description="Memory of Spark's driver and of each executor for the engine sedona, beside that of its Python workers: 512m, 2g …",
    )
    cell_mb: float = Field(
        default=16.0,
        ge=0.01,
        le=1000,
        description="So many MB of polygons a cell of the engine sedona may have, of which a worker holds one at a time: less needs less memory",
    )
    cover: bool = Field(
        default=True,
        description="Tell also what of a parcel no zone covers, and what zones cover twice (result.cover)",
    )


class SedonaSettings(_Frozen):
    """The land of `lowland run --engine sedona -o FOLDER`, which needs no database: GeoParquet with the fields of the layers."""

    layers: dict[str, str] = Field(
        default_factory=dict,
        description="Layer key → file or folder of GeoParquet on the project's plane (enterprise: Parquet; raster: a file), relative to lowland.toml",
    )
    as_of: dict[str, dt.date] = Field(
        default_factory=dict, description="Layer key → day of the data; without it, none is known"
    )


class MeasureSettings(_Frozen):
    """What parcels are measured by."""

    town_claim_min: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description="Share of a parcel from which a town (镇街) claims it (an example); where two do, what differs by town is unknown",
    )


class ClassifySettings(_Frozen):
    """Which rule pack decides: the name of a shipped one, or the path of a TOML file."""

    pack: str = Field(
        default="example_beichen", description="A shipped rule pack, or the path of a TOML file of your own"
    )


class UnitWeights(_Frozen):
    """What the soft aims of units weigh, in m² of low-efficiency land (examples; see `analysis.units.ground.Weights`)."""

    other_land: float = Field(default=0.5, ge=0, description="m² that a m² of other land costs")
    outline: float = Field(default=12.0, ge=0, description="m² that a metre of outline costs")
    mixed_zone: float = Field(
        default=0.2, ge=0, description="m² that a m² outside the greatest plan zone costs"
    )
    mixed_kind: float = Field(
        default=0.1, ge=0, description="m² that a m² of low-efficiency land outside the greatest kind costs"
    )
    mixed_use: float = Field(
        default=0.0, ge=0, description="m² that a m² outside the greatest planned use costs"
    )
    mixed_owner: float = Field(
        default=0.0, ge=0, description="m² that a m² outside the greatest holder costs"
    )
    unit: float = Field(default=2000.0, ge=0, description="m² that a unit costs, so that there are few")
    neck: float = Field(
        default=0.0, ge=0, description="m² that each metre costs by which a neck is narrower than neck_wide_m"
    )
    changed_land: float = Field(
        default=0.0,
        ge=0,
        description="m² that a m² costs which changes its unit, where a draft starts from earlier units (`unit draft --from`)",
    )


class PlanningSettings(_Frozen):
    """Planning units (规划单元), which hold the units: areas of a delivered layer, or blocks of a town put together (examples)."""

    layer: str = Field(
        default="",
        description="Layer whose areas are the planning units, such as planning_unit; empty: blocks of a town are put together",
    )
    min_ha: float = Field(default=30.0, gt=0, description="Least area of a planning unit, ha")
    max_ha: float = Field(default=300.0, gt=0, description="Greatest area of a planning unit, ha")

    @model_validator(mode="after")
    def _limits_agree(self) -> PlanningSettings:
        if self.min_ha > self.max_ha:
            raise ValueError(f"min_ha {self.min_ha} is above max_ha {self.max_ha}")
        return self


class DelineateSettings(_Frozen):
    """Limits of redevelopment units; no official size is public, so the defaults are examples.

    `road_grades` are the roads that no unit crosses, `barriers` the other layers; `protected` are the measures of land that no unit
    may hold, and `protected_max` the greatest share in each; `inside` are the measures of land for units, of which one must reach
    `inside_min`;
    `public_uses` are beginnings of planned-use codes that count as public benefit (用地用海分类 2023: 08, 12, 13, 14);
    `number` is the scheme of the numbers of frozen units, `town_numbers` that of single towns, with {town} and {n}.
    """

    gap_m: float = Field(
        default=10.0, gt=0, le=100, description="Parcels at most so many metres apart are neighbours (lanes)"
    )
    min_length_m: float = Field(
        default=5.0, ge=0, description="… if they face each other over so many metres"
    )
    min_ha: float = Field(default=2.0, gt=0, description="Least area of a unit, ha")
    max_ha: float = Field(default=30.0, gt=0, description="Greatest area of a unit, ha")
    min_low_share: float = Field(default=0.7, ge=0, le=1, description="Least share of low-efficiency land")
    min_public_share: float = Field(
        default=0.0, ge=0, le=1, description="Least share that the detailed plan gives to public benefit"
    )
    min_compactness: float = Field(
        default=0.2, ge=0, le=1, description="Least Polsby-Popper 4πA/P²; a circle has 1"
    )
    max_enclosed_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="A small group of parcels left out may touch one unit with at most this share of its outline",
    )
    min_neck_m: float = Field(
        default=0.0,
        ge=0,
        description="Least length over which two parts of a unit that hang together by one parcel do so, m; 0 is none",
    )
    neck_share: float = Field(
        default=0.1, gt=0, le=0.5, description="Share of the unit that each of two such parts has at least"
    )
    neck_wide_m: float = Field(
        default=30.0, ge=0, description="Necks of this length and more cost nothing, m"
    )
    across_towns: bool = Field(default=False, description="Whether a unit may lie in two towns")
    road_grades: tuple[str, ...] = Field(
        default=("主干路", "次干路"), description="Roads of these grades divide blocks"
    )
    barriers: tuple[str, ...] = Field(
        default=("river", "rail", "eco_redline", "farmland", "development_boundary"),
        description="Other layers that divide blocks",
    )
    protected: tuple[str, ...] = Field(
        default=("eco_share", "farmland_share"),
        description="Measures of protected land; a parcel above protected_max of one is in no unit",
    )
    protected_max: float = Field(default=0.001, ge=0, le=1, description="Greatest share in what is protected")
    inside: tuple[str, ...] = Field(
        default=("boundary_share", "settlement_village_share"),
        description="Measures of land that units may take; a parcel below inside_min of all is in no unit",
    )
    inside_min: float = Field(
        default=0.5, ge=0, le=1, description="Least share inside the development boundary or village land"
    )
    public_uses: tuple[str, ...] = Field(
        default=("08", "12", "13", "14"),
        description="Beginnings of planned-use codes that are public benefit (用地用海分类 2023)",
    )
    weights: UnitWeights = Field(
        default=UnitWeights(), description="What the soft aims weigh, in m² of low-efficiency land"
    )
    planning: PlanningSettings = Field(
        default=PlanningSettings(), description="Planning units (规划单元), the tier above"
    )
    rounds: int = Field(
        default=5, ge=0, le=200, description="Rounds of search; more are slower and a little better"
    )
    proof: int = Field(
        default=0, ge=0, le=200, description="Rounds of exact pricing, which prove a bound; 0 is none"
    )
    seed: int = Field(default=0, ge=0, description="Seed of the search: the same seed gives the same units")
    threads: int = Field(
        default=1, ge=1, le=64, description="Threads of the search; the units are the same with any number"
    )
    number: str = Field(
        default="{town}-ZKF-{n:03d}", description="Scheme of the numbers of frozen units, with {town} and {n}"
    )
    town_numbers: dict[str, str] = Field(
        default_factory=dict, description="Schemes of single towns, by town code"
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> DelineateSettings:
        if self.min_ha > self.max_ha:
            raise ValueError(f"min_ha {self.min_ha} is above max_ha {self.max_ha}")
        if self.min_low_share + self.min_public_share > 1:
            raise ValueError(
                f"min_low_share {self.min_low_share} and min_public_share {self.min_public_share} add up to more than 1"
            )
        for scheme in (self.number, *self.town_numbers.values()):
            _numbered(scheme)
        return self


def _numbered(scheme: str) -> None:
    try:
        one, two = (scheme.format(town="120113100", n=n) for n in (1, 2))
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ValueError(
            f"the number scheme {scheme!r} is not readable; write it as for example '{{town}}-{{n:03d}}'"
        ) from error
    if one == two:
        raise ValueError(f"the number scheme {scheme!r} gives every unit the same number; it needs {{n}}")


class CheckSettings(_Frozen):
    """What a project changes about one shipped check: its severity, its switch, its limits by name."""

    severity: Literal["error", "warning"] | None = Field(
        default=None, description="Instead of the shipped severity"
    )
    enabled: bool | None = Field(default=None, description="false leaves the check out")
    parameter: dict[str, float] = Field(default_factory=dict, description="Limits by name (`checks.md`)")


class PackageSettings(_Frozen):
    """Which package definition is built, and where."""

    definition: str = Field(
        default="example_city",
        description="A shipped package definition, or the path of a TOML file of your own (`package_definitions.md`)",
    )
    changes: str = Field(
        default="example_changes",
        description="The definition of the package of an update, which holds what has changed only: shipped, or a TOML file of your own",
    )
    folder: str = Field(default="out", description="Where packages are built, relative to lowland.toml")


class Settings(BaseSettings):
    """Everything that a project's `lowland.toml` says; `LOWLAND_DSN` in the environment wins over `dsn`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="LOWLAND_SETTING_", env_nested_delimiter="__"
    )

    folder: Path
    project: ProjectSettings
    dsn: str | None = Field(default=None, validation_alias=AliasChoices("LOWLAND_DSN", "dsn"))
    delivery: tuple[DeliverySettings, ...] = ()
    tabulate: TabulateSettings = TabulateSettings()
    sedona: SedonaSettings = SedonaSettings()
    measure: MeasureSettings = MeasureSettings()
    classify: ClassifySettings = ClassifySettings()
    delineate: DelineateSettings = DelineateSettings()
    package: PackageSettings = PackageSettings()
    check: dict[str, CheckSettings] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @property
    def plane(self) -> GaussPlane:
        """Return the Gauss-Krüger plane of the project."""
        return gauss_plane(self.project.crs)

    def path(self, relative: str) -> Path:
        """Return a path of the project file as an absolute path."""
        return (self.folder / relative).resolve()


def load(project_file: Path) -> Settings:
    """Read a project file.

    Raises:
        UsageError: the file is missing, is no TOML, or says something that makes no sense; all faults together.
    """
    if not project_file.exists():
        raise UsageError(
            f"{project_file}: there is no project file here. Make one with: lowland init DIR --code CODE --name NAME"
            " – or name another with: lowland --project FILE …"
        )
    return _validated(project_file, toml.read(project_file, UsageError))


def _validated(project_file: Path, content: dict[str, Any]) -> Settings:
    if "folder" in content:
        raise UsageError(
            f"{project_file}: the setting folder is wrong outside [package]; a project's folder is that of its file."
            " Take it out, or move it below [package]."
        )
    try:
        return Settings(folder=project_file.resolve().parent, **content)
    except ValidationError as error:
        raise UsageError(faults_text(str(project_file), error, Settings)) from error


def faults_text(where: str, error: ValidationError, model: type[BaseModel]) -> str:
    """Return all faults of some settings, which `model` refused, as one message."""
    faults = model_faults(error, model)
    lines = listed(fault_lines(faults), shown=SHOWN_IN_FILES)
    return f"{where}: {len(faults)} setting(s) are wrong:\n{lines}\nMend them and try again."
