"""Tabulate the current parcels against every current layer that is meant for it, as far as something has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lowland_gis import schema
from lowland_gis.analysis.overlay.tabulate import Objects
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.db.frames import read_batches
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.engines import local
from lowland_gis.engines.base import Answer, Question, Rows
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import TABULATE, tabulation
from lowland_gis.pipeline.base.runs import Request, Run, Versions, current_versions, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.overlaps.handed_on import HandedOn, hand_on
from lowland_gis.pipeline.overlaps.kept import FRESH, Kept, keep_parcels
from lowland_gis.pipeline.overlaps.near_boxes import boxes_of_features, boxes_of_lines
from lowland_gis.pipeline.overlaps.standing import stand, take_over
from lowland_gis.pipeline.overlaps.stored_layer import Labelled, StoredLayer, of_geometries
from lowland_gis.pipeline.overlaps.strip_ground import RULE, strips, tell_left_out, without_strips

if TYPE_CHECKING:
    import geopandas as gpd

    from lowland_gis.pipeline.overlaps import on_spark
else:
    on_spark = when_used("lowland_gis.pipeline.overlaps.on_spark")

NO_CODE = ""
_OF = "version_id = ANY(%s)"


def tabulate(project: Project, *, tell: Tell = silent) -> Run:
    """Compute what `result.overlap` and `result.cover` show, for every layer whose definition says `tabulate`.

    What the newest run found of parcels whose outlines are the same, in layers whose deliveries are, stands, and is not computed again.

    Raises:
        UsageError: no parcels were ingested yet.
    """
    with project.turn(TABULATE) as connection:
        versions = current_versions(connection)
        request = tabulation(project, versions)

        def work(run_id: int) -> None:
            land.refuse_double_parcels(connection, versions)
            earlier = _earlier(connection, run_id, request)
            held = [] if earlier is None else earlier.parcels
            kept = keep_parcels(connection, held, [version.version_id for version in versions["parcel"]])
            layers: Mapping[str, Any] = request.inputs["layers"]
            partly = [key for key in layers if kept.n_kept and _is_same(earlier, layers[key], key)]
            stand(connection, run_id, layers)
            if earlier is not None and partly:
                take_over(connection, run_id, earlier.run_id, partly, kept)
            _Tabulation(connection, project, versions, tell).write(run_id, list(layers), partly, kept)

        return recorded(connection, request, work)


def layer_overlaps(
    connection: Connection,
    project: Project,
    versions: Versions,
    key: str,
) -> pd.DataFrame:
    """Return the overlaps of a layer with the parcels of some deliveries; write nothing.

    Columns: parcel_id, code, area_m2 and share.
    """
    return _Tabulation(connection, project, versions).frame(layer_definition(key))


def stored_zones(
    connection: Connection, project: Project, versions: Versions, key: str, tell: Tell = silent
) -> StoredLayer:
    """Return the zones of a layer, which are read when they are asked for."""
    return _Tabulation(connection, project, versions, tell).zones(layer_definition(key))


@contextmanager
def zones_read(
    connection: Connection, project: Project, versions: Versions, key: str, near: str | None = None
) -> Iterator[local.Layer]:
    """Yield the zones of a layer, to be asked for the overlaps of other outlines than the parcels'; write nothing.

    Those that the stage has just asked for the parcels are not read again. With `near`, a temporary table of boxes, zones that
    meet none of them may be left away.
    """
    kept: local.Layer | None = project.kept.pop(_zones_key(project, versions, key), None)
    if kept is not None:
        yield kept
        return
    zones = _Tabulation(connection, project, versions).zones(layer_definition(key), near)
    with local.zones_held(zones, threads=processors()) as held:
        yield held._replace(names=zones.codes()[1])


def _zones_key(project: Project, versions: Versions, key: str) -> Hashable:
    """Return what the zones of a layer depend on."""
    strips = layer_definition(key).strips
    delivered = [*versions[key], *(versions.get(strips, []) if strips else [])]
    return key, tuple(version.version_id for version in delivered), project.settings.project.as_of


def _drifting() -> set[str]:
    """Return the layers whose zones are asked once more, for parcels that are drawn in and out."""
    return {
        layer
        for measure in define.measures().values()
        if isinstance(measure, define.OverlapMeasure) and measure.drift is not None
        for layer in measure.layers
    }


@dataclass(frozen=True)
class _Earlier:
    """The run before: its number, and what the overlaps of each layer depended on."""

    run_id: int
    layers: dict[str, Any]

    @property
    def parcels(self) -> list[int]:
        """Return the deliveries of parcels that it read."""
        return sorted({int(number) for layer in self.layers.values() for number in layer["parcels"]})


def _earlier(connection: Connection, run_id: int, request: Request) -> _Earlier | None:
    """Return the newest run before this one, where it was made by the same program in the same way."""
    row = connection.execute(
        "SELECT run_id, inputs, settings, code_version FROM result.run WHERE stage = %s AND run_id < %s"
        " ORDER BY run_id DESC LIMIT 1",
        [TABULATE, run_id],
    ).fetchone()
    if row is None or row[3] != program_version():
        return None
    if row[2] | {"as_of": None} != dict(request.settings) | {"as_of": None}:
        return None
    return _Earlier(row[0], row[1].get("layers", {}))


def _is_same(earlier: _Earlier | None, asked: Mapping[str, Any], key: str) -> bool:
    """Tell whether the figures of the run before still hold in a layer, for parcels that are the same."""
    before = None if earlier is None else earlier.layers.get(key)
    return before is not None and all(before[name] == asked[name] for name in ("zones", "as_of"))


@dataclass
class _Tabulation:
    """The parcels of some deliveries against layers, by the engine of the project's settings."""

    connection: Connection
    project: Project
    versions: Versions
    tell: Tell = silent
    run_id: int = 0
    _left_out: dict[str, list[int]] = field(default_factory=dict)

    def write(self, run_id: int, keys: Sequence[str], partly: Collection[str], kept: Kept) -> None:
        """Compute the overlaps of layers, and write them under a run; of some layers `partly`, with the parcels that are not kept."""
        self.run_id = run_id
        if kept.n_fresh:
            self._computed(list(partly), fresh=kept)
        self._computed([key for key in keys if key not in partly])

    def frame(self, definition: LayerDefinition) -> pd.DataFrame:
        """Return the overlaps of one layer: parcel_id, code, area_m2 and share."""
        parcels = self._parcels()
        zones, parts = self.zones(definition), list[pd.DataFrame]()
        for answer in self._answers(parcels, [zones], order=parcels.order):
            parts.append(_rows(answer, parcels.names(), zones.codes()[1]))
        return pd.concat(parts, ignore_index=True) if parts else _no_rows()

    def _computed(self, keys: Sequence[str], fresh: Kept | None = None) -> None:
        """Compute the overlaps of layers with the parcels, which are read once, and write them; only with those that are not kept if `fresh`."""
        if not keys:
            return
        definitions = [layer_definition(key) for key in keys]
        near = None if fresh is None else fresh.near
        parcels = self._parcels() if fresh is None else self._parcels(FRESH, fresh.fresh)
        layers = [self.zones(each, near) for each in definitions]
        # Zones near some parcels only are not those that a drift of all parcels is asked of.
        drifting = _drifting() if near is None else set[str]()
        for definition, layer in zip(definitions, layers, strict=True):
            if definition.key in drifting:
                layer.keep = partial(self._keep, definition.key, layer)
        cover, spark = self.project.settings.tabulate.cover, self.project.spark
        if spark is not None:
            asked = {each.key: layer for each, layer in zip(definitions, layers, strict=True)}
            for found in on_spark.tabulated(spark, parcels, asked, cover=cover, tell=self.tell):
                constants = {"run_id": self.run_id}
                copy_in(self.connection, found.table, found.rows, srid=self.project.srid, constants=constants)
        else:
            self._in_this_process(definitions, parcels, layers, keep=near is None)
        if near is None:
            # Of zones near some parcels only, what the run before told of the same zones stands.
            for definition in filter(self._derives, definitions):
                self._tell_left_out(definition)

    def _in_this_process(
        self,
        definitions: Sequence[LayerDefinition],
        parcels: StoredLayer,
        layers: Sequence[StoredLayer],
        *,
        keep: bool,
    ) -> None:
        """Write what the engine answers part by part; all of it is handed on to the next stage where it is to be kept."""
        handed: HandedOn | None = None
        for answer in self._answers(parcels, layers, cover=self.project.settings.tabulate.cover):
            names = layers[answer.layer].codes()[1]
            key, rows = definitions[answer.layer].key, _rows(answer, parcels.names(), names)
            self._written(key, answer, parcels.names(), rows)
            if keep:
                handed = handed or HandedOn(parcels.names())
                handed.add(key, names, answer.overlaps, rows["share"].to_numpy())
        if handed is not None:
            hand_on(self.project.kept, self.run_id, handed)

    def _answers(
        self,
        parcels: StoredLayer,
        zones: Sequence[StoredLayer],
        *,
        order: Callable[[], Rows] | None = None,
        cover: bool = False,
    ) -> Iterator[Answer]:
        question = Question(parcels, zones, order, cover=cover, threads=processors())
        with closing(self.project.engine.answers(question)) as answers:
            yield from answers

    def _keep(self, key: str, layer: StoredLayer, made: object) -> None:
        """Keep zones that the local engine has made ready; where vertices lie in a file, there is nothing that could be kept."""
        if isinstance(made, local.Layer) and made.whole is not None:
            ready = made._replace(names=layer.codes()[1])
            self.project.kept[_zones_key(self.project, self.versions, key)] = ready

    def _tell_left_out(self, definition: LayerDefinition) -> None:
        left_out = self._left_out.get(definition.key, [])
        versions = [version.version_id for version in self.versions[definition.key]]
        tell_left_out(self.connection, definition.identifier, versions, left_out)
        if left_out:
            self.tell(f"{definition.key}: {len(left_out):,} features are left out, see land.issue ({RULE})")

    def _parcels(self, chosen: str = _OF, some: Sequence[int] | None = None) -> StoredLayer:
        """Return the parcels of the deliveries, or of `some` of them, that a condition on one value, these deliveries, chooses."""
        query = f"SELECT parcel_id, geom FROM land.parcel WHERE {chosen} ORDER BY parcel_id"  # noqa: S608 - constants
        versions = [version.version_id for version in self.versions["parcel"]] if some is None else some
        return StoredLayer(partial(stored_rows, self.connection, query, [list(versions)], str))

    def zones(self, definition: LayerDefinition, near: str | None = None) -> StoredLayer:
        """Return the zones of a layer, which are read when an engine asks for them; those beyond the boxes of a table may be left away."""
        if self._derives(definition):
            return StoredLayer(partial(self._with_strips, definition, near))
        if definition.geometry == "line":
            return StoredLayer(lambda: iter(()))
        return StoredLayer(partial(self._read, definition, near))

    def _read(self, definition: LayerDefinition, near: str | None) -> Iterator[Labelled]:
        """Read the zones of a layer with their codes batch by batch."""
        self.tell(f"tabulate {definition.key} {definition.title}")
        day = self.project.settings.project.as_of
        columns = f"{_code_column(definition)}, geom"
        query, values = land.features_query(
            definition, self.versions[definition.key], day, columns, near=near
        )
        yield from stored_rows(self.connection, query, values, partial(_code, definition))

    def _with_strips(self, definition: LayerDefinition, near: str | None) -> Iterator[Labelled]:
        """Return a layer of lines as strips, or one whose ground strips take the place of; these need the shapes at once."""
        self.tell(f"tabulate {definition.key} {definition.title}")
        if definition.width is not None:
            zones, left_out = strips(self._lines(definition, near), definition.width)
        else:
            lines = layer_definition(str(definition.strips))
            zones = self._features(definition, near)
            taken = strips(self._lines(lines, self._around(definition, near)), str(lines.width)).zones
            zones, left_out = without_strips(zones, taken)
        self._left_out[definition.key] = left_out
        codes = [_code(definition, value) for value in zones[_code_column(definition)]]
        yield from of_geometries(codes, zones.geometry)

    def _derives(self, definition: LayerDefinition) -> bool:
        """Tell whether the zones of a layer are derived from what was delivered: strips, or ground without strips."""
        return definition.width is not None or definition.strips in self.versions

    def _features(self, definition: LayerDefinition, near: str | None) -> gpd.GeoDataFrame:
        day = self.project.settings.project.as_of
        versions = self.versions[definition.key]
        return land.features(self.connection, definition, versions, day, srid=self.project.srid, near=near)

    def _lines(self, definition: LayerDefinition, near: str | None) -> gpd.GeoDataFrame:
        """Return the lines of a layer; with `near` those whose strips may meet its boxes, and those that may meet these: so their ground is whole."""
        if near is not None:
            versions = [version.version_id for version in self.versions[definition.key]]
            near = boxes_of_lines(self.connection, near, versions, str(definition.width))
        return self._features(definition, near)

    def _around(self, definition: LayerDefinition, near: str | None) -> str | None:
        """Return the boxes of the features that meet some boxes."""
        versions = [version.version_id for version in self.versions[definition.key]]
        return None if near is None else boxes_of_features(self.connection, near, versions)

    def _written(self, key: str, answer: Answer, ids: Objects, rows: pd.DataFrame) -> None:
        for start in range(0, len(rows), COPY_ROWS):
            self._copy(schema.COMPUTED_OVERLAP, key, rows[start : start + COPY_ROWS])
        if answer.cover is not None:
            met = np.zeros(len(ids), dtype=bool)
            met[answer.overlaps.parcel] = True
            uneven = met[answer.rows] & ((answer.cover.rest_m2 > 0.0) | (answer.cover.excess_m2 > 0.0))
            rest, excess = (column[uneven] for column in answer.cover)
            columns = {"parcel_id": ids[answer.rows[uneven]], "rest_m2": rest, "excess_m2": excess}
            self._copy(schema.COMPUTED_COVER, key, pd.DataFrame(columns))

    def _copy(self, table: schema.Table, key: str, rows: pd.DataFrame) -> None:
        constants = {"run_id": self.run_id, "layer": key}
        copy_in(self.connection, table, rows, srid=self.project.srid, constants=constants)


