"""The bureau's own datum parameters: read from its file, never shipped, never guessed, and checked by common points."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import Transformer, TransformerGroup

from lowland_gis import toml
from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.analysis.rules.model_faults import model_faults
from lowland_gis.errors import SHOWN_IN_FILES, DefinitionError, InputRefusedError, UsageError, listed
from lowland_gis.files.crs import Reference, reference

Coordinates = npt.NDArray[np.float64]
Move = Callable[[Any, Any], tuple[Any, Any]]

_ARC_SECOND = math.pi / 180 / 3600
_PPM = 1e-6


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CommonPoint(_Frozen):
    """A point known in both systems, east before north (degrees: longitude before latitude)."""

    source: tuple[float, float]
    target: tuple[float, float]


class _Parameters(_Frozen):
    """What every file says: between which systems, from which paper, of what date and accuracy.

    `common_points` are checked whenever the parameters are used; one that is missed by more than `tolerance_m` refuses
    them, which finds a wrong sign, unit or order of axes.
    """

    source_crs: str
    target_crs: str
    document: str = Field(min_length=1)
    date: dt.date
    accuracy_m: float = Field(gt=0)
    tolerance_m: float = Field(default=0.5, gt=0)
    common_points: tuple[CommonPoint, ...] = ()


class FourParameters(_Parameters):
    """Plane similarity: u' = du + (1 + m)(u cos a - v sin a), v' = dv + (1 + m)(u sin a + v cos a), in metres.

    `axes` says which axis u is: in Chinese papers X is north, so du is ΔX and `north_east` is right there. The plane
    coordinates are those of `source_crs`, with its zone prefix if it has one. `rotation` is a, `scale_ppm` is m in 1e-6.
    """

    kind: Literal["four"]
    axes: Literal["north_east", "east_north"]
    dx: float
    dy: float
    rotation: float
    rotation_unit: Literal["arc-second", "radian"]
    scale_ppm: float


class SevenParameters(_Parameters):
    """Helmert shift of geocentric coordinates; heights are taken as zero on both ellipsoids.

    Translations in metres, rotations in arc-seconds, scale in ppm. `convention` must be stated: the two differ in the sign
    of the rotations.
    """

    kind: Literal["seven"]
    convention: Literal["position_vector", "coordinate_frame"]
    dx: float
    dy: float
    dz: float
    rx: float
    ry: float
    rz: float
    scale_ppm: float


class GridParameters(_Parameters):
    """An NTv2 grid file; a relative path counts from the folder of the parameter file."""

    kind: Literal["grid"]
    file: Path


DatumParameters = Annotated[FourParameters | SevenParameters | GridParameters, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[FourParameters | SevenParameters | GridParameters] = TypeAdapter(DatumParameters)


@dataclass(frozen=True)
class DatumPath:
    """The way from a source to a target by the bureau's parameters; used as a pyproj Transformer is."""

    description: str
    accuracy_m: float
    steps: tuple[Move, ...]

    def transform(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return coordinates in the target system, east before north; NaN and infinite ones stay what they are.

        Raises:
            InputRefusedError: a finite point has no place in the target, such as one outside the grid.
        """
        came = np.isfinite(x) & np.isfinite(y)
        for step in self.steps:
            x, y = step(x, y)
        lost = came & ~(np.isfinite(x) & np.isfinite(y))
        if np.any(lost):
            raise InputRefusedError(
                f"{self.description}: {int(np.sum(lost))} points cannot be transformed, because they lie outside the area of"
                " the parameters. Give parameters for the whole layer, or have it cut to their area."
            )
        return x, y


def _is_known(crs: str) -> bool:
    try:
        CRS.from_user_input(crs)
    except CRSError:
        return False
    return True


def _refused(path: Path, faults: list[Fault]) -> DefinitionError:
    lines = listed(fault_lines(faults), shown=SHOWN_IN_FILES)
    return DefinitionError(
        f"{path}: {len(faults)} fault(s), so the datum cannot be changed safely:\n{lines}\n"
        "Mend them from the bureau's paper and try again."
    )


def read_datum(path: Path) -> FourParameters | SevenParameters | GridParameters:
    """Read a file of datum parameters.

    Raises:
        DefinitionError: it is missing, no TOML, or does not say all that it must; with every fault.
    """
    content = toml.read(path, DefinitionError)
    try:
        parameters = _ADAPTER.validate_python(content)
    except ValidationError as error:
        raise _refused(path, model_faults(error, DatumParameters)) from error
    unknown = [
        Fault(
            "",
            key,
            getattr(parameters, key),
            "it is no known coordinate system; write it as for example EPSG:2384",
        )
        for key in ("source_crs", "target_crs")
        if not _is_known(getattr(parameters, key))
    ]
    if unknown:
        raise _refused(path, unknown)
    if isinstance(parameters, GridParameters):
        parameters = parameters.model_copy(update={"file": (path.parent / parameters.file).resolve()})
        if not parameters.file.is_file():
            raise DefinitionError(
                f"{path}: its grid {parameters.file} is missing. Put it there, or mend `file`."
            )
    return parameters


def path_with(
    parameters: FourParameters | SevenParameters | GridParameters, source: Reference, target: Reference
) -> DatumPath:
    """Return the way from source to target through the two systems that the parameters are for.

    Within a datum the way is exact, so a source in degrees or in another zone of the same datum is taken as well.

    Raises:
        InputRefusedError: source or target is of another datum than the parameters say, or a common point is missed.
        UsageError: four parameters are not between two planes.
    """
    begin = reference(parameters.source_crs, "source_crs of the datum parameters")
    end = reference(parameters.target_crs, "target_crs of the datum parameters")
    move = _move(parameters, begin, end)
    _check_points(parameters, move)
    before = _within_datum(source, begin, "The file", "source_crs")
    after = _within_datum(end, target, "The target", "target_crs")
    return DatumPath(
        f"{parameters.kind} parameters of {parameters.document}",
        parameters.accuracy_m,
        (*before, move, *after),
    )


def same_datum(one: Reference, other: Reference) -> bool:
    """Tell whether two systems stand on one datum; a system without a datum stands on none."""
    first, second = _datum(one.crs), _datum(other.crs)
    return first is not None and first == second


def _datum(crs: CRS) -> str | None:
    geodetic = crs.geodetic_crs
    return None if geodetic is None or geodetic.datum is None else str(geodetic.datum.name)


def _within_datum(source: Reference, target: Reference, what: str, key: str) -> tuple[Move, ...]:
    if not same_datum(source, target):
        ours, other = (source, target) if key == "source_crs" else (target, source)
        raise InputRefusedError(
            f"{what} is in {ours.crs.name}, but the datum parameters have {key} = {other.crs.name}, which is another datum,"
            " so they would shift it wrongly. Name the parameters for this pair of datums with --datum."
        )
    if source.name == target.name:
        return ()
    group = TransformerGroup(source.crs, target.crs, always_xy=True, allow_ballpark=False)
    if not group.transformers:
        raise InputRefusedError(
            f"No exact way is known from {source.crs.name} to {target.crs.name}. Name parameters that start in {source.name}."
        )
    return (group.transformers[0].transform,)


def _move(
    parameters: FourParameters | SevenParameters | GridParameters, begin: Reference, end: Reference
) -> Move:
    match parameters:
        case FourParameters():
            return _four(parameters, begin, end)
        case SevenParameters():
            step = (
                f"+step +proj=cart {_ellipsoid(begin.crs)} +step {_helmert(parameters)}"
                f" +step +inv +proj=cart {_ellipsoid(end.crs)}"
            )
        case GridParameters():
            step = f'+step +proj=hgridshift +grids="{_plain_path(parameters.file)}"'
    return _through_degrees(_pipeline(step, degrees=True), begin, end)


def _four(parameters: FourParameters, begin: Reference, end: Reference) -> Move:
    for system, key in ((begin, "source_crs"), (end, "target_crs")):
        if not system.is_plane:
            raise UsageError(
                f"{key} = {system.crs.name} is no plane, but four parameters shift plane coordinates in metres."
                " Name the two planes that the bureau's paper is for."
            )
    angle = parameters.rotation * (_ARC_SECOND if parameters.rotation_unit == "arc-second" else 1.0)
    scale = 1 + parameters.scale_ppm * _PPM
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    east, north = parameters.dx, parameters.dy
    if parameters.axes == "north_east":
        # Seen with east first, u and v change places, which turns the rotation round.
        east, north, sine = north, east, -sine
    step = (
        f"+step +proj=affine +xoff={east!r} +yoff={north!r}"
        f" +s11={cosine!r} +s12={-sine!r} +s21={sine!r} +s22={cosine!r}"
    )
    return _pipeline(step, degrees=False)


def _helmert(parameters: SevenParameters) -> str:
    return (
        f"+proj=helmert +x={parameters.dx!r} +y={parameters.dy!r} +z={parameters.dz!r}"
        f" +rx={parameters.rx!r} +ry={parameters.ry!r} +rz={parameters.rz!r} +s={parameters.scale_ppm!r}"
        f" +convention={parameters.convention}"
    )


def _plain_path(grid: Path) -> Path:
    """Refuse the letters that part one grid from the next, or end the name."""
    if set('",@*') & set(str(grid)):
        raise UsageError(
            f"{grid}: a grid's path may hold no comma, quote, @ or *. Rename it, and `file` with it."
        )
    return grid


def _ellipsoid(crs: CRS) -> str:
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        raise UsageError(
            f"{crs.name} has no ellipsoid, so seven parameters cannot shift it. Name another system."
        )
    return f"+a={ellipsoid.semi_major_metre!r} +rf={ellipsoid.inverse_flattening!r}"


def _pipeline(steps: str, *, degrees: bool) -> Move:
    radians, back = (
        "+step +proj=unitconvert +xy_in=deg +xy_out=rad",
        "+step +proj=unitconvert +xy_in=rad +xy_out=deg",
    )
    text = f"+proj=pipeline {radians} {steps} {back}" if degrees else f"+proj=pipeline {steps}"
    try:
        made = Transformer.from_pipeline(text)
    except ProjError as error:
        raise InputRefusedError(
            f"The datum parameters cannot be used: {error}. Check the grid file and the numbers."
        ) from error
    if not degrees:
        return made.transform
    # Height zero goes in and the height that comes out is dropped: the layers are plane.
    return lambda x, y: made.transform(x, y, np.zeros_like(np.asarray(x, dtype=np.float64)))[:2]


def _through_degrees(shift: Move, begin: Reference, end: Reference) -> Move:
    """Go from the plane to degrees of its own datum, shift, and back to the other plane."""
    unproject, project = _degrees(begin.crs), _degrees(end.crs)

    def move(x: Any, y: Any) -> tuple[Any, Any]:
        if unproject is not None:
            x, y = unproject.transform(x, y, direction="INVERSE")
        x, y = shift(x, y)
        return (x, y) if project is None else project.transform(x, y)

    return move


def _degrees(crs: CRS) -> Transformer | None:
    """Return the projection of a plane from the degrees of its own datum."""
    if crs.is_geographic or crs.geodetic_crs is None:
        return None
    return Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True, allow_ballpark=False)


def _check_points(parameters: FourParameters | SevenParameters | GridParameters, move: Move) -> None:
    missed = []
    metres = 1.0 if reference(parameters.target_crs, "target_crs").is_plane else 111_000.0
    for number, point in enumerate(parameters.common_points, start=1):
        x, y = move(*point.source)
        gap = math.hypot(float(x) - point.target[0], float(y) - point.target[1]) * metres
        if not gap <= parameters.tolerance_m:
            missed.append(f"common point {number}: missed by {gap:,.3f} m")
    if missed:
        raise InputRefusedError(
            f"The datum parameters of {parameters.document} miss their own common points by more than"
            f" {parameters.tolerance_m} m, so a sign, a unit or the order of axes is wrong:\n{listed(missed)}\n"
            "Check the numbers against the bureau's paper."
        )
