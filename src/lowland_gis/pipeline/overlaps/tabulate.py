"""Tabulate the current parcels against every current layer that is meant for it, as far as something has changed."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from psycopg import sql

from lowland_gis import schema
from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M
from lowland_gis.analysis.overlay.polygons import polygon_rings
from lowland_gis.analysis.overlay.tabulate import Integers, Objects
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import COPY_ROWS, copy_in
from lowland_gis.db.frames import read_batches
from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.engines import local
from lowland_gis.engines.spool import Spool
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import TABULATE, tabulated_layers, tabulation
from lowland_gis.pipeline.base.runs import Request, Run, Versions, current_versions, recorded
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.overlaps.kept import FRESH, KEPT, Kept, keep_parcels
from lowland_gis.pipeline.overlaps.strip_ground import RULE, strips, tell_left_out, without_strips

NO_CODE = ""


def tabulate(project: Project, *, tell: Tell = silent) -> Run:
    """Write `result.overlap` and `result.cover` for every layer whose definition says `tabulate`.

    What the newest run found of parcels whose outlines are the same, in layers whose deliveries are, is taken over, not computed again.

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
            with _Tabulation(connection, project, versions, run_id, kept) as tabulating:
                for key in tabulated_layers(versions):
                    tell(f"tabulate {key} {layer_definition(key).title}")
                    asked = request.inputs["layers"][key]
                    left_out = tabulating.layer(layer_definition(key), _same(earlier, asked, key))
                    if left_out:
                        tell(f"{key}: {left_out:,} features are left out, see land.issue ({RULE})")

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
    with _Tabulation(connection, project, versions, run_id=0) as tabulating:
        return tabulating.frame(layer_definition(key))


@contextmanager
def zones_read(
    connection: Connection, project: Project, versions: Versions, key: str
) -> Iterator[local.Layer]:
    """Yield the zones of a layer, to be asked for the overlaps of other outlines than the parcels'; write nothing.

    Those that the stage has just asked for the parcels are not read again.
    """
    kept: local.Layer | None = project.kept.pop(_zones_key(project, versions, key), None)
    if kept is not None:
        yield kept
        return
    with (
        _Tabulation(connection, project, versions, run_id=0) as tabulating,
        tabulating.zones(layer_definition(key)) as zones,
    ):
        yield zones


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


def _same(earlier: _Earlier | None, asked: dict[str, Any], key: str) -> int | None:
    """Return the run whose figures of a layer still hold, for parcels that are the same."""
    before = None if earlier is None else earlier.layers.get(key)
    if earlier is None or before is None or any(before[name] != asked[name] for name in ("zones", "as_of")):
        return None
    return earlier.run_id