def processors() -> int:
    """Return how many processors this program may use; the figures are the same with any number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stored_rows(
    connection: Connection, query: Any, values: list[Any], label: Callable[[Any], str]
) -> Iterator[Labelled]:
    """Read rows of a name and a geometry, which ingest has made valid, batch by batch."""
    for batch in read_batches(connection, query, values):
        yield Labelled(
            [label(row[0]) for row in batch], pa.array([row[-1] for row in batch], pa.large_binary())
        )


def _rows(answer: Answer, ids: Objects, names: Objects) -> pd.DataFrame:
    """Return the overlaps of an answer: parcel_id, code, area_m2 and share."""
    parcel, klass, area = answer.overlaps
    whole = np.full(len(ids), np.nan)
    whole[answer.rows] = answer.area_m2
    return pd.DataFrame(
        {"parcel_id": ids[parcel], "code": names[klass], "area_m2": area, "share": area / whole[parcel]}
    )


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in ("parcel_id", "code")}).assign(
        area_m2=pd.Series(dtype=float), share=pd.Series(dtype=float)
    )


def _code_column(definition: LayerDefinition) -> str:
    return "feature_id" if definition.tabulate == "feature" else "code"


def _code(definition: LayerDefinition, value: Any) -> str:
    """Return what the overlaps of a zone are summed by."""
    if definition.tabulate == "feature":
        return str(value)
    if definition.code is None:
        return definition.key
    return NO_CODE if value is None else value
