"""Look at a delivery as ingest would, and say all that is strange about it; no database, nothing is written."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.fields import recognise
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.geometry.extent import readings
from lowland_gis.analysis.geometry.forensics import Kinds, Shapes, shapes
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import LayerDefinition, layer_definition, layer_keys
from lowland_gis.definitions.mapping import Mapping, apply
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import crs as reference
from lowland_gis.files import datum, inspect, transform
from lowland_gis.files.batches import Batch, Received
from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.planes import Delivered, other_system
from lowland_gis.files.raster_header import raster_header
from lowland_gis.files.read import received
from lowland_gis.files.source import Source, opened
from lowland_gis.pipeline.intake.inspection import Inspection, doubts, geometry_facts
from lowland_gis.pipeline.intake.profile import Profile
from lowland_gis.pipeline.intake.raster_check import checked_raster
from lowland_gis.pipeline.intake.rows import Preparer, no_shapes, nothing_left
from lowland_gis.settings import gauss_plane

_SHOWN_FITS = 3
# A fit below this is chance: two layers of a bureau share a serial number and a remark.
_LEAST_SCORE = 0.1
_KINDS = {"Polygon": "polygon", "Line": "line", "Curve": "polygon", "Surface": "polygon", "Point": "point"}

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Options:
    """What the user knows better than the file; the plane is the project's."""

    plane: str
    layer: str | None = None
    src_crs: str | None = None
    encoding: str | None = None
    mapping: Mapping | None = None
    datum: datum.FourParameters | datum.SevenParameters | datum.GridParameters | None = None
    allow_empty: bool = False
    consents: Consents = NONE


def inspect_source(place: str, folder: Path, options: Options) -> list[Inspection]:
    """Return what there is to say of each layer of a source.

    Raises:
        InputRefusedError: it cannot be opened at all.
    """
    with opened(place, folder) as source, warnings.catch_warnings():
        # Measures are counted; that they are left out while reading is said below, in words.
        warnings.filterwarnings("ignore", message="Measured", category=UserWarning)
        names = inspect.layer_names(source, options.encoding)
        return [_inspected(replace(source, layer=name), options) for name in names]


def _inspected(source: Source, options: Options) -> Inspection:
    found = Inspection(source.name, source.layer, source.driver, source.size_bytes, source.sha256)
    if source.driver == "GTiff":
        _raster(source, options, found)
        return found
    found.text = _tried(lambda: inspect.text_facts(source), found)
    found.counts = inspect.counts(source)
    found.said = inspect.said_beside(source)
    kinds = _tried(lambda: inspect.raw_kinds(source), found) or Kinds()
    gathered = _Gathered(source, options, found, kinds)
    try:
        with ExitStack() as stack:
            arrived = _arrived(stack, source, options, found)
            if arrived is not None:
                gathered.go_through(arrived)
    except InputRefusedError as error:
        found.refusals.append(str(error))
    gathered.finish()
    return found


def _tried(look: Callable[[], Any], found: Inspection) -> Any:
    try:
        return look()
    except InputRefusedError as error:
        found.refusals.append(str(error))
        return None


def _arrived(stack: ExitStack, source: Source, options: Options, found: Inspection) -> Received | None:
    """Open the source; where its text cannot be told, open it byte for byte, so that the rest can still be looked at."""
    encodings = (options.encoding, "latin-1") if source.driver == "ESRI Shapefile" else (options.encoding,)
    for encoding in encodings:
        try:
            arrived = stack.enter_context(received(source, encoding=encoding, consents=options.consents))
        except InputRefusedError as error:
            if str(error) not in found.refusals:
                found.refusals.append(str(error))
            continue
        if arrived.encoding is not None and encoding == options.encoding:
            found.encoding, found.encoding_reason = arrived.encoding.name, arrived.encoding.reason
        return arrived
    return None