@dataclass
class _Tabulation:
    """One run of the stage: parcels are read once for all layers that need the same ones."""

    connection: Connection
    project: Project
    versions: Versions
    run_id: int
    kept: Kept | None = None
    _open: ExitStack = field(default_factory=ExitStack)
    _parcels: dict[bool, tuple[Spool, Objects]] = field(default_factory=dict)
    _left_out: dict[str, list[int]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    def layer(self, definition: LayerDefinition, same: int | None) -> int:
        """Write the overlaps of one layer: those that hold still in a run that is the `same` are copied, the others computed.

        Returns how many of its features are left out, because no valid area could be derived of them.
        """
        kept = self.kept if same is not None and self.kept is not None and self.kept.n_kept else None
        if kept is not None:
            self._copied(definition.key, same)
            if not kept.n_fresh:
                return 0
        parcels, ids = self._parcels_of(fresh=kept is not None)
        with self.zones(definition, None if kept is None else kept.fresh_box) as zones:
            cover = self.project.settings.tabulate.cover
            for part in local.tabulated(parcels, zones, cover=cover, threads=processors()):
                self._written(definition.key, part, ids, zones.names, parcels.described.area)
            # Where vertices lie in a file, there is nothing that could be kept.
            if zones.whole is not None and definition.key in _drifting():
                self.project.kept[_zones_key(self.project, self.versions, definition.key)] = zones
        if not self._derives(definition):
            return 0
        left_out = self._left_out.get(definition.key, [])
        versions = [version.version_id for version in self.versions[definition.key]]
        tell_left_out(self.connection, definition.identifier, versions, left_out)
        return len(left_out)

    def frame(self, definition: LayerDefinition) -> pd.DataFrame:
        """Return the overlaps of one layer: parcel_id, code, area_m2 and share."""
        parcels, ids = self._parcels_of()
        with self.zones(definition) as zones:
            names = zones.names
            overlaps, _ = local.together(local.tabulated(parcels, zones, threads=processors()), len(ids))
        parcel, klass, area = overlaps
        share = area / parcels.described.area[parcel]
        return pd.DataFrame({"parcel_id": ids[parcel], "code": names[klass], "area_m2": area, "share": share})

    def _copied(self, key: str, run_id: int | None) -> None:
        for table in (schema.OVERLAP, schema.COVER):
            columns = [sql.Identifier(column.name) for column in table.columns if column.name != "run_id"]
            self.connection.execute(
                sql.SQL(
                    "INSERT INTO {table} (run_id, {columns}) SELECT %s, {columns} FROM {table} WHERE run_id = %s AND layer = %s"
                    " AND parcel_id IN (SELECT parcel_id FROM {kept})"
                ).format(
                    table=sql.Identifier(table.schema, table.name),
                    columns=sql.SQL(", ").join(columns),
                    kept=sql.Identifier(KEPT),
                ),
                [self.run_id, run_id, key],
            )

    def _parcels_of(self, *, fresh: bool = False) -> tuple[Spool, Objects]:
        """Return the parcels of the deliveries, or those of them that are not kept; read once."""
        if fresh not in self._parcels:
            spool, ids = self._open.enter_context(Spool()), []
            chosen = FRESH if fresh else "version_id = ANY(%s)"
            query = f"SELECT parcel_id, geom FROM land.parcel WHERE {chosen} ORDER BY parcel_id"  # noqa: S608 - constants
            versions = [version.version_id for version in self.versions["parcel"]]
            for batch in read_batches(self.connection, query, [versions]):
                ids += [row[0] for row in batch]
                _spool(spool, batch)
            self._parcels[fresh] = spool, np.array(ids, dtype=object)
        return self._parcels[fresh]

    @contextmanager
    def zones(self, definition: LayerDefinition, near: bytes | None = None) -> Iterator[local.Layer]:
        """Yield the zones of a layer, ready to be asked; those that lie beyond a box may be left away."""
        with Spool() as spool:
            if self._derives(definition):
                codes = self._with_strips(definition, spool)
            elif definition.geometry == "line":
                codes = iter(())
            else:
                codes = self._read(definition, spool, near)
            yield local.zone_layer(spool, *_numbered(codes))

    def _read(self, definition: LayerDefinition, spool: Spool, near: bytes | None) -> Iterator[list[str]]:
        """Spool the zones of a layer batch by batch, and yield their codes."""
        day = self.project.settings.project.as_of
        columns = f"{_code_column(definition)}, geom"
        query, values = land.features_query(
            definition, self.versions[definition.key], day, columns, near=near
        )
        for batch in read_batches(self.connection, query, values):
            _spool(spool, batch)
            yield [_code(definition, row[0]) for row in batch]

    def _with_strips(self, definition: LayerDefinition, spool: Spool) -> Iterator[list[str]]:
        """Spool a layer of lines as strips, or one whose ground strips take the place of; these need the shapes at once."""
        zones = self._features(definition)
        if definition.width is not None:
            zones, left_out = strips(zones, definition.width)
        else:
            lines = layer_definition(str(definition.strips))
            zones, left_out = without_strips(zones, strips(self._features(lines), str(lines.width)).zones)
        self._left_out[definition.key] = left_out
        spool.add(rings_of(zones.geometry.to_numpy(dtype=object)))
        yield [_code(definition, value) for value in zones[_code_column(definition)]]

    def _derives(self, definition: LayerDefinition) -> bool:
        """Tell whether the zones of a layer are derived from what was delivered: strips, or ground without strips."""
        return definition.width is not None or definition.strips in self.versions

    def _features(self, definition: LayerDefinition) -> Any:
        day = self.project.settings.project.as_of
        versions = self.versions[definition.key]
        return land.features(self.connection, definition, versions, day, srid=self.project.srid)

    def _written(self, key: str, part: local.Part, ids: Objects, names: Objects, areas: Any) -> None:
        parcel, klass, area = part.overlaps
        for start in range(0, len(parcel), COPY_ROWS):
            some = slice(start, start + COPY_ROWS)
            self._copy(
                schema.OVERLAP,
                key,
                {
                    "parcel_id": ids[parcel[some]],
                    "code": names[klass[some]],
                    "area_m2": area[some],
                    "share": area[some] / areas[parcel[some]],
                },
            )
        if part.cover is not None:
            met = np.zeros(len(ids), dtype=bool)
            met[parcel] = True
            uneven = met[part.rows] & ((part.cover.rest_m2 > 0.0) | (part.cover.excess_m2 > 0.0))
            rest, excess = (column[uneven] for column in part.cover)
            rows = {"parcel_id": ids[part.rows[uneven]], "rest_m2": rest, "excess_m2": excess}
            self._copy(schema.COVER, key, rows)

    def _copy(self, table: schema.Table, key: str, rows: dict[str, Any]) -> None:
        constants = {"run_id": self.run_id, "layer": key}
        copy_in(self.connection, table, pd.DataFrame(rows), srid=self.project.srid, constants=constants)


def processors() -> int:
    """Return how many processors this program may use; the figures are the same with any number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _spool(spool: Spool, batch: list[tuple[Any, ...]]) -> None:
    """Add the geometries of rows, their last column, which ingest has made valid."""
    shapes = pa.array([row[-1] for row in batch], pa.large_binary())
    spool.add(polygon_rings(shapes, deviation=MAX_DEVIATION_M)[0])


def _code_column(definition: LayerDefinition) -> str:
    return "feature_id" if definition.tabulate == "feature" else "code"


def _code(definition: LayerDefinition, value: Any) -> str:
    """Return what the overlaps of a zone are summed by."""
    if definition.tabulate == "feature":
        return str(value)
    if definition.code is None:
        return definition.key
    return NO_CODE if value is None else value


def _numbered(batches: Iterable[list[str]]) -> tuple[Integers, Objects]:
    """Return the number of each code among the sorted codes, and these; a code that comes a million times is kept once."""
    seen: dict[str, int] = {}
    parts = [
        np.array([seen.setdefault(code, len(seen)) for code in batch], dtype=np.int64) for batch in batches
    ]
    names = np.array(list(seen), dtype=object)
    order = np.argsort(names, kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank[np.concatenate([np.empty(0, dtype=np.int64), *parts])], names[order]