@dataclass
class _Gathered:
    """What is gathered while the batches of one layer go by, once."""

    source: Source
    options: Options
    found: Inspection
    kinds: Kinds
    shapes: Shapes = field(default_factory=Shapes)
    profile: Profile = field(default_factory=Profile)
    preparer: Preparer | None = None
    has_geometry: bool = False
    stated: Stated = NOTHING
    remarks: list[tuple[str, str]] = field(default_factory=list)

    def go_through(self, arrived: Received) -> None:
        """Look at every batch, and let the preparation of ingest say what it would do with it."""
        self.has_geometry, self.stated = arrived.has_geometry, arrived.stated
        self.found.declared_crs = arrived.declared_crs
        for number, batch in enumerate(_mapped(arrived, self.options.mapping)):
            self.profile.add(batch.attributes)
            self._look(batch)
            if number == 0:
                self._choose()
                self._begin(arrived)
            self._prepare(batch)
            self.found.n_rows += batch.attributes.num_rows
        if self.preparer is not None:
            self.preparer.elsewhere.refuse(self.source.name)
        self.remarks += arrived.doubts

    def _look(self, batch: Batch) -> None:
        if batch.wkb is not None:
            geometries, fault = repair.decode(batch.wkb)
            self.shapes += shapes(geometries, fault, first_row=batch.first_row)

    def _choose(self) -> None:
        """Choose the layer by what was seen so far."""
        fits = self._fits()
        wanted = self.options.layer or (self.options.mapping.layer if self.options.mapping else None)
        best = fits[0].key if fits and fits[0].score >= _LEAST_SCORE else None
        self.found.chosen, self.found.layer_named = wanted or best, wanted is not None
        if self.found.chosen is None:
            self.found.refusals.append(
                f"{self.source.name}: its fields make none of the known layers. Name the layer with --layer, or the fields"
                " with a mapping file."
            )

    def _fits(self) -> list[recognise.Fit]:
        layers = [layer_definition(key) for key in layer_keys()]
        name = f"{Path(self.source.name).stem} {self.source.layer or ''}"
        return recognise.recognise(
            self.profile.columns(), layers, self._geometry(), _lists(layers), name=name, stated=self.stated
        )

    def _geometry(self) -> str | None:
        if not self.has_geometry:
            return "table"
        common = self.kinds.kinds.most_common(1)
        if not common:
            return None
        return next((kind for word, kind in _KINDS.items() if word in common[0][0]), None)

    def _begin(self, arrived: Received) -> None:
        if self.found.chosen is None:
            return
        definition = layer_definition(self.found.chosen)
        if definition.geometry != "table" and not arrived.has_geometry:
            self.found.refusals.append(str(no_shapes(self.source.name, definition.key)))
            return
        way = self._system(arrived) if arrived.has_geometry else None
        if arrived.has_geometry and way is None:
            return

        def bring(geometries: Geometries) -> Geometries:
            return geometries if way is None else way(geometries)

        plane = gauss_plane(self.options.plane)
        self.preparer = Preparer(self.source.name, definition, plane, bring, stated=self.stated)

    def _system(self, arrived: Received) -> Callable[[Geometries], Geometries] | None:
        """Return the way to the plane; without one the reason is among the refusals."""
        try:
            system = reference.resolve(
                arrived.declared_crs, self.options.src_crs, np.array(self.shapes.bounds), self.source.name
            )
        except InputRefusedError as error:
            self.found.refusals.append(str(error))
            return None
        self.found.used_crs = system.name if len(system.name) < 20 else system.crs.name  # noqa: PLR2004 - no WKT
        target = reference.reference(self.options.plane, "the project")
        came = Delivered(
            self.source.name,
            self.source.layer,
            self.options.src_crs,
            parameters=self.options.datum is not None,
        )
        self.found.plane = other_system(system, target, came)
        self.found.datum = "same" if datum.same_datum(system, target) else "needs parameters"
        try:
            return self._way(system, target)
        except InputRefusedError as error:
            self.found.refusals.append(str(error))
            return None

    def _way(
        self, system: reference.Reference, target: reference.Reference
    ) -> Callable[[Geometries], Geometries]:
        if self.options.datum is not None and self.found.datum != "same":
            path = datum.path_with(self.options.datum, system, target)
            self.found.datum = f"{path.description}, good to {path.accuracy_m} m"
            return lambda geometries: shapely.transform(geometries, path.transform, interleaved=False)
        transformer = transform.path_between(system, target, self.source.name)
        words = transform.null_shift(system, target)
        if words is not None:
            self.found.datum = "taken for the project's, without a shift"
            self.found.warnings.append(words)
            self.found.issues[transform.NULL_SHIFT] = 1
        elif self.found.datum != "same":
            self.found.datum = "another datum, with a published transformation"
        return lambda geometries: transform.transformed(geometries, transformer)

    def _prepare(self, batch: Batch) -> None:
        if self.preparer is None:
            return
        try:
            prepared = self.preparer.prepare(batch)
        except InputRefusedError as error:
            self.found.refusals.append(str(error))
            self.preparer = None
            return
        self.remarks += prepared.remarks
        self.found.n_loaded += len(prepared.rows)
        self.found.n_rejected += prepared.n_rejected
        self.found.n_repaired += int((prepared.issues["action"] == "repaired").sum())
        for rule, number in Counter(prepared.issues["rule"].tolist()).most_common():
            self.found.issues[rule] = self.found.issues.get(rule, 0) + number

    def finish(self) -> None:
        """Put the facts together."""
        found = self.found
        found.columns = self.profile.columns()
        found.fits = tuple(_shown(self._fits(), found.chosen))
        if self.preparer is not None and found.n_loaded == 0 and not self.options.allow_empty:
            refused = nothing_left(self.source.name, self.preparer.definition.key, found.n_rejected)
            found.refusals.append(str(refused))
        if found.chosen is not None:
            self._check_fields(layer_definition(found.chosen))
        if self.has_geometry:
            found.geometry = geometry_facts(self.kinds, self.shapes)
            if np.isfinite(self.shapes.bounds).all():
                found.extent = self.shapes.bounds
                found.readings = tuple(_readings(self.shapes.bounds, self.options.plane))
        found.warnings += [words for _, words in (*self.source.doubts, *self.remarks)] + doubts(found)

    def _check_fields(self, definition: LayerDefinition) -> None:
        fit = next((fit for fit in self.found.fits if fit.key == definition.key), None)
        if fit is None:
            return
        lists = _lists([definition])
        lengths = {item.name: item.length for item in definition.field}
        columns = self.found.columns
        self.found.field_faults = tuple(
            recognise.field_faults(columns, fit, definition.field, lists, lengths)
        )
        coded = {item.name: lists[item.codes] for item in definition.field if item.codes}
        received_as = {match.standard: match.received for match in fit.matches}
        for column in columns:
            for name in (name for name in coded if received_as.get(name) == column.name):
                words = recognise.zero_codes(column, coded[name])
                if words:
                    self.found.replace[name] = words


def _mapped(arrived: Received, mapping: Mapping | None) -> Iterator[Batch]:
    """Yield the batches under the names of the mapping; a layer without rows is one empty batch."""
    empty = True
    for batch in arrived.batches:
        empty = False
        yield batch if mapping is None else replace(batch, attributes=apply(mapping, batch.attributes))
    if empty:
        yield Batch.empty(arrived.columns, has_geometry=arrived.has_geometry)


def _lists(layers: list[LayerDefinition]) -> dict[str, dict[str, str]]:
    return {item.codes: code_names(item.codes) for layer in layers for item in layer.field if item.codes}


def _shown(fits: list[recognise.Fit], chosen: str | None) -> list[recognise.Fit]:
    best = fits[:_SHOWN_FITS]
    return best + [fit for fit in fits[_SHOWN_FITS:] if fit.key == chosen]


def _readings(bounds: tuple[float, float, float, float], plane: str) -> Iterator[str]:
    for reading in readings(bounds, round(gauss_plane(plane).central_meridian_deg)):
        systems = ", ".join(f"{datum} {code}" for datum, code in reading.systems.items())
        yield f"{'x and y swapped: ' if reading.swapped else ''}{reading.meaning}{f' – {systems}' if systems else ''}"


def _raster(source: Source, options: Options, found: Inspection) -> None:
    header = raster_header(source.path, source.name)
    found.declared_crs, found.n_rows = header.declared_crs, header.n_bands
    bounds = tuple(float(value) for value in header.bounds)
    found.chosen, found.extent = options.layer or "raster", bounds
    found.readings = tuple(_readings((bounds[0], bounds[1], bounds[2], bounds[3]), options.plane))
    declared = options.src_crs or header.declared_crs
    try:
        if declared is not None:
            system = reference.reference(declared, source.name)
            came = Delivered(source.name, given=options.src_crs, raster=True)
            found.plane = other_system(system, reference.reference(options.plane, "the project"), came)
        checked = checked_raster(source, options.plane, options.src_crs)
    except InputRefusedError as error:
        found.refusals.append(str(error))
        return
    found.used_crs, found.datum, found.n_loaded = checked.system, "same", 1
    for rule, words in checked.doubts:
        found.issues[rule] = 1
        found.warnings.append(words)
